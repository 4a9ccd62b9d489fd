//! What is known of the whole file: its macros, functions and bit-fields, and the frames that
//! function bodies make.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};

use crate::functions::Frame;

/// What is known of the whole file.
#[derive(Default)]
pub(crate) struct FileFacts {
    /// Macros the file defines.
    macros: BTreeSet<String>,
    /// Functions the file defines or declares, by their last name.
    pub(crate) functions: BTreeSet<String>,
    /// Bit-fields, which no reference can be bound to.
    pub(crate) bit_fields: BTreeSet<String>,
    /// Frames by body.
    pub(crate) frames: RefCell<BTreeMap<usize, Option<Rc<Frame>>>>,
    /// The branch and arm of each label of a switch, by node.
    pub(crate) cases: RefCell<BTreeMap<usize, (u32, usize)>>,
    /// Whether output can be watched: the program does not ask for a stream's position.
    pub(crate) watch_output: bool,
    /// Operators that the program may have overloaded.
    pub(crate) own: Overloads,
}

/// Whether an overloaded operator of the program's may stand behind an expression.
#[derive(Default)]
pub(crate) struct Overloads {
    /// `[]`.
    pub(crate) subscripts: bool,
    /// `->` and `*`.
    pub(crate) arrows: bool,
    /// `&&` and `||`.
    pub(crate) logic: bool,
}

/// Names that look like calls but do not evaluate their operands, or not as a call does.
const NOT_CALLS: &[&str] = &[
    "assert",
    "static_assert",
    "typeof",
    "__typeof__",
    "typeid",
    "va_arg",
    "va_start",
    "va_end",
    "va_copy",
    "offsetof",
    "__builtin_offsetof",
    "__builtin_constant_p",
    "__builtin_choose_expr",
    "__attribute__",
    "defined",
    "asm",
    "__asm__",
    "noexcept",
    "decltype",
    "alignof",
];

/// Functions that ask for a stream's position, which watching would change.
const POSITIONS: &[&[u8]] = &[
    b"ftell",
    b"fgetpos",
    b"fseek",
    b"rewind(stdout",
    b"tellp",
    b"seekp",
];

impl FileFacts {
    pub(crate) fn of(rewriter: &mut Rewriter<'_>) -> Rc<Self> {
        rewriter.memo(|rewriter| {
            let has = |text: &[u8]| contains(rewriter.source, text);
            // A header of the program's own may define operators that this file only uses.
            let foreign = has(b"#include \"");
            let defines = |operator: &[u8]| foreign || has(operator);
            let mut facts = Self {
                watch_output: !(POSITIONS.iter().any(|name| has(name))
                    && (has(b"stdout") || has(b"cout") || has(b"stderr"))),
                own: Overloads {
                    subscripts: defines(b"operator[]") || defines(b"operator []"),
                    arrows: defines(b"operator->")
                        || defines(b"operator*")
                        || defines(b"operator *")
                        || defines(b"operator ->"),
                    logic: [
                        &b"operator&&"[..],
                        b"operator ||",
                        b"operator||",
                        b"operator &&",
                        b"<valarray>",
                    ]
                    .iter()
                    .any(|text| has(text)),
                },
                ..Self::default()
            };
            facts.collect(rewriter, rewriter.root());
            facts
        })
    }

    fn collect(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "preproc_function_def" | "preproc_def" => {
                    if let Some(name) = child.child_by_field_name("name") {
                        self.macros.insert(rewriter.text(name).into_owned());
                    }
                    continue;
                }
                "function_declarator" if !crate::steps::constructs(child) => {
                    if let Some(name) = child.child_by_field_name("declarator") {
                        let text = rewriter.text(name);
                        let last = text.rsplit("::").next().unwrap_or(&text);
                        self.functions.insert(last.trim().to_owned());
                    }
                }
                "field_declaration" => {
                    let mut parts = child.walk();
                    let has_bits = child
                        .named_children(&mut parts)
                        .any(|part| part.kind() == "bitfield_clause");
                    if has_bits {
                        let mut names = child.walk();
                        for name in child.children_by_field_name("declarator", &mut names) {
                            self.bit_fields.insert(rewriter.text(name).into_owned());
                        }
                    }
                }
                _ => {}
            }
            self.collect(rewriter, child);
        }
    }

    /// Whether a call of this name may be a macro whose operands must not be touched.
    pub(crate) fn may_be_macro(&self, name: &str) -> bool {
        self.macros.contains(name)
            || NOT_CALLS.contains(&name)
            || name.to_ascii_lowercase().contains("assert")
            || is_shouting(name)
    }
}

pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// `NAME`: by convention a macro or constant.
pub(crate) fn is_shouting(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_uppercase())
        && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Called at the end: a module's parts are built in an order that nothing here works out.
pub(crate) fn refuse_modules<'a>(rewriter: &mut Rewriter<'a>, _root: Node<'a>) {
    let source = String::from_utf8_lossy(rewriter.source);
    let found = source.lines().enumerate().find_map(|(number, line)| {
        let line = line.trim();
        let rest = line.strip_prefix("export ").unwrap_or(line);
        let names = |rest: &str| {
            let name = rest.trim_end_matches(';').trim();
            line.ends_with(';') && !name.is_empty() && !name.contains([' ', '=', '(', '*', '&'])
        };
        let declares = rest.strip_prefix("module ").is_some_and(names) || line == "module;";
        let imports = rest.strip_prefix("import ").is_some_and(names);
        (declares || imports).then(|| (line.to_owned(), number + 1))
    });
    if let Some((line, number)) = found {
        let line = line.chars().take(60).collect::<String>();
        rewriter.refuse(format!("it uses C++ modules (`{line}`, line {number})"));
    }
}

#[cfg(test)]
mod tests {
    use tracer_instrument::{Options, instrument};

    #[test]
    fn modules_are_refused_by_name() {
        for (source, refused) in [
            ("import std;\nint main() {}\n", true),
            ("export module shapes;\n", true),
            ("module;\n#include <cstdio>\n", true),
            ("int import = 3;\nint main() { return import; }\n", false),
            ("struct module {};\nmodule m = {};\n", false),
        ] {
            let done = instrument(&crate::SPEC, source.as_bytes(), &Options::default());
            assert_eq!(done.is_err(), refused, "{source}");
        }
    }
}
