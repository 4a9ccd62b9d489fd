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
fn chains_of_operators_part_where_the_language_parts_them() {
    for (whole, parted) in [
        (
            "let r = a == b && c || d\n",
            "_tr_c(1, _tr_c(2, a == b) && c) || d",
        ),
        (
            "let r = a || b && c + 1 > 2 || e\n",
            "_tr_c(1, _tr_c(2, a) || _tr_c(3, b) && c + 1 > 2) || e",
        ),
        ("x = a && b && !c\n", "_tr_c(1, _tr_c(2, a) && b) && !c"),
        (
            "let r = f(a || b ? c : d && e)\n",
            "f(_tr_c(1, _tr_c(2, a) || b) ? c : _tr_c(3, d) && e)",
        ),
        ("let r = try f(a) && g(b)\n", "try _tr_c(1, f(a)) && g(b)"),
        (
            "let r = x ?? y && z is Int\n",
            "_tr_c(1, x ?? y) && z is Int",
        ),
        ("let r = a <=> b && c\n", "a <=> b && c"),
        ("struct S { var r = a && b }\n", "a && b"),
    ] {
        let rewritten = text(whole);
        // The numbers of sites are no concern of this test.
        let numbered = |text: &str| {
            let parts = text.split("_tr_c(");
            let plain = parts.map(|part| {
                let end = part
                    .find(", ")
                    .filter(|&end| end > 0 && part[..end].chars().all(|c| c.is_ascii_digit()));
                end.map_or(part, |end| &part[end..])
            });
            plain.collect::<Vec<_>>().join("_tr_c(")
        };
        assert!(
            numbered(&rewritten).contains(&numbered(parted)),
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
