//! C: how a reader prints a line on stderr.

use tracer_model::{Hole, Phrase, Printable};

/// As a reader would write it.
pub(crate) const PHRASE: Phrase = Phrase {
    open: r#"fprintf(stderr, ""#,
    text_end: r#"\n""#,
    close: ");",
    escapes: &[(r"\", r"\\"), (r#"""#, r#"\""#), ("%", "%%")],
    printable: &[Printable::Int],
    holes: &[
        Hole {
            types: &[
                "int",
                "short",
                "signed char",
                "int32_t",
                "int16_t",
                "int8_t",
                "bool",
                "_Bool",
            ],
            text: "%d",
            argument: ", @",
        },
        Hole {
            types: &[
                "unsigned int",
                "unsigned",
                "unsigned short",
                "unsigned char",
                "uint32_t",
                "uint16_t",
                "uint8_t",
            ],
            text: "%u",
            argument: ", @",
        },
        Hole {
            types: &["long", "long int", "ssize_t", "int64_t", "ptrdiff_t"],
            text: "%ld",
            argument: ", @",
        },
        Hole {
            types: &["unsigned long", "size_t", "uint64_t"],
            text: "%lu",
            argument: ", @",
        },
        Hole {
            types: &["long long"],
            text: "%lld",
            argument: ", @",
        },
        Hole {
            types: &["unsigned long long"],
            text: "%llu",
            argument: ", @",
        },
        Hole {
            types: &["float", "double"],
            text: "%g",
            argument: ", @",
        },
    ],
    headers: &[("<stdio.h>", "#include <stdio.h>")],
    headers_after: "",
    bare_bodies: true,
    run: "gcc -o program {} -lm && ./program",
};
