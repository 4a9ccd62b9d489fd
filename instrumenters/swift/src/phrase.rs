//! Swift: how a reader prints a line on stderr.

use tracer_model::{Hole, Phrase, Printable};

/// As a reader would write it.
pub(crate) const PHRASE: Phrase = Phrase {
    open: r#"fputs(""#,
    text_end: r#"\n""#,
    close: ", stderr)",
    escapes: &[(r"\", r"\\"), (r#"""#, r#"\""#)],
    printable: &[
        Printable::Int,
        Printable::Bool,
        Printable::String,
        Printable::Float,
    ],
    holes: &[Hole {
        types: &[],
        text: r"\(@)",
        argument: "",
    }],
    headers: &[("import Foundation", "import Foundation")],
    headers_after: "",
    bare_bodies: false,
    run: "swiftc -o program {} && ./program",
};
