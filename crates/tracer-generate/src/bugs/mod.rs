//! Faults put into programs that were proved, each shown by a run: the program builds, ends, does the
//! same twice, and prints or ends otherwise than the original does.

mod mutate;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use similar::TextDiff;
use tracer_engine::{EngineError, Settings};
use tracer_model::{Detail, Trace};
use tracer_view::lines;

use crate::ledger::Entry;
use crate::programs::Program;
use crate::verify::{Ran, Subject, trace_of};
use crate::{Counts, Faults, GenerateError};
pub(crate) use mutate::{Mutation, Rule};

/// Rows of a trace that are shown around the first one that is wrong.
const BEFORE: usize = 6;
const AFTER: usize = 3;

/// Most bytes of an output that a text shows.
const SHOWN: usize = 4000;

/// What a program prints, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: u8,
}

/// A fault that a run shows.
pub(crate) struct Bug {
    /// Which of the program's runs.
    pub(crate) run: usize,
    pub(crate) mutation: Mutation,
    /// The file that is run, with the fault.
    pub(crate) faulty: String,
    pub(crate) expected: Shown,
    pub(crate) actual: Shown,
    /// Where the faulty run goes another way: the rows of its trace up to there and a few more, and
    /// which of them is the first that is wrong.
    pub(crate) excerpt: Vec<String>,
    pub(crate) wrong: usize,
}

/// What became of the search.
pub(crate) enum Search {
    Found(Vec<Bug>),
    /// Why nothing could be looked for.
    Nothing(&'static str),
}

/// Looks for faults, always the same ones.
pub(crate) fn search(
    program: &Program,
    effort: Faults,
    settings: &Settings,
    counts: &mut Counts,
) -> Result<Search, EngineError> {
    let traces: Option<Vec<Trace>> = program.runs.iter().map(trace_of).collect();
    let Some(traces) = traces.filter(|traces| !traces.is_empty()) else {
        return Ok(Search::Nothing("no_trace"));
    };
    let Some(original) = Subject::new(program, None, &traces[0], settings, None)? else {
        return Ok(Search::Nothing("build"));
    };
    let mut expected = Vec::new();
    for run in &program.runs {
        let (once, twice) = (original.run(run)?, original.run(run)?);
        if once.limited || shown(&once) != shown(&twice) {
            return Ok(Search::Nothing("not_repeatable"));
        }
        expected.push(shown(&once));
    }
    let mut found: Vec<Bug> = Vec::new();
    for mutation in chosen(program, &traces, effort.tries) {
        if found.len() == effort.most {
            break;
        }
        let line = mutation.line(program.text());
        if found
            .iter()
            .any(|bug| bug.mutation.line(program.text()) == line)
        {
            counts.reject("same_line_as_another", 1);
            continue;
        }
        match prove(program, &traces, &expected, mutation, settings)? {
            Ok(bug) => {
                counts.keep(1);
                found.push(bug);
            }
            Err(why) => counts.reject(why, 1),
        }
    }
    Ok(Search::Found(found))
}

fn shown(ran: &Ran) -> Shown {
    Shown {
        stdout: ran.stdout.clone(),
        stderr: ran.stderr.clone(),
        status: ran.status,
    }
}

/// Faults in lines that ran, one of each rule before the second of any, in an order that is the
/// program's own.
fn chosen(program: &Program, traces: &[Trace], tries: usize) -> Vec<Mutation> {
    let Some(spec) = tracer_languages::by_name(&program.language) else {
        return Vec::new();
    };
    let source = program.text();
    let Some(tree) = tracer_instrument::engine::parse(spec, source.as_bytes()) else {
        return Vec::new();
    };
    let ran = lines_that_ran(traces);
    // A driver is ours.
    let own = match program.driver_begins() {
        None => 0..source.len(),
        Some(begins) => 0..begins as usize,
    };
    let mut turns: BTreeMap<Rule, usize> = BTreeMap::new();
    let mut found: Vec<(blake3::Hash, Mutation)> =
        mutate::mutations(spec, tree.root_node(), source, own)
            .into_iter()
            .filter(|mutation| ran.contains(&mutation.line(source)))
            .map(|mutation| {
                let key = format!("{} {} {}", program.id, mutation.start, mutation.rule.name());
                (blake3::hash(key.as_bytes()), mutation)
            })
            .collect();
    found.sort_by(|(one, _), (two, _)| one.as_bytes().cmp(two.as_bytes()));
    let mut ordered: Vec<(usize, Mutation)> = found
        .into_iter()
        .map(|(_, mutation)| {
            let turn = turns.entry(mutation.rule).or_default();
            *turn += 1;
            (*turn, mutation)
        })
        .collect();
    ordered.sort_by_key(|(turn, _)| *turn);
    ordered.truncate(tries);
    ordered.into_iter().map(|(_, mutation)| mutation).collect()
}

/// Lines of the file that is run, from 1, of which a run told something.
fn lines_that_ran(traces: &[Trace]) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    for trace in traces {
        for event in &trace.events {
            let site = trace.table.sites.get(event.site.wrapping_sub(1) as usize);
            if site.is_none_or(|site| site.file == 0) {
                lines.insert(event.line as usize);
            }
        }
    }
    lines
}

/// The fault with what shows it, or why it is none.
fn prove(
    program: &Program,
    traces: &[Trace],
    expected: &[Shown],
    mutation: Mutation,
    settings: &Settings,
) -> Result<Result<Bug, &'static str>, EngineError> {
    let faulty = mutation.apply(program.text());
    let build = |detail| Subject::new(program, Some(&faulty), &traces[0], settings, detail);
    let Some(subject) = build(None)? else {
        return Ok(Err("does_not_build"));
    };
    let mut shows = None;
    for (number, (run, expected)) in program.runs.iter().zip(expected).enumerate() {
        let ran = subject.run(run)?;
        if ran.limited {
            return Ok(Err("does_not_end"));
        }
        let actual = shown(&ran);
        if actual.stdout != expected.stdout || actual.status != expected.status {
            if shown(&subject.run(run)?) != actual {
                return Ok(Err("not_repeatable"));
            }
            shows = Some((number, actual));
            break;
        }
    }
    let Some((number, actual)) = shows else {
        return Ok(Err("does_the_same"));
    };
    let Some(traced) = build(Some(Detail::State))? else {
        return Ok(Err("does_not_build_traced"));
    };
    let run = &program.runs[number];
    let ran = traced.run(run)?;
    let Some(trace) = &ran.trace else {
        return Ok(Err("no_trace"));
    };
    // The proof holds for what the trace is of, too.
    if ran.stdout != actual.stdout || ran.status != actual.status {
        return Ok(Err("not_the_same_traced"));
    }
    let Some((excerpt, wrong)) = excerpt(program, &mutation, &traces[number], trace) else {
        return Ok(Err("no_row_differs"));
    };
    Ok(Ok(Bug {
        run: number,
        faulty,
        expected: expected[number].clone(),
        actual,
        excerpt,
        wrong,
        mutation,
    }))
}

/// The rows of the faulty run's trace around the first that is not the original's.
fn excerpt(
    program: &Program,
    mutation: &Mutation,
    original: &Trace,
    faulty: &Trace,
) -> Option<(Vec<String>, usize)> {
    let render = |trace: &Trace| -> Vec<String> {
        let trace = match program.driver_begins() {
            Some(begins) => trace.without_end_of_main(begins),
            None => trace.clone(),
        };
        let text = lines::render(&trace, &lines::Options::default());
        text.lines().map(str::to_owned).collect()
    };
    let (before, after) = (render(original), render(faulty));
    let line = mutation.line(program.text());
    let text_of = |text: &str| {
        let line = text.lines().nth(line - 1).unwrap_or_default();
        line.trim().to_owned()
    };
    let (own, changed) = (
        text_of(program.text()),
        text_of(&mutation.apply(program.text())),
    );
    let head = format!("{line}| ");
    // The line of the fault reads otherwise by itself: what counts is what it did.
    let plain = |row: &str| match row.find(&head) {
        Some(at) if !changed.is_empty() => {
            let (place, rest) = row.split_at(at + head.len());
            format!("{place}{}", rest.replacen(&changed, &own, 1))
        }
        _ => row.to_owned(),
    };
    let wrong = after
        .iter()
        .zip(&before)
        .position(|(after, before)| plain(after) != *before)
        .or_else(|| (after.len() != before.len()).then(|| after.len().min(before.len())))?;
    let from = wrong.saturating_sub(BEFORE);
    let to = (wrong + AFTER + 1).min(after.len());
    let wrong = wrong.min(after.len().saturating_sub(1));
    let rows = after.get(from..to)?.to_vec();
    (!rows.is_empty()).then(|| (rows, wrong.saturating_sub(from)))
}

impl Bug {
    /// What is wrong, in a sentence that the edit itself bears out.
    pub(crate) fn explained(&self, program: &Program) -> String {
        let source = program.text();
        let line = self.mutation.line(source);
        let before = source[self.mutation.start..self.mutation.end].trim();
        let after = self.mutation.text.trim();
        match self.mutation.rule {
            Rule::Statement => {
                format!("Line {line} lost a statement: `{before}` is missing there.")
            }
            Rule::Condition => {
                format!(
                    "The condition in line {line} is the wrong way round: it has to be `{before}`."
                )
            }
            Rule::Arguments => format!(
                "Line {line} passes its arguments in the wrong order: `{after}` has to be `{before}`."
            ),
            Rule::Comparison | Rule::Arithmetic | Rule::Logic | Rule::Constant | Rule::Truth => {
                format!("Line {line} has `{after}` where `{before}` belongs.")
            }
        }
    }

    /// The change that mends it.
    pub(crate) fn diff(&self, program: &Program) -> String {
        let (from, to) = (
            format!("a/{}", program.entry),
            format!("b/{}", program.entry),
        );
        let diff = TextDiff::from_lines(self.faulty.as_str(), program.text());
        diff.unified_diff().header(&from, &to).to_string()
    }

    /// What templates are filled in with, beside the faulty program and how it is run.
    pub(crate) fn values(&self, program: &Program) -> Value {
        let mut values = program.values(&program.runs[self.run]);
        values["program"]["text"] = self.faulty.clone().into();
        let line = self.mutation.line(program.text());
        let text_of = |text: &str| {
            text.lines()
                .nth(line - 1)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let own = json!({
            "expected": told(&self.expected),
            "actual": told(&self.actual),
            "first": self.first_difference(),
            "output_diff": self.output_diff(),
            "diff": self.diff(program),
            "fixed": program.text(),
            "line": line,
            "rule": self.mutation.rule.name(),
            "explained": self.explained(program),
            "faulty_line": text_of(&self.faulty),
            "fixed_line": text_of(program.text()),
            "excerpt": self.excerpt.join("\n"),
            "wrong": self.excerpt[self.wrong].trim(),
        });
        if let (Value::Object(values), Value::Object(own)) = (&mut values, own) {
            values.extend(own);
        }
        values
    }

    /// How what it prints differs from what it should.
    fn output_diff(&self) -> String {
        let diff = TextDiff::from_lines(&self.expected.stdout, &self.actual.stdout);
        let text = diff.unified_diff().header("expected", "actual").to_string();
        cut(&text)
    }

    /// What a row keeps of it.
    pub(crate) fn facts(&self, program: &Program) -> Value {
        json!({
            "run": self.run,
            "rule": self.mutation.rule.name(),
            "line": self.mutation.line(program.text()),
            "expected": told(&self.expected),
            "actual": told(&self.actual),
            "first_wrong_row": self.excerpt[self.wrong],
            "fixed_sha256": program.source_sha256,
        })
    }

    /// The first line that is printed otherwise: its number, what belongs there, what stands there.
    fn first_difference(&self) -> Value {
        let mut expected = self.expected.stdout.lines();
        let mut actual = self.actual.stdout.lines();
        let mut number = 0;
        loop {
            number += 1;
            match (expected.next(), actual.next()) {
                (None, None) => return Value::Null,
                (expected, actual) if expected != actual => {
                    return json!({"line": number, "expected": expected, "actual": actual});
                }
                _ => {}
            }
        }
    }
}

fn told(shown: &Shown) -> Value {
    json!({
        "stdout": cut(&shown.stdout),
        "stderr": cut(&shown.stderr),
        "status": shown.status,
    })
}

/// A text, its middle left out where it is long.
fn cut(text: &str) -> String {
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    let (mut head, mut tail) = (SHOWN / 2, text.len() - SHOWN / 2);
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    format!(
        "{}\n[{} bytes left out]\n{}",
        &text[..head],
        tail - head,
        &text[tail..]
    )
}

impl Faults {
    /// What an output folder hangs on.
    pub(crate) fn plan(&self, templates: &[&str]) -> serde_json::Map<String, Value> {
        serde_json::Map::from_iter([
            ("templates".into(), templates.to_vec().into()),
            ("faults".into(), self.most.into()),
            ("tries".into(), self.tries.into()),
        ])
    }
}

/// A program's entry, with the rows that each of its faults gives.
pub(crate) fn entry(
    program: &Program,
    effort: Faults,
    settings: &Settings,
    rows: impl Fn(&Bug) -> Result<Vec<serde_json::Map<String, Value>>, GenerateError>,
) -> Result<Entry, GenerateError> {
    let mut entry = Entry::of(program);
    let found = match search(program, effort, settings, &mut entry.examples) {
        Ok(Search::Found(found)) => found,
        Ok(Search::Nothing(why)) => {
            entry.reason = Some(why.into());
            return Ok(entry);
        }
        Err(error) => {
            entry.examples = Counts::default();
            let said = tracer_engine::check::describe(&error);
            entry.reason = Some(format!("failed: {said}"));
            return Ok(entry);
        }
    };
    for bug in &found {
        entry.rows.extend(rows(bug)?);
    }
    if found.is_empty() {
        entry.reason = Some("no_fault_shows".into());
    }
    Ok(entry)
}
