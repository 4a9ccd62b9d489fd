//! Scripts for PostgreSQL: the runner, with the server and `psql` that stand in the image or on this
//! machine.

use std::ffi::OsString;
use std::path::Path;

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};
use tracer_runtime_sql::RUNNER;
use tracer_runtime_sql::postgresql::{MAKE, PLANS, POSTGRESQL, RUN};

use crate::routine;
use crate::toolchain::sites;

/// The server's program, where Debian puts it. Newer ones first.
pub(crate) static TOOLCHAIN: Toolchain = Toolchain {
    programs: &[
        "/usr/lib/postgresql/18/bin/postgres",
        "/usr/lib/postgresql/17/bin/postgres",
        "/usr/lib/postgresql/16/bin/postgres",
        "/usr/lib/postgresql/15/bin/postgres",
        "/usr/lib/postgresql/14/bin/postgres",
        "postgres",
    ],
    identify: &["--version"],
    describe,
    hint: "the Debian package postgresql",
    plan,
    environment: &[],
    variations: &[],
    diagnostics: None,
    dialects: &[],
    noise: None,
};

/// Reads `postgres (PostgreSQL) 17.5 (Debian 17.5-1)`.
fn describe(output: &str, program: &Path) -> Option<Found> {
    let version = output.split("(PostgreSQL) ").nth(1)?;
    let number = version.split_whitespace().next()?;
    Some(Found {
        program: program.to_owned(),
        version: format!("PostgreSQL {number}"),
        roots: Vec::new(),
    })
}

/// Makes a cluster once, and runs the script on a copy of it.
fn plan(request: &PlanRequest<'_>) -> Plan {
    // The runner is the first of the roots.
    let runner = request.found.roots.first().cloned().unwrap_or_default();
    let programs = request.found.program.parent().unwrap_or(Path::new("/"));
    let argv = |what: &str| -> Vec<OsString> {
        let words: [OsString; 5] = [
            runner.clone().into(),
            RUNNER.into(),
            POSTGRESQL.into(),
            what.into(),
            programs.into(),
        ];
        words.into()
    };
    let sources = request.sources.iter().chain(request.companions);
    let deletes = sources
        .into_iter()
        .any(|source| routine::is_silent(source.original));
    let made = request.build.join("cluster");
    let place = request.private.join("cluster");
    let mut make = argv(MAKE);
    make.push(made.clone().into());
    let mut plan = Plan {
        program: runner.clone(),
        build: vec![make],
        once: vec![(0, made.clone())],
        brought: vec![(made, place.clone())],
        argv: argv(if deletes { PLANS } else { RUN }),
        ..Plan::default()
    };
    plan.argv.push(place.into());
    if request.traced {
        let file = request.private.join("sites");
        plan.argv.push(file.clone().into());
        plan.files.push((file, sites(request)));
    } else {
        plan.argv.push("-".into());
    }
    plan.argv.push(request.given.into());
    plan.argv.extend(request.args.iter().cloned());
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_tells_its_version() {
        let path = Path::new("/usr/lib/postgresql/17/bin/postgres");
        let said = "postgres (PostgreSQL) 17.5 (Debian 17.5-1.pgdg13+1)\n";
        let found = describe(said, path).expect("a version");
        assert_eq!(found.version, "PostgreSQL 17.5");
        assert_eq!(describe("psql 17\n", path), None);
    }
}
