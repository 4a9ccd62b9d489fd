//! Rewriting of shell text, without running anything: the insertions can be taken out again, the
//! result still parses, and hazards of the language are met by the right text.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tracer_instrument::engine::parse_masked;
use tracer_instrument::{Instrumented, Options, instrument, strip};
use tracer_lang_bash::SPEC;
use tracer_model::{Detail, Kind};

const LEVELS: [Detail; 4] = [Detail::Calls, Detail::Lines, Detail::State, Detail::Full];

fn at(detail: Detail, source: &[u8]) -> Instrumented {
    let options = Options {
        detail,
        ..Options::default()
    };
    instrument(&SPEC, source, &options).expect("the file can be rewritten")
}

fn text(source: &str) -> String {
    String::from_utf8(at(Detail::State, source.as_bytes()).rewritten.text).expect("UTF-8")
}

/// Every program in the fixtures.
fn programs() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bash");
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).expect("UTF-8");
                if path.extension().is_some_and(|extension| extension == "sh") {
                    found.push(text.into_bytes());
                } else {
                    let fences = text.split("```bash").skip(1);
                    found.extend(fences.filter_map(|fence| {
                        let body = fence.split_once('\n')?.1.split("\n```").next()?;
                        Some(format!("{body}\n").into_bytes())
                    }));
                }
            }
        }
    }
    assert!(found.len() > 50, "the fixtures are there");
    found
}

fn error_nodes(source: &[u8]) -> usize {
    let tree = parse_masked(&SPEC, 0, source).expect("a tree");
    let mut stack = vec![tree.root_node()];
    let mut errors = 0;
    while let Some(node) = stack.pop() {
        errors += usize::from(node.is_error() || node.is_missing());
        let mut cursor = node.walk();
        stack.extend(node.children(&mut cursor));
    }
    errors
}

#[test]
fn fixtures_are_reversible_and_parse_again() {
    for source in programs() {
        for detail in LEVELS {
            let done = at(detail, &source);
            assert_eq!(strip(&done.rewritten), source);
            let lines = |text: &[u8]| text.iter().filter(|&&byte| byte == b'\n').count();
            assert_eq!(
                lines(&done.rewritten.text),
                lines(&source),
                "no line is added"
            );
            assert!(
                error_nodes(&done.rewritten.text) <= error_nodes(&source),
                "{}",
                String::from_utf8_lossy(&done.rewritten.text)
            );
        }
    }
}

#[test]
fn sites_are_numbered_in_order_and_chains_point_at_sites() {
    for source in programs() {
        let done = at(Detail::State, &source);
        for (index, site) in done.sites.iter().enumerate() {
            assert_eq!(site.id as usize, index + 1);
            let chain = &site.chain;
            let arms = chain.after_arm.iter().flat_map(|(_, sites)| sites);
            for id in chain
                .before
                .iter()
                .chain(&chain.after)
                .chain(&chain.after_left)
                .chain(arms)
            {
                let told = &done.sites[*id as usize - 1];
                assert!(matches!(told.kind, Kind::Step | Kind::Var), "{told:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn random_edits_stay_reversible(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..12),
    ) {
        let programs = programs();
        let mut source = programs[which.index(programs.len())].clone();
        for (place, byte, insert) in edits {
            let place = place.index(source.len() + 1);
            let byte = b" \n;&|(){}[]'\"`$<>#=\\axif"[usize::from(byte) % 24];
            if insert || place == source.len() {
                source.insert(place, byte);
            } else {
                source[place] = byte;
            }
        }
        for detail in LEVELS {
            prop_assert_eq!(strip(&at(detail, &source).rewritten), source.clone());
        }
    }
}

#[test]
fn words_with_effects_are_not_expanded_twice() {
    let done = text("echo \"$x\" ${y:=1} \"$(date)\" $((i++)) $RANDOM $$ `pwd` <(ls) 'a b'\n");
    let probe = done.split("echo ").nth(1).expect("the probe").to_owned();
    assert_eq!(probe.matches("\"$_tr_sub\"").count(), 7, "{done}");
    assert!(
        probe.contains("\"$x\"") && probe.contains("'a b'"),
        "{done}"
    );
}

#[test]
fn a_file_that_shows_its_own_text_is_left_alone() {
    for source in [
        "f() { :; }\ndeclare -f f\n",
        "set -v\nx=1\n",
        "trap 'echo $BASH_COMMAND' DEBUG\nx=1\n",
        "set -o history\nx=1\n",
    ] {
        assert_eq!(text(source), source);
    }
}

#[test]
fn nothing_goes_where_bash_reads_otherwise() {
    // Arithmetic that the parser takes for subshells, patterns, backquotes, `$(<file)`.
    for source in ["! ((1 <= n && n <= 2))\n", "x=$(<file)\n", "x=`a; b`\n"] {
        let done = text(source);
        let own = done.split("&&((1));").last().expect("the statement");
        let inside = done.find("((1 <=").or(done.find("$(<")).or(done.find('`'));
        let inside = &done[inside.expect("it is still there")..];
        assert!(
            !inside
                .split('\n')
                .next()
                .unwrap_or_default()
                .contains("_tr_s"),
            "{own}"
        );
    }
}

#[test]
fn an_empty_block_stays_the_error_it_is() {
    for source in ["while x; do\ndone\n", "if x; then\nfi\n", "f() { }\n"] {
        let done = text(source);
        let own = done.split("_tr_go \"").last().expect("behind the head");
        assert!(
            !own.contains("_tr_l") && !own.contains("_tr_b") && !own.contains("_tr_i"),
            "{done}"
        );
    }
}

#[test]
fn xtrace_does_not_show_probes() {
    let done = text("set -x\nx=1\nf \"$x\"\n");
    for (at, _) in done.match_indices("_tr_c") {
        let behind = &done[at..];
        let end = behind.find("2>/dev/null").unwrap_or(usize::MAX);
        assert!(behind.starts_with("_tr_c()") || end < 60, "{behind}");
    }
}
