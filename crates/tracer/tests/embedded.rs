//! What the crate promises beyond its examples, in a process that is not the `tracer` command.
//! Needs a language compiled in; those that run programs need Python.
#![cfg(feature = "python")]
#![allow(clippy::unwrap_used)]

use std::thread;
use std::time::Duration;

use tracer::{Cancel, End, Error, Limits, Status, Tracer};

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

#[cfg(feature = "sql")]
#[test]
fn the_program_that_embeds_it_runs_sql() {
    let tracer = Tracer::builder().language("sql").build().unwrap();
    let run = tracer.run("SELECT 6 * 7;\n").unwrap();
    assert_eq!(run.stdout, b"42\n");
    assert!(!run.trace.events.is_empty());
}

#[test]
fn arguments_and_input_reach_the_program_and_may_be_others_in_each_run() {
    let tracer = python().args(["a"]).stdin("one\n").build().unwrap();
    let source = "import sys\nprint(sys.argv[1:], sys.stdin.read().split())";
    assert_eq!(tracer.run(source).unwrap().stdout, b"['a'] ['one']\n");
    let other = tracer.clone().with_args(["b", "c"]).with_stdin("two");
    assert_eq!(other.run(source).unwrap().stdout, b"['b', 'c'] ['two']\n");
    assert_eq!(tracer.run(source).unwrap().stdout, b"['a'] ['one']\n");
}

#[test]
fn what_is_cancelled_ends_and_what_is_not_goes_on() {
    for tracer in [python().build().unwrap(), python().warm(1).build().unwrap()] {
        let cancel = Cancel::new();
        let bound = tracer.clone().with_cancel(&cancel);
        let endless = thread::spawn(move || bound.run("while True:\n    pass\n"));
        assert_eq!(tracer.run("print(1)").unwrap().stdout, b"1\n");
        cancel.cancel();
        let ended = endless.join().unwrap();
        assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
        let bound = tracer.clone().with_cancel(&cancel);
        assert!(matches!(bound.check("print(1)"), Err(Error::Cancelled)));
        assert_eq!(tracer.run("print(2)").unwrap().stdout, b"2\n");
    }
}

#[cfg(feature = "c")]
#[test]
fn a_build_can_be_cancelled() {
    let cancel = Cancel::new();
    cancel.cancel();
    let tracer = Tracer::builder().language("c").build().unwrap();
    let ended = tracer
        .with_cancel(&cancel)
        .run("int main(void) { return 0; }");
    assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
}

#[cfg(feature = "batch")]
mod tables {
    use std::sync::Arc;

    use arrow_array::{Array, Int16Array, RecordBatch, StringArray};
    use tracer::batch::{BatchError, Verifier};

    use super::*;

    fn table() -> RecordBatch {
        let texts = ["print([n * n for n in range(4)])", "", "def broken(:"];
        let texts = StringArray::from(texts.to_vec());
        let ids = Int16Array::from(vec![7, 8, 9]);
        let columns: [(&str, Arc<dyn Array>); 2] =
            [("code", Arc::new(texts)), ("id", Arc::new(ids))];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
        let column = batch.column_by_name(name).unwrap();
        let column = column.as_any().downcast_ref::<StringArray>().unwrap();
        column.iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn each_row_of_a_table_has_one_answer() {
        let tracer = python().warm(2).build().unwrap();
        let rows = Verifier::new(tracer.batch([], "")).unwrap();
        let tables = [table(), table().slice(0, 0), table().slice(1, 1)];
        let answer = rows.verify(&tables).unwrap();
        let counts: Vec<usize> = answer.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(counts, [3, 0, 1]);
        let status = texts(&answer[0], "status").into_iter().flatten();
        assert_eq!(status.collect::<Vec<_>>(), ["ok", "rejected", "rejected"]);
        assert_eq!(texts(&answer[2], "reason"), [Some("unreadable".to_owned())]);
        assert_eq!(
            texts(&answer[0], "stdout")[0].as_deref(),
            Some("[0, 1, 4, 9]\n")
        );
        let ids = answer[0].column_by_name("input_id").unwrap();
        assert_eq!(ids, table().column_by_name("id").unwrap());
        assert!(answer[0].column_by_name("code").is_none());
    }

    #[test]
    fn tables_are_cancelled_like_runs() {
        let cancel = Cancel::new();
        cancel.cancel();
        let tracer = python().build().unwrap().with_cancel(&cancel);
        let rows = Verifier::new(tracer.batch([], "")).unwrap();
        let ended = rows.verify(&[table()]).unwrap_err();
        assert!(matches!(ended, BatchError::Machine(_)), "{ended:?}");
    }
}
