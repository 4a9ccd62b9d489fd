//! Project chores: `cargo xtask test|python|peers|model|tidy|attack-table|soak|new-language NAME`.
//!
//! Logic lives here rather than in shell scripts. Nothing the product needs at run time is here.
#![expect(clippy::print_stdout, reason = "a command-line tool")]

mod attacks;
mod model;
mod new_language;
mod peers;
mod python;
mod setup;
mod tidy;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", rest @ ..] => setup::test(rest),
        ["peers"] => peers::install(&root()),
        ["model"] => model::install(&root()),
        ["python", rest @ ..] => python::test(&root(), rest),
        ["setup"] => setup::toolchains(),
        ["tidy"] => tidy::run(&root()),
        ["soak", runs] => attacks::soak(&root(), runs),
        ["attack-table"] => attacks::table(&root()),
        ["new-language", name] => new_language::run(&root(), name),
        _ => bail!(
            "usage: cargo xtask test [cargo test arguments] | python [--engines] | setup | peers | model | tidy | attack-table | soak RUNS | new-language NAME"
        ),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask stands in the repository")
        .map_or_else(|_| PathBuf::from("."), Path::to_path_buf)
}
