//! Why a row was not kept: one fixed list, in the order of the gates.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $about:literal;)*) => {
        /// Why a row was not kept. The order is that of the gates.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// All of them, in the order of the gates.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in files and tables.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it means, for the dataset card.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about,)*
                }
            }
        }
    };
}

impl Reason {
    /// Whether it is what the file lacks around it: no other way to run it helps.
    pub(crate) fn is_of_surroundings(self) -> bool {
        matches!(self, Self::Toolchain | Self::Library | Self::Project)
    }
}

reasons! {
    /// There is no text in the row.
    Unreadable = "unreadable", "the row has no text, or the file cannot be read as one";
    /// Not one of the languages.
    Language = "language", "not one of the languages that are traced";
    /// More text than is worth running.
    TooLarge = "too_large", "longer than the limit on source files";
    /// The grammar cannot read it.
    Parse = "parse", "the language's grammar reads nothing of it that could report";
    /// The rewriter refuses it.
    Instrument = "instrument", "cannot be instrumented, or has nothing to report";
    /// The rewritten text is worse than the original.
    Reparse = "reparse", "the instrumented text has syntax errors that the original has not";
    /// Nothing here runs it.
    Toolchain = "toolchain", "no toolchain for it on this machine";
    /// A library is missing.
    Library = "library", "needs a library that is not there";
    /// A file of the project is missing.
    Project = "project", "needs another file of its project";
    /// It does not compile.
    Build = "build", "the original does not build";
    /// The original takes too long.
    Timeout = "timeout", "the original does not end in time";
    /// The original uses too much.
    Limit = "limit", "the original uses more memory, processes, disk or output than it may";
    /// The traced run is not the original's.
    Differs = "differs", "the traced program did not do what the original did";
    /// The stream was closed, forged or written over.
    TraceInvalid = "trace_invalid", "the program broke its own trace";
    /// No two runs agree.
    Nondeterministic = "nondeterministic", "runs differ, even in a fixed environment";
    /// It ends before it begins.
    FailsAtStart = "fails_at_start", "ends with an error before anything of it is reported: bad syntax, or it wants other input";
    /// Too little happens.
    Uninformative = "uninformative", "too few events, too few kinds, or one kind drowns the others";
    /// The view does not fit.
    TooLong = "too_long", "the example does not fit the token budget";
    /// The same text as another.
    Duplicate = "duplicate", "the same source as a kept row";
    /// Nearly the same text as another.
    SimilarSource = "similar_source", "nearly the same source as a kept row";
    /// It does nearly what another does.
    SimilarTrace = "similar_trace", "nearly the same trace as a kept row";
    /// In a benchmark.
    Benchmark = "benchmark", "shares 13 words in a row with a benchmark";
    /// It took longer than any file may.
    Stuck = "stuck", "handling it took longer than one file may take";
    /// Tracer failed.
    Failed = "failed", "tracer itself failed on it";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_serde_writes() {
        for reason in Reason::ALL {
            let written = serde_json::to_value(reason).expect("a name");
            assert_eq!(written, reason.name());
        }
    }
}
