//! The formats on disk: what is written is read back, and files of every past version stay
//! readable.

mod common;

use std::path::PathBuf;

use tracer_model::{Payload, Trace};
use tracer_view::binary::{self, BinaryError};
use tracer_view::jsonl::{self, ReadError};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn binary_of(trace: &Trace) -> Vec<u8> {
    let mut bytes = Vec::new();
    binary::write(trace, &mut bytes).expect("a trace can be written");
    bytes
}

/// Blessing never touches the file of a past version.
fn bless(name: &str, bytes: &[u8]) {
    if std::env::var_os("TRACER_BLESS").is_some() && !golden(name).exists() {
        std::fs::write(golden(name), bytes).expect("the golden file can be written");
    }
}

/// A trace as a version before errors of calls were told of wrote it.
fn of_1_2(mut trace: Trace) -> Trace {
    for event in &mut trace.events {
        if let Payload::Call { raised, .. } = &mut event.payload {
            *raised = None;
        }
    }
    "1.2".clone_into(&mut trace.schema_version);
    trace
}

/// A trace as a version before broken streams were told of wrote it.
fn of_1_1(trace: Trace) -> Trace {
    let mut trace = of_1_2(trace);
    trace.coverage.trace_invalid.clear();
    "1.1".clone_into(&mut trace.schema_version);
    trace
}

/// A trace as a version before images wrote it.
fn of_1_0(trace: Trace) -> Trace {
    let mut trace = of_1_1(trace);
    trace.environment.image = None;
    "1.0".clone_into(&mut trace.schema_version);
    trace
}

#[test]
fn json_lines_of_1_0_are_read() {
    let file = std::fs::read_to_string(golden("1.0.jsonl")).expect("the golden file");
    assert_eq!(
        jsonl::read(file.as_bytes()).expect("it can be read"),
        of_1_0(common::trace())
    );
}

#[test]
fn json_lines_of_1_1_are_read() {
    let file = std::fs::read_to_string(golden("1.1.jsonl")).expect("the golden file");
    assert_eq!(
        jsonl::read(file.as_bytes()).expect("it can be read"),
        of_1_1(common::trace())
    );
}

#[test]
fn json_lines_of_1_2_are_read() {
    let file = std::fs::read_to_string(golden("1.2.jsonl")).expect("the golden file");
    assert_eq!(
        jsonl::read(file.as_bytes()).expect("it can be read"),
        of_1_2(common::trace())
    );
}

#[test]
fn json_lines_of_1_3_are_written_and_read() {
    let text = jsonl::render(&common::trace());
    bless("1.3.jsonl", text.as_bytes());
    let file = std::fs::read_to_string(golden("1.3.jsonl")).expect("the golden file");
    assert_eq!(
        jsonl::read(file.as_bytes()).expect("it can be read"),
        common::trace()
    );
    assert_eq!(text, file);
}

#[test]
fn binary_of_1_0_is_read() {
    let file = std::fs::read(golden("1.0.trcb")).expect("the golden file");
    assert_eq!(
        binary::read(&mut file.as_slice()).expect("it can be read"),
        of_1_0(common::trace())
    );
}

#[test]
fn binary_of_1_1_is_read() {
    let file = std::fs::read(golden("1.1.trcb")).expect("the golden file");
    assert_eq!(
        binary::read(&mut file.as_slice()).expect("it can be read"),
        of_1_1(common::trace())
    );
}

#[test]
fn binary_of_1_2_is_read() {
    let file = std::fs::read(golden("1.2.trcb")).expect("the golden file");
    assert_eq!(
        binary::read(&mut file.as_slice()).expect("it can be read"),
        of_1_2(common::trace())
    );
}

#[test]
fn binary_of_1_3_is_written_and_read() {
    let bytes = binary_of(&common::trace());
    bless("1.3.trcb", &bytes);
    let file = std::fs::read(golden("1.3.trcb")).expect("the golden file");
    assert_eq!(
        binary::read(&mut file.as_slice()).expect("it can be read"),
        common::trace()
    );
    assert_eq!(bytes, file);
}

#[test]
fn newer_minor_versions_may_add_fields() {
    let text = jsonl::render(&common::trace());
    let text = text.replacen(
        "{\"schema_version\":\"1.3\"",
        "{\"new\":1,\"schema_version\":\"1.9\"",
        1,
    );
    let read = jsonl::read(text.as_bytes()).expect("it can be read");
    assert_eq!(read.schema_version, "1.9");
    assert_eq!(read.events, common::trace().events);
}

#[test]
fn newer_major_versions_are_refused_whatever_they_hold() {
    for version in ["2.0", "10.0", ""] {
        let text = format!("{{\"schema_version\":\"{version}\",\"all\":\"new\"}}\n");
        match jsonl::read(text.as_bytes()) {
            Err(ReadError::Version { found }) => assert_eq!(found, version),
            other => panic!("{other:?}"),
        }
    }
    let mut bytes = binary_of(&common::trace());
    bytes[4] = 2;
    let error = binary::read(&mut bytes.as_slice()).expect_err("another version");
    assert!(matches!(error, BinaryError::Version { major: 2, minor: 3 }));
    assert!(error.to_string().contains("2.3"), "{error}");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let text = jsonl::render(&common::trace());
    let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    for &end in &lines[..lines.len() - 1] {
        assert!(
            jsonl::read(&text.as_bytes()[..=end]).is_err(),
            "cut at {end}"
        );
        assert!(
            jsonl::read(&text.as_bytes()[..end - 1]).is_err(),
            "cut at {}",
            end - 1
        );
    }
    let bytes = binary_of(&common::trace());
    for end in 0..bytes.len() {
        assert!(binary::read(&mut &bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_broken_line_is_named() {
    let text = jsonl::render(&common::trace()).replacen("\"VAR\"", "\"WHAT\"", 1);
    let broken = text
        .lines()
        .position(|line| line.contains("WHAT"))
        .expect("a line")
        + 1;
    match jsonl::read(text.as_bytes()) {
        Err(ReadError::Line { line, .. }) => assert_eq!(line, broken),
        other => panic!("{other:?}"),
    }
}
