//! Questions about an example's runs, within the token budget.

use std::collections::BTreeMap;

use tracer_view::qa::{self, Question, Task};

use crate::example::{Example, Shown, prompt};
use crate::judge::Rejection;
use crate::options::View;
use crate::tokens::Tokens;
use crate::{Options, Reason};

/// Questions of an example at most.
const MOST: usize = 16;

/// Rounds of kinds: the first of each task, then the second, and so on.
fn in_turns(questions: Vec<Question>) -> Vec<Question> {
    let mut turns: BTreeMap<Task, usize> = BTreeMap::new();
    let mut ordered: Vec<(usize, Question)> = Vec::new();
    for question in questions {
        let turn = turns.entry(question.task).or_default();
        ordered.push((*turn, question));
        *turn += 1;
    }
    ordered.sort_by_key(|(turn, question)| (*turn, question.task));
    ordered.into_iter().map(|(_, question)| question).collect()
}

/// An answer as it stands behind its number.
fn on_one_line(answer: &str) -> String {
    if answer.contains(['\n', '\r']) {
        return serde_json::Value::from(answer).to_string();
    }
    answer.to_owned()
}

/// As many questions and answers as fit, over as many runs as fit.
pub(crate) fn show(
    example: &Example,
    options: &Options,
    tokens: &Tokens,
) -> Result<Shown, Rejection> {
    let budget = options.token_budget;
    let mut least = usize::MAX;
    for runs in (1..=example.runs.len()).rev() {
        let start = prompt(example, View::Qa, runs);
        let mut spent = tokens.count(&start);
        least = least.min(spent);
        if spent >= budget {
            continue;
        }
        let (mut asked, mut answered, mut count) = (start, String::new(), 0);
        for (run, question) in pool(example, runs) {
            let which = if runs > 1 {
                format!("In run {}: ", run + 1)
            } else {
                String::new()
            };
            let number = count + 1;
            let question_text = format!("{number}. {which}{}\n", question.question);
            let answer = format!("{number}. {}\n", on_one_line(&question.answer));
            let more = tokens.count(&question_text) + tokens.count(&answer);
            if count == MOST || spent + more > budget {
                continue;
            }
            spent += more;
            count += 1;
            asked.push_str(&question_text);
            answered.push_str(&answer);
        }
        if count > 0 {
            return Ok(Shown {
                tokens: tokens.count(&asked) + tokens.count(&answered),
                prompt: asked,
                response: answered,
                runs,
            });
        }
        let detail = "there is nothing to ask that has a checked answer";
        return Err(Rejection::new(Reason::Uninformative, detail));
    }
    let detail = format!("{least} tokens before anything is asked");
    Err(Rejection::new(Reason::TooLong, detail))
}

/// Questions about the first runs, in turns of runs.
fn pool(example: &Example, runs: usize) -> Vec<(usize, Question)> {
    let mut all: Vec<(usize, usize, Question)> = Vec::new();
    for (run, ran) in example.runs.iter().take(runs).enumerate() {
        let questions = in_turns(qa::questions(&example.told(ran)));
        let numbered = questions.into_iter().enumerate();
        all.extend(numbered.map(|(number, question)| (number, run, question)));
    }
    all.sort_by_key(|(number, run, _)| (*number, *run));
    all.into_iter()
        .map(|(_, run, question)| (run, question))
        .collect()
}
