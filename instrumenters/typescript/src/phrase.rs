//! TypeScript: how a reader prints a line on stderr.

use tracer_lang_javascript::phrase as javascript;
use tracer_model::Phrase;

/// As in JavaScript.
pub(crate) const PHRASE: Phrase = Phrase {
    run: "node --experimental-strip-types {}",
    ..javascript::PHRASE
};
