//! A program that does not build: what is said is what the compiler says of the program as it
//! stands, and nothing of the probes that were tried.
#![allow(clippy::disallowed_methods)] // a host's tool

use std::fs;

use crate::skipped;
use libtest_mimic::{Failed, Trial};
use tracer_engine::{ProgramOptions, RunOptions, languages};
use tracer_instrument::LanguageSpec;
use tracer_model::End;
use tracer_tests::{missing, settings};

/// A name that nobody declared, in a statement that parses, behind one that has probes.
fn program(language: &str) -> Option<&'static str> {
    Some(match language {
        "c" | "cpp" => {
            "int main(void) {\n    int a = 1;\n    a = undeclared + a;\n    return a;\n}\n"
        }
        "java" => {
            "class Main {\n    public static void main(String[] args) {\n        int a = 1;\n        \
             a = undeclared + a;\n    }\n}\n"
        }
        "go" => "package main\n\nfunc main() {\n\ta := 1\n\ta = undeclared + a\n\tprintln(a)\n}\n",
        "rust" => {
            "fn main() {\n    let mut a = 1;\n    a = undeclared + a;\n    println!(\"{a}\");\n}\n"
        }
        "csharp" => {
            "class Program {\n    static void Main() {\n        int a = 1;\n        \
             a = undeclared + a;\n    }\n}\n"
        }
        "swift" => "var a = 1\na = undeclared + a\nprint(a)\n",
        _ => return None,
    })
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for spec in languages::all() {
        let Some(source) = program(spec.id) else {
            continue;
        };
        let name = format!("build_failures/{}", spec.id);
        match missing(spec) {
            None => trials.push(Trial::test(name, || says_only_its_own(spec, source))),
            Some(why) => trials.push(skipped(&name, why)),
        }
    }
    trials
}

fn says_only_its_own(spec: &LanguageSpec, source: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let name = if spec.id == "java" { "Main" } else { "main" };
    let path = folder.path().join(format!("{name}.{}", spec.extensions[0]));
    fs::write(&path, source)?;
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings: settings(folder.path())?,
    };
    let trace = tracer_engine::trace(&path, &options)?.trace;
    let End::BuildFailed { diagnostics, .. } = &trace.outcome.end else {
        return Err(format!("ended with {:?}", trace.outcome.end).into());
    };
    if !diagnostics.contains("undeclared") {
        return Err(format!("the error is not told: {diagnostics}").into());
    }
    let probe = diagnostics
        .lines()
        .find(|line| line.contains("_tr_") || line.contains("tracer_emit") || line.contains("T__"));
    match probe {
        Some(line) => Err(format!("a probe shows: {line}").into()),
        None => Ok(()),
    }
}
