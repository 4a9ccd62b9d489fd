//! What the rewriter promises for JavaScript, over every fixture and random edits of them:
//! insertions come out again, lines stay, and what the parser could read it still can.

use std::path::Path;

use proptest::prelude::*;
use tracer_instrument::{Instrumented, Options, instrument, strip};
use tracer_lang_javascript::SPEC;
use tracer_model::{Detail, Kind};

const DETAILS: [Detail; 4] = [Detail::Calls, Detail::Lines, Detail::State, Detail::Full];

/// The JavaScript programs of the fixtures.
fn programs() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/javascript");
    let mut programs = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the fixtures are there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let mut case = String::new();
        let mut program: Option<String> = None;
        for line in text.split_inclusive('\n') {
            if let Some(body) = &mut program {
                if line.starts_with("```") {
                    programs.push((case.clone(), program.take().expect("a program")));
                } else {
                    body.push_str(line);
                }
            } else if let Some(title) = line.strip_prefix("## ") {
                title.trim().clone_into(&mut case);
            } else if line.starts_with("```javascript") && !line.contains(".json") {
                program = Some(String::new());
            }
        }
    }
    assert!(programs.len() > 50, "only {} programs", programs.len());
    programs
}

fn rewrite(source: &[u8], detail: Detail) -> Instrumented {
    let options = Options {
        detail,
        ..Options::default()
    };
    instrument(&SPEC, source, &options).expect("JavaScript is never refused")
}

/// The rewritten text of a program at the default detail.
fn text(program: &str) -> String {
    String::from_utf8(rewrite(program.as_bytes(), Detail::State).rewritten.text).expect("UTF-8")
}

#[test]
fn insertions_come_out_again_and_add_no_line() {
    for (case, program) in programs() {
        for detail in DETAILS {
            let done = rewrite(program.as_bytes(), detail);
            assert_eq!(
                strip(&done.rewritten),
                program.as_bytes(),
                "{case} at {detail:?}"
            );
            let lines = |text: &[u8]| text.iter().filter(|&&byte| byte == b'\n').count();
            assert_eq!(
                lines(&done.rewritten.text),
                lines(program.as_bytes()),
                "{case}"
            );
        }
    }
}

#[test]
fn what_could_be_parsed_still_can() {
    for (case, program) in programs() {
        for detail in DETAILS {
            let done = rewrite(program.as_bytes(), detail);
            let again = rewrite(&done.rewritten.text, detail);
            assert!(
                again.errors <= done.errors,
                "{case} at {detail:?}:\n{}",
                String::from_utf8_lossy(&done.rewritten.text)
            );
        }
    }
}

#[test]
fn more_detail_reports_more() {
    for (case, program) in programs() {
        let counts: Vec<usize> = DETAILS
            .iter()
            .map(|&detail| rewrite(program.as_bytes(), detail).sites.len())
            .collect();
        assert!(counts.is_sorted(), "{case}: {counts:?}");
    }
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
        let mut source = which.get(&programs).1.clone().into_bytes();
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
