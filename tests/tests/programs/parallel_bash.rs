//! Processes of bash that run at once are told of in the same order in every run, however the machine
//! interleaves them: by probes and by xtrace.
#![expect(clippy::print_stderr, reason = "a test says what it skips")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};

/// Runs of each script.
const RUNS: usize = 50;
/// Threads that keep the machine busy meanwhile.
const BUSY: usize = 4;

/// What stands in the streams depends on nothing but the script; who comes first, on the machine.
const SCRIPT: &str = "paste -d ' ' /dev/fd/3 /dev/fd/4 3<<LEFT 4<<RIGHT |
`echo one`
`echo two`
LEFT
`echo three`
RIGHT
  while read -r a b; do echo \"$a $b\"; done
for i in 1 2 3; do
  { x=$i; (y=$x; echo \"$y\" | cat >/dev/null) & wait; } &
done
wait
cat <(echo left) <(echo right) | { read -r first; echo \"$first\"; }
";

fn events(text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("main.sh"), text).expect("the script is written");
    let mut settings = Settings::new().expect("settings");
    settings.cwd = folder.path().to_path_buf();
    let program = ProgramOptions {
        folder: Some(folder.path().to_path_buf()),
        ..ProgramOptions::default()
    };
    let options = RunOptions { program, settings };
    let recorded = tracer_engine::trace(Path::new("main.sh"), &options).expect("a trace");
    let mut out = Vec::new();
    tracer_view::jsonl::write(&recorded.trace, &mut out).expect("a text");
    String::from_utf8(out).expect("UTF-8")
}

fn all_agree(text: &str, by_xtrace: bool) {
    let spec = languages::by_name("bash").expect("bash is in the table");
    if let Err(why) = find_toolchain(spec) {
        eprintln!("skipped: {why}");
        return;
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..BUSY {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let first = events(text);
        let differing = (1..RUNS).find_map(|run| {
            let again = events(text);
            let mut pairs = first.lines().zip(again.lines());
            let pair = pairs.find(|(a, b)| a != b);
            pair.map(|(a, b)| format!("run {run}: {a} became {b}"))
        });
        done.store(true, Ordering::Relaxed);
        assert!(differing.is_none(), "{differing:?}");
        assert_eq!(first.contains("comes from xtrace"), by_xtrace);
    });
}

#[test]
fn processes_that_probes_tell_of_have_one_order() {
    let (_, simple) = SCRIPT.split_at(SCRIPT.find("for i").expect("a loop"));
    all_agree(simple, false);
}

#[test]
fn processes_that_xtrace_tells_of_have_one_order() {
    all_agree(&format!("set +v\n{SCRIPT}"), true);
}
