//! Runs that take over from earlier ones give what cold runs give: outcome, output and trace.
//!
//! `TRACER_WARM=<folder>` takes the programs of that folder instead of the repository's own.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tracer_engine::alone::PLACE;
use tracer_engine::run::{Executed, execute};
use tracer_engine::{
    Beginnings, Built, Program, ProgramOptions, Settings, Warm, choose_toolchain, languages,
};
use tracer_model::{Detail, Outcome, Trace};

/// Languages whose interpreters can be taken over, and whose traced runs are all alike to them.
const LANGUAGES: &[(&str, bool)] = &[("python", true), ("php", true), ("ruby", false)];

type Seen = (Outcome, Vec<u8>, Vec<u8>, Option<Trace>);

fn settings(folder: &Path, warm: Option<&Arc<Warm>>) -> Settings {
    let mut settings = Settings::new().unwrap().standing_at(PLACE, folder);
    settings.limits.wall = Some(Duration::from_secs(20));
    settings.warm = warm.cloned();
    settings
}

fn seen(path: &Path, settings: &Settings, traced: bool) -> Option<Seen> {
    // One name for all: an interpreter is told its program's.
    let name = format!("main.{}", path.extension()?.to_str()?);
    let text = std::fs::read(path).unwrap();
    std::fs::write(settings.copies[0].from.join(&name), &text).unwrap();
    let options = ProgramOptions::default();
    let mut program = Program::standing_alone(Path::new(PLACE), &[(name, text)], &options).ok()?;
    let toolchain = choose_toolchain(&program, settings).ok()?;
    let of = |executed: Executed, trace| {
        Some((executed.outcome, executed.stdout, executed.stderr, trace))
    };
    if !traced {
        return of(
            execute(&mut program, &toolchain, settings, None).unwrap(),
            None,
        );
    }
    let built = Built::new(&mut program, &toolchain, settings, Some(Detail::State)).unwrap();
    let executed = built.run(&program, &toolchain, settings).unwrap();
    let trace = built
        .trace(&program, &toolchain, settings, &executed)
        .unwrap();
    of(executed, Some(trace))
}

/// Programs of a language, from files and from the examples in `fixtures/<language>/*.md`.
fn programs(spec: &languages::LanguageSpec, own: &TempDir) -> Vec<PathBuf> {
    let mut all = Vec::new();
    if let Some(folder) = std::env::var_os("TRACER_WARM") {
        let mut folders = vec![PathBuf::from(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                match languages::by_extension(&path) {
                    _ if path.is_dir() => folders.push(path),
                    Some(found) if found.id == spec.id => all.push(path),
                    _ => {}
                }
            }
        }
        all.sort();
        return all;
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(spec.id);
    for entry in std::fs::read_dir(fixtures.join("programs"))
        .unwrap()
        .flatten()
    {
        all.push(entry.path());
    }
    let fence = format!("```{}", spec.id);
    let mut pages: Vec<PathBuf> = std::fs::read_dir(&fixtures)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.sort();
    for page in pages.into_iter().step_by(2) {
        let text = std::fs::read_to_string(&page).unwrap();
        // One of each page: they differ in what they show, and hardly in how they run.
        let Some((_, rest)) = text.split_once(&fence) else {
            continue;
        };
        let Some((_, code)) = rest.split_once('\n') else {
            continue;
        };
        let code = code.split("\n```").next().unwrap_or_default();
        let stem = page.file_stem().unwrap().to_str().unwrap();
        let path = own.path().join(format!("{stem}.{}", spec.extensions[0]));
        std::fs::write(&path, code).unwrap();
        all.push(path);
    }
    all.sort();
    all
}

#[test]
fn what_is_taken_over_changes_nothing() {
    let warm = Arc::new(Warm::new(1));
    let mut compared = 0;
    let mut unsteady = Vec::new();
    for (id, alike) in LANGUAGES {
        let Some(spec) = languages::by_name(id) else {
            eprintln!("skipped: built without {id}");
            continue;
        };
        let own = tempfile::tempdir().unwrap();
        let before = warm.beginnings();
        let mut runs = 0;
        for path in programs(spec, &own) {
            for traced in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let cold = settings(folder.path(), None);
                let Some(first) = seen(&path, &cold, traced) else {
                    eprintln!("skipped: {} cannot be run here", path.display());
                    continue;
                };
                let again = seen(&path, &settings(folder.path(), Some(&warm)), traced).unwrap();
                runs += 1;
                if first == again {
                    compared += 1;
                    continue;
                }
                // Then the program may be one that differs from run to run by itself.
                if (0..3).any(|_| seen(&path, &cold, traced).unwrap() != first) {
                    unsteady.push(path.clone());
                    continue;
                }
                let show = |seen: &Seen| {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    format!("{:?}\n{}\n{}", seen.0, text(&seen.1), text(&seen.2))
                };
                let path = path.display();
                panic!(
                    "{path}, traced: {traced}\ncold: {}\nwarm: {}\nsame trace: {}",
                    show(&first),
                    show(&again),
                    first.3 == again.3
                );
            }
        }
        let after = warm.beginnings();
        let used = Beginnings {
            cold: after.cold - before.cold,
            ready: after.ready - before.ready,
            frozen: after.frozen - before.frozen,
        };
        eprintln!("{id}: {runs} runs, {used:?}, refusal: {:?}", warm.refusal());
        // Only a privileged runner may hold a process of a sandbox.
        let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        let forbidden = |refusal: &String| refusal.contains("not permitted");
        if !root && warm.refusal().as_ref().is_some_and(forbidden) {
            eprintln!("skipped: this user may not take interpreters over");
            continue;
        }
        assert!(
            !alike || runs < 8 || used.frozen * 2 > runs,
            "{id}: too few runs took an interpreter over: {used:?}, {:?}",
            warm.refusal()
        );
    }
    eprintln!("{compared} alike; differ from run to run by themselves: {unsteady:?}");
}
