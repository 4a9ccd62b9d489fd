//! Recording PHP: against the untraced program and one that Xdebug traces.

use crate::process::{command, succeed};
use crate::programs;
use crate::recording::{Contender, Subject};
use crate::report::Report;
use crate::sample::timed;
use crate::settings::Settings;

/// What Xdebug records: calls with arguments, results, and assignments.
const XDEBUG: [&str; 6] = [
    "mode=trace",
    "start_with_request=yes",
    "trace_format=1",
    "collect_assignments=1",
    "collect_return=1",
    "use_compression=0",
];

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::of("php", &[])?;
    report.say(&format!(
        "{}, `programs/php/work.php`; time of one round of its work. `all` keeps every event; the \
         other rows have the default budget. Xdebug traces calls with their arguments, results and \
         assignments.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (3000, 60)
    } else {
        (12_000, 300)
    };
    let mut contenders = subject.levels(long, middle);
    let folder = tempfile::tempdir()?;
    let php = &subject.found.program;
    let mut options: Vec<String> = vec!["-d".into(), "zend_extension=xdebug".into()];
    let place = format!("output_dir={}", folder.path().display());
    for option in XDEBUG.iter().copied().chain([place.as_str()]) {
        options.extend(["-d".into(), format!("xdebug.{option}")]);
    }
    let loaded = command(php)
        .args(&options)
        .args(["-d", "xdebug.mode=off", "-r"])
        .arg("exit(extension_loaded('xdebug') ? 0 : 1);")
        .output()
        .is_ok_and(|output| output.status.success());
    if loaded {
        let source = programs::program(subject.spec, "work");
        contenders.push(Contender {
            name: "Xdebug, trace".into(),
            work: middle,
            at_most: Some(3),
            run: Box::new(move |work| {
                timed(&mut || {
                    succeed(
                        command(php)
                            .env("XDEBUG_MODE", "trace")
                            .args(&options)
                            .arg(&source)
                            .arg(work.to_string()),
                    )
                })
            }),
        });
    } else {
        report.skip("Xdebug", "the extension is not installed");
    }
    subject.compare(settings, report, &contenders)
}
