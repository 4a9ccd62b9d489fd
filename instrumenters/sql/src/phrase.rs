//! SQL: how a reader prints a line on stderr.

use tracer_model::Phrase;

/// SQL has no stderr to print on.
pub(crate) const PHRASE: Phrase = Phrase::SILENT;
