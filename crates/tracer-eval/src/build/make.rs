//! The items of one program.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tracer_model::{Kind, Trace};
use tracer_view::probes::{self, Example, Printed, Run, Unproved};
use tracer_view::qa::{self, About, Question, Task};

use super::inputs::{self, Plan, plan};
use super::{Options, Reason};
use crate::corpus::Candidate;
use crate::items::{Bucket, Given, Goal, Item, Program};
use crate::predict;
use crate::subject::{Observed, Subject};

/// Fewest events of the fullest run.
const FEWEST_EVENTS: usize = 8;

/// Longest output that an input is asked for, bytes.
const LONGEST_OUTPUT: usize = 1500;

/// A program with its items.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) program: Program,
    pub(super) items: Vec<Item>,
}

pub(super) fn items(candidate: &Candidate, options: &Options) -> Result<Made, Reason> {
    let spec = candidate.spec;
    let plan = plan(candidate, options.fresh.then_some(options.seed))?;
    let files = inputs::files(&plan.inputs);
    let subject = Subject::new(spec, &plan.name, &files, &options.settings)?;
    let all = subject.observe(&plan.source, &plan.inputs)?;
    let kept: Vec<&Observed> = all
        .iter()
        .filter(|run| run.chosen && !run.trace.events.is_empty())
        .collect();
    let longest = kept.iter().map(|run| run.trace.events.len()).max();
    if longest.unwrap_or(0) < FEWEST_EVENTS {
        return Err("says too little");
    }
    let program = program(candidate, &plan, &kept);
    let mut found = Vec::new();
    // A language that cannot print on stderr has no full-trace items, but has all others.
    if !spec.phrase.open.is_empty() {
        let example = proved(&subject, plan.own(), &kept)?;
        let base = base(&program, &kept[0].trace);
        found.push(Item {
            id: format!("{}-T1", program.id),
            prompt: full_trace_prompt(&example, &files),
            answer: example.answer(),
            source: example.source,
            ..base
        });
    }
    for (run, question, goal) in asked(&program, plan.own(), &all, &kept, options.seed) {
        let words = match goal {
            Some(_) => String::new(),
            None if question.task == Task::T12 => String::new(),
            None => format!("It is run {}.\n\n", described(&run.given)),
        };
        let base = base(&program, &run.trace);
        found.push(Item {
            id: format!("{}-{:?}", program.id, question.task),
            task: question.task,
            prompt: format!(
                "{}\n{words}{}\n",
                shown(&program, &files),
                question.question
            ),
            answer: question.answer,
            about: question.about,
            goal,
            ..base
        });
    }
    Ok(Made {
        program,
        items: found,
    })
}

fn program(candidate: &Candidate, plan: &Plan, kept: &[&Observed]) -> Program {
    let digest = blake3::hash(plan.source.as_bytes()).to_hex();
    Program {
        id: format!("{}-{}", candidate.spec.id, &digest[..12]),
        language: candidate.spec.id.into(),
        repository: candidate.repository.clone(),
        path: candidate.path.clone(),
        name: plan.name.clone(),
        split: split(&candidate.repository).into(),
        source: plan.source.clone(),
        driver: plan.driver.clone(),
        inputs: kept.iter().map(|run| run.given.clone()).collect(),
    }
}

/// An item about a run, before it asks anything.
fn base(program: &Program, trace: &Trace) -> Item {
    let environment = &trace.environment;
    let image = environment.image.clone();
    Item {
        id: program.id.clone(),
        task: Task::T1,
        language: program.language.clone(),
        repository: program.repository.clone(),
        path: program.path.clone(),
        name: program.name.clone(),
        split: program.split.clone(),
        bucket: bucket(trace),
        source: program.source.clone(),
        prompt: String::new(),
        answer: String::new(),
        about: About::default(),
        goal: None,
        toolchain: image.unwrap_or_else(|| environment.toolchain.clone()),
    }
}

fn full_trace_prompt(example: &Example, files: &[(String, String)]) -> String {
    format!(
        "This program is run by `run.sh`. Write what each run puts into its trace file of the lines \
         that begin with `TRACE:`, as `===STDERR:traceN.txt:START===`, the lines, \
         `===STDERR:traceN.txt:END===`. A line that ends in `… ×N` stands for N further lines of \
         that probe that are left out there.\n\n{}{}",
        example.prompt(),
        beside(files)
    )
}

fn beside(files: &[(String, String)]) -> String {
    let shown = files.iter();
    shown
        .map(|(name, text)| format!("\n===FILE:{name}===\n{}\n", text.trim_end_matches('\n')))
        .collect()
}

/// The program as questions show it.
fn shown(program: &Program, files: &[(String, String)]) -> String {
    format!(
        "===FILE:{}===\n{}\n{}===END===",
        program.name,
        program.source.trim_end(),
        beside(files).trim_start_matches('\n')
    )
}

/// What a run is given, in words.
fn described(given: &Given) -> String {
    let args = match &given.args[..] {
        [] => "without arguments".to_owned(),
        args => format!("with the arguments {}", serde_json::json!(args)),
    };
    let stdin = match &given.stdin[..] {
        "" => "empty input".to_owned(),
        stdin => format!("the input {}", serde_json::json!(stdin)),
    };
    format!("{args} and with {stdin}")
}

type Asked<'r> = (&'r Observed, Question, Option<Goal>);

/// At most one question of each task, chosen by the seed.
fn asked<'r>(
    program: &Program,
    own: usize,
    all: &'r [Observed],
    kept: &[&'r Observed],
    seed: u64,
) -> Vec<Asked<'r>> {
    let mut found: Vec<Asked<'r>> = Vec::new();
    // Behind them stands what calls the rest.
    let lines = program.source[..own].lines().count();
    for run in kept {
        let questions = qa::questions(&run.trace).into_iter();
        let own = |question: &Question| {
            question.task == Task::T3 || question.about.line as usize <= lines
        };
        let questions = questions.filter(own);
        found.extend(questions.map(|question| (*run, question, None)));
    }
    for pair in kept.windows(2) {
        let words = (described(&pair[0].given), described(&pair[1].given));
        let change = qa::changes((&pair[0].trace, &words.0), (&pair[1].trace, &words.1));
        found.extend(change.map(|question| (pair[1], question, None)));
    }
    if program.driver.is_empty() {
        found.extend(wanted(all, kept));
    }
    let order = |(run, question, _): &Asked<'_>| {
        let text = format!("{seed}{:?}{}", run.given, question.question);
        // Programs that fail are few: their failures are asked for.
        let fails = question.task == Task::T8 && question.answer != "none";
        (!fails, *blake3::hash(text.as_bytes()).as_bytes())
    };
    found.sort_by_cached_key(|one| (one.1.task, order(one)));
    found.dedup_by_key(|(_, question, _)| question.task);
    found
}

/// Inputs to find: what runs reached that the run without input did not.
fn wanted<'r>(all: &'r [Observed], kept: &[&'r Observed]) -> Vec<Asked<'r>> {
    let Some(none) = all.iter().find(|run| run.given == Given::default()) else {
        return Vec::new();
    };
    let steps = predict::lines(&none.trace);
    let mut found = Vec::new();
    for run in kept {
        if run.given == Given::default() || !run.given.files.is_empty() {
            continue;
        }
        let mut goals = Vec::new();
        let output = String::from_utf8(run.stdout.clone()).unwrap_or_default();
        if !output.trim().is_empty() && output.len() <= LONGEST_OUTPUT && run.stdout != none.stdout
        {
            goals.push(Goal::Output(output));
        }
        let new = predict::lines(&run.trace);
        goals.extend(new.difference(&steps).map(|line| Goal::Line(*line)));
        for goal in goals {
            let what = match &goal {
                Goal::Output(text) => format!(
                    "it writes exactly this on stdout:\n\n{}",
                    serde_json::json!(text)
                ),
                Goal::Line(line) => format!("a statement on line {line} runs."),
            };
            let question = Question {
                task: Task::T9,
                question: format!(
                    "Find an input, as `{{\"args\": [\"…\"], \"stdin\": \"…\"}}` in JSON, with which \
                     {what}"
                ),
                answer: serde_json::json!({"args": run.given.args, "stdin": run.given.stdin})
                    .to_string(),
                about: About::default(),
            };
            found.push((*run, question, Some(goal)));
        }
    }
    found
}

/// Writes probes, runs the source as written, and takes out what does not print as the trace says.
fn proved(subject: &Subject<'_>, own: usize, runs: &[&Observed]) -> Result<Example, Reason> {
    let given: Vec<Given> = runs.iter().map(|run| run.given.clone()).collect();
    let runs: Vec<Run<'_>> = runs
        .iter()
        .map(|run| Run {
            trace: &run.trace,
            stdin: run.given.stdin.as_bytes(),
        })
        .collect();
    let options = probes::Options {
        own,
        ..probes::Options::new(&subject.spec.phrase)
    };
    let print = |example: &Example| match subject.printed(&example.source, &given, &example.whole) {
        Ok(printed) => Ok(Printed::Lines(printed)),
        Err("does not build") => Ok(Printed::Unbuilt),
        Err(reason) => Err(reason),
    };
    probes::proved(&runs, &options, print).map_err(|why| match why {
        Unproved::None(_) => "no place for probes",
        Unproved::Little => "probes print too little",
        Unproved::TooLong => "too long",
        Unproved::Otherwise => "probes print something else",
        Unproved::Run(reason) => reason,
    })
}

fn bucket(trace: &Trace) -> Bucket {
    let depth = trace
        .events
        .iter()
        .map(|event| event.depth)
        .max()
        .unwrap_or(0);
    let loops = trace
        .events
        .iter()
        .filter(|event| event.kind == Kind::Loop)
        .map(|event| event.site)
        .collect::<BTreeSet<u32>>();
    Bucket::of(trace.events.len(), depth, loops.len())
}

/// By repository: a tenth each for validation and test.
fn split(repository: &str) -> &'static str {
    match blake3::hash(repository.as_bytes()).as_bytes()[0] % 10 {
        0 => "validation",
        1 => "test",
        _ => "train",
    }
}
