//! What the rewriter promises for TypeScript, over every fixture and random edits of them:
//! insertions come out again, lines stay, and what the parser could read it still can; and the
//! same of the lowered text.

use std::path::Path;

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_typescript::SPEC;
use tracer_lang_typescript::lower::{Rendered, lower};
use tracer_model::{Detail, Kind};
use tracer_rewriting_checks::{self as checks, DETAILS, Program};

/// The programs of the fixtures.
fn programs() -> Vec<Program> {
    checks::programs(&SPEC, 50)
}

fn rewrite(name: &str, source: &[u8], detail: Detail) -> Instrumented {
    checks::rewrite_as(&SPEC, name, source, detail)
}

/// The lowered text with the probes of a rewritten one.
fn lowered(name: &str, source: &[u8], done: &Instrumented) -> Rendered {
    let mut before = 0;
    let insertions = done.rewritten.insertions.iter().map(|insertion| {
        let start = insertion.at as usize + before;
        before += insertion.length as usize;
        let text = &done.rewritten.text[start..start + insertion.length as usize];
        (
            insertion.at as usize,
            String::from_utf8_lossy(text).into_owned(),
        )
    });
    lower(Path::new(name), source).instrumented(insertions)
}

/// A lowered text without its probes.
fn plain(rendered: &Rendered) -> Vec<u8> {
    let mut text = Vec::new();
    let (mut read, mut done) = (0, 0);
    for pair in rendered.insertions.chunks(2) {
        let upto = read + pair[0] as usize - done;
        text.extend_from_slice(&rendered.text[read..upto]);
        done = pair[0] as usize;
        read = upto + pair[1] as usize;
    }
    text.extend_from_slice(&rendered.text[read..]);
    text
}

fn lines(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte == b'\n').count()
}

/// The lowered text of a program.
fn js(program: &str) -> String {
    let rendered = lower(Path::new("main.ts"), program.as_bytes()).plain();
    String::from_utf8(rendered.text).expect("UTF-8")
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
fn the_lowered_text_keeps_lines_and_carries_the_probes() {
    for Program { case, name, text } in programs() {
        let own = lower(Path::new(&name), text.as_bytes()).plain();
        assert_eq!(lines(&own.text), lines(text.as_bytes()), "{case}");
        for detail in DETAILS {
            let done = rewrite(&name, text.as_bytes(), detail);
            let rendered = lowered(&name, text.as_bytes(), &done);
            assert_eq!(plain(&rendered), own.text, "{case} at {detail:?}");
            let wanted = done.rewritten.insertions.len() * 2;
            assert_eq!(
                rendered.insertions.len(),
                wanted,
                "{case}: every probe is there"
            );
        }
    }
}

#[test]
fn types_become_spaces() {
    for (from, to) in [
        ("let a: number = 1;", "let a         = 1;"),
        ("f<T>(x!)", "f   (x )"),
        ("const a = b as any\n(c)", "const a = b      ;\n(c)"),
        ("interface A {}\nlet b", ";             \nlet b"),
        ("let é: 'é😀' = 1", "let é        = 1"),
        (
            "import { a, type B } from 'c'; a",
            "import { a,        } from 'c'; a",
        ),
        (
            "import { B } from 'c'; let a: B",
            ";                      let a   ",
        ),
    ] {
        assert_eq!(js(from), to);
    }
}

#[test]
fn places_differ_only_where_something_was_rewritten() {
    let moves = |text: &str| lower(Path::new("main.ts"), text.as_bytes()).moves();
    assert!(moves("let a: number = f<string>(1);\nclass A { private x?: 1 }").is_empty());
    // `E[E["B"]=` is longer than `B =`.
    let text = "enum E { B = f() }";
    let moved = moves(text);
    let value = moved.chunks(4).find(|entry| entry[2..] == [1, 14]);
    let column = value.expect("the value is kept")[1] as usize;
    assert!(js(text)[column - 1..].starts_with("f()"), "{moved:?}");
}

#[test]
fn every_kind_of_site_is_made() {
    let done = rewrite(
        "main.ts",
        b"function f(a?: number): number { try { if (a) throw a; } catch (e: any) { return e!; } }\n\
          for (let i = 0; i < 2; i++) f(i); const l: number[] = []; l!.push(1);",
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
        b"\xef\xbb\xbflet a: number = 1;",
        b"let a: number = 1;\r\nlet b = a as any\r\n",
        b"let s: '\xe9' = '\xe9'; /* \xff */ s + 1",
        b"let a\0 = 1;",
        b"}}}}((((",
        b"#!",
        b"// only a comment",
        b"type OnlyAType = 1",
        b"enum E { '\xe9', b",
    ] {
        let done = rewrite("main.ts", source, Detail::Full);
        assert_eq!(strip(&done.rewritten), source);
        let rendered = lowered("main.ts", source, &done);
        assert_eq!(
            plain(&rendered),
            lower(Path::new("main.ts"), source).plain().text
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
        let Program { name, text, .. } = which.get(&programs);
        let mut source = text.clone().into_bytes();
        for (at, length, insert) in cuts {
            let start = at.index(source.len() + 1);
            let end = (start + length).min(source.len());
            source.splice(start..end, insert.into_bytes());
        }
        for detail in DETAILS {
            let done = rewrite(name, &source, detail);
            prop_assert_eq!(&strip(&done.rewritten), &source);
            let rendered = lowered(name, &source, &done);
            let own = lower(Path::new(name), &source).plain();
            prop_assert_eq!(plain(&rendered), own.text);
        }
    }
}
