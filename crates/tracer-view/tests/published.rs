//! The views `probes` and `qa` of a recorded run: `cases/probes.jsonl` against what is expected.
//! `TRACER_BLESS=1` rewrites it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tracer_model::{Hole, Payload, Phrase, Printable, Trace};
use tracer_view::probes::{self, NoProbes, Run};
use tracer_view::{jsonl, qa};

/// Prints as Python does.
const PHRASE: Phrase = Phrase {
    open: "print(f\"",
    text_end: "\"",
    close: ", file=sys.stderr)",
    escapes: &[("{", "{{"), ("}", "}}")],
    printable: &[Printable::Int, Printable::String],
    holes: &[Hole {
        types: &[],
        text: "{@}",
        argument: "",
    }],
    run: "python3 {}",
    ..Phrase::SILENT
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn trace() -> Trace {
    let text = std::fs::read(folder().join("probes.jsonl")).expect("the case is there");
    jsonl::read(text.as_slice()).expect("the case is a trace")
}

fn expect(name: &str, got: &str) {
    let path = folder().join(name);
    if std::env::var_os("TRACER_BLESS").is_some() {
        std::fs::write(&path, got).expect("the case can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(got == expected, "{name} is now\n{got}");
}

#[test]
fn probes_and_questions_are_as_expected() {
    let trace = trace();
    let mut out = Vec::new();
    probes::write(&trace, &PHRASE, &mut out).expect("there are probes");
    expect("probes.probes", &String::from_utf8(out).expect("text"));
    let mut out = Vec::new();
    qa::write(&trace, &mut out).expect("memory");
    expect("probes.qa", &String::from_utf8(out).expect("text"));
}

#[test]
fn a_budget_leaves_visits_out_by_site_and_keeps_the_end() {
    let trace = trace();
    let run = [Run {
        trace: &trace,
        stdin: b"",
    }];
    let whole = probes::example(&run, &probes::Options::new(&PHRASE)).expect("probes");
    assert!(whole.fits && !whole.answer().contains('×'));
    let small = probes::Options {
        token_budget: 700,
        ..probes::Options::new(&PHRASE)
    };
    let cut = probes::example(&run, &small).expect("probes");
    assert!(cut.fits && cut.answer().contains("… ×"), "{}", cut.answer());
    let last = cut.whole[0].last().expect("lines");
    assert!(cut.blocks[0].trim_end().ends_with(last.as_str()));
    let none = probes::example(&run, &probes::Options::new(&Phrase::SILENT));
    assert_eq!(none, Err(NoProbes::Silent));
}

#[test]
fn every_site_can_be_forbidden() {
    let trace = trace();
    let run = [Run {
        trace: &trace,
        stdin: b"",
    }];
    let first = probes::example(&run, &probes::Options::new(&PHRASE)).expect("probes");
    let without: BTreeSet<String> = first.probes.iter().map(|probe| probe.key.clone()).collect();
    let options = probes::Options {
        without: &without,
        ..probes::Options::new(&PHRASE)
    };
    if let Ok(second) = probes::example(&run, &options) {
        assert!(
            second
                .probes
                .iter()
                .all(|probe| !without.contains(&probe.key))
        );
    }
}

#[test]
fn an_answer_that_only_one_way_gives_is_not_asked() {
    let mut trace = trace();
    let loops = |trace: &Trace| {
        let all = qa::questions(trace);
        all.iter()
            .filter(|question| question.task == qa::Task::T6)
            .count()
    };
    let before = loops(&trace);
    // A loop that claims a round which never was: counting does not confirm it.
    let left = trace
        .events
        .iter_mut()
        .rev()
        .find_map(|event| match &mut event.payload {
            Payload::Loop {
                phase: tracer_model::LoopPhase::Left,
                count,
                ..
            } => Some(count),
            _ => None,
        });
    *left.expect("a loop is left") += 1;
    assert_eq!(loops(&trace), before - 1);
}
