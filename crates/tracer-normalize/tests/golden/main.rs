//! Passes against hand-made records: one file a case, `cases/<name>.case`.
//!
//! A case has the parts `functions`, `sites`, `records`, perhaps `run`, and `expect`; `script.rs`
//! says how they are written. `TRACER_BLESS=1` rewrites what is expected.

mod script;
mod tell;

use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cases")
}

fn check(name: &str) {
    let path = folder().join(format!("{name}.case"));
    let text = std::fs::read_to_string(&path).expect("the case can be read");
    let (given, expected) = text
        .split_once("expect\n")
        .expect("the case has an `expect` part");
    let told = tell::tell(&script::Script::parse(given).run());
    if std::env::var_os("TRACER_BLESS").is_some() {
        std::fs::write(&path, format!("{given}expect\n{told}")).expect("the case can be written");
        return;
    }
    assert!(
        told == expected,
        "{name}: expected\n{expected}\nbut got\n{told}"
    );
}

macro_rules! cases {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*
        const CASES: &[&str] = &[$(stringify!($name)),*];
    };
}

cases! {
    bindings_keep_identity
    budget_limits
    caught_error_unwinds
    chains
    coroutines
    deep_gap
    elided_visits
    generators
    killed_by_signal
    left_by_error
    library_error
    loops_nested
    output_captured
    output_lost
    output_of_children
    own_streams
    recursion_unwinds
    slots_at_the_end
    swallowed_error
    threads
    uncaught_error
    unordered_values
    while_conditions
}

#[test]
fn every_case_is_listed() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .expect("the folder can be read")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    found.sort();
    assert_eq!(found, CASES);
}
