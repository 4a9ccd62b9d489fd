//! Recording Python: against the untraced program, `sys.settrace`, `sys.monitoring`, `PySnooper`.

use std::ffi::OsString;
use std::path::Path;

use crate::peers;
use crate::process::{command, succeed};
use crate::programs;
use crate::recording::{Contender, Subject};
use crate::report::Report;
use crate::sample::timed;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let spec = programs::language("python")?;
    let (found, monitoring) = peers::python(spec)?;
    let subject = Subject {
        spec,
        found,
        flags: Vec::new(),
    };
    report.say(&format!(
        "{}, `programs/python/work.py`; time of one round of its work. `all` keeps every event; \
         the other rows have the default budget. The peers record each line with the locals that \
         changed, and calls and returns.",
        subject.found.version
    ));
    let scale = if settings.quick { 10 } else { 1 };
    let (long, middle, short) = (2000 / scale, 60 / scale, 20 / scale);
    let mut contenders = subject.levels(long, middle * 10);
    let python = subject.found.program.as_path();
    contenders.push(peer(
        "sys.settrace, lines",
        python,
        "settrace.py",
        &["lines"],
        middle,
    ));
    contenders.push(peer(
        "sys.settrace, changed locals",
        python,
        "settrace.py",
        &[],
        middle,
    ));
    if monitoring {
        let name = "sys.monitoring, changed locals";
        contenders.push(peer(name, python, "monitoring.py", &[], middle));
    } else {
        report.skip("sys.monitoring", "no Python 3.12 or newer found");
    }
    if peers::folder().join("python/pysnooper").is_dir() {
        let mut snoop = peer("PySnooper", python, "snoop.py", &[], short);
        snoop.at_most = Some(if settings.quick { 1 } else { 3 });
        contenders.push(snoop);
    } else {
        report.skip("PySnooper", "not installed; `cargo xtask peers` brings it");
    }
    subject.compare(settings, report, &contenders)
}

fn peer<'a>(
    name: &str,
    python: &'a Path,
    script: &str,
    extra: &'static [&'static str],
    work: u32,
) -> Contender<'a> {
    let script = peers::script(script);
    let program = programs::folder().join("programs/python/work.py");
    let libraries = peers::folder().join("python");
    Contender {
        name: name.into(),
        work,
        at_most: None,
        run: Box::new(move |work| {
            let out = tempfile::NamedTempFile::new()?;
            timed(&mut || {
                let mut command = command(python);
                command
                    .env("PYTHONPATH", &libraries)
                    .env("PYTHONHASHSEED", "0");
                command
                    .arg(&script)
                    .arg(out.path())
                    .arg(&program)
                    .arg(work.to_string());
                command.args(extra.iter().map(OsString::from));
                succeed(&mut command)
            })
        }),
    }
}
