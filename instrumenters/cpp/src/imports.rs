//! What C++'s imports look like, as data.

use tracer_instrument::Imports;
use tracer_lang_c::imports as c;

/// C's, with the headers of both libraries; `standard.txt` says how it was made.
pub(crate) const IMPORTS: Imports = Imports {
    standard: include_str!("../standard.txt"),
    ..c::IMPORTS
};
