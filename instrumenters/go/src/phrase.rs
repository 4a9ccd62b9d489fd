//! Go: how a reader prints a line on stderr.

use tracer_model::{Hole, Phrase, Printable};

/// As a reader would write it.
pub(crate) const PHRASE: Phrase = Phrase {
    open: r#"fmt.Fprintf(os.Stderr, ""#,
    text_end: r#"\n""#,
    close: ")",
    escapes: &[(r"\", r"\\"), (r#"""#, r#"\""#), ("%", "%%")],
    printable: &[Printable::Int, Printable::Bool, Printable::String],
    holes: &[Hole {
        types: &[],
        text: "%v",
        argument: ", @",
    }],
    headers: &[
        (r#""fmt""#, r#"import "fmt""#),
        (r#""os""#, r#"import "os""#),
    ],
    headers_after: "package ",
    bare_bodies: false,
    run: "go run {}",
};
