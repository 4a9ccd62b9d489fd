//! `tracer check` over many short files, against starting the interpreter once for each.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::bail;

use crate::peers;
use crate::process::{command, on_path, succeed, tracer};
use crate::programs;
use crate::report::{Report, count, ratio, time};
use crate::sample::{Variant, interleave};
use crate::settings::Settings;

/// Programs that take long are left out: the time of a short one is its start.
const LONG: &[&str] = &["ten_million", "work"];

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let spec = programs::language("python")?;
    let (found, _) = peers::python(spec)?;
    let folder = tempfile::tempdir()?;
    let copies = if settings.quick { 2 } else { 10 };
    let mut files: Vec<PathBuf> = Vec::new();
    for (path, text) in programs::all(spec)? {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if LONG.contains(&stem.as_str()) {
            continue;
        }
        for copy in 0..copies {
            let file = folder.path().join(format!("{stem}_{copy}.py"));
            std::fs::write(&file, &text)?;
            files.push(file);
        }
    }
    report.say(&format!(
        "{} short Python files, 2 at once. `tracer check` runs each file twice, as it is and \
         traced, in a sandbox each, and compares; the others run it once, one after the other on \
         each of two threads.",
        files.len()
    ));
    let tracer = tracer()?;
    let checked = folder.path();
    let path = peers::path_to(&found)?;
    let check = || {
        let mut check = command(&tracer);
        check
            .args(["check", "--json", "--jobs", "2"])
            .arg(checked)
            .env("PATH", &path);
        check
    };
    let finished = check().stdout(Stdio::piped()).output()?;
    let said = String::from_utf8_lossy(&finished.stdout);
    let same = said.matches("\"status\":\"same\"").count();
    if same != files.len() {
        report.say(&format!(
            "{same} of {} files are the same traced.",
            files.len()
        ));
    }
    let files = &files;
    let python = &found.program;
    let mut variants = vec![
        Variant::new("python3 FILE", move || {
            two_at_once(files, |file| succeed(command(python).arg(file)))
        }),
        Variant::new("tracer check, 2 jobs", || {
            // A file that differs is an exit status of 1; the comparison took place all the same.
            let status = check().status()?;
            if status.code().is_none_or(|code| code > 1) {
                bail!("tracer check ended with {status}");
            }
            Ok(())
        }),
    ];
    match on_path("bwrap") {
        Some(bwrap) => variants.push(Variant::new("bwrap … python3 FILE", move || {
            two_at_once(files, |file| {
                let mut contained = command(&bwrap);
                contained.args(["--unshare-all", "--die-with-parent", "--ro-bind", "/", "/"]);
                contained.args(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run"]);
                succeed(contained.arg(python).arg(file))
            })
        })),
        None => report.skip("bwrap", "not installed; `cargo xtask peers` brings it"),
    }
    let samples = interleave(settings.rounds(3), variants)?;
    let number = files.len() as f64;
    let rows: Vec<Vec<String>> = samples
        .iter()
        .map(|sample| {
            vec![
                sample.name.clone(),
                time(sample.median() / number),
                time(sample.least() / number),
                count(number / sample.least()),
                ratio(sample.least(), samples[0].least()),
            ]
        })
        .collect();
    report.table(
        &[
            "",
            "a file, median",
            "a file, least",
            "files/s",
            "over python3",
        ],
        &rows,
    );
    Ok(())
}

fn two_at_once(
    files: &[PathBuf],
    run: impl Fn(&PathBuf) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    let (one, other) = files.split_at(files.len() / 2);
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| other.iter().try_for_each(&run));
        one.iter().try_for_each(&run)?;
        beside
            .join()
            .expect("a thread that only starts processes does not panic")
    })
}
