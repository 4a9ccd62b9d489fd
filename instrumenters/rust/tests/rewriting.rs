//! What the rewriter promises for Rust, over every fixture and random edits of them: insertions come
//! out again, lines stay, and what the parser could read it still can.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_rust::SPEC;
use tracer_model::Detail;
use tracer_rewriting_checks::{self as checks, DETAILS};

/// The programs of the fixtures.
fn programs() -> Vec<checks::Program> {
    checks::programs(&SPEC, 20)
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
fn what_the_compiler_computes_is_left_alone() {
    for untouched in [
        "const N: usize = if A && B { 1 } else { 2 };\n",
        "static T: [u8; { let n = 2; n }] = [0; 2];\n",
        "const fn f(n: u8) -> u8 { let m = n; while m > 3 {} m }\n",
        "macro_rules! m { ($x:expr) => { { let a = $x; a && b } }; }\n",
        "type T = Foo<{ 1 + 1 }>;\n",
        "m! { let a = 1; return a; }\n",
    ] {
        assert_eq!(text(untouched), untouched);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Files that are being typed: a stretch of a fixture is missing.
    #[test]
    fn whatever_is_left_of_a_file_is_reversible(
        which in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 0usize..60,
        detail in 0usize..DETAILS.len(),
    ) {
        let programs = programs();
        let program = programs[which.index(programs.len())].text.as_bytes();
        let from = from.index(program.len());
        let mut source = program.to_vec();
        source.drain(from..(from + length).min(program.len()));
        let instrumented = rewrite(&source, DETAILS[detail]);
        prop_assert_eq!(strip(&instrumented.rewritten), source);
    }
}
