//! C++: how a reader prints a line on stderr.

use tracer_model::{Hole, Phrase, Printable};

/// As a reader would write it.
pub(crate) const PHRASE: Phrase = Phrase {
    open: r#"std::cerr << ""#,
    text_end: r#"\n""#,
    close: ";",
    escapes: &[(r"\", r"\\"), (r#"""#, r#"\""#)],
    printable: &[Printable::Int, Printable::String],
    holes: &[Hole {
        types: &[],
        text: r#"" << @ << ""#,
        argument: "",
    }],
    headers: &[("<iostream>", "#include <iostream>")],
    headers_after: "",
    bare_bodies: true,
    run: "g++ -o program {} && ./program",
};
