//! The runner: this program itself, started anew.

use std::path::Path;

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};

use crate::script::{CLOSE, OPEN};

/// The runner as a WebAssembly module.
pub(crate) const MODULE: Toolchain = Toolchain {
    programs: &["sql.wasm"],
    identify: &["--version"],
    describe: describe_module,
    hint: "the image wasm-sql",
    plan: plan_module,
    environment: &[],
    variations: &[],
    diagnostics: None,
    dialects: &[],
    noise: None,
};

/// The module needs no file beside it.
fn describe_module(output: &str, program: &Path) -> Option<Found> {
    let found = describe(output, program)?;
    Some(Found {
        roots: Vec::new(),
        ..found
    })
}

/// The same command; the module begins in the root, whatever the folder.
fn plan_module(request: &PlanRequest<'_>) -> Plan {
    let mut plan = plan(request);
    let folder = [tracer_runtime_sql::FOLDER.into(), request.cwd.into()];
    plan.argv.splice(2..2, folder);
    plan.rooted = true;
    plan
}

/// Reads `SQLite 3.46.1`.
pub(crate) fn describe(output: &str, program: &Path) -> Option<Found> {
    // Referring to the runner is what makes the linker keep it in this program.
    if !tracer_runtime_sql::is_linked() {
        return None;
    }
    let version = output.trim();
    let number = version.strip_prefix("SQLite ")?;
    number
        .starts_with(|first: char| first.is_ascii_digit())
        .then(|| Found {
            program: program.to_owned(),
            version: version.to_owned(),
            roots: vec![program.to_owned()],
        })
}

/// `<program> --tracer-sql-runner [--sites FILE] script [database]`.
pub(crate) fn plan(request: &PlanRequest<'_>) -> Plan {
    let program = &request.found.program;
    let mut plan = Plan {
        program: program.clone(),
        argv: vec![program.into(), tracer_runtime_sql::RUNNER.into()],
        ..Plan::default()
    };
    if request.traced {
        let sites = sites(request);
        let file = request.private.join("sites");
        plan.argv
            .extend(["--sites".into(), file.clone().into_os_string()]);
        plan.files.push((file, sites));
    }
    plan.argv.push(request.given.into());
    plan.argv.extend(request.args.iter().cloned());
    plan
}

/// What the instrumenter says of each file: lines of path and sites in turn.
pub(crate) fn sites(request: &PlanRequest<'_>) -> Vec<u8> {
    let mut sites = Vec::new();
    for source in request.sources {
        if let Some(facts) = source.instrumented.and_then(facts) {
            sites.extend(source.path.as_os_str().as_encoded_bytes());
            sites.push(b'\n');
            sites.extend(facts);
            sites.push(b'\n');
        }
    }
    sites
}

/// What the comment behind a script says.
fn facts(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_suffix(CLOSE.as_bytes())?;
    let start = text
        .windows(OPEN.len())
        .rposition(|part| part == OPEN.as_bytes())?;
    Some(&text[start + OPEN.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_runner_is_a_toolchain() {
        let path = Path::new("/usr/bin/tracer");
        let found = describe("SQLite 3.46.1\n", path).expect("a version");
        assert_eq!(found.version, "SQLite 3.46.1");
        assert_eq!(found.roots, [path]);
        assert_eq!(describe("unknown option\n", path), None);
    }

    #[test]
    fn the_last_comment_is_ours() {
        let text = format!("SELECT '{OPEN}1{CLOSE}';{OPEN}2{CLOSE}");
        assert_eq!(facts(text.as_bytes()), Some(&b"2"[..]));
    }
}
