//! JavaScript: how a reader prints a line on stderr.

use tracer_model::{Hole, Phrase, Printable};

/// As a reader would write it.
pub const PHRASE: Phrase = Phrase {
    open: "console.error(`",
    text_end: "`",
    close: ");",
    escapes: &[(r"\", r"\\"), ("`", r"\`"), ("$", r"\$")],
    printable: &[
        Printable::Int,
        Printable::Bool,
        Printable::Float,
        Printable::String,
    ],
    holes: &[Hole {
        types: &[],
        text: "${@}",
        argument: "",
    }],
    headers: &[],
    headers_after: "",
    bare_bodies: true,
    run: "node {}",
};
