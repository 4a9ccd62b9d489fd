//! What the crate promises beyond its examples, in a process that is not the `tracer` command.
//! Needs a language compiled in; those that run programs need Python.
#![cfg(feature = "python")]
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tracer::{End, Error, Limits, Status, Tracer};

fn python() -> tracer::Builder {
    Tracer::builder().language("python")
}

#[test]
fn it_can_be_shared_and_sent() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Tracer>();
}

#[test]
fn a_language_that_is_not_there_is_told_by_the_builder() {
    let error = Tracer::builder().language("cobol").build().unwrap_err();
    assert!(matches!(error, Error::NoSuchLanguage { ref name, .. } if name == "cobol"));
    assert!(error.to_string().contains("python"), "{error}");
}

#[test]
fn text_needs_a_language() {
    let tracer = Tracer::builder().build().unwrap();
    assert!(matches!(tracer.run("x"), Err(Error::NoLanguage)));
}

#[test]
fn a_file_name_tells_the_language_and_has_no_folders() {
    let named = |name: &str| Tracer::builder().file_name(name).build().unwrap();
    assert_eq!(named("one.py").run("print(1)").unwrap().stdout, b"1\n");
    let error = named("../one.py").run("print(1)").unwrap_err();
    assert!(matches!(error, Error::Engine(_)), "{error:?}");
}

#[test]
fn two_runs_of_a_text_give_the_same_trace_and_name_no_folder_of_this_machine() {
    let tracer = python().build().unwrap();
    let source = "import os\nplace = os.getcwd()\nprint(place, __file__)\n";
    let first = tracer.run(source).unwrap();
    let second = tracer.run(source).unwrap();
    assert_eq!(first.trace, second.trace);
    let printed = String::from_utf8(first.stdout).unwrap();
    let temporary = std::env::temp_dir().join("tracer-");
    assert!(!printed.contains(temporary.to_str().unwrap()), "{printed}");
}

#[test]
fn limits_end_a_program_that_does_not() {
    let limits = Limits {
        wall: Some(Duration::from_millis(500)),
        ..Limits::default()
    };
    let tracer = python().limits(limits).build().unwrap();
    let trace = tracer.trace("while True:\n    pass\n").unwrap();
    assert!(
        matches!(trace.outcome.end, End::Limited { .. }),
        "{:?}",
        trace.outcome
    );
}

#[test]
fn warm_runs_are_checked_like_cold_ones() {
    for tracer in [python().build().unwrap(), python().warm(1).build().unwrap()] {
        let checked = tracer.check("print([n * n for n in range(4)])").unwrap();
        assert_eq!(checked.status, Status::Same, "{checked:?}");
        assert!(checked.probes > 0);
    }
}

#[test]
fn a_language_that_only_the_command_runs_is_refused() {
    // Whether it is compiled in at all is up to what else is built along.
    let error = Tracer::builder().language("sql").build().unwrap_err();
    assert!(
        matches!(
            error,
            Error::NeedsCommand { .. } | Error::NoSuchLanguage { .. }
        ),
        "{error}"
    );
}
