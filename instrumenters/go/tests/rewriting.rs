//! What the rewriter promises for Go, over every fixture and random edits of them: insertions come
//! out again, lines stay, and what the parser could read it still can.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_go::SPEC;
use tracer_model::{Detail, Kind};
use tracer_rewriting_checks::{self as checks, DETAILS};

/// The programs of the fixtures.
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
fn constants_types_and_imports_are_left_alone() {
    for untouched in [
        "const a = b && c\n",
        "var x [b + 1]int\n",
        "type t struct{ f func() int }\n",
        "import \"os\"\n",
        "func external(n int) int\n",
    ] {
        let rewritten = text(&format!("package main\n{untouched}"));
        let line = rewritten.lines().nth(1).expect("the second line");
        let own = line.replace(";var _=_tr.G", "");
        assert_eq!(own.trim_end(), untouched.trim_end());
    }
}

#[test]
fn an_endless_loop_stays_the_last_statement() {
    let rewritten = text("package main\nfunc f() int { for { if g() { return 1 } } }\n");
    assert!(rewritten.trim_end().ends_with("} }"), "{rewritten}");
    assert!(!rewritten.contains("LX("), "{rewritten}");
}

#[test]
fn a_label_stays_with_its_loop() {
    let rewritten = text("package main\nfunc f() { L: for { break L }; g() }\n");
    assert!(rewritten.contains("L: for"), "{rewritten}");
}

#[test]
fn results_without_names_get_some() {
    let rewritten = text("package main\nfunc f() (int, error) { return 1, nil }\n");
    assert!(rewritten.contains("(_tr0 int, _tr1 error)"), "{rewritten}");
    let rewritten = text("package main\nfunc f() []int { return nil }\n");
    assert!(rewritten.contains("func f() (_tr0 []int) {"), "{rewritten}");
}

#[test]
fn a_step_that_follows_for_certain_has_no_probe() {
    let done = rewrite(
        b"package main\nfunc f() {\n\ta := 1\n\ta = 2\n\ta++\n}\n",
        Detail::State,
    );
    let steps = done
        .sites
        .iter()
        .filter(|site| site.kind == Kind::Step)
        .count();
    let probes = String::from_utf8_lossy(&done.rewritten.text)
        .matches("_trw.S(")
        .count();
    assert_eq!((steps, probes), (3, 0));
}

#[test]
fn odd_files_are_rewritten() {
    for source in [
        &b""[..],
        b"\xef\xbb\xbfpackage main",
        b"package main\r\nfunc main() {\r\n}\r\n",
        b"package main\nvar s = \"\xe9\" /* \xff */",
        b"package main\nfunc f() { return\0 0 }",
        b"}}}}((((",
        b"package",
    ] {
        let done = rewrite(source, Detail::Full);
        assert_eq!(strip(&done.rewritten), source);
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
