//! Bash: how a reader prints a line on stderr.

use tracer_model::{Hole, Phrase, Printable};

/// As a reader would write it.
pub(crate) const PHRASE: Phrase = Phrase {
    open: r#"echo ""#,
    text_end: r#"""#,
    close: " >&2",
    escapes: &[(r"\", r"\\"), (r#"""#, r#"\""#), ("$", r"\$"), ("`", r"\`")],
    printable: &[Printable::Int, Printable::String],
    holes: &[Hole {
        types: &[],
        text: "${@}",
        argument: "",
    }],
    headers: &[],
    headers_after: "",
    bare_bodies: false,
    run: "bash {}",
};
