//! What the rewriter promises for SQL, over every fixture and random edits of them: the comment
//! behind a script comes out again, lines stay, sites are in place, and what the parser could read
//! it still can.

use std::path::Path;

use proptest::prelude::*;
use tracer_instrument::{InstrumentError, Instrumented, Options, instrument, strip};
use tracer_lang_sql::SPEC;
use tracer_model::{Detail, Kind};
use tracer_runtime_sql::split::{Piece, Text, split};

const DETAILS: [Detail; 4] = [Detail::Calls, Detail::Lines, Detail::State, Detail::Full];

/// The scripts of the literate fixtures.
fn programs() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/sql");
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
            } else if line.starts_with("```sql") {
                program = Some(String::new());
            }
        }
    }
    assert!(programs.len() > 40, "only {} programs", programs.len());
    programs
}

fn rewrite(source: &[u8], detail: Detail) -> Option<Instrumented> {
    let options = Options {
        detail,
        ..Options::default()
    };
    match instrument(&SPEC, source, &options) {
        Ok(done) => Some(done),
        Err(InstrumentError::Unsupported { .. } | InstrumentError::Encoding { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn check(source: &[u8]) {
    for detail in DETAILS {
        let Some(done) = rewrite(source, detail) else {
            return;
        };
        assert_eq!(strip(&done.rewritten), source, "at {detail:?}");
        let lines = |text: &[u8]| text.split(|&byte| byte == b'\n').count();
        assert_eq!(lines(&done.rewritten.text), lines(source));
        for site in &done.sites {
            assert!(site.span.start <= site.span.end && site.span.end as usize <= source.len());
        }
    }
}

#[test]
fn what_is_inserted_comes_out_again() {
    for (_, program) in programs() {
        check(program.as_bytes());
        check(program.replace('\n', "\r\n").as_bytes());
    }
}

#[test]
fn what_could_be_parsed_still_can() {
    for (case, program) in programs() {
        let done = rewrite(program.as_bytes(), Detail::Full).expect("a fixture is not refused");
        let again = rewrite(&done.rewritten.text, Detail::Full).expect("nor its rewritten form");
        assert!(again.errors <= done.errors, "{case}");
    }
}

#[test]
fn every_statement_has_a_step() {
    for (case, program) in programs() {
        let done = rewrite(program.as_bytes(), Detail::Calls).expect("a fixture is not refused");
        let text = Text::new(program.as_bytes());
        for piece in split(&text.bytes) {
            let starts = match piece {
                Piece::Dot { span, .. } => vec![span.start],
                Piece::Sql { statements, .. } => statements.iter().map(|span| span.start).collect(),
            };
            for start in starts {
                let known = done
                    .sites
                    .iter()
                    .any(|site| site.kind == Kind::Step && site.span.start as usize == start);
                assert!(known, "{case}: nothing reports offset {start}");
            }
        }
    }
}

#[test]
fn lines_and_columns_are_the_originals() {
    let source = b"\xef\xbb\xbfSELECT 1;\r\n\r\n  SELECT 2;\r\n";
    let done = rewrite(source, Detail::Lines).expect("not refused");
    let places: Vec<(u32, u32)> = done
        .sites
        .iter()
        .map(|site| (site.span.line, site.span.column))
        .collect();
    assert_eq!(places, [(1, 4), (3, 3)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn edited_scripts_are_rewritten_too(
        index in 0usize..1000,
        at in 0usize..10_000,
        gone in 0usize..20,
        put in "[ -~\n]{0,12}|'|/\\*|--|;|BEGIN |END;|\u{e9}",
    ) {
        let programs = programs();
        let mut text = programs[index % programs.len()].1.clone().into_bytes();
        let at = at % (text.len() + 1);
        let end = (at + gone).min(text.len());
        text.splice(at..end, put.bytes());
        check(&text);
    }
}
