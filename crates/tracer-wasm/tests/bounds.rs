//! The worker against modules that are after it: small ones, written out by hand, so that no
//! compiler and no image is needed. What ends by the sandbox's limits is tested there.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // the worker is the program under test

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use tracer_wasm::{Job, RUNNER};

/// A module whose start is this code; with one memory or table of one, if so marked.
fn module(code: &[u8], memory: bool, table: bool) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    bytes.extend([1, 4, 1, 0x60, 0, 0]); // type 0: () -> ()
    bytes.extend([3, 2, 1, 0]); // function 0 has type 0
    if table {
        bytes.extend([4, 4, 1, 0x70, 0, 1]);
    }
    if memory {
        bytes.extend([5, 3, 1, 0, 1]);
    }
    bytes.extend([7, 10, 1, 6]);
    bytes.extend(b"_start\0\0");
    let length = code.len() as u8;
    bytes.extend([10, length + 4, 1, length + 2, 0]);
    bytes.extend(code);
    bytes.push(0x0b);
    bytes
}

fn worker(job: &Job) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tracer-wasm"))
        .arg(RUNNER)
        .args(job.to_arguments())
        .output()
        .unwrap()
}

fn run(folder: &Path, bytes: &[u8]) -> Output {
    let path = folder.join("module.wasm");
    fs::write(&path, bytes).unwrap();
    worker(&Job::Run {
        module: path,
        compiled: false,
        memory: Some(64 << 20),
        preopens: Vec::new(),
        argv: vec!["module".into()],
    })
}

#[test]
fn a_trap_is_the_signal_of_a_native_fault() {
    let folder = TempDir::new().unwrap();
    let cases: [(&[u8], bool, i32); 4] = [
        (&[0x00], false, libc::SIGABRT),                        // unreachable
        (&[0x41, 1, 0x41, 0, 0x6d, 0x1a], false, libc::SIGFPE), // 1 / 0
        (&[0x41, 0x7f, 0x28, 2, 0, 0x1a], true, libc::SIGSEGV), // a far load
        (&[0x10, 0], false, libc::SIGSEGV),                     // calls itself
    ];
    for (code, memory, signal) in cases {
        for _ in 0..3 {
            let output = run(folder.path(), &module(code, memory, false));
            assert_eq!(output.status.signal(), Some(signal), "{code:x?}");
            assert!(output.stderr.is_empty());
        }
    }
}

#[test]
fn memory_and_tables_end_somewhere() {
    let folder = TempDir::new().unwrap();
    // Each grows until it is told that there is no more.
    let memory = [
        0x03, 0x40, 0x41, 0xe8, 0x07, 0x40, 0, 0x41, 0x7f, 0x47, 0x0d, 0, 0x0b,
    ];
    let table = [
        0x03, 0x40, 0xd0, 0x70, 0x41, 0x80, 0x80, 0x04, 0xfc, 0x0f, 0, 0x41, 0x7f, 0x47, 0x0d, 0,
        0x0b,
    ];
    for (code, has_memory) in [(&memory[..], true), (&table[..], false)] {
        let output = run(folder.path(), &module(code, has_memory, !has_memory));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn what_is_no_module_is_not_run() {
    let folder = TempDir::new().unwrap();
    let (good, compiled) = (folder.path().join("good.wasm"), folder.path().join("code"));
    fs::write(&good, module(&[0x01], false, false)).unwrap();
    let job = Job::Compile {
        module: good,
        out: compiled.clone(),
    };
    assert_eq!(worker(&job).status.code(), Some(0));
    // Machine code that somebody hands in as a module is not taken for our own.
    for bytes in [b"\0asm".to_vec(), Vec::new(), fs::read(compiled).unwrap()] {
        let output = run(folder.path(), &bytes);
        assert_eq!(output.status.code(), Some(127));
        assert!(!output.stderr.is_empty());
    }
}
