//! What the rewriter promises for JavaScript, over every fixture and random edits of them:
//! insertions come out again, lines stay, and what the parser could read it still can.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_javascript::SPEC;
use tracer_model::{Detail, Kind};
use tracer_rewriting_checks::{self as checks, DETAILS};

/// The programs of the fixtures.
fn programs() -> Vec<checks::Program> {
    checks::programs(&SPEC, 50)
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
fn functions_keep_their_inferred_names() {
    for program in [
        "let f = () => 1;",
        "let f = (function () {});",
        "class C { f = () => 1; static g = class {}; }",
        "function k(f = () => 1) {}",
        "f ??= () => 1;",
    ] {
        let rewritten = text(program);
        assert!(
            !rewritten.contains("(() =>") || program.contains("(()"),
            "{rewritten}"
        );
        for value in ["= () =>", "= (function", "= class"] {
            assert_eq!(
                program.contains(value),
                rewritten.contains(value),
                "{rewritten}"
            );
        }
    }
}

#[test]
fn nothing_stands_where_an_error_message_would_show_it() {
    for program in [
        "(a || b)();",
        "new (x = y)();",
        "for (const q of (a ?? b)) ;",
        "f[i++]();",
    ] {
        let rewritten = text(program);
        let shown = &program[..program.len() - 1]
            .split(';')
            .next()
            .expect("a statement");
        let part = shown
            .trim_start_matches("for (const q of ")
            .trim_end_matches(") ");
        assert!(rewritten.contains(part), "{rewritten}");
    }
}

#[test]
fn directives_labels_and_returns_keep_their_places() {
    assert!(text("function f() { 'use strict'\nreturn 1 }").contains("{ 'use strict';"));
    assert!(text("a: for (;;) break a").contains("a: for (;;)"));
    let rewritten = text("function f() { return\n1 }");
    let (first, _) = rewritten.split_once('\n').expect("two lines");
    assert!(
        first.ends_with(')') && first.contains("return $t0_ru("),
        "{rewritten}"
    );
}

#[test]
fn insertions_stand_before_trailing_comments() {
    let rewritten = text("if (a) b() // c\nd()");
    assert!(rewritten.contains("b()} // c\n"), "{rewritten}");
}

#[test]
fn a_program_that_uses_our_prefix_gets_another() {
    let rewritten = text("let $t0_s = 1; $t0_s++;");
    assert!(
        rewritten.contains("$t1_s(") && !rewritten.contains("$t0_s("),
        "{rewritten}"
    );
}

#[test]
fn every_kind_of_site_is_made() {
    let done = rewrite(
        b"function f(a) { try { if (a) throw a; } catch (e) { return e; } }\n\
          for (let i = 0; i < 2; i++) f(i); const l = []; l.push(1);",
        Detail::State,
    );
    for kind in [
        Kind::In,
        Kind::Out,
        Kind::Var,
        Kind::Branch,
        Kind::Loop,
        Kind::Err,
        Kind::Transform,
        Kind::Step,
    ] {
        assert!(done.sites.iter().any(|site| site.kind == kind), "{kind:?}");
    }
}

#[test]
fn odd_files_are_rewritten() {
    for source in [
        &b""[..],
        b"\xef\xbb\xbflet a = 1;",
        b"let a = 1;\r\nlet b = a\r\n",
        b"let s = '\xe9'; /* \xff */ s + 1",
        b"let a\0 = 1;",
        b"}}}}((((",
        b"#!",
        b"// only a comment",
        b"'only a directive'",
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
