//! Words of commands: which can be expanded a second time, and how that is written on one line.

use tracer_instrument::{Node, Rewriter};

/// Longest text of a word that is repeated, bytes.
const LONGEST: usize = 2000;

/// Variables that give another value each time, or cost something to read.
const FLEETING: &[&str] = &[
    "RANDOM",
    "SRANDOM",
    "SECONDS",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "BASHPID",
    "HISTCMD",
    "BASH_COMMAND",
    "PIPESTATUS",
    // No number of a process reaches a trace.
    "$",
    "!",
    "PPID",
];

/// Whether writing a variable can be told by reading it.
pub(crate) fn is_plain_variable(name: &str) -> bool {
    let kept = [
        "_",
        "LINENO",
        "BASH_ARGV0",
        "FUNCNAME",
        "GROUPS",
        "DIRSTACK",
        "BASH_SOURCE",
    ];
    is_steady(name) && !kept.contains(&name)
}

/// Whether reading a variable once more gives the same.
pub(crate) fn is_steady(name: &str) -> bool {
    !FLEETING.contains(&name)
}

/// The same where the probe's messages are thrown away: an expansion that fails must fail in the
/// command itself.
pub(crate) fn again_silently<'a>(r: &Rewriter<'a>, word: Node<'a>) -> Option<String> {
    let text = again(r, word)?;
    match word.kind() {
        "word" | "number" | "raw_string" | "ansi_c_string" if !text.contains('$') => Some(text),
        "ansi_c_string" | "raw_string" => Some(text),
        "simple_expansion" => defaulted(r, word),
        "string" if !text.contains('\\') && !text.contains("_tr_nl") => {
            let mut cursor = word.walk();
            let mut parts = String::from("\"");
            let mut at = word.start_byte() + 1;
            for part in word.named_children(&mut cursor) {
                parts.push_str(&String::from_utf8_lossy(&r.source[at..part.start_byte()]));
                match part.kind() {
                    "string_content" => parts.push_str(&r.text(part)),
                    "simple_expansion" => parts.push_str(&defaulted(r, part)?),
                    _ => return None,
                }
                at = part.end_byte();
            }
            parts.push_str(&String::from_utf8_lossy(&r.source[at..word.end_byte()]));
            Some(parts)
        }
        _ => None,
    }
}

/// `${x-}` for `$x`: nothing, where it is unset.
fn defaulted(r: &Rewriter<'_>, expansion: Node<'_>) -> Option<String> {
    let text = r.text(expansion);
    let name = text.strip_prefix('$')?;
    name.chars()
        .all(|c| c.is_ascii_alphanumeric() || "_@*#?!-$".contains(c))
        .then(|| {
            if matches!(name, "#" | "?" | "!" | "-" | "$") {
                text.clone().into_owned()
            } else {
                format!("${{{name}-}}")
            }
        })
}

/// The text that expands to the same words again on one line; `None` if expanding it once more
/// could do or show anything.
pub(crate) fn again<'a>(r: &Rewriter<'a>, word: Node<'a>) -> Option<String> {
    let text = r.text(word);
    if text.len() > LONGEST || word.has_error() || text.contains('\u{fffd}') || text.contains('\0')
    {
        return None;
    }
    if !is_pure(r, word) || moves_lines(r, word, &text) {
        return None;
    }
    if !text.contains(['\n', '\r']) {
        return Some(text.into_owned());
    }
    one_line(word, &text)
}

/// On one line: newlines come from a variable of the emitter. `$'\n'` would be a line of its own where
/// bash reads the text of a substitution again.
fn one_line(word: Node<'_>, text: &str) -> Option<String> {
    match word.kind() {
        "raw_string" => {
            let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
            let inner = inner.replace('\n', "'\"$_tr_nl\"'");
            Some(format!("'{}'", inner.replace('\r', "'$'\\r''")))
        }
        // Expansions with quotes of their own do not reach over lines.
        "string" if !text.contains("${") => {
            let joined = text.replace("\\\n", "");
            Some(
                joined
                    .replace('\n', "${_tr_nl}")
                    .replace('\r', "\"$'\\r'\""),
            )
        }
        _ => None,
    }
}

/// Whether a word of a substitution holds newlines that are written `\n`.
fn moves_lines<'a>(r: &Rewriter<'a>, word: Node<'a>, text: &str) -> bool {
    let mut around = r.parent(word);
    while let Some(node) = around.filter(|_| text.contains("$'") && text.contains("\\n")) {
        if node.kind() == "command_substitution" {
            return true;
        }
        around = r.parent(node);
    }
    false
}

/// Whether expanding a node changes nothing, runs nothing, and gives the same each time.
pub(crate) fn is_pure(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    loop {
        let here = cursor.node();
        if !is_pure_itself(r, here) {
            return false;
        }
        if cursor.goto_first_child() {
            continue;
        }
        loop {
            if cursor.node().id() == node.id() {
                return true;
            }
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return true;
            }
        }
    }
}

fn is_pure_itself(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    match node.kind() {
        "command_substitution" | "process_substitution" | "ERROR" => false,
        "variable_name" | "special_variable_name" => is_steady(&r.text(node)),
        // A division by zero must fail where it stands.
        "arithmetic_expansion" => {
            let text = r.text(node);
            !assigns(&text)
                && !text.contains(['/', '%'])
                && !text.contains("**")
                && names_steady(&text)
        }
        // The tree may not show what is in it.
        "expansion" | "subscript" => {
            let text = r.text(node);
            !assigns(&text) && !text.contains('`') && names_steady(&text)
        }
        // What the grammar reads as plain text may still hold an expansion it did not understand.
        "word" | "string_content" | "regex" | "extglob_pattern" | "concatenation" => {
            let text = r.text(node);
            !text.contains('`') && (node.kind() == "concatenation" || !text.contains("$("))
        }
        _ => true,
    }
}

/// Whether every name in a text can be read again.
fn names_steady(text: &str) -> bool {
    !text.contains("$$")
        && !text.contains("$!")
        && text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .all(is_steady)
}

/// Whether an expansion's text may assign, fail on purpose, or transform a prompt.
fn assigns(text: &str) -> bool {
    let bytes = text.as_bytes();
    if text.contains("++") || text.contains("--") || text.contains('?') || text.contains("@P") {
        return true;
    }
    if text.contains("$(") && !text.starts_with("$((") {
        return true;
    }
    bytes.iter().enumerate().any(|(at, &byte)| {
        byte == b'='
            && bytes.get(at + 1) != Some(&b'=')
            && !matches!(
                at.checked_sub(1).map(|before| bytes[before]),
                Some(b'=' | b'!' | b'<' | b'>')
            )
            && !in_pattern(text, at)
    })
}

/// Whether an `=` belongs to the pattern or replacement of `${x#…}`, `${x%…}`, `${x/…/…}`.
fn in_pattern(text: &str, at: usize) -> bool {
    let head = text.strip_prefix("${").unwrap_or(text);
    let name_end = head
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(head.len());
    let operator = head[name_end..].chars().next();
    text.starts_with("${") && matches!(operator, Some('#' | '%' | '/')) && at > 2 + name_end
}

/// A single-quoted word.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    quoted.push_str(&text.replace('\'', "'\\''"));
    quoted.push('\'');
    quoted
}
