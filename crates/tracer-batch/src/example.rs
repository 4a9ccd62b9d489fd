//! A verified program with its runs, and how it is put to a model.

use std::borrow::Cow;
use std::collections::BTreeSet;

use tracer_languages::LanguageSpec;
use tracer_model::{Limits, Trace};
use tracer_view::{inline, lines, probes};

use crate::judge::Rejection;
use crate::options::View;
use crate::tokens::Tokens;
use crate::{Options, Reason, questions};

/// What a program is run with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Case {
    /// Arguments after the file name.
    pub(crate) args: Vec<String>,
    /// What it reads; at end of file from the start if `None`.
    pub(crate) stdin: Option<Vec<u8>>,
    /// Variables that are set for it.
    pub(crate) env: Vec<(String, String)>,
    /// Files beside its own.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Where the input comes from.
    pub(crate) why: String,
}

/// One run that was kept.
pub(crate) struct Ran {
    pub(crate) case: Case,
    pub(crate) trace: Trace,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit_code: u8,
}

/// What was checked, and what came out.
pub(crate) struct Checks {
    pub(crate) error_nodes: u32,
    pub(crate) probes: usize,
    pub(crate) probes_shed: usize,
    pub(crate) pinned: bool,
    pub(crate) varied: Vec<&'static str>,
    pub(crate) causes: BTreeSet<&'static str>,
}

/// A program that passed the gates which look at it alone.
pub(crate) struct Example {
    pub(crate) spec: &'static LanguageSpec,
    /// Names and texts of its files, the one that is run first.
    pub(crate) files: Vec<(String, String)>,
    /// The row's own text.
    pub(crate) source: String,
    /// What was added so that something of it runs.
    pub(crate) driver: Option<String>,
    /// Where that begins in the first file, bytes; 0 where that file is nothing else.
    pub(crate) driver_begins: u32,
    /// Libraries of others that it imports.
    pub(crate) libraries: Vec<String>,
    pub(crate) instrumented: String,
    /// The published form, proved, where it is asked for.
    pub(crate) written: Option<probes::Example>,
    pub(crate) image: Option<String>,
    pub(crate) toolchain: String,
    pub(crate) limits: Limits,
    /// The first one is the row's own.
    pub(crate) runs: Vec<Ran>,
    pub(crate) checks: Checks,
}

impl Example {
    /// What a run is told to have done: what a driver does by itself is left out, but for what is
    /// printed there.
    pub(crate) fn told<'a>(&self, run: &'a Ran) -> Cow<'a, Trace> {
        if self.driver.is_none() {
            return Cow::Borrowed(&run.trace);
        }
        Cow::Owned(run.trace.without_end_of_main(self.driver_begins))
    }

    /// Says which part of the program is not told of.
    fn untold(&self) -> String {
        if self.driver.is_none() {
            return String::new();
        }
        let (name, text) = &self.files[0];
        if self.driver_begins == 0 {
            return format!(" Leave out what `{name}` does by itself; what it prints is told.");
        }
        let before = text.as_bytes().get(..self.driver_begins as usize);
        let lines = before.unwrap_or_default().iter();
        let line = lines.filter(|&&byte| byte == b'\n').count() + 1;
        format!(
            " Leave out what the lines from {line} on do by themselves; what they print is told."
        )
    }
}

/// An example as it is put to a model.
pub(crate) struct Shown {
    pub(crate) prompt: String,
    pub(crate) response: String,
    pub(crate) tokens: usize,
    /// Runs that are in it: the first ones.
    pub(crate) runs: usize,
}

/// Ways to say less, from none to the most: characters of a value, rounds of a loop (0: all).
const TIGHTER: &[(usize, u64)] = &[
    (160, 0),
    (100, 8),
    (80, 4),
    (60, 3),
    (60, 2),
    (40, 2),
    (40, 1),
];

/// Renders an example so that it fits the token budget: with all of its runs if it can be, else
/// with fewer, and each told more briefly.
pub(crate) fn show(
    example: &Example,
    options: &Options,
    tokens: &Tokens,
) -> Result<Shown, Rejection> {
    match (options.view, &example.written) {
        (View::Qa, _) => return questions::show(example, options, tokens),
        (View::Probes, Some(written)) => return published(example, written, options, tokens),
        _ => {}
    }
    let budget = options.token_budget;
    let mut least = usize::MAX;
    for runs in (1..=example.runs.len()).rev() {
        let prompt = prompt(example, options.view, runs);
        let asked = tokens.count(&prompt);
        if asked >= budget {
            least = least.min(asked);
            continue;
        }
        for way in TIGHTER {
            let response = response(example, options.view, runs, *way);
            // Hopeless, and long to count.
            if response.len() > budget * 12 {
                continue;
            }
            let all = asked + tokens.count(&response);
            if all <= budget {
                return Ok(Shown {
                    prompt,
                    response,
                    tokens: all,
                    runs,
                });
            }
            least = least.min(all);
        }
    }
    let detail = match least {
        usize::MAX => "far more tokens than the budget".to_owned(),
        least => format!("{least} tokens at the least"),
    };
    Err(Rejection::new(Reason::TooLong, detail))
}

/// The published form, with what `run.sh` does not say of the runs.
fn published(
    example: &Example,
    written: &probes::Example,
    options: &Options,
    tokens: &Tokens,
) -> Result<Shown, Rejection> {
    let mut prompt = String::from(
        "This program is run by `run.sh`. Write what each run puts into its trace file of the lines \
         that begin with `TRACE:`, as `===STDERR:traceN.txt:START===`, the lines, \
         `===STDERR:traceN.txt:END===`. A line that ends in `… ×N` stands for N further lines of \
         that probe that are left out there.\n\n",
    );
    prompt.push_str(&written.prompt());
    for (name, text) in &example.files[1..] {
        prompt.push_str(&format!(
            "===FILE:{name}===\n{}\n",
            text.trim_end_matches('\n')
        ));
    }
    let runs = written.blocks.len();
    // The files are the same in all runs.
    for (name, contents) in &example.runs[0].case.files {
        let contents = String::from_utf8_lossy(contents);
        prompt.push_str(&format!("===FILE:{name}===\n{contents}"));
    }
    for (number, run) in example.runs.iter().take(runs).enumerate() {
        for (name, value) in &run.case.env {
            let number = number + 1;
            prompt.push_str(&format!(
                "In run {number} the variable `{name}` is `{value}`.\n"
            ));
        }
    }
    let response = written.answer();
    let all = tokens.count(&prompt) + tokens.count(&response);
    if all > options.token_budget {
        let detail = format!("{all} tokens at the least");
        return Err(Rejection::new(Reason::TooLong, detail));
    }
    Ok(Shown {
        prompt,
        response,
        tokens: all,
        runs,
    })
}

pub(crate) fn prompt(example: &Example, view: View, runs: usize) -> String {
    let language = example.spec.name;
    let mut text = String::new();
    for (number, (name, source)) in example.files.iter().enumerate() {
        text.push_str(&match number {
            0 => format!("This is the {language} program `{name}`:\n\n"),
            _ => format!("\nBeside it stands `{name}`:\n\n"),
        });
        text.push_str(&block(example.spec.id, source));
    }
    for (number, run) in example.runs.iter().take(runs).enumerate() {
        let which = if runs > 1 {
            format!("\nRun {}: it", number + 1)
        } else {
            "\nIt".to_owned()
        };
        text.push_str(&which);
        let case = &run.case;
        if case.args.is_empty() {
            text.push_str(" is run without arguments");
        } else {
            text.push_str(&format!(" is run with the arguments {:?}", case.args));
        }
        match &case.stdin {
            None => text.push_str(" and without input.\n"),
            Some(input) => {
                text.push_str(" and reads this input:\n\n");
                text.push_str(&block("text", &String::from_utf8_lossy(input)));
            }
        }
        for (name, value) in &case.env {
            text.push_str(&format!("The variable `{name}` is `{value}`.\n"));
        }
        for (name, contents) in &case.files {
            text.push_str(&format!("The file `{name}` holds:\n\n"));
            text.push_str(&block("text", &String::from_utf8_lossy(contents)));
        }
    }
    let asked = match view {
        View::Lines => {
            "\nTell what happens, step by step. Write one line for each step: the line number, \
             `|`, the source line, and behind ` # ` what was written or decided there; \
             `> name(arguments)` for a call that is entered, `< name returns value` for one that is \
             left, `! ` for errors, `= ` for output and `% ` for error output. Steps that only \
             repeat may be summed up. End with how the program ends."
        }
        View::Qa => {
            "\nAnswer these questions about it, each on a line with its number; a text of several \
             lines as a JSON string.\n\n"
        }
        // It has words of its own.
        View::Probes => "",
        View::Inline => {
            "\nWrite the program again with what happens in comments behind its lines: the values \
             that are written there, the decisions taken and how often."
        }
    };
    text.push_str(asked);
    if matches!(view, View::Lines | View::Inline) {
        text.push_str(&example.untold());
        text.push('\n');
    }
    text
}

/// A fenced block. The fence is longer than any in the text.
fn block(kind: &str, text: &str) -> String {
    let longest = text
        .split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(3.max(longest + 1));
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{kind}\n{text}{end}{fence}\n")
}

fn response(example: &Example, view: View, runs: usize, (values, rounds): (usize, u64)) -> String {
    let mut text = String::new();
    for (number, run) in example.runs.iter().take(runs).enumerate() {
        let trace = example.told(run);
        if runs > 1 {
            text.push_str(&format!("Run {}:\n", number + 1));
        }
        text.push_str(&match view {
            // These are made elsewhere.
            View::Probes | View::Qa => String::new(),
            View::Lines => lines::render(
                &trace,
                &lines::Options {
                    value_limit: values,
                    rounds,
                },
            ),
            View::Inline => {
                let options = inline::Options::new(&trace);
                let shown = if rounds == 0 { options.values } else { 2 };
                inline::render(
                    &trace,
                    &inline::Options {
                        values: shown,
                        width: options.width.max(values),
                        ..options
                    },
                )
            }
        });
    }
    text
}
