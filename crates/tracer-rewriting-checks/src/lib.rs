//! What rewriting promises for every language, as checks for the instrumenters' own tests: over
//! each fixture, insertions come out again, lines stay, and what the parser could read it still can.
//!
//! It holds no test, and nothing of one language.

use std::path::Path;

use tracer_instrument::{Instrumented, LanguageSpec, Options, instrument, strip};
use tracer_model::Detail;

/// All levels, least first.
pub const DETAILS: [Detail; 4] = [Detail::Calls, Detail::Lines, Detail::State, Detail::Full];

/// The programs of a language's literate fixtures with the names of their cases, at least `least`.
///
/// # Panics
/// Where the fixtures cannot be read, or are fewer.
pub fn programs(spec: &LanguageSpec, least: usize) -> Vec<(String, String)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let fence = format!("```{}", spec.id);
    let mut programs = Vec::new();
    for entry in std::fs::read_dir(fixtures.join(spec.id)).expect("the fixtures are there") {
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
            } else if line.starts_with(&fence) && !line.contains(".json") {
                program = Some(String::new());
            }
        }
    }
    assert!(programs.len() > least, "only {} programs", programs.len());
    programs
}

/// Rewrites a program.
///
/// # Panics
/// Where it is refused.
pub fn rewrite(spec: &LanguageSpec, source: &[u8], detail: Detail) -> Instrumented {
    let options = Options {
        detail,
        ..Options::default()
    };
    instrument(spec, source, &options).expect("a program is never refused")
}

/// Insertions come out again and add no line.
///
/// # Panics
/// Where they do not.
pub fn reversible(spec: &LanguageSpec, programs: &[(String, String)]) {
    let lines = |text: &[u8]| text.split(|&byte| byte == b'\n').count();
    for (case, program) in programs {
        for detail in DETAILS {
            let done = rewrite(spec, program.as_bytes(), detail);
            assert_eq!(
                strip(&done.rewritten),
                program.as_bytes(),
                "{case} at {detail:?}"
            );
            assert_eq!(
                lines(&done.rewritten.text),
                lines(program.as_bytes()),
                "{case}"
            );
        }
    }
}

/// What could be parsed still can.
///
/// # Panics
/// Where it cannot.
pub fn parses_again(spec: &LanguageSpec, programs: &[(String, String)]) {
    for (case, program) in programs {
        for detail in DETAILS {
            let done = rewrite(spec, program.as_bytes(), detail);
            let again = rewrite(spec, &done.rewritten.text, detail);
            assert!(
                again.errors <= done.errors,
                "{case} at {detail:?}:\n{}",
                String::from_utf8_lossy(&done.rewritten.text)
            );
        }
    }
}

/// More detail reports more.
///
/// # Panics
/// Where it reports less.
pub fn more_detail_reports_more(spec: &LanguageSpec, programs: &[(String, String)]) {
    for (case, program) in programs {
        let counts: Vec<usize> = DETAILS
            .iter()
            .map(|&detail| rewrite(spec, program.as_bytes(), detail).sites.len())
            .collect();
        assert!(counts.is_sorted(), "{case}: {counts:?}");
    }
}
