//! Every fixture case of every language, each its own test: the program is unchanged by tracing,
//! the insertions can be taken out again, and the trace is the recorded one.
//!
//! `TRACER_BLESS=1` writes the recorded traces anew.

use std::fs;
use std::path::{Path, PathBuf};

use crate::skipped;
use libtest_mimic::{Failed, Trial};
use tracer_engine::toolchain::Origin;
use tracer_engine::{
    CheckOptions, ProgramOptions, RunOptions, Settings, Status, check_file, languages,
};
use tracer_instrument::{Options, engine, strip};
use tracer_model::{Detail, End};
use tracer_sandbox::Stdin;
use tracer_tests::fixture::{self, Case, Fixture};
use tracer_tests::{blessing, missing, repository};

/// Folder of the cases that run in the language's image.
const IMAGE: &str = "image";

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for spec in languages::all() {
        let folder = repository().join("fixtures").join(spec.id);
        let load = |folder: &Path| {
            fixture::load(folder, spec.id, spec.extensions[0])
                .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        };
        let missing = missing(spec).map(|error| error.to_string());
        let own = load(&folder).into_iter();
        let mut fixtures: Vec<_> = own
            .map(|fixture| (fixture, Origin::Auto, missing.clone()))
            .collect();
        // What needs the language's image, for a toolchain of one version.
        let in_image = folder.join(IMAGE);
        if in_image.exists() {
            let built = Settings::new().and_then(|settings| settings.store());
            let built = built.is_ok_and(|store| store.manifest(spec.id).is_some());
            let missing = (!built).then(|| format!("the image of {} is not built", spec.name));
            let cases = load(&in_image).into_iter();
            fixtures.extend(cases.map(|fixture| (fixture, Origin::Image, missing.clone())));
        }
        for (fixture, origin, missing) in fixtures {
            let topic = fixture
                .path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned());
            for index in 0..fixture.cases.len() {
                let case = &fixture.cases[index];
                let name = format!(
                    "{}/{}/{}",
                    spec.id,
                    topic.as_deref().unwrap_or("?"),
                    case.name
                );
                let reversible = case.clone();
                trials.push(Trial::test(format!("reversible/{name}"), move || {
                    is_reversible(&reversible, spec)
                }));
                if let Some(why) = &missing {
                    trials.push(skipped(&format!("run/{name}"), why));
                    continue;
                }
                let fixture = fixture.clone();
                trials.push(Trial::test(format!("run/{name}"), move || {
                    runs_the_same(&fixture, index, origin)
                }));
            }
        }
    }
    trials
}

fn is_reversible(case: &Case, spec: &languages::LanguageSpec) -> Result<(), Failed> {
    let own = case
        .files
        .iter()
        .enumerate()
        .filter(|(index, (name, text))| {
            let known = languages::detect(Path::new(name), text.as_bytes());
            *index == 0 || known.is_some_and(|known| known.id == spec.id)
        });
    for (_, (name, text)) in own {
        for detail in [Detail::Calls, Detail::Lines, Detail::State, Detail::Full] {
            let options = Options {
                detail,
                grammar: spec.grammar_of(Path::new(name)),
                ..Options::default()
            };
            let done = engine::instrument(spec, text.as_bytes(), &options)?;
            if strip(&done.rewritten) != text.as_bytes() {
                return Err(format!("{name} at {detail:?} does not strip to the original").into());
            }
            let again = engine::instrument(spec, &done.rewritten.text, &options)?;
            // What the parser makes of a broken file may change with every insertion.
            if done.errors == 0 && again.errors > 0 {
                let text = String::from_utf8_lossy(&done.rewritten.text).into_owned();
                return Err(format!("{name} at {detail:?} no longer parses:\n{text}").into());
            }
        }
    }
    Ok(())
}

fn settings(case: &Case, folder: &Path, origin: Origin) -> Result<Settings, Failed> {
    let mut settings = Settings::new()?;
    settings.toolchain = origin;
    settings.cwd = folder.to_path_buf();
    settings.args = case.args.iter().map(Into::into).collect();
    settings.stdin = Stdin::Bytes(case.stdin.clone().into_bytes());
    Ok(settings)
}

fn runs_the_same(fixture: &Fixture, index: usize, origin: Origin) -> Result<(), Failed> {
    let case = &fixture.cases[index];
    // A fixed folder name: it may reach the trace through the program's own output.
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path().join("case");
    case.write(&folder)?;
    // Named as a user would name it, from the folder it lies in.
    let main = PathBuf::from(&case.files[0].0);
    for detail in [Detail::State, Detail::Full] {
        let program = ProgramOptions {
            detail,
            folder: Some(folder.clone()),
            ..ProgramOptions::default()
        };
        let run = RunOptions {
            program,
            settings: settings(case, &folder, origin)?,
        };
        let checked = check_file(&main, &CheckOptions { run });
        if checked.status != Status::Same {
            let (reason, detail_text) = (checked.reason, checked.detail);
            return Err(format!(
                "{:?} at {detail:?}: {reason}: {detail_text}",
                checked.status
            )
            .into());
        }
    }
    trace_is_as_recorded(fixture, index, origin, &main, &folder)
}

fn trace_is_as_recorded(
    fixture: &Fixture,
    index: usize,
    origin: Origin,
    main: &Path,
    folder: &Path,
) -> Result<(), Failed> {
    let case = &fixture.cases[index];
    if case.trace.is_none() && !blessing() {
        return Ok(());
    }
    let run = RunOptions {
        program: ProgramOptions {
            folder: Some(folder.to_path_buf()),
            ..ProgramOptions::default()
        },
        settings: settings(case, folder, origin)?,
    };
    let recorded = tracer_engine::trace(main, &run)?;
    if matches!(recorded.trace.outcome.end, End::BuildFailed { .. }) {
        return Err("the traced program did not build".into());
    }
    let lines =
        tracer_view::lines::render(&recorded.trace, &tracer_view::lines::Options::default());
    // Where a runtime prints whole paths, the folder's name is another one each time.
    let lines = lines.replace(&*folder.to_string_lossy(), "/case");
    // Builds by another version of the toolchain differ in it.
    let noise = languages::by_name(&case.language).and_then(|spec| spec.toolchain.noise);
    let plain = |text: &str| noise.map_or_else(|| text.into(), |noise| noise(text.as_bytes()));
    let recorded = case.trace.as_deref();
    if recorded.is_some_and(|recorded| plain(recorded) == plain(&lines)) {
        return Ok(());
    }
    if blessing() {
        return Ok(bless(&fixture.path, &case.name, &lines)?);
    }
    Err(format!("the trace differs; TRACER_BLESS=1 records the new one:\n{lines}").into())
}

/// Writes a case's trace into its fixture, which other cases may have changed meanwhile.
fn bless(path: &Path, name: &str, trace: &str) -> std::io::Result<()> {
    use std::sync::{Mutex, PoisonError};
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(path)?;
    let names = path.parent().into_iter().flat_map(Path::iter).rev();
    let language = names
        .map(|name| name.to_string_lossy())
        .find(|name| name != IMAGE);
    let cases = fixture::parse(&text, &language.unwrap_or_default(), "");
    let Some(case) = cases.iter().find(|case| case.name == name) else {
        return Ok(());
    };
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let ticks = if trace.contains("```") {
        "``````"
    } else {
        "```"
    };
    let fence = format!("{ticks}trace\n{}{ticks}\n", with_newline(trace));
    match case.trace_lines {
        Some((start, end)) => {
            lines.splice(start..=end, [fence.as_str()]);
        }
        None => {
            let fence = format!("\n{fence}");
            lines.insert(case.end + 1, &fence);
            return fs::write(path, lines.concat());
        }
    }
    fs::write(path, lines.concat())
}

fn with_newline(text: &str) -> String {
    if text.ends_with('\n') || text.is_empty() {
        text.to_owned()
    } else {
        format!("{text}\n")
    }
}
