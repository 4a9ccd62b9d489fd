//! What the rewriter promises for Swift, over every fixture and random edits of them: insertions
//! come out again, lines stay, and what the parser could read it still can.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_swift::SPEC;
use tracer_model::Detail;
use tracer_rewriting_checks::{self as checks, DETAILS};

fn programs() -> Vec<checks::Program> {
    checks::programs(&SPEC, 30)
}

fn rewrite(source: &[u8], detail: Detail) -> Instrumented {
    checks::rewrite(&SPEC, source, detail)
}

/// The rewritten text of a program at the default detail.
fn text(program: &str) -> String {
    String::from_utf8(rewrite(program.as_bytes(), Detail::State).rewritten.text).expect("UTF-8")
}

#[test]
fn insertions_come_out_again_and_add_no_line() {
    checks::reversible(&SPEC, &programs());
}

#[test]
fn what_could_be_parsed_still_can() {
    checks::parses_again(&SPEC, &programs());
}

#[test]
fn more_detail_reports_more() {
    checks::more_detail_reports_more(&SPEC, &programs());
}

#[test]
fn chains_of_operators_are_not_parted() {
    // The grammar knows no precedence: a part it names may not be one.
    for whole in [
        "let r = a == b && c || d\n",
        "let r = a ? b : c ? d : e\n",
        "x = a > 1 && b > 2 || c\n",
    ] {
        let rewritten = text(whole);
        let inside = rewritten.replace("import _tr; ", "");
        let probes = inside.matches("_tr_c(").count();
        assert!(probes <= 1, "{rewritten}");
        assert!(
            !inside.contains("&& _tr_") && !inside.contains(": _tr_"),
            "{rewritten}"
        );
    }
}
proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn damaged_programs_come_out_unchanged(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40, ".{0,6}"), 1..5),
    ) {
        let programs = programs();
        let mut source = which.get(&programs).text.clone().into_bytes();
        for (at, length, insert) in cuts {
            let start = at.index(source.len() + 1);
            let end = (start + length).min(source.len());
            source.splice(start..end, insert.into_bytes());
        }
        for detail in DETAILS {
            let done = rewrite(&source, detail);
            prop_assert_eq!(&strip(&done.rewritten), &source);
        }
    }
}
