//! Where programs and examples ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::GenerateError;

/// Things that came in, by where they ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Came in.
    pub input: u64,
    /// Kept.
    pub ok: u64,
    /// Not kept, by reason.
    pub rejected: BTreeMap<String, u64>,
}

impl Counts {
    pub(crate) fn keep(&mut self, count: u64) {
        self.input += count;
        self.ok += count;
    }

    pub(crate) fn reject(&mut self, reason: &str, count: u64) {
        if count > 0 {
            self.input += count;
            *self.rejected.entry(reason.into()).or_default() += count;
        }
    }

    fn sums(&self) -> bool {
        self.input == self.ok + self.rejected.values().sum::<u64>()
    }
}

/// The counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounting {
    /// Programs that were run.
    pub programs: Counts,
    /// Examples that were thought of.
    pub examples: Counts,
    /// Examples kept, by task.
    pub tasks: BTreeMap<String, u64>,
    /// Programs and examples by language.
    pub languages: BTreeMap<String, (Counts, Counts)>,
}

impl Accounting {
    /// Every row and question is in one place, and the rows are those that came in.
    pub(crate) fn check(&self, rows: u64) -> Result<(), GenerateError> {
        let parts = self.languages.values();
        let all = parts.flat_map(|(programs, examples)| [programs, examples]);
        if self.programs.input != rows {
            let said = format!("{} of {rows} programs", self.programs.input);
            return Err(GenerateError::Sums(said));
        }
        match all
            .chain([&self.programs, &self.examples])
            .find(|counts| !counts.sums())
        {
            Some(counts) => Err(GenerateError::Sums(format!("{counts:?}"))),
            None => Ok(()),
        }
    }
}
