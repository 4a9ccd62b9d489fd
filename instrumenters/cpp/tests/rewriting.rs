//! What the rewriter promises for C++, over every fixture and random edits of them: insertions come
//! out again, lines stay, and what the parser could read it still can.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_cpp::SPEC;
use tracer_model::{Detail, Kind};
use tracer_rewriting_checks::{self as checks, DETAILS};

/// The programs of the fixtures.
fn programs() -> Vec<checks::Program> {
    checks::programs(&SPEC, 40)
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
fn directives_and_constant_expressions_are_left_alone() {
    for untouched in [
        "#define F(x) ((x) ? (x)++ : 0)\n",
        "#if A && B\n#endif\n",
        "int a[B ? 1 : 2] = { 1 && 2 };\n",
        "enum e { X = 1 ? 2 : 3 };\n",
        "_Static_assert(1 && 2, \"\");\n",
        "#include \"x.h\"\n",
    ] {
        let rewritten = text(untouched);
        let kept = rewritten.replace(&rewritten[rewritten.len().min(untouched.len())..], "");
        assert!(
            kept.trim_end() == untouched.trim_end() || rewritten.starts_with(untouched.trim_end()),
            "{rewritten}"
        );
    }
}

#[test]
fn nothing_is_put_behind_what_the_parser_could_not_finish() {
    // To the parser the macro is a call that lacks its `;`, and its body another statement.
    let rewritten = text("void f(void) { EACH(x, l) g(x); h(); }");
    assert!(rewritten.contains("EACH(x, l) g(x);"), "{rewritten}");
}

#[test]
fn a_dangling_else_keeps_its_if() {
    let rewritten = text("void f(int a) { if (a) if (a > 1) g(); else h(); }");
    let inner = rewritten.find("if (a > 1)").expect("the inner if");
    let other = rewritten.find("else {").expect("its else");
    let outer = rewritten.rfind("else{").expect("the outer one's");
    assert!(inner < other && other < outer, "{rewritten}");
    assert_eq!(
        rewritten.matches('{').count(),
        rewritten.matches('}').count()
    );
}

#[test]
fn a_step_that_follows_for_certain_has_no_probe() {
    let done = rewrite(
        b"int f(void) { int a = 1; a = 2; return a; }",
        Detail::State,
    );
    let steps = done
        .sites
        .iter()
        .filter(|site| site.kind == Kind::Step)
        .count();
    let probes = String::from_utf8_lossy(&done.rewritten.text)
        .matches("_tr_s(")
        .count();
    assert_eq!((steps, probes), (3, 0));
}

#[test]
fn odd_files_are_rewritten() {
    for source in [
        &b""[..],
        b"\xef\xbb\xbfint main(void) { return 0; }",
        b"int main(void) {\r\n\treturn 0;\r\n}\r\n",
        b"int main(void) { char *s = \"\xe9\"; /* \xff */ return s == 0; }",
        b"int main(void) { return\0 0; }",
        b"}}}}((((",
        b"#",
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
