//! Every hostile program against every back end, each its own test: `open` shows that it succeeds
//! where the wall that stops it is missing, the others that it does not.
//!
//! `TRACER_ATTACK_TABLE=FILE` writes the results as a table.
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
use tracer_attacks::{
    Case, Cell, Mode, NoModule, attack, cases, judge, module, repository, stage, use_machine,
    write_table,
};

/// How often more an attack is tried without its walls, where it has to meet a moment: that it
/// succeeds once is enough.
const TRIES: u32 = 2;

type Cells = Arc<Mutex<BTreeMap<(String, Mode), Cell>>>;

fn main() {
    stage();
    use_machine(env!("CARGO_BIN_EXE_module-worker"));
    let arguments = Arguments::from_args();
    let all = cases(&repository().join("fixtures/hostile")).expect("the cases can be read");
    let table = std::env::var_os("TRACER_ATTACK_TABLE");
    let cells = Cells::default();
    let mut trials = Vec::new();
    let mut skipped = 0;
    for case in &all {
        for mode in Mode::ALL {
            if !case.applies(mode) || mode == Mode::Bwrap && table.is_none() {
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
                if case.is_module(mode) {
                    match module(&case) {
                        Ok(_) => {}
                        Err(NoModule::Failed(why)) => return Err(why.into()),
                        Err(NoModule::Reason(why)) => {
                            println!("skipped: {}/{}: {why}", mode.name(), case.name);
                            note(&cells, &case, mode, Cell::Skipped(why));
                            return Ok(());
                        }
                    }
                }
                let mut report = attack(&case, mode)?;
                for _ in 0..TRIES {
                    if mode != Mode::Open || report.succeeded {
                        break;
                    }
                    report = attack(&case, mode)?;
                }
                if mode == Mode::Bwrap {
                    if !report.succeeded {
                        note(&cells, &case, mode, Cell::Held(report.gone_milliseconds));
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
                        note(&cells, &case, mode, Cell::Held(report.gone_milliseconds));
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
        write_table(Path::new(&path), &all, &cells).expect("the table can be written");
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
    if case.is_module(mode) {
        return if mode == Mode::Open {
            case.no_open.clone()
        } else {
            None
        };
    }
    let needed = match case.source.extension().and_then(|ending| ending.to_str()) {
        _ if !case.run.is_empty() => case.run[0].as_str(),
        Some("py") => "/usr/bin/python3",
        Some("js") => "/usr/bin/node",
        Some("rb") => "/usr/bin/ruby",
        Some("php") => "/usr/bin/php",
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
        Mode::Root | Mode::Pool | Mode::Started | Mode::Wasm => None,
        Mode::User => case.no_user.clone(),
    }
}
