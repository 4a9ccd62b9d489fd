//! `cargo xtask new-language NAME`: the folders of a language, ready to be filled.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

pub(crate) fn run(root: &Path, name: &str) -> anyhow::Result<()> {
    let plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    ensure!(
        plain && !name.is_empty(),
        "a language id is lower case, without punctuation"
    );
    let write = |path: String, text: String| -> anyhow::Result<()> {
        let path = root.join(path);
        ensure!(!path.exists(), "{} exists", path.display());
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        println!("{}", path.display());
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let folder = format!("instrumenters/{name}");
    write(format!("{folder}/Cargo.toml"), manifest(name))?;
    write(format!("{folder}/probes.scm"), PROBES.to_owned())?;
    write(format!("{folder}/src/lib.rs"), library(name))?;
    write(
        format!("runtimes/{name}/README.md"),
        format!(
            "The {name} emitter. It writes the stream of `crates/tracer-stream/FORMAT.md`, and \
             uses nothing outside the language's standard library.\n"
        ),
    )?;
    write(
        format!("fixtures/{name}/basics.md"),
        format!("# Basics\n\n## hello\n\n```{name}\n```\n"),
    )?;
    println!("now: a row in crates/tracer-languages, and the lines CONTRIBUTING.md names");
    Ok(())
}

const PROBES: &str = "; Each capture names a hook; @opaque marks what is never edited inside.\n";

fn manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"tracer-lang-{name}\"\nversion.workspace = true\n\
         edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
         publish.workspace = true\n\n[lints]\nworkspace = true\n\n[dependencies]\n\
         tracer-instrument.workspace = true\ntracer-model.workspace = true\n\
         tree-sitter-{name}.workspace = true\n"
    )
}

fn library(name: &str) -> String {
    format!(
        "//! The {name} instrumenter: the rewriting rules, and how programs are built and run.\n\
         //!\n//! It starts nothing itself.\n\nuse tracer_instrument::LanguageSpec;\n\n\
         /// {name}.\npub static SPEC: LanguageSpec = LanguageSpec {{\n    id: \"{name}\",\n}};\n"
    )
}
