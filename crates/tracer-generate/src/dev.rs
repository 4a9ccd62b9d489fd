//! Tasks of developers, made of faults that a run shows: a report of the bug, a test that fails, a
//! comment of a review, a change without a message. No model is asked.

use std::path::Path;

use serde_json::{Map, Value, json};
use tracer_engine::Settings;

use crate::bugs::{self, Bug};
use crate::ledger::Entry;
use crate::programs::Program;
use crate::row::{Example, Rows};
use crate::stage::Strategy;
use crate::template::Template;
use crate::{Faults, GenerateError};

/// Kinds of tasks, and the templates of their question and answer.
const TASKS: &[(&str, &str, &str)] = &[
    (
        "bug_report_to_fix",
        "dev/bug_report.jinja",
        "dev/bug_report_answer.jinja",
    ),
    (
        "failing_test_to_repair",
        "dev/failing_test.jinja",
        "dev/failing_test_answer.jinja",
    ),
    (
        "review_comment_to_revision",
        "dev/review.jinja",
        "dev/review_answer.jinja",
    ),
    (
        "commit_to_message",
        "dev/commit.jinja",
        "dev/commit_answer.jinja",
    ),
];

/// Makes tasks.
pub(crate) struct Maker {
    settings: Settings,
    effort: Faults,
    templates: Vec<(&'static str, Template, Template)>,
    rows: Rows,
}

impl Maker {
    pub(crate) fn new(
        settings: &Settings,
        templates: Option<&Path>,
        effort: Faults,
    ) -> Result<Self, GenerateError> {
        let pair = |(task, question, answer): &(&'static str, &'static str, &'static str)| {
            let question = Template::new(question, templates)?;
            Ok((*task, question, Template::new(answer, templates)?))
        };
        Ok(Self {
            settings: settings.clone(),
            effort,
            templates: TASKS
                .iter()
                .map(pair)
                .collect::<Result<_, GenerateError>>()?,
            rows: Rows::new(),
        })
    }

    fn row(
        &self,
        program: &Program,
        bug: &Bug,
        (task, question, answer): &(&'static str, Template, Template),
    ) -> Result<Map<String, Value>, GenerateError> {
        let values = bug.values(program);
        let (instruction, output) = (question.fill(&values)?, answer.fill(&values)?);
        let own = json!({
            "task_type": task,
            "instruction": instruction,
            "context": bug.faulty,
            "output": output,
            "metadata": bug.facts(program).to_string(),
        });
        let example = Example {
            key: &[task, &bug.faulty],
            messages: vec![("user", instruction), ("assistant", output)],
            template: question,
            said: None,
            own,
        };
        Ok(self.rows.row(program, example))
    }
}

impl Strategy for Maker {
    fn name(&self) -> &'static str {
        "dev"
    }

    fn configuration(&self) -> &'static str {
        "code-dev"
    }

    fn card(&self) -> (&'static str, &'static str) {
        (
            "Tasks of developers, shown by runs",
            "Each is made of a fault that was put into a program: the faulty program builds, ends, and \
             does the same twice, and another output or exit status than the original's shows the \
             fault. The fix is the original, which was run again. One example is one fault; a fault \
             gives a row a task.",
        )
    }

    fn plan(&self) -> Map<String, Value> {
        let templates = self.templates.iter();
        let digests: Vec<&str> = templates
            .flat_map(|(_, question, answer)| [question.digest.as_str(), answer.digest.as_str()])
            .collect();
        self.effort.plan(&digests)
    }

    fn rows_of_an_example(&self) -> u64 {
        TASKS.len() as u64
    }

    fn judge(&self, program: &Program, _: &dyn Fn() -> bool) -> Result<Entry, GenerateError> {
        bugs::entry(program, self.effort, &self.settings, |bug| {
            let rows = self.templates.iter();
            rows.map(|task| self.row(program, bug, task)).collect()
        })
    }
}
