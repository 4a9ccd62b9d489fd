//! Measurements: what tracing costs, each as a ratio of two things timed in one run.
//!
//! `README.md` beside the manifest says how to run them and what came out. Nothing here is a test:
//! no figure passes or fails. Invariant: the variants of a measurement run in turns, so that a
//! busy moment of the machine falls on all of them.

mod check;
mod image;
mod machine;
mod normalising;
mod peers;
mod process;
mod programs;
mod recording;
mod recording_bash;
mod recording_c;
mod recording_cpp;
mod recording_csharp;
mod recording_go;
mod recording_java;
mod recording_javascript;
mod recording_php;
mod recording_python;
mod recording_ruby;
mod recording_rust;
mod recording_sql;
mod recording_typescript;
mod report;
mod rewriting;
mod sample;
mod sandbox;
mod settings;
mod startup;

use report::Report;
use settings::Settings;

/// One measurement: its name on the command line and in the page, and what makes it.
type Measurement = (
    &'static str,
    fn(&Settings, &mut Report) -> anyhow::Result<()>,
);

/// All of them, in the order of the page.
const MEASUREMENTS: &[Measurement] = &[
    ("rewriting", rewriting::measure),
    ("normalising", normalising::measure),
    ("recording-python", recording_python::measure),
    ("recording-javascript", recording_javascript::measure),
    ("recording-typescript", recording_typescript::measure),
    ("recording-ruby", recording_ruby::measure),
    ("recording-sql", recording_sql::measure),
    ("recording-c", recording_c::measure),
    ("recording-cpp", recording_cpp::measure),
    ("recording-csharp", recording_csharp::measure),
    ("recording-go", recording_go::measure),
    ("recording-rust", recording_rust::measure),
    ("recording-java", recording_java::measure),
    ("recording-php", recording_php::measure),
    ("recording-bash", recording_bash::measure),
    ("ten-million", startup::ten_million),
    ("sandbox", sandbox::measure),
    ("check", check::measure),
    ("startup", startup::empty_program),
];

/// Runs what the arguments ask for, prints tables, and with `--write` puts them in `README.md`.
pub fn run(arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let names: Vec<&str> = MEASUREMENTS.iter().map(|(name, _)| *name).collect();
    let settings = Settings::parse(arguments, &names)?;
    let mut report = Report::new();
    machine::describe(&mut report);
    for (name, measure) in MEASUREMENTS {
        if settings.wants(name) {
            report.begin(name);
            if let Err(error) = measure(&settings, &mut report) {
                report.skip(name, &format!("{error:#}"));
            }
            report.end();
        }
    }
    report.finish();
    if settings.write {
        report.write(&programs::folder().join("README.md"))?;
    }
    Ok(())
}
