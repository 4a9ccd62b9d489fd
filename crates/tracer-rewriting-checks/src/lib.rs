//! What rewriting promises for every language, as checks for the instrumenters' own tests: over
//! each fixture, insertions come out again, lines stay, and what the parser could read it still can.
//!
//! It holds no test, and nothing of one language.

use std::path::{Path, PathBuf};

use tracer_instrument::{Instrumented, LanguageSpec, Options, instrument, strip};
use tracer_model::{Detail, Kind};

/// All levels, least first.
pub const DETAILS: [Detail; 4] = [Detail::Calls, Detail::Lines, Detail::State, Detail::Full];

/// A program of the fixtures.
#[derive(Debug, Clone)]
pub struct Program {
    /// The case or file it is in.
    pub case: String,
    /// Its file name, which says the grammar.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The programs of a language's fixtures, literate or in files of their own, at least `least`.
///
/// # Panics
/// Where the fixtures cannot be read, or are fewer.
pub fn programs(spec: &LanguageSpec, least: usize) -> Vec<Program> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut programs = Vec::new();
    let mut folders = vec![fixtures.join(spec.id)];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(folder).expect("the fixtures are there");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        for path in paths {
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                folders.push(path);
            } else if extension == "md" {
                literate(spec, &path, &mut programs);
            } else if spec.extensions.contains(&&*extension)
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                programs.push(Program {
                    case: path.display().to_string(),
                    name: name.into_owned(),
                    text,
                });
            }
        }
    }
    assert!(programs.len() > least, "only {} programs", programs.len());
    programs
}

fn literate(spec: &LanguageSpec, path: &Path, programs: &mut Vec<Program>) {
    let fence = format!("```{}", spec.id);
    let usual = spec.extensions.first().copied().unwrap_or_default();
    let text = std::fs::read_to_string(path).expect("UTF-8");
    let mut case = String::new();
    let mut program: Option<Program> = None;
    for line in text.split_inclusive('\n') {
        if let Some(open) = &mut program {
            if line.starts_with("```") {
                programs.extend(program.take());
            } else {
                open.text.push_str(line);
            }
        } else if let Some(title) = line.strip_prefix("## ") {
            title.trim().clone_into(&mut case);
        } else if line.starts_with(&fence) && !line.contains(".json") {
            let named = line.split_once("file=").map(|(_, rest)| rest);
            let named = named.and_then(|rest| rest.split_whitespace().next());
            program = Some(Program {
                case: case.clone(),
                name: named.map_or_else(|| format!("main.{usual}"), str::to_owned),
                text: String::new(),
            });
        }
    }
}

/// Rewrites a program in the language's first grammar.
///
/// # Panics
/// Where it is refused.
pub fn rewrite(spec: &LanguageSpec, source: &[u8], detail: Detail) -> Instrumented {
    rewrite_as(spec, "", source, detail)
}

/// Rewrites a program in the grammar for its file name.
///
/// # Panics
/// Where it is refused.
pub fn rewrite_as(spec: &LanguageSpec, name: &str, source: &[u8], detail: Detail) -> Instrumented {
    let options = Options {
        detail,
        grammar: spec.grammar_of(Path::new(name)),
        ..Options::default()
    };
    instrument(spec, source, &options).expect("a program is never refused")
}

/// Insertions come out again and add no line.
///
/// # Panics
/// Where they do not.
pub fn reversible(spec: &LanguageSpec, programs: &[Program]) {
    let lines = |text: &[u8]| text.split(|&byte| byte == b'\n').count();
    for Program { case, name, text } in programs {
        for detail in DETAILS {
            let done = rewrite_as(spec, name, text.as_bytes(), detail);
            assert_eq!(
                strip(&done.rewritten),
                text.as_bytes(),
                "{case} at {detail:?}"
            );
            assert_eq!(
                lines(&done.rewritten.text),
                lines(text.as_bytes()),
                "{case}"
            );
        }
    }
}

/// What could be parsed still can.
///
/// # Panics
/// Where it cannot.
pub fn parses_again(spec: &LanguageSpec, programs: &[Program]) {
    for Program { case, name, text } in programs {
        for detail in DETAILS {
            let done = rewrite_as(spec, name, text.as_bytes(), detail);
            let again = rewrite_as(spec, name, &done.rewritten.text, detail);
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
pub fn more_detail_reports_more(spec: &LanguageSpec, programs: &[Program]) {
    for Program { case, name, text } in programs {
        let counts: Vec<usize> = DETAILS
            .iter()
            .map(|&detail| rewrite_as(spec, name, text.as_bytes(), detail).sites.len())
            .collect();
        assert!(counts.is_sorted(), "{case}: {counts:?}");
    }
}

/// Sites are numbered in order, and what one implies are steps and variables.
///
/// # Panics
/// Where they are not.
pub fn chains_point_at_sites(spec: &LanguageSpec, programs: &[Program]) {
    for Program { case, name, text } in programs {
        let done = rewrite_as(spec, name, text.as_bytes(), Detail::State);
        for (index, site) in done.sites.iter().enumerate() {
            assert_eq!(site.id as usize, index + 1, "{case}");
            let chain = &site.chain;
            let arms = chain.after_arm.iter().flat_map(|(_, sites)| sites);
            let implied = chain.before.iter().chain(&chain.after);
            for id in implied.chain(&chain.after_left).chain(arms) {
                let told = &done.sites[*id as usize - 1];
                assert!(
                    matches!(told.kind, Kind::Step | Kind::Var),
                    "{case}: {told:?}"
                );
            }
        }
    }
}
