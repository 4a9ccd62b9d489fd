//! Questions about programs that were run, whose answers need no model.
//!
//! An answer is derived from the trace's types, found again in the trace as plain JSON
//! ([`tracer_view::qa`]), and confirmed by another run of the program: traced anew and, where output or
//! status is asked for, as it is, without a probe.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};
use tracer_engine::{EngineError, Settings};
use tracer_model::Trace;
use tracer_view::qa::{self, Question, Task};

use crate::ledger::Entry;
use crate::programs::Program;
use crate::row::{Example, Rows};
use crate::stage::Strategy;
use crate::template::Template;
use crate::verify::{Again, Verifier, trace_of};
use crate::{Counts, GenerateError};

/// Asks.
pub(crate) struct Asker {
    settings: Settings,
    most: usize,
    template: Template,
    rows: Rows,
}

/// A question about one of a program's runs.
struct Asked {
    run: usize,
    question: Question,
}

impl Strategy for Asker {
    fn name(&self) -> &'static str {
        "qa"
    }

    fn configuration(&self) -> &'static str {
        "code-qa"
    }

    fn card(&self) -> (&'static str, &'static str) {
        (
            "Questions about programs that were run",
            "Each answer was derived from a trace, found again in it by other means, and confirmed by \
             another run of the program; what it prints and its status were confirmed without a probe \
             in it.",
        )
    }

    fn plan(&self) -> Map<String, Value> {
        Map::from_iter([
            ("template".into(), self.template.digest.clone().into()),
            ("questions".into(), self.most.into()),
        ])
    }

    fn judge(&self, program: &Program) -> Result<Entry, GenerateError> {
        let mut entry = Entry::of(program);
        let traces: Option<Vec<Trace>> = program.runs.iter().map(trace_of).collect();
        let Some(traces) = traces.filter(|traces| !traces.is_empty()) else {
            entry.reason = Some("no_trace".into());
            return Ok(entry);
        };
        let asked = match self.ask(program, &traces, &mut entry.examples) {
            Ok(Some(asked)) => asked,
            Ok(None) => {
                entry.reason = Some("build".into());
                return Ok(entry);
            }
            Err(error) => {
                entry.examples = Counts::default();
                entry.reason = Some(format!(
                    "failed: {}",
                    tracer_engine::check::describe(&error)
                ));
                return Ok(entry);
            }
        };
        for asked in &asked {
            entry.rows.push(self.row(program, asked)?);
        }
        if asked.is_empty() {
            entry.reason = Some("no_question".into());
        }
        Ok(entry)
    }
}

impl Asker {
    /// `most`: questions about one program.
    pub(crate) fn new(
        settings: &Settings,
        templates: Option<&Path>,
        most: usize,
    ) -> Result<Self, GenerateError> {
        Ok(Self {
            settings: settings.clone(),
            most,
            template: Template::new("qa/question.jinja", templates)?,
            rows: Rows::new(),
        })
    }

    /// The questions that are kept; `None` where the program does not build any more.
    fn ask(
        &self,
        program: &Program,
        traces: &[Trace],
        counts: &mut Counts,
    ) -> Result<Option<Vec<Asked>>, EngineError> {
        let Some(verifier) = Verifier::new(program, &traces[0], &self.settings)? else {
            return Ok(None);
        };
        let begins = program.driver_begins();
        let told = |trace: &Trace| match begins {
            Some(begins) => trace.without_end_of_main(begins),
            None => trace.clone(),
        };
        let mut held = Vec::new();
        for (number, (run, trace)) in program.runs.iter().zip(traces).enumerate() {
            let Some(again) = verifier.again(run)? else {
                continue;
            };
            let (questions, disagreed) = qa::judged(&told(trace));
            counts.reject("two_ways_disagree", disagreed as u64);
            let confirmed = qa::confirmed(&told(&again.trace), &questions);
            for (question, confirmed) in questions.into_iter().zip(confirmed) {
                if confirmed && printed(&again, &question) {
                    held.push(Asked {
                        run: number,
                        question,
                    });
                } else {
                    counts.reject("not_confirmed_by_another_run", 1);
                }
            }
        }
        let (kept, left) = chosen(held, self.most);
        counts.keep(kept.len() as u64);
        counts.reject("enough_of_the_program", left as u64);
        Ok(Some(kept))
    }

    fn row(&self, program: &Program, asked: &Asked) -> Result<Map<String, Value>, GenerateError> {
        let run = &program.runs[asked.run];
        let question = &asked.question;
        let mut values = program.values(run);
        values["question"] = question.question.clone().into();
        let prompt = self.template.fill(values)?;
        let own = json!({
            "template_id": format!("trace-{:?}", question.task),
            "question": question.question,
            "answer": question.answer,
            "unit_tests": null,
            "average_test_score": null,
            "metadata": json!({"run": asked.run, "about": question.about}).to_string(),
        });
        let example = Example {
            key: &[&asked.run.to_string(), &question.question],
            messages: vec![("user", prompt), ("assistant", question.answer.clone())],
            template: &self.template,
            own,
        };
        Ok(self.rows.row(program, example))
    }
}

/// What a question about the program's output says is what it prints without a probe in it.
fn printed(again: &Again, question: &Question) -> bool {
    question.task != Task::T2
        || question.answer == format!("{}\nstatus {}", again.stdout, again.status)
}

/// The first question of each task and run, then the second, up to a number; and how many are left.
fn chosen(held: Vec<Asked>, most: usize) -> (Vec<Asked>, usize) {
    let mut turns: BTreeMap<(usize, Task), usize> = BTreeMap::new();
    let mut ordered: Vec<(usize, Asked)> = Vec::new();
    for asked in held {
        let turn = turns.entry((asked.run, asked.question.task)).or_default();
        ordered.push((*turn, asked));
        *turn += 1;
    }
    ordered.sort_by_key(|(turn, asked)| (*turn, asked.run, asked.question.task));
    let left = ordered.len().saturating_sub(most);
    ordered.truncate(most);
    (ordered.into_iter().map(|(_, asked)| asked).collect(), left)
}
