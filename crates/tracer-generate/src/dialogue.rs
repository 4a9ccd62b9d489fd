//! Conversations about a fault, with what tools really printed: the run, its trace, the run after the
//! fix. No model is asked.

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

/// Scenarios, and their templates.
const SCENARIOS: &[(&str, &str)] = &[
    ("wrong_output", "dialogue/wrong_output.jinja"),
    ("failing_test", "dialogue/failing_test.jinja"),
];

/// Who speaks, as a template names it at the head of a turn.
const ROLES: [&str; 3] = ["user", "assistant", "tool"];

/// Makes conversations.
pub(crate) struct Maker {
    settings: Settings,
    effort: Faults,
    scenarios: Vec<(&'static str, Vec<(&'static str, Template)>)>,
    rows: Rows,
}

impl Maker {
    pub(crate) fn new(
        settings: &Settings,
        templates: Option<&Path>,
        effort: Faults,
    ) -> Result<Self, GenerateError> {
        let scenario = |(name, template): &(&'static str, &'static str)| {
            Ok((*name, Template::turns(template, templates, &ROLES)?))
        };
        Ok(Self {
            settings: settings.clone(),
            effort,
            scenarios: SCENARIOS
                .iter()
                .map(scenario)
                .collect::<Result<_, GenerateError>>()?,
            rows: Rows::new(),
        })
    }

    fn row(
        &self,
        program: &Program,
        bug: &Bug,
        (scenario, turns): &(&'static str, Vec<(&'static str, Template)>),
    ) -> Result<Map<String, Value>, GenerateError> {
        let values = bug.values(program);
        let filled = turns
            .iter()
            .map(|(role, turn)| Ok((*role, turn.fill(&values)?.trim_end().to_owned())));
        let messages: Vec<(&'static str, String)> = filled.collect::<Result<_, GenerateError>>()?;
        let own = json!({
            "scenario": scenario,
            "turns": messages.len(),
            "metadata": bug.facts(program).to_string(),
        });
        let example = Example {
            key: &[scenario, &bug.faulty],
            messages,
            template: &turns[0].1,
            said: None,
            own,
        };
        Ok(self.rows.row(program, example))
    }
}

impl Strategy for Maker {
    fn name(&self) -> &'static str {
        "dialogue"
    }

    fn configuration(&self) -> &'static str {
        "code-dialogue"
    }

    fn card(&self) -> (&'static str, &'static str) {
        (
            "Conversations about faults, with what tools printed",
            "Each is about a fault that was put into a program and that a run shows. What tools say is \
             what they printed: the faulty program's run and trace, and the run of the original, which \
             is the fix. One example is one fault; a fault gives a row a scenario.",
        )
    }

    fn plan(&self) -> Map<String, Value> {
        let scenarios = self.scenarios.iter();
        let digests: Vec<&str> = scenarios
            .flat_map(|(_, turns)| turns)
            .map(|(_, turn)| turn.digest.as_str())
            .collect();
        self.effort.plan(&digests)
    }

    fn rows_of_an_example(&self) -> u64 {
        SCENARIOS.len() as u64
    }

    fn judge(&self, program: &Program, _: &dyn Fn() -> bool) -> Result<Entry, GenerateError> {
        bugs::entry(program, self.effort, &self.settings, |bug| {
            let rows = self.scenarios.iter();
            rows.map(|scenario| self.row(program, bug, scenario))
                .collect()
        })
    }
}
