//! `tracer check`: many programs, as they are and traced, compared.
//!
//! Results stand in the order of the files, whatever order they finish in.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tracer_engine::{CheckOptions, Checked, RunOptions, Status, Warm, check_file, languages};
use tracer_sandbox::Stdin;

use crate::args::CheckArgs;
use crate::printer::Printer;
use crate::settings;

/// Wall time an original gets unless the user says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// Files by status, and the probes of those that were traced.
#[derive(Serialize, Default)]
struct Counts {
    files: usize,
    same: usize,
    differs: usize,
    original_failed: usize,
    refused: usize,
    build_failed: usize,
    timeout: usize,
    probes: usize,
    shed: usize,
}

impl Counts {
    fn of(&mut self, status: Status) -> &mut usize {
        match status {
            Status::Same => &mut self.same,
            Status::Differs => &mut self.differs,
            Status::OriginalFailed => &mut self.original_failed,
            Status::Refused => &mut self.refused,
            Status::BuildFailed => &mut self.build_failed,
            Status::Timeout => &mut self.timeout,
        }
    }

    fn add(&mut self, checked: &Checked) {
        self.files += 1;
        *self.of(checked.status) += 1;
        self.probes += checked.probes;
        self.shed += checked.shed;
    }
}

/// The last object of `--json`.
#[derive(Serialize, Default)]
struct Summary {
    summary: Counts,
    languages: BTreeMap<String, Counts>,
}

impl Summary {
    fn add(&mut self, checked: &Checked) {
        self.summary.add(checked);
        self.languages
            .entry(checked.language.clone())
            .or_default()
            .add(checked);
    }
}

pub(crate) fn run(args: &CheckArgs, printer: &Printer) -> anyhow::Result<u8> {
    let files = files(&args.paths, args.program.language.is_some())?;
    let mut options = options(args)?;
    let jobs = args.jobs.map_or_else(
        || thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    if files.len() > 1 {
        options.run.settings.warm = Some(Arc::new(Warm::new(jobs)));
    }
    let bar = progress(printer, files.len());
    let mut summary = Summary::default();
    let mut odd = Vec::new();
    in_order(&files, jobs, &options, |checked| {
        bar.inc(1);
        summary.add(&checked);
        if args.json {
            printer.data(|out| {
                serde_json::to_writer(&mut *out, &checked)?;
                writeln!(out)
            })?;
        } else if checked.status != Status::Same {
            odd.push(checked);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    printer.data(|out| {
        if args.json {
            serde_json::to_writer(&mut *out, &summary)?;
            writeln!(out)
        } else {
            table(out, &odd, &mut summary)
        }
    })?;
    Ok(u8::from(summary.summary.differs > 0))
}

fn options(args: &CheckArgs) -> anyhow::Result<CheckOptions> {
    let mut settings = settings::settings(&args.limits, &args.sandbox)?;
    if args.limits.timeout.is_none() {
        settings.limits.wall = Some(PATIENCE);
        settings.limits.cpu = args.limits.cpu.or(Some(PATIENCE));
    }
    if let Some(path) = &args.stdin {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        settings.stdin = Stdin::Bytes(bytes);
    }
    Ok(CheckOptions {
        run: RunOptions {
            program: settings::program(&args.program),
            settings,
        },
    })
}

/// Checks files on several threads and hands the results on in the files' order.
fn in_order(
    files: &[PathBuf],
    jobs: usize,
    options: &CheckOptions,
    mut take: impl FnMut(Checked) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.min(files.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = files.get(index) else { break };
                    // The receiver is gone only when writing results failed.
                    if sender
                        .send((index, check_in_folder(path, options)))
                        .is_err()
                    {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut expected = 0;
        for (index, checked) in results {
            early.insert(index, checked);
            while let Some(checked) = early.remove(&expected) {
                expected += 1;
                take(checked)?;
            }
        }
        Ok(())
    })
}

/// Runs a program in its own folder, where its data files are.
fn check_in_folder(path: &Path, options: &CheckOptions) -> Checked {
    let mut options = options.clone();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = absolute
        .parent()
        .and_then(|folder| folder.canonicalize().ok());
    let mut name = absolute.as_path();
    if let (Some(folder), Some(bare)) = (folder, path.file_name()) {
        name = Path::new(bare);
        options.run.program.folder = Some(folder.clone());
        options.run.settings.cwd = folder;
    }
    let mut checked = check_file(name, &options);
    checked.path = path.to_string_lossy().into_owned();
    checked
}

/// The files that the arguments name, folders searched for files of a known language.
fn files(paths: &[PathBuf], any_language: bool) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            search(path, any_language, &mut files)?;
        } else if path.exists() {
            files.push(path.clone());
        } else {
            let pattern = path.to_str().context("a glob pattern must be UTF-8")?;
            let before = files.len();
            for found in glob::glob(pattern).with_context(|| format!("bad pattern {pattern}"))? {
                let found = found?;
                if found.is_file() {
                    files.push(found);
                }
            }
            anyhow::ensure!(files.len() > before, "nothing is called {pattern}");
        }
    }
    Ok(files)
}

fn search(folder: &Path, any_language: bool, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let listed =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut entries: Vec<PathBuf> = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries {
        let hidden = entry
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || entry.is_symlink() {
            continue;
        }
        if entry.is_dir() {
            search(&entry, any_language, files)?;
        } else if languages::by_extension(&entry).is_some() || any_language && entry.is_file() {
            files.push(entry);
        }
    }
    Ok(())
}

fn progress(printer: &Printer, files: usize) -> ProgressBar {
    if !printer.progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} files, {elapsed}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(files as u64).with_style(style)
}

fn table(out: &mut dyn Write, odd: &[Checked], summary: &mut Summary) -> std::io::Result<()> {
    for checked in odd {
        writeln!(out, "{:<15} {}", checked.status.name(), checked.path)?;
        let detail: String = checked.detail.chars().take(200).collect();
        writeln!(out, "                {}: {detail}", checked.reason)?;
    }
    if !odd.is_empty() {
        writeln!(out)?;
    }
    write!(out, "{:<12} {:>6}", "language", "files")?;
    for status in Status::ALL {
        write!(out, " {:>15}", status.name())?;
    }
    writeln!(out, " {:>9} {:>7}", "probes", "shed")?;
    for (language, counts) in &mut summary.languages {
        let name = if language.is_empty() {
            "unknown"
        } else {
            language
        };
        row(out, name, counts)?;
    }
    if summary.languages.len() > 1 {
        row(out, "all", &mut summary.summary)?;
    }
    Ok(())
}

fn row(out: &mut dyn Write, name: &str, counts: &mut Counts) -> std::io::Result<()> {
    write!(out, "{name:<12} {:>6}", counts.files)?;
    for status in Status::ALL {
        write!(out, " {:>15}", counts.of(status))?;
    }
    writeln!(out, " {:>9} {:>7}", counts.probes, counts.shed)
}
