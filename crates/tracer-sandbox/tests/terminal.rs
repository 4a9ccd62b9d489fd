//! A terminal stays a terminal: the program has it to itself and gets its signals; the runner
//! gets it back.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout
)] // tests start helpers and say why they skip

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use common::{outcome, shell};
use tracer_model::End;
use tracer_sandbox::{Stdin, Stream, run};

/// Runs a helper of this binary on a new terminal, by way of `script(1)`.
fn on_terminal(helper: &str) -> Option<Child> {
    outcome(&shell("true"))?;
    let own = std::env::current_exe().unwrap();
    let command = format!(
        "{} {helper} --exact --ignored --nocapture --test-threads=1",
        own.display()
    );
    let child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    if child.is_err() {
        eprintln!("skipped: no script(1)");
    }
    child.ok()
}

fn inherit(script: &str) -> End {
    let mut request = shell(script);
    request.stdin = Stdin::Inherit;
    request.stdout = Stream::Inherit;
    request.stderr = Stream::Inherit;
    run(&request).unwrap().outcome.end
}

#[test]
fn streams_are_the_terminal() {
    let Some(mut child) = on_terminal("helper_is_terminal") else {
        return;
    };
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("ready")));
    input.write_all(b"typed\n").unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let has = |what: &str| rest.iter().any(|line| line.contains(what));
    assert!(has("got typed") && has("0:tty 1:tty 2:tty"), "{rest:?}");
    assert!(has("the runner has the terminal again"), "{rest:?}");
    child.wait().unwrap();
}

#[test]
#[ignore = "a helper of streams_are_the_terminal"]
fn helper_is_terminal() {
    let end = inherit(
        "echo ready; read line; echo got $line; \
         for n in 0 1 2; do test -t $n && printf \"$n:tty \"; done; echo; (: </dev/tty) && stty -a >/dev/null",
    );
    assert_eq!(end, End::Exited { code: 0 });
    let foreground = nix::unistd::tcgetpgrp(std::io::stdin()).unwrap();
    assert_eq!(foreground, nix::unistd::getpgrp());
    println!("the runner has the terminal again");
}

#[test]
fn an_interrupt_reaches_the_program_alone() {
    let Some(mut child) = on_terminal("helper_interrupted") else {
        return;
    };
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("ready")));
    input.write_all(b"\x03").unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let has = |what: &str| rest.iter().any(|line| line.contains(what));
    assert!(has("the runner lives"), "{rest:?}");
    child.wait().unwrap();
}

#[test]
#[ignore = "a helper of an_interrupt_reaches_the_program_alone"]
fn helper_interrupted() {
    let end = inherit("echo ready; exec sleep 1000");
    let End::Signaled { signal, .. } = end else {
        panic!("{end:?}")
    };
    assert_eq!(signal, libc::SIGINT);
    println!("the runner lives");
}

#[test]
fn killing_the_own_group_spares_the_runner() {
    let Some(mut child) = on_terminal("helper_kills_group") else {
        return;
    };
    drop(child.stdin.take());
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .collect();
    assert!(
        lines.iter().any(|line| line.contains("the runner lives")),
        "{lines:?}"
    );
    child.wait().unwrap();
}

#[test]
#[ignore = "a helper of killing_the_own_group_spares_the_runner"]
fn helper_kills_group() {
    let end = inherit("kill -KILL 0");
    assert!(
        matches!(
            end,
            End::Signaled {
                signal: libc::SIGKILL,
                ..
            }
        ),
        "{end:?}"
    );
    println!("the runner lives");
}
