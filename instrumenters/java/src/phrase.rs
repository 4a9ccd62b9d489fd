//! Java: how a reader prints a line on stderr.

use tracer_model::{Hole, Phrase, Printable};

/// As a reader would write it.
pub(crate) const PHRASE: Phrase = Phrase {
    open: r#"System.err.println(""#,
    text_end: r#"""#,
    close: ");",
    escapes: &[(r"\", r"\\"), (r#"""#, r#"\""#)],
    printable: &[Printable::Int, Printable::Bool, Printable::String],
    holes: &[Hole {
        types: &[],
        text: r#"" + @ + ""#,
        argument: "",
    }],
    headers: &[],
    headers_after: "",
    bare_bodies: true,
    run: "java {}",
};
