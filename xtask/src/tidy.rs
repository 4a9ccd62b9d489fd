//! `cargo xtask tidy`: the house rules that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;

/// Longest Rust file.
const LINE_LIMIT: usize = 800;

/// Files allowed to be longer, each with its reason.
const LONG: &[(&str, &str)] = &[];

/// The four folders a language has.
const FOLDERS: [&str; 3] = ["instrumenters", "runtimes", "fixtures"];

/// A folder of fixtures that is no language's: the attack suite's programs.
const HOSTILE: &str = "hostile";

pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let mut complaints = Vec::new();
    let mut files = Vec::new();
    for folder in ["crates", "instrumenters", "tests", "benches", "xtask"] {
        rust_files(&root.join(folder), &mut files)?;
    }
    files.sort();
    for file in &files {
        let text = fs::read_to_string(file)?;
        let name = file
            .strip_prefix(root)
            .unwrap_or(file)
            .to_string_lossy()
            .into_owned();
        check_file(&name, &text, &mut complaints);
    }
    languages_stand_in_every_folder(root, &mut complaints)?;
    only_tests_leave_walls_out(root, &mut complaints)?;
    if complaints.is_empty() {
        println!("tidy: {} files", files.len());
        return Ok(());
    }
    bail!("{}", complaints.join("\n"))
}

fn check_file(name: &str, text: &str, complaints: &mut Vec<String>) {
    let lines = text.lines().count();
    let excused = LONG.iter().any(|(long, _)| *long == name);
    if lines > LINE_LIMIT && !excused {
        complaints.push(format!(
            "{name}: {lines} lines; split it, or list it with a reason"
        ));
    }
    if !text.starts_with("//!") {
        complaints.push(format!(
            "{name}: begin with `//!`: purpose, and what it does not do"
        ));
    }
    for (index, line) in text.lines().enumerate() {
        for mark in ["TODO", "FIXME", "XXX"] {
            let marked = line.contains(&format!("// {mark}"));
            if marked {
                complaints.push(format!(
                    "{name}:{}: finish it or say so in the issue",
                    index + 1
                ));
            }
        }
    }
}

fn languages_stand_in_every_folder(
    root: &Path,
    complaints: &mut Vec<String>,
) -> anyhow::Result<()> {
    let lists: Vec<Vec<String>> = FOLDERS
        .iter()
        .map(|folder| folders(&root.join(folder)))
        .collect::<Result<_, _>>()?;
    for (folder, list) in FOLDERS.iter().zip(&lists) {
        for language in &lists[0] {
            if !list.contains(language) {
                complaints.push(format!("{folder}/{language} is missing"));
            }
        }
        let strange = |language: &&String| !lists[0].contains(language) && *language != HOSTILE;
        for language in list.iter().filter(strange) {
            complaints.push(format!("{folder}/{language} has no instrumenter"));
        }
    }
    Ok(())
}

/// The sandbox's feature `weaken` may be asked for by the attack suite alone.
fn only_tests_leave_walls_out(root: &Path, complaints: &mut Vec<String>) -> anyhow::Result<()> {
    for folder in ["crates", "instrumenters", "benches", "tests", "."] {
        let folder = root.join(folder);
        let own = std::iter::once(folder.join("Cargo.toml"));
        let below = folders(&folder)?.into_iter();
        for manifest in own.chain(below.map(|name| folder.join(name).join("Cargo.toml"))) {
            let name = manifest.strip_prefix(root).unwrap_or(&manifest);
            let text = fs::read_to_string(&manifest).unwrap_or_default();
            let excused = ["tests/attacks/Cargo.toml", "fuzz/Cargo.toml"].map(Path::new);
            let excused = excused.contains(&name);
            if !excused && text.contains("\"weaken\"") {
                complaints.push(format!(
                    "{}: only tests/attacks and fuzz ask for `weaken`",
                    name.display()
                ));
            }
        }
    }
    Ok(())
}

fn folders(path: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                rust_files(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_made() {
        let mut complaints = Vec::new();
        let marked = ["fn a() {} //", "TODO", "later\n"].join(" ");
        check_file("a.rs", &marked, &mut complaints);
        assert_eq!(complaints.len(), 2);
        check_file("b.rs", &"//! b\n".repeat(LINE_LIMIT + 1), &mut complaints);
        assert_eq!(complaints.len(), 3);
    }
}
