//! Recording C: nanoseconds an event, against uftrace and gdb stepping.

use std::path::{Path, PathBuf};

use tracer_model::Detail;

use crate::process::{command, on_path, succeed};
use crate::programs;
use crate::recording::{Contender, Subject, contest, table};
use crate::report::Report;
use crate::sample::timed;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    for level in ["-O0", "-O2"] {
        one_level(settings, report, level)?;
    }
    Ok(())
}

fn one_level(settings: &Settings, report: &mut Report, level: &str) -> anyhow::Result<()> {
    let subject = Subject::of("c", &[level])?;
    report.say(&format!(
        "{}, `{level}`, `programs/c/work.c`; time of one round of its work. `all` keeps every \
         event; the other rows have the default budget. An event's time is what the run took more \
         than the untraced one, over the events. uftrace records calls and returns with arguments \
         and results; gdb steps and prints the locals.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (10_000, 1000)
    } else {
        (50_000, 8000)
    };
    let levels = [Detail::Calls, Detail::Lines, Detail::State, Detail::Full];
    let mut contenders = subject.levels_of((long, &levels), (middle, &levels));
    let mut events = subject.events_of(&contenders, report);
    let folder = tempfile::tempdir()?;
    let compiler = subject.found.program.as_path();
    let source = programs::program(subject.spec, "work");
    let quick = settings.quick;
    if let Some(uftrace) = on_path("uftrace") {
        let program = folder.path().join("profiled");
        compile(compiler, &[level, "-g", "-pg"], &source, &program)?;
        let data = folder.path().join("data");
        contenders.push(Contender {
            name: "uftrace, calls".into(),
            work: middle,
            at_most: None,
            run: Box::new(move |work| {
                timed(&mut || {
                    let mut uftrace = command(&uftrace);
                    uftrace.args(["record", "--auto-args", "--no-libcall", "--no-event"]);
                    uftrace
                        .arg("-d")
                        .arg(&data)
                        .arg(&program)
                        .arg(work.to_string());
                    succeed(&mut uftrace)
                })
            }),
        });
        // It reports what `calls` does: the same functions, entered and left.
        events.push(
            subject
                .events_a_round(Detail::Calls)
                .ok()
                .filter(|_| level == "-O0"),
        );
    } else {
        report.skip("uftrace", "not installed; `cargo xtask peers` brings it");
    }
    let debugger = on_path("gdb").filter(|_| level == "-O0");
    if let Some(gdb) = &debugger {
        let program = folder.path().join("debugged");
        compile(compiler, &[level, "-g"], &source, &program)?;
        let mut stepping = stepping(gdb.clone(), program, folder.path().join("script"), quick);
        stepping.at_most = Some(3);
        contenders.push(stepping);
        events.push(None);
    } else if level == "-O0" {
        report.skip("gdb", "not installed; `cargo xtask peers` brings it");
    }
    let mut samples = contest(settings.rounds(5), &contenders)?;
    if debugger.is_some() {
        // One step is one line; the table is about rounds.
        let lines = subject.events_a_round(Detail::Lines)?;
        let step = samples.pop().expect("gdb came last");
        samples.push(step.per(1.0 / lines));
        *events.last_mut().expect("gdb came last") = Some(lines);
    }
    table(report, &samples, &events);
    Ok(())
}

/// Stepping through as many lines as there is work. A whole round would take minutes.
fn stepping(gdb: PathBuf, program: PathBuf, script: PathBuf, quick: bool) -> Contender<'static> {
    Contender {
        name: "gdb, step and info locals".into(),
        work: if quick { 50 } else { 400 },
        at_most: None,
        run: Box::new(move |steps| {
            let text = format!(
                "set pagination off\nset confirm off\nbreak main\nrun 3\nset $n = 0\n\
                 while $n < {steps}\nstep\ninfo locals\nset $n = $n + 1\nend\nkill\nquit\n"
            );
            std::fs::write(&script, text)?;
            timed(&mut || {
                succeed(
                    command(&gdb)
                        .arg("-nx")
                        .arg("-batch")
                        .arg("-x")
                        .arg(&script)
                        .arg(&program),
                )
            })
        }),
    }
}

fn compile(compiler: &Path, flags: &[&str], source: &Path, out: &Path) -> anyhow::Result<()> {
    succeed(command(compiler).args(flags).arg("-o").arg(out).arg(source))
}
