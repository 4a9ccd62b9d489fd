//! Questions about programs that were run, whose answers need no model; a model may give them, and is
//! believed where its answer is the proved one.
//!
//! An answer is derived from the trace's types, found again in the trace as plain JSON
//! ([`tracer_view::qa`]), and confirmed by another run of the program: traced anew and, where output or
//! status is asked for, as it is, without a probe.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tracer_ask::Answer;
use tracer_engine::{EngineError, Settings};
use tracer_model::Trace;
use tracer_view::qa::{self, Question, Task};

use crate::ledger::Entry;
use crate::model::Asking;
use crate::programs::Program;
use crate::row::{Example, Rows};
use crate::stage::{Options, Strategy};
use crate::template::Template;
use crate::verify::{Again, Verifier, trace_of};
use crate::{Counts, GenerateError};

/// Asks.
pub(crate) struct Asker {
    settings: Settings,
    most: usize,
    template: Template,
    /// A model that answers, and how it is asked to.
    asking: Option<(Asking, Template)>,
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
             in it. Where a model answers, its answer is kept if it is that one.",
        )
    }

    fn plan(&self) -> Map<String, Value> {
        Map::from_iter([
            ("template".into(), self.template.digest.clone().into()),
            ("questions".into(), self.most.into()),
            (
                "answers".into(),
                self.asking
                    .as_ref()
                    .map(|(_, template)| template.digest.clone())
                    .into(),
            ),
        ])
    }

    fn model(&self) -> Option<&Asking> {
        self.asking.as_ref().map(|(asking, _)| asking)
    }

    fn judge(&self, program: &Program, stop: &dyn Fn() -> bool) -> Result<Entry, GenerateError> {
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
            match self.row(program, asked, stop)? {
                Ok(row) => {
                    entry.examples.keep(1);
                    entry.rows.push(row);
                }
                Err(why) => entry.examples.reject(why, 1),
            }
        }
        if entry.rows.is_empty() {
            let why = if asked.is_empty() {
                "no_question"
            } else {
                "no_answer_held"
            };
            entry.reason = Some(why.into());
        }
        Ok(entry)
    }
}

impl Asker {
    /// `most`: questions about one program.
    pub(crate) fn new(options: &Options, most: usize) -> Result<Self, GenerateError> {
        let templates = options.templates.as_deref();
        let asking = match &options.model {
            None => None,
            Some(model) => Some((
                Asking::new(model, &options.out)?,
                Template::new("qa/answer.jinja", templates)?,
            )),
        };
        Ok(Self {
            settings: options.settings.clone(),
            most,
            template: Template::new("qa/question.jinja", templates)?,
            asking,
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
        let shown = |trace: &Trace| match begins {
            Some(begins) => trace.without_end_of_main(begins),
            None => trace.clone(),
        };
        let mut held = Vec::new();
        for (number, (run, trace)) in program.runs.iter().zip(traces).enumerate() {
            let Some(again) = verifier.again(run)? else {
                continue;
            };
            let (questions, disagreed) = qa::judged(&shown(trace));
            counts.reject("two_ways_disagree", disagreed as u64);
            let confirmed = qa::confirmed(&shown(&again.trace), &questions);
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
        counts.reject("enough_of_the_program", left as u64);
        Ok(Some(kept))
    }

    /// A row, or why the model's answer makes none.
    fn row(
        &self,
        program: &Program,
        asked: &Asked,
        stop: &dyn Fn() -> bool,
    ) -> Result<Result<Map<String, Value>, &'static str>, GenerateError> {
        let run = &program.runs[asked.run];
        let question = &asked.question;
        let mut values = program.values(run);
        values["question"] = question.question.clone().into();
        let prompt = self.template.fill(values)?;
        let said = match &self.asking {
            None => None,
            Some((asking, template)) => {
                let prompt = template.fill(json!({"prompt": prompt}))?;
                let request = asking.request(&prompt);
                match asking.client().ask_for(&request, conclusion, stop)? {
                    Err(why) => return Ok(Err(why)),
                    Ok((_, given)) if !same(&given, &question.answer) => {
                        return Ok(Err("wrong_answer"));
                    }
                    Ok((answer, _)) => Some((prompt, answer)),
                }
            }
        };
        let (prompt, response) = match &said {
            None => (prompt, question.answer.clone()),
            Some((prompt, answer)) => (prompt.clone(), told(answer)),
        };
        let asking = self.asking.as_ref().map(|(asking, _)| asking);
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
            messages: vec![("user", prompt), ("assistant", response)],
            template: match &self.asking {
                Some((_, template)) => template,
                None => &self.template,
            },
            said: asking.zip(said.as_ref().map(|(_, answer)| answer)),
            own,
        };
        Ok(Ok(self.rows.row(program, example)))
    }
}

/// What stands below the line that announces the answer, the last one if there are several.
fn conclusion(answer: &Answer) -> Result<String, String> {
    let mut lines = answer.content.lines().rev();
    let mut below: Vec<&str> = lines
        .by_ref()
        .take_while(|line| line.trim().trim_matches('*') != "ANSWER:")
        .collect();
    if below.len() == answer.content.lines().count() {
        return Err(
            "Your reply has no line `ANSWER:`. Write it again, with that line and the answer \
                    alone below it."
                .into(),
        );
    }
    below.reverse();
    Ok(below.join("\n"))
}

/// Whether two answers are the same but for spaces at the ends of lines, empty lines around, and a
/// fence.
fn same(given: &str, proved: &str) -> bool {
    let plain = |text: &str| -> String {
        let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
        let inner = match lines.as_slice() {
            [first, inner @ .., last] if first.starts_with("```") && *last == "```" => inner,
            lines => lines,
        };
        inner.join("\n")
    };
    plain(given) == plain(proved)
}

/// A model's words, what it thought first.
fn told(answer: &Answer) -> String {
    match &answer.reasoning {
        Some(reasoning) => format!("<think>{reasoning}</think>\n{}", answer.content),
        None => answer.content.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(content: &str) -> Answer {
        Answer {
            content: content.into(),
            reasoning: None,
            finish_reason: None,
            usage: tracer_ask::Usage::default(),
        }
    }

    #[test]
    fn an_answer_is_what_stands_below_its_line() {
        let given = conclusion(&said("ANSWER:\nno\nwait\n**ANSWER:**\n```\n4 \n5\n```\n")).unwrap();
        assert!(same(&given, "4\n5"));
        assert!(!same(&given, "4\n6"));
        assert!(conclusion(&said("The ANSWER: 4")).is_err());
        assert!(conclusion(&said("")).is_err());
    }
}
