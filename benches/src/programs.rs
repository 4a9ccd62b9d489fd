//! The fixed inputs: programs that were written for measuring, in `programs/<language>/`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use tracer_instrument::LanguageSpec;

/// This package's folder.
pub(crate) fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program by language and bare name.
pub(crate) fn program(spec: &LanguageSpec, name: &str) -> PathBuf {
    let extension = spec.extensions.first().copied().unwrap_or_default();
    folder()
        .join("programs")
        .join(spec.id)
        .join(format!("{name}.{extension}"))
}

/// A language's programs by name, the empty one left out.
pub(crate) fn all(spec: &LanguageSpec) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let folder = folder().join("programs").join(spec.id);
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("no programs for {} in {}", spec.name, folder.display()))?;
    let mut programs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let text = std::fs::read(&path)?;
        if !text.is_empty() && path.file_stem().is_some_and(|stem| stem != "empty") {
            programs.push((path, text));
        }
    }
    programs.sort();
    Ok(programs)
}

/// A language of the table, or why it cannot be measured.
pub(crate) fn language(id: &str) -> anyhow::Result<&'static LanguageSpec> {
    tracer_languages::all()
        .iter()
        .copied()
        .find(|spec| spec.id == id)
        .with_context(|| format!("{id} is not compiled in"))
}
