//! A Rust program without any one of its probes, and without all: it runs as before, and what is
//! left of the recording is whole.

use std::collections::BTreeSet;

use tracer_engine::{Program, ProgramOptions, choose_toolchain, run};
use tracer_model::{Detail, End};
use tracer_stream::Record;
use tracer_tests::{runnable, settings};

const SOURCE: &str = "fn add(a: i32, name: &str) -> i32 {\n    let mut b = a;\n    b += name.len() as i32;\n    \
    b\n}\n\nfn main() {\n    println!(\"{}\", add(1, \"two\") + add(3, \"\"));\n}\n";

#[test]
fn any_probe_can_be_left_out() {
    if runnable("rust").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.rs");
    std::fs::write(&path, SOURCE).unwrap();
    let load = || Program::load(&path, &ProgramOptions::default()).unwrap();
    let probes = load().sources[0].instrumented.rewritten.insertions.clone();
    let groups: BTreeSet<u32> = probes.iter().map(|probe| probe.group).collect();
    let groups: Vec<u32> = groups.into_iter().filter(|&group| group != 0).collect();
    assert!(groups.len() > 4, "{groups:?}");
    let settings = settings(folder.path()).unwrap();
    for without in groups.chunks(1).chain([&groups[..]]) {
        let mut program = load();
        program.sources[0]
            .instrumented
            .shed(SOURCE.as_bytes(), without);
        let toolchain = choose_toolchain(&program, &settings).unwrap();
        let executed =
            run::execute(&mut program, &toolchain, &settings, Some(Detail::State)).unwrap();
        assert_eq!(executed.outcome.end, End::Exited { code: 0 }, "{without:?}");
        assert_eq!(executed.stdout, b"7\n", "{without:?}");
        let channel = executed.channel.unwrap();
        let recording = channel.read(&program.table).unwrap();
        let decoded = recording.decoded();
        assert!(
            decoded.problems.is_empty(),
            "{without:?}: {:?}",
            decoded.problems
        );
        let (mut entered, mut left) = (0, 0);
        for record in decoded.streams.iter().flat_map(|stream| stream.records()) {
            match record.unwrap() {
                Record::In { .. } => entered += 1,
                Record::Out { .. } => left += 1,
                _ => {}
            }
        }
        assert_eq!((entered, left), (3, 3), "{without:?}");
    }
}
