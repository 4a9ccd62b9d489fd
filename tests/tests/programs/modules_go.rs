//! A Go module that is not at hand: which one, and what fetches it, is said.

use std::fs;

use tracer_engine::{ProgramOptions, RunOptions};
use tracer_model::End;
use tracer_tests::{runnable, settings};

#[test]
fn a_missing_module_is_named() {
    if runnable("go").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let hash = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let name = "example.com/absent v1.0.0";
    let files = [
        (
            "go.mod",
            format!("module example.com/m\n\ngo 1.21\n\nrequire {name}\n"),
        ),
        ("go.sum", format!("{name} {hash}\n{name}/go.mod {hash}\n")),
        (
            "main.go",
            "package main\n\nimport \"example.com/absent\"\n\nfunc main() {\n\tabsent.F()\n}\n"
                .into(),
        ),
    ];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings: settings(folder.path()).unwrap(),
    };
    let recorded = tracer_engine::trace(&folder.path().join("main.go"), &options).unwrap();
    let End::BuildFailed { diagnostics, .. } = &recorded.trace.outcome.end else {
        panic!("ended with {:?}", recorded.trace.outcome.end);
    };
    let said = "module example.com/absent v1.0.0 is not in the module cache; go mod download";
    assert!(diagnostics.contains(said), "{diagnostics}");
}
