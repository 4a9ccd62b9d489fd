//! How a program's end is reported: exit statuses, signals and limits, each by its own name.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // tests start helpers and say why they skip

mod common;

use std::time::{Duration, Instant};

use common::{compiled, exited, limited, outcome, program, python, shell, signaled, subject, text};
use tracer_model::{End, Limit};
use tracer_sandbox::{Stdin, Stream};

#[test]
fn exit_status_is_exact() {
    for code in [0, 1, 42, 127, 255] {
        let Some(finished) = outcome(&shell(&format!("exit {code}"))) else {
            return;
        };
        exited(&finished, code);
    }
}

#[test]
fn signals_are_exact() {
    for (name, number) in [
        ("SEGV", 11),
        ("ABRT", 6),
        ("KILL", 9),
        ("TERM", 15),
        ("INT", 2),
    ] {
        let Some(finished) = outcome(&shell(&format!("kill -{name} $$"))) else {
            return;
        };
        signaled(&finished, number);
        let End::Signaled { name: reported, .. } = &finished.outcome.end else {
            unreachable!()
        };
        assert_eq!(*reported, format!("SIG{name}"));
    }
}

#[test]
fn sigpipe_is_not_ignored() {
    let Some(finished) = outcome(&shell("kill -PIPE $$; echo survived")) else {
        return;
    };
    signaled(&finished, libc::SIGPIPE);
}

#[test]
fn output_is_captured_in_order_of_arrival() {
    let Some(finished) = outcome(&shell("echo one; echo two >&2; echo three")) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(text(&finished.stdout), "one\nthree\n");
    assert_eq!(text(&finished.stderr), "two\n");
    let total: usize = finished.output.iter().map(|chunk| chunk.length).sum();
    assert_eq!(total, 14);
}

#[test]
fn input_is_given_then_ends() {
    let mut request = program("/bin/cat", &[]);
    request.stdin = Stdin::Bytes(b"a\0b".to_vec());
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(finished.stdout, b"a\0b");
    request.stdin = Stdin::Null;
    assert_eq!(outcome(&request).unwrap().stdout, b"");
}

#[test]
fn discarded_output_is_not_counted() {
    let mut request = shell("head -c 1000000 /dev/zero");
    request.stdout = Stream::Null;
    request.limits.output = Some(10);
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
}

#[test]
fn sleeping_meets_the_wall_limit() {
    let mut request = shell("sleep 100");
    request.limits.wall = Some(Duration::from_millis(200));
    let start = Instant::now();
    let Some(finished) = outcome(&request) else {
        return;
    };
    limited(&finished, Limit::Wall);
    assert_eq!(finished.outcome.exit_status(), 124);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn busy_loop_meets_the_cpu_limit() {
    let mut request = shell("while :; do :; done");
    request.limits.cpu = Some(Duration::from_millis(200));
    let Some(finished) = outcome(&request) else {
        return;
    };
    limited(&finished, Limit::Cpu);
    assert!(
        finished.usage.cpu >= Duration::from_millis(200),
        "{:?}",
        finished.usage
    );
    assert!(
        finished.usage.cpu < Duration::from_secs(2),
        "{:?}",
        finished.usage
    );
}

#[test]
fn cpu_is_counted_over_all_processes() {
    let mut request = shell("for i in 1 2 3 4; do (while :; do :; done) & done; wait");
    request.limits.cpu = Some(Duration::from_millis(400));
    let Some(finished) = outcome(&request) else {
        return;
    };
    limited(&finished, Limit::Cpu);
}

#[test]
fn infinite_recursion_is_a_segmentation_fault() {
    let Some((folder, binary)) = compiled(
        "int f(volatile int n) { volatile int a[64]; a[0] = n; return f(n + 1) + a[0]; }\nint main(void) { return f(0); }",
    ) else {
        return;
    };
    let Some(finished) = outcome(&subject(&folder, &binary)) else {
        return;
    };
    signaled(&finished, libc::SIGSEGV);
}

#[test]
fn ten_gigabytes_of_memory_meet_the_memory_limit() {
    let Some((folder, binary)) = compiled(
        "#include <stdlib.h>\n#include <string.h>\nint main(void) {\n\
         for (int i = 0; i < 10240; i++) { char *p = malloc(1 << 20); if (!p) return 3; memset(p, 1, 1 << 20); }\n\
         return 0; }",
    ) else {
        return;
    };
    let Some(finished) = outcome(&subject(&folder, &binary)) else {
        return;
    };
    limited(&finished, Limit::Memory);
    assert_eq!(finished.outcome.exit_status(), 137);
}

#[test]
fn a_child_killed_for_memory_ends_the_run() {
    let Some(request) = python(
        "import os, time\nif os.fork() == 0:\n  x = bytearray(10 << 30)\nos.wait()\ntime.sleep(100)",
    ) else {
        return;
    };
    let Some(finished) = outcome(&request) else {
        return;
    };
    limited(&finished, Limit::Memory);
}

#[test]
fn reservations_are_not_memory() {
    let Some((folder, binary)) = compiled(
        "#include <sys/mman.h>\nint main(void) { return mmap(0, 64L << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED; }",
    ) else {
        return;
    };
    let Some(finished) = outcome(&subject(&folder, &binary)) else {
        return;
    };
    exited(&finished, 0);
}

#[test]
fn ten_gigabytes_of_output_meet_the_output_limit() {
    for redirect in ["", " >&2"] {
        let mut request = shell(&format!("head -c 10737418240 /dev/zero{redirect}"));
        request.limits.output = Some(1 << 20);
        let Some(finished) = outcome(&request) else {
            return;
        };
        limited(&finished, Limit::Output);
        assert_eq!(finished.stdout.len() + finished.stderr.len(), 1 << 20);
    }
}

#[test]
fn output_that_ends_at_once_is_limited_too() {
    let mut request = shell("echo 0123456789");
    request.limits.output = Some(5);
    let Some(finished) = outcome(&request) else {
        return;
    };
    limited(&finished, Limit::Output);
    assert_eq!(finished.stdout, b"01234");
}

#[test]
fn fork_bomb_meets_the_process_limit() {
    let Some((folder, binary)) =
        compiled("#include <unistd.h>\nint main(void) { for (;;) fork(); }")
    else {
        return;
    };
    let Some(finished) = outcome(&subject(&folder, &binary)) else {
        return;
    };
    limited(&finished, Limit::Processes);
    assert!(finished.outcome.limits_hit.contains(&Limit::Processes));
}

#[test]
fn a_refused_fork_is_named() {
    let Some(mut request) = python(
        "import os, signal\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: signal.pause()\n    n += 1\nexcept OSError: print(n)",
    ) else {
        return;
    };
    request.limits.processes = Some(10);
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(text(&finished.stdout), "9\n");
    // Refusals are counted by the pids controller alone.
    let counted = finished
        .protections
        .iter()
        .any(|wall| wall.name == "process cgroup" && wall.active);
    assert!(
        !counted || finished.outcome.limits_hit == [Limit::Processes],
        "{:?}",
        finished.outcome
    );
}

#[test]
fn disk_fill_is_refused_and_named() {
    let mut request = shell("head -c 10737418240 /dev/zero > /tmp/fill; echo $?");
    request.limits.file_size = None;
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert!(
        text(&finished.stderr).contains("No space left"),
        "{}",
        text(&finished.stderr)
    );
    assert_eq!(finished.outcome.limits_hit, [Limit::Disk]);
}

#[test]
fn filling_a_writable_folder_meets_the_disk_limit() {
    let (_kept, given) = common::folder(tracer_sandbox::Access::Writable);
    let mut request = shell("n=0; while :; do n=$((n+1)); head -c 1000000 /dev/zero > $n; done");
    request.cwd.clone_from(&given.path);
    request.folders.push(given);
    request.limits.disk = Some(8 << 20);
    let Some(finished) = outcome(&request) else {
        return;
    };
    limited(&finished, Limit::Disk);
}

#[test]
fn many_small_files_are_refused_and_named() {
    let Some(mut request) = python(
        "import itertools\ntry:\n  for n in itertools.count(): open(f'/tmp/{n}', 'w').close()\nexcept OSError as e: print(e.errno)",
    ) else {
        return;
    };
    request.limits.disk = Some(8 << 20);
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(text(&finished.stdout), "28\n");
    assert_eq!(finished.outcome.limits_hit, [Limit::Disk]);
}

#[test]
fn a_file_too_large_is_named() {
    let mut request = shell("exec head -c 2000000 /dev/zero > /tmp/large");
    request.limits.file_size = Some(1_000_000);
    let Some(finished) = outcome(&request) else {
        return;
    };
    limited(&finished, Limit::FileSize);
}

#[test]
fn absurd_limits_do_not_break_the_runner() {
    let mut request = shell("exit 5");
    for huge in [u64::MAX, u64::MAX - 1, 1 << 60] {
        request.limits = tracer_model::Limits {
            cpu: Some(Duration::MAX),
            wall: Some(Duration::MAX),
            memory: Some(huge),
            processes: Some(huge),
            file_size: Some(huge),
            disk: Some(huge),
            open_files: Some(huge),
            output: Some(huge),
            stack: Some(huge),
        };
        let Some(finished) = outcome(&request) else {
            return;
        };
        exited(&finished, 5);
    }
    request.limits = tracer_model::Limits {
        cpu: Some(Duration::ZERO),
        wall: Some(Duration::ZERO),
        memory: Some(0),
        processes: Some(0),
        file_size: Some(0),
        disk: Some(0),
        open_files: Some(0),
        output: Some(0),
        stack: Some(0),
    };
    match tracer_sandbox::run(&request) {
        Ok(finished) => assert_ne!(finished.outcome.end, End::Exited { code: 5 }),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let error = match tracer_sandbox::run(&program("/no/such/program", &[])) {
        Ok(finished) => panic!("{:?}", finished.outcome),
        Err(error) if error.is_refusal() => return,
        Err(error) => error,
    };
    assert!(
        matches!(error, tracer_sandbox::SandboxError::Exec { .. }),
        "{error:?}"
    );
}
