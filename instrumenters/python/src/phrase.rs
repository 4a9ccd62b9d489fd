//! Python: how a reader prints a line on stderr.

use tracer_model::{Hole, Phrase, Printable};

/// As a reader would write it.
pub(crate) const PHRASE: Phrase = Phrase {
    open: r#"print(f""#,
    text_end: r#"""#,
    close: ", file=sys.stderr)",
    escapes: &[(r"\", r"\\"), (r#"""#, r#"\""#), ("{", "{{"), ("}", "}}")],
    printable: &[
        Printable::Int,
        Printable::Bool,
        Printable::Float,
        Printable::String,
    ],
    holes: &[Hole {
        types: &[],
        text: "{@}",
        argument: "",
    }],
    headers: &[("import sys", "import sys")],
    headers_after: "",
    bare_bodies: false,
    run: "python3 {}",
};
