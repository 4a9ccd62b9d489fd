//! The published form: the source with probes written in it as a reader of the language would
//! write them, a `run.sh`, and what each run prints.
//!
//! Sites are chosen by what their lines say: values that change, branches seen both ways, loops
//! left, calls. A probe stands only where a statement of its own can stand, prints only values
//! that the language prints as the trace writes them, and the lines come from the one trace.
//! Nothing is run here: that the written probes print these lines is for [`proved`] to show, which has the source run.

mod candidates;
mod place;
mod prove;
mod write;

use std::collections::BTreeSet;
use std::io::{self, Write};

use tracer_model::{Phrase, Trace};

use candidates::{Candidate, candidates};

pub use prove::{Printed, Unproved, proved};

/// One run of the program.
#[derive(Debug, Clone, Copy)]
pub struct Run<'t> {
    /// Its trace. All runs' traces are of the same source.
    pub trace: &'t Trace,
    /// What it read.
    pub stdin: &'t [u8],
}

/// Counts the tokens of a text.
pub type Counter<'c> = &'c dyn Fn(&str) -> usize;

/// What to make.
#[derive(Clone, Copy)]
pub struct Options<'c> {
    /// How the language prints and is run.
    pub phrase: &'c Phrase,
    /// Most probes.
    pub probes: usize,
    /// Tokens of source, `run.sh` and blocks together.
    pub token_budget: usize,
    /// Counts them.
    pub tokens: Counter<'c>,
    /// Sites (see [`Probe::key`]) that may not be used.
    pub without: &'c BTreeSet<String>,
    /// Bytes of the main file from its start in which probes may stand: what calls the rest, behind
    /// it, is not what an example is about.
    pub own: usize,
}

/// The sites that are not to be used: none.
pub static NONE: BTreeSet<String> = BTreeSet::new();

impl<'c> Options<'c> {
    /// 25 probes in 8,000 tokens of about four characters.
    pub fn new(phrase: &'c Phrase) -> Self {
        Self {
            phrase,
            probes: 25,
            token_budget: 8000,
            tokens: &|text| text.chars().count().div_ceil(4),
            without: &NONE,
            own: usize::MAX,
        }
    }
}

/// A probe that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Names it among those of its source: kind, line and arm.
    pub key: String,
    /// `TRACE:<KIND>:<LOC>:`, and the fixed words of its state.
    pub head: String,
}

/// The published form of a program and its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// File name of the source.
    pub file: String,
    /// The source with its probes.
    pub source: String,
    /// Runs it once a block.
    pub run_sh: String,
    /// What each run prints on stderr, with visits left out under a budget.
    pub blocks: Vec<String>,
    /// The same with every visit.
    pub whole: Vec<Vec<String>>,
    /// Probes by place.
    pub probes: Vec<Probe>,
    /// Whether it keeps to the budget.
    pub fits: bool,
}

/// Why there is no such form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoProbes {
    /// There is no way to print a line on stderr.
    #[error("the language cannot print on stderr")]
    Silent,
    /// Nothing ran, or nothing that can be printed happened.
    #[error("no place in the source can print anything that the runs show")]
    Nothing,
}

/// Chooses sites and writes them.
pub fn example(runs: &[Run<'_>], options: &Options<'_>) -> Result<Example, NoProbes> {
    if options.phrase.open.is_empty() {
        return Err(NoProbes::Silent);
    }
    let mut found = candidates(runs, options.phrase);
    found.retain(|candidate| {
        candidate.offset < options.own && !options.without.contains(&candidate.key)
    });
    let mut chosen = choose(found, options);
    if chosen.iter().all(|candidate| candidate.visits() == 0) {
        return Err(NoProbes::Nothing);
    }
    loop {
        for keep in [usize::MAX, 8, 4, 2, 1] {
            let mut example = write::example(runs, &chosen, options.phrase, keep);
            let text = example.prompt() + &example.answer();
            example.fits = (options.tokens)(&text) <= options.token_budget;
            // Below five probes it is the source that is too long.
            if example.fits || (keep == 1 && chosen.len() <= 5) {
                return Ok(example);
            }
        }
        let Some(longest) = (0..chosen.len()).max_by_key(|&at| chosen[at].visits()) else {
            return Err(NoProbes::Nothing);
        };
        chosen.remove(longest);
    }
}

/// The best by what they say, spread over functions, in the order of their places.
fn choose(mut found: Vec<Candidate>, options: &Options<'_>) -> Vec<Candidate> {
    found.sort_by_key(|candidate| (std::cmp::Reverse(candidate.score()), candidate.offset));
    // A long line of visits crowds out everything else.
    let mut room = options.token_budget / 2;
    let mut chosen: Vec<Candidate> = Vec::new();
    for candidate in found {
        let cost = candidate.characters().div_ceil(4);
        if chosen.len() < options.probes && cost <= room {
            room -= cost;
            chosen.push(candidate);
        }
    }
    // Behind an inner statement comes before behind the one around it.
    chosen.sort_by_key(|candidate| {
        let inner = std::cmp::Reverse(candidate.indent.len());
        (
            candidate.offset,
            candidate.rank,
            inner,
            candidate.key.clone(),
        )
    });
    chosen
}

impl Example {
    /// What is asked with.
    pub fn prompt(&self) -> String {
        format!(
            "===FILE:{}===\n{}\n===FILE:run.sh===\n{}",
            self.file,
            self.source.trim_end_matches('\n'),
            self.run_sh
        )
    }

    /// What is to be answered.
    pub fn answer(&self) -> String {
        answer(&self.blocks)
    }
}

/// Blocks in the published form.
pub fn answer(blocks: &[String]) -> String {
    let mut out = String::new();
    for (index, block) in blocks.iter().enumerate() {
        let number = index + 1;
        out.push_str(&format!(
            "===STDERR:trace{number}.txt:START===\n{block}===STDERR:trace{number}.txt:END===\n"
        ));
    }
    out
}

/// The view of one run.
pub fn write(trace: &Trace, phrase: &Phrase, out: &mut impl Write) -> io::Result<()> {
    let run = Run { trace, stdin: b"" };
    match example(&[run], &Options::new(phrase)) {
        Ok(example) => write!(out, "{}\n{}", example.prompt(), example.answer()),
        Err(why) => Err(io::Error::other(why.to_string())),
    }
}
