//! Tests whose list is read from folders and tables: one trial a file, language or case.
//!
//! One binary for all of them: each would link the whole engine.

mod build_failures;
mod channel;
mod fixtures;
mod odd_files;
mod survival;

use std::fmt::Display;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let trials = [
        fixtures::trials(),
        channel::trials(),
        odd_files::trials(),
        build_failures::trials(),
        survival::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit();
}

/// A trial that is counted as skipped; says why.
#[expect(clippy::print_stdout, reason = "skips are said and counted")]
fn skipped(name: &str, why: impl Display) -> Trial {
    println!("skipped: {name}: {why}");
    Trial::test(name, || Ok(())).with_ignored_flag(true)
}
