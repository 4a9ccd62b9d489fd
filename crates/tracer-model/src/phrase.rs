//! How a reader of a language would print a line on stderr: the probes of the published form.
//!
//! Only words and templates: where a probe can stand is the view's business.

/// How a value of some type is written into a printed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Type names it serves, as the language prints them; empty for every type.
    pub types: &'static [&'static str],
    /// What stands in the text, `@` being the name.
    pub text: &'static str,
    /// What follows the text, `@` being the name; empty where the name is in the text.
    pub argument: &'static str,
}

/// Values whose printed form is the trace's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printable {
    /// Whole numbers.
    Int,
    /// Truth values.
    Bool,
    /// Floats.
    Float,
    /// Texts.
    String,
}

/// How a language prints a line, and is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phrase {
    /// Before the text. Empty: the language has no way to print on stderr.
    pub open: &'static str,
    /// After the text, before the arguments.
    pub text_end: &'static str,
    /// After the arguments.
    pub close: &'static str,
    /// Replacements inside the text, in order.
    pub escapes: &'static [(&'static str, &'static str)],
    /// Kinds of value that it prints as a trace writes them.
    pub printable: &'static [Printable],
    /// Values; the first that serves a type is used, and a type that none serves is not printed.
    pub holes: &'static [Hole],
    /// Lines that must stand once near the top: what shows that one is there, and the line.
    pub headers: &'static [(&'static str, &'static str)],
    /// The headers come after the first line that begins with this; empty for the top.
    pub headers_after: &'static str,
    /// Whether the body of a branch or loop may be a statement without brackets around it.
    pub bare_bodies: bool,
    /// Shell command that builds and runs `{}`.
    pub run: &'static str,
}

impl Phrase {
    /// A language that has no way to print on stderr.
    pub const SILENT: Self = Self {
        open: "",
        text_end: "",
        close: "",
        escapes: &[],
        printable: &[],
        holes: &[],
        headers: &[],
        headers_after: "",
        bare_bodies: false,
        run: "",
    };

    /// The hole for a type.
    pub fn hole(&self, type_name: &str) -> Option<&Hole> {
        self.holes
            .iter()
            .find(|hole| hole.types.is_empty() || hole.types.contains(&type_name))
    }
}
