//! Lets a program that lies in a small folder stand alone, so that its runs can take over from earlier
//! ones. Does not decide whether they do.

use std::path::Path;

use tempfile::TempDir;
use tracer_sandbox::{Copied, Isolation};

use crate::check::{CheckOptions, Checked, check_file};
use crate::run::{Recorded, RunOptions, record, trace};
use crate::{EngineError, Program, ProgramOptions, Settings};

/// Where a program that stands alone stands inside: the same on every machine, so that no path tells
/// programs, runs or machines apart.
pub const PLACE: &str = "/home/tracer/program";

impl Settings {
    /// With a copy of `folder` at `place`, which is the working directory.
    #[must_use]
    pub fn standing_at(mut self, place: &str, folder: &Path) -> Self {
        self.cwd = place.into();
        self.copies.push(Copied {
            path: place.into(),
            from: folder.into(),
            writable: true,
        });
        self
    }
}

/// Traces a program that is given as text, under a file name without folders. Behind walls it stands
/// at [`PLACE`]; without them, in a temporary folder.
pub fn trace_text(name: &str, text: &[u8], options: &RunOptions) -> Result<Recorded, EngineError> {
    let folder = laid_out(name, text)?;
    if options.settings.isolation == Isolation::None {
        return trace(Path::new(name), &within(folder.path(), options));
    }
    let files = [(name.to_owned(), text.to_vec())];
    let program = Program::standing_alone(Path::new(PLACE), &files, &options.program)?;
    let standing = RunOptions {
        program: options.program.clone(),
        settings: options.settings.clone().standing_at(PLACE, folder.path()),
    };
    record(program, &standing)
}

/// Runs a program that is given as text both ways and compares, like [`check_file`].
pub fn check_text(name: &str, text: &[u8], options: &CheckOptions) -> Result<Checked, EngineError> {
    let folder = laid_out(name, text)?;
    let run = within(folder.path(), &options.run);
    Ok(check_file(Path::new(name), &CheckOptions { run }))
}

/// A temporary folder with one file.
fn laid_out(name: &str, text: &[u8]) -> Result<TempDir, EngineError> {
    let failed = |source| EngineError::System {
        what: "write the program to a temporary folder",
        source,
    };
    let path = Path::new(name);
    if path.file_name() != Some(path.as_os_str()) {
        let source = std::io::Error::other(format!("{name:?} is no plain file name"));
        return Err(failed(source));
    }
    let folder = TempDir::with_prefix("tracer-").map_err(failed)?;
    std::fs::write(folder.path().join(name), text).map_err(failed)?;
    Ok(folder)
}

/// With the program's folder as the working directory.
fn within(folder: &Path, options: &RunOptions) -> RunOptions {
    let mut options = options.clone();
    options.settings.cwd = folder.into();
    options.program.folder = Some(folder.into());
    options
}

/// Files and bytes of a folder that is copied for each run rather than laid under it.
const FILES: usize = 32;
const BYTES: u64 = 256 << 10;

/// The program and how to run it: with a copy of its folder, which is the working directory. `None`
/// where that would cost more than it saves or would not be the same, and where no run takes over
/// anything.
pub(crate) fn stand(
    path: &Path,
    run: &RunOptions,
) -> Result<Option<(Program, RunOptions)>, EngineError> {
    let settings = &run.settings;
    let bare = path.components().count() == 1;
    let warm = settings.warm.is_some() && settings.isolation == Isolation::Native;
    let Some(folder) =
        run.program.folder.as_ref().filter(|folder| {
            bare && warm && **folder == settings.cwd && settings.copies.is_empty()
        })
    else {
        return Ok(None);
    };
    let Some(files) = files(folder, path) else {
        return Ok(None);
    };
    let options = ProgramOptions {
        folder: None,
        ..run.program.clone()
    };
    let program = Program::standing_alone(Path::new(PLACE), &files, &options)?;
    // Where files in the program's own place stand in for it, nothing is taken over.
    if program.toolchain.diagnostics.is_some() || program.spec.project.is_some() {
        return Ok(None);
    }
    let standing = RunOptions {
        program: options,
        settings: settings.clone().standing_at(PLACE, folder),
    };
    Ok(Some((program, standing)))
}

/// What is in a small folder, the main file first; `None` for any other.
fn files(folder: &Path, main: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        let data = entry.metadata().ok()?;
        bytes += data.len();
        if !data.is_file() || files.len() == FILES || bytes > BYTES {
            return None;
        }
        files.push((entry.file_name().into_string().ok()?, entry.path()));
    }
    files.sort_by_key(|(name, _)| (Path::new(name) != main, name.clone()));
    files
        .into_iter()
        .map(|(name, path)| Some((name, std::fs::read(path).ok()?)))
        .collect()
}
