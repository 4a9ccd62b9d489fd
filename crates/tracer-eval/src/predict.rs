//! Inputs that a model gave: tried in the sandbox, with the program they are for.

use std::collections::BTreeSet;

use serde::Deserialize;
use tracer_engine::{Settings, languages};
use tracer_model::{Kind, Trace};

use crate::items::{Given, Goal, Item};
use crate::subject::{Subject, again};

/// Longest input that is tried, bytes.
const LONGEST: usize = 64 << 10;

/// What an answer may say: no files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    stdin: String,
}

/// The input of an answer; `None` if it is none.
pub(crate) fn read(answer: &str) -> Option<Given> {
    let said: Said = serde_json::from_str(answer.trim()).ok()?;
    let length = said.stdin.len() + said.args.iter().map(String::len).sum::<usize>();
    let plain = said.args.len() <= 64 && !said.args.iter().any(|arg| arg.contains('\0'));
    (plain && length <= LONGEST).then_some(Given {
        args: said.args,
        stdin: said.stdin,
        files: Vec::new(),
    })
}

/// Lines of the main file on which a statement ran.
pub(crate) fn lines(trace: &Trace) -> BTreeSet<u32> {
    let steps = trace.events.iter().filter(|event| {
        let site = trace.table.site(event.site);
        event.kind == Kind::Step && site.is_some_and(|site| site.file == 0)
    });
    steps.map(|event| event.line).collect()
}

/// Tries an input. `Err` says why the program cannot be run on this machine.
pub(crate) fn reaches(
    item: &Item,
    given: &Given,
    settings: &Settings,
) -> Result<bool, &'static str> {
    let spec = languages::by_name(&item.language).ok_or("unknown language")?;
    let goal = item.goal.as_ref().ok_or("nothing to reach")?;
    let run = again(|| {
        let subject = Subject::new(spec, &item.name, &[], settings)?;
        subject.once(&item.source, given)
    })?;
    let Some(run) = run else {
        return Ok(false);
    };
    Ok(match goal {
        Goal::Output(text) => run.stdout == text.as_bytes(),
        Goal::Line(line) => lines(&run.trace).contains(line),
    })
}
