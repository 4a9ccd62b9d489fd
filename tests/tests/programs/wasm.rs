//! Programs as WebAssembly modules: the same trace as natively, and walls that hold.
//!
//! Skipped, aloud, where the worker (`cargo build -p tracer-wasm --features machine`) or a language's
//! module image (`tracer image build wasm-…`) is missing.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // a test

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tracer_engine::wasm::{Readiness, readiness};
use tracer_engine::{
    CheckOptions, EngineError, ProgramOptions, Recorded, RunOptions, Settings, Status, check_file,
    languages, trace,
};
use tracer_model::{End, Event, Limit, Payload};
use tracer_sandbox::Isolation;

/// One program a language that runs as modules; what it does is the same everywhere.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "hello.py",
        "def f(n):\n    return n * 2\n\nfor i in range(3):\n    print(i, f(i))\n",
    ),
    (
        "hello.rb",
        "def f(n)\n  n * 2\nend\n\n3.times { |i| puts \"#{i} #{f(i)}\" }\n",
    ),
    (
        "hello.cpp",
        "#include <cstdio>\ntemplate <class T> static T f(T n) { return n * 2; }\nint main() {\n    for (int i = 0; i < \
         3; i++)\n        std::printf(\"%d %d\\n\", i, f(i));\n    return 0;\n}\n",
    ),
    (
        "hello.rs",
        "fn f(n: i32) -> i32 {\n    n * 2\n}\n\nfn main() {\n    for i in 0..3 {\n        println!(\"{} \
         {}\", i, f(i));\n    }\n}\n",
    ),
    (
        "hello.php",
        "<?php\nfunction f($n) { return $n * 2; }\n\nforeach ([0, 1, 2] as $i) {\n    echo \"$i \" \
         . f($i) . \"\\n\";\n}\nfwrite(STDERR, getcwd() . \"\\n\");\n",
    ),
    (
        "hello.js",
        "function f(n) { return n * 2; }\n\nfor (let i = 0; i < 3; i++) {\n  console.log(i, f(i));\n}\n",
    ),
    (
        "hello.ts",
        "function f(n: number): number { return n * 2; }\n\nfor (let i = 0; i < 3; i++) {\n  \
         console.log(i, f(i));\n}\n",
    ),
    (
        "hello.c",
        "#include <stdio.h>\nstatic int f(int n) { return n * 2; }\nint main(void) {\n    for \
         (int i = 0; i < 3; i++)\n        printf(\"%d %d\\n\", i, f(i));\n    return 0;\n}\n",
    ),
    (
        "hello.sql",
        "CREATE TABLE t (i INTEGER PRIMARY KEY, f INTEGER);\nCREATE TRIGGER twice AFTER INSERT ON t \
         BEGIN\n    UPDATE t SET f = new.i * 2 WHERE i = new.i;\nEND;\nINSERT INTO t (i) VALUES (0), \
         (1), (2);\nSELECT i || ' ' || f FROM t;\n",
    ),
    (
        "hello.go",
        "package main\n\nimport \"fmt\"\n\nfunc f(n int) int { return n * 2 }\n\nfunc main() \
         {\n\tfor i := 0; i < 3; i++ {\n\t\tfmt.Println(i, f(i))\n\t}\n}\n",
    ),
];

/// Does by its first argument what a module must not come through with.
const HOSTILE: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static int deep(int n) { volatile char a[1000]; a[0] = n; return deep(n + 1) + a[0]; }
static void try(const char *path) { FILE *f = fopen(path, "r"); printf("%s %s\n", path, f ? "OPEN" : "refused"); }
int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "deep")) return deep(0);
    if (!strcmp(what, "outside")) return *(volatile int *)0xfffffff0;
    if (!strcmp(what, "abort")) abort();
    if (!strcmp(what, "divide")) { volatile int z = 0; return 1 / z; }
    if (!strcmp(what, "loop")) for (volatile int i = 0;; i++) ;
    if (!strcmp(what, "sleep")) sleep(100);
    if (!strcmp(what, "memory")) for (;;) { char *p = malloc(1 << 20); if (!p) return 9; memset(p, 1, 1 << 20); }
    if (!strcmp(what, "output")) for (;;) puts("0123456789012345678901234567890123456789012345678901234567890123456789");
    if (!strcmp(what, "files")) for (;;) if (!fopen("again", "w")) return 7;
    if (!strcmp(what, "paths")) {
        symlink("/etc/passwd", "far"); symlink("..", "up"); symlink("loop", "loop"); mkdir("in", 0755);
        try("/etc/passwd"); try("../../../../../../etc/passwd"); try("in/../../../../../../etc/passwd");
        try("far"); try("up/../../../../../etc/passwd"); try("loop"); try("far/"); try("//etc//passwd");
        try("/proc/self/environ"); try("/tmp/.tracer-channel/"); try("in/..//../.");
    }
    return 0;
}
"#;

fn settings(folder: &Path, isolation: Isolation) -> Settings {
    let mut settings = Settings::new().unwrap();
    settings.cwd = folder.to_path_buf();
    settings.isolation = isolation;
    settings.limits.wall = Some(Duration::from_secs(60));
    settings
}

fn options(settings: Settings) -> RunOptions {
    let folder = Some(settings.cwd.clone());
    RunOptions {
        program: ProgramOptions {
            folder,
            ..ProgramOptions::default()
        },
        settings,
    }
}

/// `None`, said aloud, where this machine has not what it takes.
fn run(name: &str, options: &RunOptions) -> Option<Recorded> {
    match trace(Path::new(name), options) {
        Ok(recorded) => Some(recorded),
        Err(
            error @ (EngineError::NoWasm | EngineError::Image(_) | EngineError::NoToolchain { .. }),
        ) => {
            eprintln!("skipped: {name}: {error}");
            None
        }
        Err(EngineError::Sandbox(error))
            if error.is_refusal() && std::env::var_os("TRACER_MUST_ISOLATE").is_none() =>
        {
            eprintln!("skipped: {name}: {error}");
            None
        }
        Err(error) => panic!("{name}: {error:?}"),
    }
}

#[test]
fn modules_do_and_tell_what_programs_do() {
    let folder = TempDir::new().unwrap();
    for (name, text) in PROGRAMS {
        fs::write(folder.path().join(name), text).unwrap();
        let module = options(settings(folder.path(), Isolation::Wasm));
        let Some(module) = run(name, &module) else {
            continue;
        };
        assert_eq!(
            module.executed.outcome.end,
            End::Exited { code: 0 },
            "{name}"
        );
        let said = String::from_utf8(module.executed.stdout).unwrap();
        assert_eq!(said, "0 0\n1 2\n2 4\n", "{name}");
        assert_eq!(module.trace.environment.isolation, "wasm");
        assert!(module.trace.events.len() > 15, "{name}");
        let native = options(settings(folder.path(), Isolation::Native));
        if let Some(native) = run(name, &native) {
            assert_eq!(native.trace.events, module.trace.events, "{name}");
        }
        let check = CheckOptions {
            run: options(settings(folder.path(), Isolation::Wasm)),
        };
        let checked = check_file(Path::new(name), &check);
        assert_eq!(checked.status, Status::Same, "{name}: {checked:?}");
    }
}

/// A program that recurses until it may not.
const ENDLESS: &str = "endless.js";

/// What another engine than Node.js would tell in its own way, and the exit status.
const NODE: &[(&str, &str, u8)] = &[
    (
        "rejected.js",
        "async function f() { throw new Error('boom'); }\nf();\nsetTimeout(() => console.log('late'), \
         10);\n",
        1,
    ),
    ("reason.js", "Promise.reject(42);\n", 1),
    (
        "handled.js",
        "const p = Promise.reject(new Error('late'));\nprocess.nextTick(() => p.catch(() => \
         console.log('caught')));\nprocess.on('unhandledRejection', (e) => \
         console.log(e.message));\nPromise.reject(new TypeError('second'));\n\
         console.log(Promise.resolve(4));\n",
        0,
    ),
    (
        ENDLESS,
        "const o = { get a() { return this.a; } };\ntry {\n  o.a;\n} catch (e) {\n  \
         console.log(e instanceof RangeError, e.message);\n}\n",
        0,
    ),
    (
        "module.mjs",
        "import data from './data.cjs'; // import x from './nope.mjs'\nimport { a as b } from \
         './part.mjs';\nconst text = `\nimport nothing from './nothing.mjs';\n`;\n/*\nimport c from \
         './c.mjs';\n*/\nconst s = \"import('./string.mjs') import.meta.url\";\nconst name = './pa' + \
         'rt.mjs';\nconst again = await import(name);\nconsole.log(b === again.a, data.v, text.length, s, \
         import.meta.url.endsWith('/module.mjs'));\n",
        0,
    ),
];

#[test]
fn modules_of_javascript_end_as_on_node() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("part.mjs"), "export const a = 1;\n").unwrap();
    fs::write(folder.path().join("data.cjs"), "exports.v = 3;\n").unwrap();
    for (name, text, code) in NODE {
        fs::write(folder.path().join(name), text).unwrap();
        let module = options(settings(folder.path(), Isolation::Wasm));
        let Some(module) = run(name, &module) else {
            return;
        };
        let said = String::from_utf8_lossy(&module.executed.stderr).into_owned();
        assert_eq!(
            module.executed.outcome.end,
            End::Exited { code: *code },
            "{name}: {said}"
        );
        let native = options(settings(folder.path(), Isolation::Native));
        if let Some(native) = run(name, &native) {
            assert_eq!(native.executed.stdout, module.executed.stdout, "{name}");
            // The words on stderr are the engine's.
            let told = |recorded: &Recorded| -> Vec<Event> {
                let events = recorded.trace.events.iter();
                events
                    .filter(|event| !matches!(event.payload, Payload::Stdout { stream: 2, .. }))
                    .cloned()
                    .collect()
            };
            // How many calls fit is the engine's, too.
            if *name != ENDLESS {
                assert_eq!(told(&native), told(&module), "{name}");
            }
        }
    }
}

/// Asks clocks and random sources, and prints what they say.
const ASKING: &[(&str, &str)] = &[
    (
        "asking.py",
        "import os, random, time, uuid\nprint(time.time(), time.monotonic(), os.urandom(8), random.random(), \
         uuid.uuid4())\nprint(os.listdir('/tmp'), id(object()))\nfor i in range(2000):\n    \
         if i % 2:\n        i += 1\n",
    ),
    (
        "asking.c",
        "#include <stdio.h>\n#include <time.h>\n#include <unistd.h>\nint main(void) {\n    unsigned long \
         long r = 0;\n    struct timespec t;\n    getentropy(&r, sizeof r);\n    clock_gettime(CLOCK_REALTIME, \
         &t);\n    printf(\"%llx %lld %ld %p\\n\", r, (long long)t.tv_sec, t.tv_nsec, (void *)&t);\n    return \
         0;\n}\n",
    ),
];

#[test]
fn clocks_and_random_bytes_are_the_same_in_each_run() {
    let folder = TempDir::new().unwrap();
    for (name, text) in ASKING {
        fs::write(folder.path().join(name), text).unwrap();
        let options = options(settings(folder.path(), Isolation::Wasm));
        let (Some(first), Some(again)) = (run(name, &options), run(name, &options)) else {
            continue;
        };
        assert_eq!(first.executed.outcome.end, End::Exited { code: 0 });
        assert!(!first.executed.stdout.is_empty(), "{name}");
        assert_eq!(first.executed.stdout, again.executed.stdout, "{name}");
        assert_eq!(first.trace.events, again.trace.events, "{name}");
    }
}

#[test]
fn languages_without_modules_say_so() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.sh"), "echo 1\n").unwrap();
    let options = options(settings(folder.path(), Isolation::Wasm));
    let error = trace(Path::new("a.sh"), &options).unwrap_err();
    assert!(error.to_string().contains("natively only"), "{error}");
    fs::write(
        folder.path().join("a.sql"),
        "-- dialect: postgresql\nSELECT 1;\n",
    )
    .unwrap();
    let error = trace(Path::new("a.sql"), &options).unwrap_err();
    assert!(
        error.to_string().contains("postgresql, is no module"),
        "{error}"
    );
    let empty = tracer_engine::images::Store::at(folder.path().join("images"));
    let state = |id: &str| readiness(languages::by_name(id).unwrap(), &empty);
    assert!(matches!(state("bash"), Readiness::NativeOnly(_)));
    let advice = "tracer image build wasm-python".to_owned();
    assert_eq!(state("python"), Readiness::Missing(advice));
}

#[test]
fn what_a_module_must_not_do_ends_in_a_verdict() {
    let signal = |number, name: &str| End::Signaled {
        signal: number,
        name: name.into(),
    };
    let limited = |limit| End::Limited { limit };
    let folder = TempDir::new().unwrap();
    let cases = [
        ("deep", signal(11, "SIGSEGV")),
        ("outside", signal(11, "SIGSEGV")),
        ("abort", signal(6, "SIGABRT")),
        ("divide", signal(8, "SIGFPE")),
        ("loop", limited(Limit::Wall)),
        ("sleep", limited(Limit::Wall)),
        ("memory", limited(Limit::Memory)),
        ("output", limited(Limit::Output)),
        ("files", End::Exited { code: 7 }),
    ];
    fs::write(folder.path().join("hostile.c"), HOSTILE).unwrap();
    for (what, end) in cases {
        let mut settings = settings(folder.path(), Isolation::Wasm);
        settings.args = vec![what.into()];
        settings.limits.memory = Some(256 << 20);
        settings.limits.output = Some(1 << 20);
        if matches!(end, End::Limited { limit: Limit::Wall }) {
            settings.limits.wall = Some(Duration::from_secs(3));
        }
        let before = Instant::now();
        let Some(recorded) = run("hostile.c", &options(settings)) else {
            return;
        };
        assert!(before.elapsed() < Duration::from_secs(120), "{what}");
        let outcome = &recorded.executed.outcome;
        // Without a memory group the machine's own bound is met, and the program is told.
        let told = what == "memory" && outcome.end == End::Exited { code: 9 };
        assert!(outcome.end == end || told, "{what}: {outcome:?}");
        assert!(!recorded.trace.events.is_empty(), "{what}");
    }
}

#[test]
fn no_path_leads_out_of_the_folders() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("hostile.c"), HOSTILE).unwrap();
    let mut settings = settings(folder.path(), Isolation::Wasm);
    settings.args = vec!["paths".into()];
    let Some(recorded) = run("hostile.c", &options(settings)) else {
        return;
    };
    let said = String::from_utf8(recorded.executed.stdout).unwrap();
    assert_eq!(said.lines().count(), 11, "{said}");
    // A folder can be opened, and has nothing to read.
    let open: Vec<&str> = said.lines().filter(|line| line.ends_with("OPEN")).collect();
    assert!(open.is_empty(), "{said}");
}
