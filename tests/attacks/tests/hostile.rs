//! Every hostile program against every back end, each its own test: `open` shows that it succeeds
//! where the wall that stops it is missing, the others that it does not.
//!
//! `TRACER_ATTACK_TABLE=FILE` writes the results as a table. What the WebAssembly back end's tests
//! found is read from `TRACER_ATTACK_WASM`, lines of case, tab, and `held`, `fell` or a reason.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "skips are said and counted; tools are looked for"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Trial};
use tracer_attacks::{Case, Cell, Mode, attack, cases, judge, repository, stage, write_table};

type Cells = Arc<Mutex<BTreeMap<(String, Mode), Cell>>>;

fn main() {
    stage();
    let arguments = Arguments::from_args();
    let all = cases(&repository().join("fixtures/hostile")).expect("the cases can be read");
    let table = std::env::var_os("TRACER_ATTACK_TABLE");
    let cells = Cells::default();
    let mut trials = Vec::new();
    let mut skipped = 0;
    for case in &all {
        for mode in Mode::ALL {
            if mode == Mode::Bwrap && table.is_none() {
                continue;
            }
            let name = format!("{}/{}", mode.name(), case.name);
            if let Some(why) = obstacle(case, mode) {
                println!("skipped: {name}: {why}");
                skipped += 1;
                note(&cells, case, mode, Cell::Skipped(why));
                trials.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
                continue;
            }
            let (case, cells) = (case.clone(), Arc::clone(&cells));
            trials.push(Trial::test(name, move || {
                note(&cells, &case, mode, Cell::Fell);
                let report = attack(&case, mode)?;
                if mode == Mode::Bwrap {
                    if !report.succeeded {
                        note(&cells, &case, mode, Cell::Held);
                    }
                    return Ok(());
                }
                match judge(&case, mode, &report) {
                    Some(_) if mode == Mode::Open && case.may_lack.is_some() => {
                        let why = case.may_lack.clone().unwrap_or_default();
                        println!("skipped: open/{}: this machine has no {why}", case.name);
                        let why = format!("this machine has no {why}");
                        note(&cells, &case, mode, Cell::Skipped(why));
                        Ok(())
                    }
                    Some(problem) => Err(problem.into()),
                    None => {
                        note(&cells, &case, mode, Cell::Held);
                        Ok(())
                    }
                }
            }));
        }
    }
    println!("{} cases, {skipped} runs skipped", all.len());
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(path) = table {
        let cells = cells.lock().expect("no test is running");
        write_table(Path::new(&path), &all, &cells, &wasm()).expect("the table can be written");
    }
    conclusion.exit();
}

fn note(cells: &Cells, case: &Case, mode: Mode, cell: Cell) {
    if let Ok(mut cells) = cells.lock() {
        cells.insert((case.name.clone(), mode), cell);
    }
}

/// Why a case cannot be tried in a mode.
fn obstacle(case: &Case, mode: Mode) -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("only root can make the throwaway sandbox".to_owned());
    }
    if case.not_run.is_some() {
        return case.not_run.clone();
    }
    let has = |program: &str| Path::new(program).exists();
    let needed = match case.source.extension().and_then(|ending| ending.to_str()) {
        _ if !case.run.is_empty() => case.run[0].as_str(),
        Some("py") => "/usr/bin/python3",
        Some("js") => "/usr/bin/node",
        Some("c") => "/usr/bin/cc",
        _ => "/bin/bash",
    };
    if !has(needed) {
        return Some(format!("there is no {needed}"));
    }
    if matches!(mode, Mode::Bwrap | Mode::Pool) && case.drive.is_some() {
        return Some("it takes more than a run of its program".to_owned());
    }
    match mode {
        Mode::Open => case.no_open.clone(),
        Mode::Bwrap => {
            let asked = Command::new("bwrap")
                .arg("--version")
                .stdout(Stdio::null())
                .status();
            let there = asked.is_ok_and(|status| status.success());
            (!there).then(|| "bwrap is not installed".to_owned())
        }
        Mode::Root | Mode::Pool => None,
        Mode::User => case.no_user.clone(),
    }
}

fn wasm() -> BTreeMap<String, Cell> {
    let text = std::env::var_os("TRACER_ATTACK_WASM")
        .and_then(|path| std::fs::read_to_string(path).ok())
        .unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let (case, result) = line.split_once('\t')?;
            let cell = match result {
                "held" => Cell::Held,
                "fell" => Cell::Fell,
                why => Cell::Skipped(why.to_owned()),
            };
            Some((case.to_owned(), cell))
        })
        .collect()
}
