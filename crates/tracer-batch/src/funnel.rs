//! The yield funnel: how many rows came in, were kept, and were lost at which gate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BatchError, Reason};

/// Rows by where they ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that came in.
    pub input: u64,
    /// Rows kept.
    pub kept: u64,
    /// Of those kept, such as agree in a fixed environment only.
    pub pinned: u64,
    /// Rows not kept, by reason; every reason has its entry.
    pub rejected: BTreeMap<Reason, u64>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            input: 0,
            kept: 0,
            pinned: 0,
            rejected: Reason::ALL.iter().map(|reason| (*reason, 0)).collect(),
        }
    }
}

impl Counts {
    /// Share of the input that was kept, 0 to 1.
    pub fn share(&self) -> f64 {
        if self.input == 0 {
            return 0.0;
        }
        self.kept as f64 / self.input as f64
    }

    fn sum(&self) -> u64 {
        self.kept + self.rejected.values().sum::<u64>()
    }
}

/// The counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funnel {
    /// All rows.
    pub total: Counts,
    /// By language id; rows of no known language are under `unknown`.
    pub languages: BTreeMap<String, Counts>,
}

impl Funnel {
    fn both(&mut self, language: &str, add: impl Fn(&mut Counts)) {
        let id = if language.is_empty() {
            "unknown"
        } else {
            language
        };
        add(&mut self.total);
        add(self.languages.entry(id.to_owned()).or_default());
    }

    pub(crate) fn kept(&mut self, language: &str, pinned: bool) {
        self.both(language, |counts| {
            counts.input += 1;
            counts.kept += 1;
            counts.pinned += u64::from(pinned);
        });
    }

    pub(crate) fn rejected(&mut self, language: &str, reason: Reason) {
        self.both(language, |counts| {
            counts.input += 1;
            *counts.rejected.entry(reason).or_default() += 1;
        });
    }

    /// Whether every row ended in exactly one place.
    pub fn check(&self, rows: u64) -> Result<(), BatchError> {
        let by_language: u64 = self.languages.values().map(Counts::sum).sum();
        let wrong = self.total.input != rows
            || self.total.sum() != rows
            || by_language != rows
            || self.languages.values().any(|own| own.sum() != own.input);
        if wrong {
            return Err(BatchError::Sums(format!(
                "{rows} rows came in, {} were kept or rejected, {by_language} by language",
                self.total.sum()
            )));
        }
        Ok(())
    }
}
