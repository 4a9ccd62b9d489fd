//! What the rewriter promises for Java, over every fixture and random edits of them: insertions
//! come out again, lines stay, and what the parser could read it still can.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_java::SPEC;
use tracer_model::Detail;
use tracer_rewriting_checks::{self as checks, DETAILS};

/// The programs of the fixtures.
fn programs() -> Vec<checks::Program> {
    checks::programs(&SPEC, 10)
}

fn rewrite(source: &[u8], detail: Detail) -> Instrumented {
    checks::rewrite(&SPEC, source, detail)
}

/// The rewritten text of a method's body at the default detail.
fn body(statements: &str) -> String {
    let program = format!("class A {{ void f() {{ {statements} }} }}");
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

/// A condition that the compiler may know, or that binds or assigns, stays bare.
#[test]
fn conditions_that_flow_hangs_on_are_not_wrapped() {
    for statement in [
        "int x = true ? 1 : 2;",
        "int x = UNKNOWN ? 1 : 2;",
        "int x = o instanceof String s ? s.length() : 2;",
        "int y; int x = (y = g()) > 0 ? y : 2;",
        "while (true) { g(); }",
        "do { g(); } while (LIMIT > 3);",
    ] {
        let rewritten = body(statement);
        assert!(!rewritten.contains("trc$.P.b("), "{rewritten}");
    }
}

/// No probe stands where the compiler would say that nothing gets there.
#[test]
fn nothing_follows_what_does_not_complete() {
    for (statement, ends) in [
        ("while (true) { g(); }", false),
        ("while (g()) { h(); }", true),
        ("for (;;) { if (g()) break; }", true),
        ("a: for (;;) { for (;;) { break a; } }", true),
        ("a: for (;;) { for (;;) { continue a; } }", false),
        ("do { return; } while (g());", false),
        ("while (UNKNOWN) { g(); }", false),
    ] {
        let rewritten = body(statement);
        assert_eq!(rewritten.contains("trc$.P.lx("), ends, "{rewritten}");
    }
}

#[test]
fn no_local_variable_is_inserted() {
    for program in programs() {
        for detail in DETAILS {
            let text = rewrite(program.text.as_bytes(), detail).rewritten.text;
            let text = String::from_utf8_lossy(&text).into_owned();
            let own = text.match_indices("trc$t").count();
            assert_eq!(own % 3, 0, "only the error that leaves `main` has a name");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_edits_stay_reversible(at in any::<prop::sample::Index>(), length in 0usize..40, with in "[ -~]{0,6}") {
        let programs = programs();
        let program = &programs[at.index(programs.len())];
        let mut bytes = program.text.clone().into_bytes();
        let from = at.index(bytes.len().max(1)).min(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, with.bytes());
        let done = rewrite(&bytes, Detail::Full);
        prop_assert_eq!(strip(&done.rewritten), bytes);
    }
}
