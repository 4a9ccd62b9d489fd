//! Questions about one run, with checked answers, as JSON Lines.
//!
//! Each answer is derived from the trace by one function and checked by another way: the trace is
//! written as JSON Lines and the answer is found again in those lines by plain JSON, without the
//! types the first way uses. What the two ways do not agree on is not asked. Questions are about
//! the main file, and only about sites of which every visit was recorded.

mod ask;
mod check;

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use tracer_model::Trace;

/// What is asked, in `TraceEval`'s numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Task {
    /// All that the probes print.
    T1,
    /// Output and exit status.
    T2,
    /// The next events.
    T3,
    /// A value and its type at one moment.
    T4,
    /// Outcomes of a branch.
    T5,
    /// Rounds of a loop, per entry.
    T6,
    /// Calls that a function makes.
    T7,
    /// Whether and where it fails.
    T8,
    /// An input that has an effect.
    T9,
    /// The result of a library call.
    T10,
    /// The first wrong event of a corrupted trace.
    T11,
    /// What another input changes.
    T12,
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its kind.
    pub task: Task,
    /// In words.
    pub question: String,
    /// Lists as JSON; values as `value;type`; text as it is.
    pub answer: String,
    /// What to find in the JSON Lines, for those who check: site, visit and the like.
    pub about: About,
}

/// What a question is about, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Site; 0 where none applies.
    pub site: u32,
    /// Line in the source.
    pub line: u32,
    /// Name asked for.
    pub name: String,
    /// Visit, event or length, from 1.
    pub number: u64,
    /// Whether the answer is a number with a fraction, which has several spellings.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub float: bool,
}

/// All questions about a run whose answers hold both ways, by task and place.
pub fn questions(trace: &Trace) -> Vec<Question> {
    judged(trace).0
}

/// The same, and how many there were whose answers do not hold both ways.
pub fn judged(trace: &Trace) -> (Vec<Question>, usize) {
    let mut found = ask::all(trace);
    let all = found.len();
    let hold = confirmed(trace, &found);
    let mut hold = hold.into_iter();
    found.retain(|_| hold.next() == Some(true));
    let dropped = all - found.len();
    (found, dropped)
}

/// Which of the answers the second way finds in a trace: that of the questions, or of another run of
/// the same program with the same input.
pub fn confirmed(trace: &Trace, questions: &[Question]) -> Vec<bool> {
    let lines = check::Lines::of(trace);
    let holds = |question: &Question| lines.answer(question).as_ref() == Some(&question.answer);
    questions.iter().map(holds).collect()
}

/// What changes from one run of a source to another: branches (as `line:condition`) whose
/// outcomes differ, and `stdout`, `status`, as a JSON list. Each run comes with what it was given,
/// in words: `with the arguments ["7"]`.
pub fn changes(from: (&Trace, &str), to: (&Trace, &str)) -> Option<Question> {
    let answer = ask::changed(from.0, to.0)?;
    let again = check::changed(&check::Lines::of(from.0), &check::Lines::of(to.0));
    (answer == again).then(|| Question {
        task: Task::T12,
        question: format!(
            "The program was run {}. If it is run {} instead, which of `stdout`, `status` and the \
             branches (as `line:condition`) come out differently? A JSON list, sorted.",
            from.1, to.1
        ),
        answer,
        about: About::default(),
    })
}

/// Writes the questions, one JSON object a line.
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    for question in questions(trace) {
        serde_json::to_writer(&mut *out, &question)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
