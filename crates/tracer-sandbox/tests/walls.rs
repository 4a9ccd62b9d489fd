//! What a program inside can see and touch: nothing of the machine beyond what it was given.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stderr)] // tests start helpers and say why they skip

mod common;

use common::{compiled, exited, outcome, program, python, shell, subject, text};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tracer_sandbox::{Body, CHANNEL_FD, Finished, Inject, Isolation, Profile, Request, probe, run};

fn says(request: &Request, expected: &str) {
    let Some(finished) = outcome(request) else {
        return;
    };
    assert_eq!(
        text(&finished.stdout),
        expected,
        "stderr {}",
        text(&finished.stderr)
    );
    exited(&finished, 0);
}

#[test]
fn environment_is_exact() {
    let mut request = program("/usr/bin/env", &[]);
    request.env = vec![("B".into(), "2".into()), ("A".into(), "x=y".into())];
    says(&request, "B=2\nA=x=y\n");
}

#[test]
fn no_descriptor_leaks() {
    // One more is the folder that `ls` itself reads.
    says(&shell("exec ls -1 /proc/self/fd"), "0\n1\n2\n3\n");
}

#[test]
fn only_the_channel_is_left_open() {
    let mut request = shell("exec ls -1 /proc/self/fd");
    request.channel = Some(memfd_create(c"channel", MFdFlags::empty()).unwrap());
    says(&request, &format!("0\n1\n{CHANNEL_FD}\n2\n3\n"));
}

#[test]
fn process_list_holds_init_and_itself() {
    let request = shell("cd /proc; echo [0-9]*; echo $$");
    says(&request, "1 2\n2\n");
}

#[test]
fn init_cannot_be_killed_or_read() {
    says(
        &shell(
            "kill -9 1; kill -STOP 1; cat /proc/1/mem /proc/1/environ 2>/dev/null; ls /proc/1/fd 2>/dev/null; echo alive",
        ),
        "alive\n",
    );
}

#[test]
fn killing_everybody_kills_nobody_else() {
    says(
        &shell("sleep 100 & kill -9 -1; wait; echo alive"),
        "alive\n",
    );
}

#[test]
fn network_is_loopback_alone() {
    let Some(request) = python(
        "import socket\n\
         print([name for _, name in socket.if_nameindex()])\n\
         for family, address in ((socket.AF_INET, ('1.1.1.1', 53)), (socket.AF_INET6, ('2606:4700::1111', 53))):\n\
         \x20 try: socket.socket(family).connect(address); print('connected')\n\
         \x20 except OSError as e: print(e.errno)\n\
         server = socket.create_server(('127.0.0.1', 0))\n\
         socket.create_connection(server.getsockname())\n\
         print('loopback')",
    ) else {
        return;
    };
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    let out = text(&finished.stdout);
    assert!(!out.contains("connected"), "{out}");
    assert!(out.ends_with("loopback\n"), "{out}");
}

#[test]
fn unusual_socket_families_are_refused() {
    let Some(request) = python(
        "import socket\n\
         for family, kind, protocol in ((16, 3, 9), (17, 3, 0), (38, 5, 0), (40, 1, 0), (2, 3, 1)):\n\
         \x20 try: socket.socket(family, kind, protocol); print('open', family)\n\
         \x20 except OSError: pass\n\
         socket.socket(16, 3, 0); print('route')",
    ) else {
        return;
    };
    says(&request, "route\n");
}

#[test]
fn host_files_cannot_be_written() {
    let script = "for f in /usr/x /bin/x /etc/x /etc/passwd /opt/x /x /run /proc/sys/kernel/hostname \
                  /proc/sysrq-trigger /proc/self/oom_score_adj /dev/x /lib/x; do \
                  if (echo x > $f) 2>/dev/null; then echo wrote $f; fi; done; \
                  rm -f /usr/bin/env /etc/passwd 2>/dev/null; test -e /usr/bin/env && echo there";
    says(&shell(script), "there\n");
}

#[test]
fn secrets_are_not_there() {
    let script = "for f in /etc/shadow /etc/gshadow /root /home /var /sys /work /boot /etc/ssh; do \
                  if [ -e $f ]; then echo $f; fi; done; cat /etc/passwd | wc -l";
    says(&shell(script), "3\n");
}

#[test]
fn identity_is_fixed() {
    says(
        &shell("id -u; id -g; id -un; uname -n; umask"),
        "1000\n1000\ntracer\ntracer\n0022\n",
    );
}

#[test]
fn no_capability_is_held_or_to_be_had() {
    let Some(finished) = outcome(&shell(
        "grep -E 'Cap|NoNewPrivs|^Seccomp:' /proc/self/status",
    )) else {
        return;
    };
    let status = text(&finished.stdout);
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(
            status.contains(&format!("{set}:\t0000000000000000")),
            "{status}"
        );
    }
    assert!(
        status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"),
        "{status}"
    );
}

#[test]
fn address_space_is_not_randomised() {
    let request = shell("exec grep -E 'heap|stack' /proc/self/maps");
    let Some(first) = outcome(&request) else {
        return;
    };
    let second = outcome(&request).unwrap();
    assert!(!first.stdout.is_empty());
    assert_eq!(text(&first.stdout), text(&second.stdout));
}

#[test]
fn core_dumps_are_off() {
    says(&shell("ulimit -c; ulimit -Hc"), "0\n0\n");
}

#[test]
fn privileged_calls_are_refused() {
    let Some((folder, binary)) = compiled(
        "#define _GNU_SOURCE\n#include <errno.h>\n#include <stdio.h>\n#include <sys/syscall.h>\n\
         #include <unistd.h>\n#include <sched.h>\n#include <sys/ioctl.h>\n#include <sys/personality.h>\n\
         #define TRY(want, ...) do { errno = 0; long r = syscall(__VA_ARGS__); if (r >= 0 || errno != want) printf(\"%s gave %ld errno %d\\n\", #__VA_ARGS__, r, errno); } while (0)\n\
         int main(void) {\n\
         TRY(EPERM, SYS_unshare, CLONE_NEWUSER); TRY(EPERM, SYS_clone, CLONE_NEWUSER | 17, 0, 0, 0, 0);\n\
         TRY(ENOSYS, SYS_clone3, 0, 0); TRY(EPERM, SYS_setns, 0, 0); TRY(EPERM, SYS_mount, 0, 0, 0, 0, 0);\n\
         TRY(EPERM, SYS_umount2, \"/\", 2); TRY(EPERM, SYS_open_tree, -100, \"/\", 0); TRY(EPERM, SYS_fsopen, \"tmpfs\", 0);\n\
         TRY(EPERM, SYS_bpf, 0, 0, 0); TRY(EPERM, SYS_io_uring_setup, 1, 0); TRY(EPERM, SYS_keyctl, 0, 0);\n\
         TRY(EPERM, SYS_ptrace, 0, 0, 0, 0); TRY(EPERM, SYS_process_vm_readv, 1, 0, 0, 0, 0, 0);\n\
         TRY(EPERM, SYS_perf_event_open, 0, 0, 0, 0, 0); TRY(EPERM, SYS_userfaultfd, 0); TRY(EPERM, SYS_kexec_load, 0, 0, 0, 0);\n\
         TRY(EPERM, SYS_init_module, 0, 0, 0); TRY(EPERM, SYS_open_by_handle_at, 0, 0, 0); TRY(EPERM, SYS_pidfd_getfd, 0, 0, 0);\n\
         TRY(EPERM, SYS_quotactl, 0, 0, 0, 0); TRY(EPERM, SYS_fanotify_init, 0, 0); TRY(EPERM, SYS_chroot, \"/tmp\");\n\
         TRY(EPERM, SYS_ioctl, 0, TIOCSTI, \"x\"); TRY(EPERM, SYS_personality, PER_LINUX32); TRY(ENOSYS, 0x40000000 + SYS_getpid);\n\
         TRY(ENOSYS, 9999); if (syscall(SYS_sync) != 0) puts(\"sync\"); puts(\"done\"); }",
    ) else {
        return;
    };
    says(&subject(&folder, &binary), "done\n");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn foreign_system_calls_kill() {
    let Some((folder, binary)) = compiled(
        "int main(void) { int r; __asm__ volatile(\"int $0x80\" : \"=a\"(r) : \"a\"(20)); return 0; }",
    ) else {
        return;
    };
    let Some(finished) = outcome(&subject(&folder, &binary)) else {
        return;
    };
    // Without 32-bit support in the kernel the instruction faults instead.
    let tracer_model::End::Signaled { signal, .. } = finished.outcome.end else {
        panic!("{:?}", finished.outcome);
    };
    assert!(
        signal == libc::SIGSYS || signal == libc::SIGSEGV,
        "{signal}"
    );
}

#[test]
fn usual_interpreters_and_compilers_work() {
    let mut tried = 0;
    for (path, arguments) in [
        (
            "/usr/bin/python3",
            vec![
                "-c",
                "import json, threading, subprocess, multiprocessing as m\nt = threading.Thread(target=print, args=('ok',)); t.start(); t.join(); subprocess.check_call(['true']); m.Pool(2).map(abs, [1])",
            ],
        ),
        (
            "/usr/bin/node",
            vec![
                "-e",
                "new (require('worker_threads').Worker)('console.log(\"ok\")', {eval: true})",
            ],
        ),
        ("/bin/bash", vec!["-c", "cat <(echo ok)"]),
        ("/usr/bin/perl", vec!["-e", "print qq(ok\\n)"]),
        (
            "/usr/bin/gcc",
            vec!["-x", "c", "-o", "/tmp/a.out", "/run/tracer/a.c"],
        ),
    ] {
        if !std::path::Path::new(path).exists() {
            eprintln!("skipped: no {path}");
            continue;
        }
        let mut request = program(path, &arguments);
        request.limits.memory = Some(1 << 30);
        request.files.push(Inject {
            path: "/run/tracer/a.c".into(),
            body: Body::Bytes(
                (*b"#include <stdio.h>\nint main(void) { return puts(\"ok\"); }").into(),
            ),
            executable: false,
        });
        let Some(finished) = outcome(&request) else {
            return;
        };
        exited(&finished, 0);
        assert!(
            path.ends_with("gcc") || text(&finished.stdout) == "ok\n",
            "{path}"
        );
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn injected_files_are_there_and_read_only() {
    let mut request =
        shell("cat /run/tracer/data; /run/tracer/tool; echo x > /run/tracer/data || echo refused");
    for (name, body, executable) in [
        ("data", "data\n", false),
        ("tool", "#!/bin/sh\necho tool\n", true),
    ] {
        request.files.push(Inject {
            path: format!("/run/tracer/{name}").into(),
            body: Body::Bytes(body.as_bytes().into()),
            executable,
        });
    }
    says(&request, "data\ntool\nrefused\n");
}

#[test]
fn each_run_begins_clean() {
    let request = shell("ls -A /tmp /dev/shm; echo x > /tmp/left; echo x > /dev/shm/left");
    says(&request, "/dev/shm:\n\n/tmp:\n");
    says(&request, "/dev/shm:\n\n/tmp:\n");
}

#[test]
fn doctor_names_every_wall() {
    let walls = probe();
    for name in [
        "pid namespace",
        "network namespace",
        "seccomp",
        "memory cgroup",
    ] {
        let wall = walls.iter().find(|wall| wall.name == name);
        let wall = wall.unwrap_or_else(|| panic!("no {name} in {walls:?}"));
        assert_eq!(wall.active, wall.reason.is_none(), "{wall:?}");
    }
    // What is foretold is what a run then has.
    let finished = tracer_sandbox::run(&shell("exit 0")).unwrap();
    assert_eq!(walls, finished.protections);
}

#[test]
fn switched_off_walls_are_reported() {
    let mut request = shell("exit 3");
    request.isolation = tracer_sandbox::Isolation::None;
    let finished = tracer_sandbox::run(&request).unwrap();
    exited(&finished, 3);
    assert!(
        finished
            .protections
            .iter()
            .any(|wall| wall.name == "seccomp" && !wall.active)
    );
}

#[test]
fn the_machine_seems_to_have_been_up_for_as_long_every_time() {
    let Some(finished) = outcome(&shell("read up rest < /proc/uptime; echo ${up%.*}")) else {
        return;
    };
    if !stands(&finished, "time namespace") {
        return;
    }
    let seconds: u32 = text(&finished.stdout).trim().parse().unwrap();
    assert!((1000..1100).contains(&seconds), "{seconds}");
}

#[test]
fn a_second_wall_stands_around_files() {
    let Some(finished) = outcome(&shell(
        "mkdir -p /tmp/a/b /dev/shm/c && mv /tmp/a/b /tmp/d && echo x > /dev/null && truncate -s 3 /tmp/f && echo done",
    )) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(
        text(&finished.stdout),
        "done\n",
        "{}",
        text(&finished.stderr)
    );
    stands(&finished, "landlock");
}

#[test]
fn a_trusted_run_has_no_sockets_but_local_ones() {
    let Some(mut request) = python(
        "import socket\n\
         for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK):\n\
         \x20 try: socket.socket(family, socket.SOCK_RAW if family == 16 else socket.SOCK_STREAM); print('open', family)\n\
         \x20 except OSError as e: print(e.errno)\n\
         left, right = socket.socketpair(); left.send(b'x'); print(right.recv(1))",
    ) else {
        return;
    };
    request.profile = Profile::Trusted;
    match run(&request) {
        Ok(finished) => {
            assert_eq!(text(&finished.stdout), "97\n97\n97\nb'x'\n");
            assert!(finished.protections.iter().all(|wall| wall.active));
        }
        Err(error) => {
            assert!(error.is_refusal(), "{error:?}");
            eprintln!("skipped: {error}");
        }
    }
}

#[test]
fn a_trusted_run_without_isolation_is_refused() {
    let mut request = shell("echo ran");
    request.profile = Profile::Trusted;
    request.isolation = Isolation::None;
    let error = run(&request).expect_err("a refusal");
    assert!(error.is_refusal());
    assert!(
        error.to_string().contains("isolation was switched off"),
        "{error}"
    );
}

/// Whether the wall stands; says what is skipped where it does not.
fn stands(finished: &Finished, name: &str) -> bool {
    let wall = finished.protections.iter().find(|wall| wall.name == name);
    let wall = wall.expect("every wall is reported");
    if let Some(reason) = &wall.reason {
        eprintln!("skipped: {name}: {reason}");
    }
    wall.active
}
