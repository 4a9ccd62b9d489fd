//! What a worker says of one attack, and whether that is as it should be.

use serde::{Deserialize, Serialize};

use crate::case::{Case, Mode};

/// One attack's result, printed by the worker as one line of JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// How the run ended, in the words of the headers.
    pub verdict: String,
    /// Whether what shows success was seen.
    pub succeeded: bool,
    /// The next run on the same worker: empty if it was clean.
    pub next: String,
    /// What was left after 100 ms of the runner's processor time.
    pub left: Vec<String>,
    /// Milliseconds from the end until nothing was left, or until that was given up.
    pub gone_milliseconds: u64,
    /// Begin of the output, for messages.
    pub output: String,
    /// Milliseconds from start to result.
    pub milliseconds: u64,
}

/// Why the report is not the right one; `None` if it is.
pub fn judge(case: &Case, mode: Mode, report: &Report) -> Option<String> {
    if mode == Mode::Bwrap {
        return None;
    }
    if mode == Mode::Open {
        return (!report.succeeded).then(|| {
            format!(
                "without {} it does not succeed, so that the case proves nothing: {report:#?}",
                case.wall_names.join(", ")
            )
        });
    }
    let verdicts = match mode {
        Mode::User => &case.user_verdicts,
        Mode::Wasm => &case.module_verdicts,
        _ => &case.verdicts,
    };
    let right = verdicts.iter().any(|verdict| {
        report.verdict == *verdict || report.verdict.starts_with(&format!("{verdict} "))
    });
    if report.succeeded {
        Some(format!("the attack succeeded: {report:#?}"))
    } else if !right {
        Some(format!("not the verdict {verdicts:?}: {report:#?}"))
    } else if !report.next.is_empty() {
        Some(format!("the next run was not clean: {report:#?}"))
    } else if !report.left.is_empty() {
        Some(format!("something was left: {report:#?}"))
    } else {
        None
    }
}
