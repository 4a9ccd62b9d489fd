//! What a row's program is run with: inputs found in its source, and a driver where it only defines.
//!
//! Finding them is `tracer-drive`'s matter. Here they become files and runs, and what does not work
//! is left out again.

use tracer_drive::{Driver, Input};
use tracer_languages::LanguageSpec;

use crate::example::Case;

/// The files of a program, and its runs.
pub(crate) struct Proposal {
    /// Names and contents, the file that is run first.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// What was added so that something of it runs.
    pub(crate) driver: Option<Driver>,
    /// At least one, best first.
    pub(crate) cases: Vec<Case>,
    /// Why there is no driver, where one was looked for.
    pub(crate) undriven: String,
}

/// Reads a file and says what to run it with. Without a driver, the last run is the file as it
/// stands: what is found may be worse than nothing.
pub(crate) fn propose(spec: &'static LanguageSpec, name: &str, text: &str) -> Proposal {
    let found = tracer_drive::propose(spec, name, text.as_bytes());
    if let Some(driver) = found.driver {
        return Proposal::driven(driver, text);
    }
    let mut proposal = Proposal {
        undriven: found.undriven,
        ..Proposal::plain(name, text)
    };
    let mut cases: Vec<Case> = found.inputs.into_iter().map(case).collect();
    // The files beside a program are there in all of its runs.
    let beside = cases.iter().map(|case| &case.files);
    let beside = beside.max_by_key(|files| files.len());
    let beside = beside.cloned().unwrap_or_default();
    if cases.last().is_none_or(Case::takes_something) {
        cases.extend(proposal.cases);
    }
    for case in &mut cases {
        case.files.clone_from(&beside);
    }
    proposal.cases = cases;
    proposal
}

impl Proposal {
    /// The file as it stands, without input.
    pub(crate) fn plain(name: &str, text: &str) -> Self {
        Self {
            files: vec![(name.to_owned(), text.as_bytes().to_vec())],
            driver: None,
            cases: vec![Case::default()],
            undriven: String::new(),
        }
    }

    fn driven(driver: Driver, text: &str) -> Self {
        Self {
            files: driver.files(text.as_bytes()),
            cases: driver.inputs().into_iter().map(case).collect(),
            driver: Some(driver),
            undriven: String::new(),
        }
    }

    /// Without the driver's calls on these lines of the file that runs; `None` if another line was
    /// refused, or no call is left.
    pub(crate) fn without(&self, text: &str, lines: &[u32]) -> Option<Self> {
        let driver = self.driver.as_ref()?;
        let driver = driver.without(text.as_bytes(), lines)?;
        Some(Self::driven(driver, text))
    }
}

impl Case {
    fn takes_something(&self) -> bool {
        !self.args.is_empty() || self.stdin.is_some() || !self.env.is_empty()
    }
}

fn case(input: Input) -> Case {
    Case {
        args: input.args,
        stdin: (!input.stdin.is_empty()).then_some(input.stdin),
        env: input.env,
        files: input.files,
        why: input.why,
    }
}
