//! Writes: assignments of every form, and builtins that set variables.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::{blocks, caution, words};

/// What is to be said behind a statement.
pub(crate) struct Report {
    pub(crate) site: u32,
    pub(crate) call: String,
}

/// A name, element or array that was written.
struct Target {
    /// As written in the source.
    label: String,
    /// Text that gives its value; `None` if the emitter must look it up by name.
    value: Option<String>,
}

/// The report of the assignments of a statement whose name stands on a later line.
pub(crate) fn before_torn<'a>(r: &mut Rewriter<'a>, command: Node<'a>) -> Vec<Report> {
    let all = assignments(command);
    let targets = targets(r, &all, false);
    one(r, command, targets)
}

/// The reports of a statement of a block.
pub(crate) fn reports<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> Vec<Report> {
    match node.kind() {
        "variable_assignment" => one(r, node, targets(r, &[node], false)),
        "variable_assignments" => {
            let all = assignments(node);
            one(r, node, targets(r, &all, false))
        }
        "declaration_command" => {
            let mut cursor = node.walk();
            // The value of a reference is another variable's.
            let refers = node.children(&mut cursor).any(|child| {
                let text = r.text(child);
                child.kind() == "word"
                    && text.starts_with('-')
                    && text.contains(['n', 'f', 'F', 'p'])
            });
            if refers {
                return Vec::new();
            }
            let all = assignments(node);
            one(r, node, targets(r, &all, true))
        }
        "command" => one(r, node, builtin(r, node)),
        "redirected_statement" => match node.child_by_field_name("body") {
            Some(body) if matches!(body.kind(), "command" | "declaration_command") => {
                reports(r, body)
            }
            _ => Vec::new(),
        },
        "compound_statement" if is_arithmetic(node) => {
            let targets = arithmetic(&r.text(node));
            one(r, node, targets)
        }
        "unset_command" => one(r, node, unset(r, node)),
        _ => Vec::new(),
    }
}

/// An assignment that is an operand of `&&` or `||`. With a command substitution it can fail, and
/// whether that counts hangs on its place.
pub(crate) fn in_list<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let fits = matches!(node.kind(), "variable_assignment" | "variable_assignments");
    if !fits
        || !r.wants(Detail::State)
        || blocks::in_backquotes(r, node)
        || !words::is_pure(r, node)
    {
        return;
    }
    for report in reports(r, node) {
        blocks::behind_operand(r, node, &report.call);
    }
}

/// One site for all targets.
fn one<'a>(r: &mut Rewriter<'a>, node: Node<'a>, targets: Vec<Target>) -> Vec<Report> {
    let caution = caution::of(r);
    let targets: Vec<Target> = targets
        .into_iter()
        .filter(|target| !caution.references.contains(base(&target.label)))
        .filter(|target| words::is_plain_variable(base(&target.label)))
        .collect();
    if targets.is_empty() {
        return Vec::new();
    }
    let site = r.site(Kind::Var, node);
    let labels: Vec<String> = targets.iter().map(|target| target.label.clone()).collect();
    r.set_names(site, labels);
    // What runs nothing succeeds, or was refused.
    let runs = node.kind() == "compound_statement" || !words::is_pure(r, node);
    let guarded =
        outlives_failure(r, node) && targets.iter().any(|target| is_computed(&target.label));
    let call = match &targets[..] {
        [
            Target {
                label,
                value: Some(value),
            },
        ] if !(guarded && runs) => {
            let probe = if runs { "_tr_v" } else { "_tr_u" };
            if guarded {
                format!("{probe} {site} \"${{_tr_no[$?]-${{{label}-}}}}\"")
            } else {
                format!("{probe} {site} {value}")
            }
        }
        _ => {
            let mut names: Vec<String> = targets
                .iter()
                .map(|target| words::quoted(&target.label))
                .collect();
            if guarded {
                names[0] = format!("\"${{_tr_no[$?]-{}}}\"", escaped(&targets[0].label));
            }
            format!("_tr_w {site} {}", names.join(" "))
        }
    };
    vec![Report { site, call }]
}

/// Whether a probe behind a statement is reached though an index in it could not be computed: bash
/// then drops the whole command that it was reading, and goes on with the next one of the script.
fn outlives_failure<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let mut around = r.parent(node);
    while let Some(parent) = around.filter(|parent| parent.kind() == "redirected_statement") {
        around = r.parent(parent);
    }
    around.is_some_and(|parent| parent.kind() == "program")
}

/// Whether an element's index can fail to be computed.
fn is_computed(label: &str) -> bool {
    label.split_once('[').is_some_and(|(_, index)| {
        !index
            .trim_end_matches(']')
            .bytes()
            .all(|b| b.is_ascii_digit())
    })
}

/// For use between double quotes.
fn escaped(label: &str) -> String {
    let special = |c: char| matches!(c, '"' | '\\' | '$' | '`' | '}');
    label
        .chars()
        .flat_map(|c| special(c).then_some('\\').into_iter().chain([c]))
        .collect()
}

/// The name that an element belongs to.
fn base(label: &str) -> &str {
    label.split('[').next().unwrap_or(label)
}

pub(crate) fn assignments(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| child.kind() == "variable_assignment")
        .collect()
}

fn targets<'a>(r: &Rewriter<'a>, assignments: &[Node<'a>], declared: bool) -> Vec<Target> {
    let mut targets = Vec::new();
    for assignment in assignments {
        let Some(name) = assignment.child_by_field_name("name") else {
            continue;
        };
        let array = assignment
            .child_by_field_name("value")
            .is_some_and(|value| value.kind() == "array");
        let label = r.text(name).into_owned();
        if name.kind() == "subscript" {
            // An index that counts would count twice.
            if !words::is_pure(r, name) || label.contains(['\n', '\'']) {
                continue;
            }
            let value = Some(format!("\"${{{label}-}}\""));
            targets.push(Target { label, value });
            continue;
        }
        let value = (!array && !declared).then(|| format!("\"${{{label}-}}\""));
        targets.push(Target { label, value });
    }
    targets
}

/// Names that a builtin sets.
fn builtin<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Vec<Target> {
    let Some(name) = node.child_by_field_name("name") else {
        return Vec::new();
    };
    let mut cursor = node.walk();
    let words: Vec<String> = node
        .children_by_field_name("argument", &mut cursor)
        .map(|word| r.text(word).into_owned())
        .collect();
    let names: Vec<String> = match &*r.text(name) {
        "read" => read_names(&words),
        "mapfile" | "readarray" => match behind_options(&words, "dnOsuCc").last() {
            Some(name) => vec![name.clone()],
            None => vec!["MAPFILE".to_owned()],
        },
        "printf" => match &words[..] {
            [option, name, ..] if option == "-v" => vec![name.clone()],
            _ => Vec::new(),
        },
        "getopts" => words.get(1).cloned().into_iter().collect(),
        "let" => {
            return words
                .iter()
                .flat_map(|word| arithmetic(word.trim_matches(['"', '\''])))
                .collect();
        }
        _ => Vec::new(),
    };
    names
        .into_iter()
        .filter(|name| is_name(name))
        .map(|label| Target { label, value: None })
        .collect()
}

/// The names that `read` with these words sets.
pub(crate) fn read_names(words: &[String]) -> Vec<String> {
    if let Some(at) = words
        .iter()
        .position(|word| word.starts_with('-') && word.ends_with('a') && !word.starts_with("--"))
    {
        return words.get(at + 1).cloned().into_iter().collect();
    }
    let names = behind_options(words, "dinNptu");
    if names.is_empty() {
        vec!["REPLY".to_owned()]
    } else {
        names.to_vec()
    }
}

/// The words behind the options, of which those in `with` take an argument.
fn behind_options<'w>(words: &'w [String], with: &str) -> &'w [String] {
    let mut at = 0;
    while let Some(option) = words.get(at).and_then(|word| word.strip_prefix('-')) {
        at += 1;
        if option == "-" {
            break;
        }
        if option.ends_with(|last: char| with.contains(last)) {
            at += 1;
        }
    }
    words.get(at..).unwrap_or(&[])
}

fn unset<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Vec<Target> {
    let mut cursor = node.walk();
    let mut targets = Vec::new();
    for child in node.named_children(&mut cursor) {
        let label = r.text(child).into_owned();
        match child.kind() {
            "variable_name" => targets.push(Target { label, value: None }),
            "word" if label == "-v" => {}
            _ => return Vec::new(),
        }
    }
    targets
}

/// Whether a node is `(( … ))`.
pub(crate) fn is_arithmetic(node: Node<'_>) -> bool {
    node.child(0).is_some_and(|first| first.kind() == "((")
}

/// Names that an arithmetic expression assigns, each once.
pub(crate) fn assigned_names(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut names: Vec<String> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !(bytes[at].is_ascii_alphabetic() || bytes[at] == b'_') {
            at += if bytes[at].is_ascii_digit() {
                number(&bytes[at..])
            } else {
                1
            };
            continue;
        }
        let start = at;
        while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
            at += 1;
        }
        let name = &text[start..at];
        let before = text[..start].trim_end();
        let expanded = before.ends_with(['$', '{', '#']);
        let behind = text[at..].trim_start();
        let element = behind.starts_with('[');
        let writes = (behind.starts_with('=') && !behind.starts_with("=="))
            || behind.starts_with("++")
            || behind.starts_with("--")
            || ["+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="]
                .iter()
                .any(|operator| behind.starts_with(operator))
            || ((before.ends_with("++") || before.ends_with("--")) && !element);
        if writes && !expanded && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#')
        .count()
}

fn arithmetic(text: &str) -> Vec<Target> {
    assigned_names(text)
        .into_iter()
        .map(|label| Target {
            value: Some(format!("\"${{{label}-}}\"")),
            label,
        })
        .collect()
}

pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
