//! Calls into libraries: `strings.Repeat("a", n)` where an import says whose `strings` is.
//!
//! The call stays as it is. An argument that has a type of its own passes through a probe where it is
//! evaluated; variables and constants are read beside it, as Go reads them when all calls among the
//! arguments are done. The result passes through a probe where it is certain how many there are.

use std::collections::BTreeMap;

use tracer_instrument::{LibraryNames, Node, Rewriter};
use tracer_model::Detail;

use crate::context::{self, inside_parentheses};
use crate::facts::Facts;
use crate::writes;

/// The standard library's functions; the file says how it was made.
const FUNCTIONS: &str = include_str!("../functions.txt");

/// What only prints is told by what it prints.
const PRINTING: &[&str] = &["fmt.Print", "fmt.Printf", "fmt.Println"];

/// What these take or give are addresses of code, which differ between builds.
const ADDRESSES: &[&str] = &[
    "runtime.Caller",
    "runtime.Callers",
    "runtime.CallersFrames",
    "runtime.FuncForPC",
];

/// Most results that are told.
const RESULTS: usize = 4;

/// Constants that are written again instead of being wrapped are at most this long.
const SHORT: usize = 160;

struct Names {
    libraries: LibraryNames,
    /// How many results the file's own functions give.
    functions: BTreeMap<String, usize>,
}

/// What is known of a function.
struct Callee {
    name: String,
    import: String,
    /// How many results it gives.
    results: Option<usize>,
    /// How it can be named as a value.
    value: String,
}

/// How many values are taken of a call.
enum Taken {
    /// As many as there are, and nothing is done with them.
    All,
    /// As many as there are, as the only argument of another call.
    Passed,
    Many(usize),
}

enum Means {
    /// Read beside the call, by this expression.
    Beside(String),
    /// Through a probe.
    Through,
}

struct Part<'a> {
    value: Node<'a>,
    label: String,
    means: Means,
}

/// Hook: a call.
pub(crate) fn call<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let Some(function) = node.child_by_field_name("function") else {
        return;
    };
    let root = function.child_by_field_name("operand");
    let Some(root) =
        root.filter(|root| function.kind() == "selector_expression" && root.kind() == "identifier")
    else {
        return;
    };
    let names = r.memo(names);
    let Some(callee) = callee(r, &names, node, root, function) else {
        return;
    };
    if let Err(why) = report(r, &names, node, &callee) {
        r.leave_call(why);
    }
}

/// The function of a library that is called, if it is one and no type.
fn callee<'a>(
    r: &mut Rewriter<'a>,
    names: &Names,
    node: Node<'a>,
    root: Node<'a>,
    function: Node<'a>,
) -> Option<Callee> {
    let field = r.text(function.child_by_field_name("field")?).into_owned();
    if let Some((_, import)) = names.libraries.get(&r.text(root))
        && is_standard(import)
    {
        // Else it is a conversion, or a variable that holds one of the program's functions.
        standard(import, &field)?;
    }
    let (name, import) = r.library_function(&names.libraries, root, function)?;
    if PRINTING.contains(&name.as_str()) {
        return None;
    }
    let known = standard(&import, &field);
    let is_generic = known.is_some_and(|(_, generic)| generic)
        || node.child_by_field_name("type_arguments").is_some();
    let value = if is_generic {
        "nil".to_owned()
    } else {
        r.text(function).split_whitespace().collect()
    };
    Some(Callee {
        name,
        import,
        results: known.map(|(count, _)| count),
        value,
    })
}

fn is_standard(import: &str) -> bool {
    let mut lines = FUNCTIONS.lines();
    lines.any(|line| line.split(' ').next() == Some(import))
}

/// How many results a function of the standard library gives, and whether it is generic.
fn standard(import: &str, name: &str) -> Option<(usize, bool)> {
    FUNCTIONS.lines().find_map(|line| {
        let mut words = line.split(' ');
        if words.next() != Some(import) {
            return None;
        }
        let count = words.next()?.parse().ok()?;
        let found = words.find(|word| word.trim_end_matches('*') == name)?;
        Some((count, found.ends_with('*')))
    })
}

fn report<'a>(
    r: &mut Rewriter<'a>,
    names: &Names,
    node: Node<'a>,
    callee: &Callee,
) -> Result<(), &'static str> {
    if !context::has_writer(r, node) {
        return Err("it stands outside of functions");
    }
    let (outer, parent) = around(r, node).ok_or("it stands outside of functions")?;
    match parent.kind() {
        "defer_statement" => return Err("it is deferred"),
        "go_statement" => return Err("it runs in a goroutine of its own"),
        _ => {}
    }
    if ADDRESSES.contains(&callee.name.as_str()) {
        return Err("it tells addresses");
    }
    let parts = argued(r, names, node, callee)?;
    let results = match (taken(r, outer, parent), callee.results) {
        (Taken::Many(count), _) => Some(count),
        (Taken::All | Taken::Passed, known) => known,
    };
    let results = results.filter(|count| (1..=RESULTS).contains(count));
    let through = |part: &Part<'_>| matches!(part.means, Means::Through);
    let beside = parts.iter().filter_map(|part| match &part.means {
        Means::Beside(text) => Some(text.as_str()),
        Means::Through => None,
    });
    let mut values = callee.value.clone();
    for text in beside {
        values.push(',');
        values.push_str(text);
    }
    let last = parts.iter().rposition(through);
    let before = match (last, results) {
        (None, None | Some(2..)) => {
            Some(statement(r, outer, parent).ok_or("there is no place in front of it to tell it")?)
        }
        _ => None,
    };
    let labels = parts.iter().map(|part| part.label.clone()).collect();
    let site = r.library_call(node, &callee.name, &callee.import, labels);
    let mut mask = 0_u32;
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| through(part)) {
        mask |= 1 << at;
        if Some(at) == last {
            r.wrap(
                part.value,
                format!("_tr.Pk(_trw,{site},{mask},"),
                format!(",{values})"),
            );
        } else {
            r.wrap(part.value, format!("_tr.P(_trw,{site},"), ")");
        }
    }
    let told = format!("_trw.K({site},{values})");
    if let Some(place) = before {
        r.open(place, format!("{told};"));
    }
    match results {
        Some(1) if last.is_none() => r.wrap(node, format!("_tr.Yk(_trw,{site},{told},"), ")"),
        Some(1) => r.wrap(node, format!("_tr.Y(_trw,{site},"), ")"),
        Some(count) => r.wrap(node, format!("_tr.Y{count}("), ")"),
        None => {}
    }
    Ok(())
}

/// A call with its parentheses, and what that stands in.
fn around<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<(Node<'a>, Node<'a>)> {
    let mut outer = node;
    loop {
        let parent = r.parent(outer)?;
        if parent.kind() != "parenthesized_expression" {
            return Some((outer, parent));
        }
        outer = parent;
    }
}

fn taken<'a>(r: &mut Rewriter<'a>, outer: Node<'a>, parent: Node<'a>) -> Taken {
    match parent.kind() {
        "expression_statement" => Taken::All,
        "argument_list" if r.children(parent).nodes.len() == 1 => Taken::Passed,
        "expression_list" if r.children(parent).nodes.len() == 1 => {
            let Some(statement) = r.parent(parent) else {
                return Taken::All;
            };
            let count = match statement.kind() {
                "short_var_declaration" | "assignment_statement" => {
                    let left = statement.child_by_field_name("left");
                    left.map_or(0, |left| r.children(left).nodes.len())
                }
                "var_spec" => {
                    let mut cursor = statement.walk();
                    statement
                        .children_by_field_name("name", &mut cursor)
                        .count()
                }
                "return_statement" => results_around(r, outer),
                _ => 1,
            };
            Taken::Many(count)
        }
        _ => Taken::Many(1),
    }
}

/// How many results the function around a node gives.
fn results_around<'a>(r: &Rewriter<'a>, node: Node<'a>) -> usize {
    let mut outer = r.parent(node);
    while let Some(function) = outer.filter(|outer| !context::is_function(outer.kind())) {
        outer = r.parent(function);
    }
    outer.map_or(0, results_of)
}

/// How many results a function gives.
fn results_of(function: Node<'_>) -> usize {
    let Some(result) = function.child_by_field_name("result") else {
        return 0;
    };
    if result.kind() != "parameter_list" {
        return 1;
    }
    let mut cursor = result.walk();
    let declared = result.named_children(&mut cursor);
    let each = declared.filter(|declared| declared.kind() == "parameter_declaration");
    each.map(|declared| {
        let mut cursor = declared.walk();
        let names = declared.children_by_field_name("name", &mut cursor);
        names.count().max(1)
    })
    .sum()
}

/// The statement in front of which a call can be told: one that does nothing before it.
fn statement<'a>(r: &mut Rewriter<'a>, outer: Node<'a>, parent: Node<'a>) -> Option<Node<'a>> {
    let mut statement = parent;
    if parent.kind() == "expression_list" {
        statement = r.parent(parent)?;
        if statement.kind() == "var_spec" {
            statement = r.parent(statement)?;
            if statement.named_child_count() != 1 {
                return None;
            }
            if statement.kind() == "var_spec_list" {
                statement = r.parent(statement)?;
            }
        }
        if let Some(left) = statement.child_by_field_name("left") {
            let targets = r.children(left);
            let mut targets = targets.nodes.iter();
            if statement.child_by_field_name("right") != Some(parent)
                || !targets.all(|target| target.kind() == "identifier")
            {
                return None;
            }
        }
    }
    if !matches!(
        statement.kind(),
        "expression_statement"
            | "short_var_declaration"
            | "assignment_statement"
            | "var_declaration"
            | "return_statement"
    ) {
        return None;
    }
    debug_assert!(outer.start_byte() >= statement.start_byte());
    // The header of a statement runs first of all.
    if let Some(around) = r.parent(statement)
        && around.child_by_field_name("initializer") == Some(statement)
        && matches!(
            around.kind(),
            "if_statement" | "expression_switch_statement" | "type_switch_statement"
        )
    {
        statement = around;
    }
    context::place(r, statement)
}

fn argued<'a>(
    r: &mut Rewriter<'a>,
    names: &Names,
    node: Node<'a>,
    callee: &Callee,
) -> Result<Vec<Part<'a>>, &'static str> {
    let Some(list) = node.child_by_field_name("arguments") else {
        return Err("its arguments cannot be read");
    };
    if list.has_error() {
        return Err("its arguments cannot be read");
    }
    let facts = Facts::of(r);
    let arguments = r.children(list).nodes.clone();
    let calls: Vec<bool> = arguments.iter().map(|one| writes::calls(r, *one)).collect();
    let mut parts = Vec::new();
    for (at, &argument) in arguments.iter().enumerate() {
        let spread = argument.kind() == "variadic_argument";
        let (value, label) = if spread {
            let value = argument.named_child(0);
            (value.ok_or("its arguments cannot be read")?, "...")
        } else {
            (argument, "")
        };
        if arguments.len() == 1 && !spread && gives_several(r, names, value, callee) {
            return Err("it takes several results at once");
        }
        let others_call = calls
            .iter()
            .enumerate()
            .any(|(other, &is)| is && other != at);
        let means = means(r, &facts, value, calls[at], others_call);
        parts.push(Part {
            value,
            label: label.to_owned(),
            means,
        });
    }
    tracer_instrument::argued(parts)
}

/// Whether the only argument of a call may be all results of another one.
fn gives_several(r: &mut Rewriter<'_>, names: &Names, value: Node<'_>, callee: &Callee) -> bool {
    let value = inside_parentheses(value);
    let Some(function) = value.child_by_field_name("function") else {
        return false;
    };
    let part = |field| function.child_by_field_name(field);
    let known = match (part("operand"), part("field")) {
        (None, _) => names.functions.get(&*r.text(function)).copied(),
        (Some(root), Some(field)) if root.kind() == "identifier" => {
            let import = names.libraries.get(&r.text(root));
            let import = import.map(|(_, import)| import);
            import
                .filter(|import| is_standard(import))
                .map(|import| standard(import, &r.text(field)).map_or(1, |(count, _)| count))
        }
        _ => None,
    };
    let asks_for_it = callee
        .name
        .rsplit('.')
        .next()
        .is_some_and(|name| name.starts_with("Must"));
    known.map_or(asks_for_it, |count| count != 1)
}

const UNKNOWN: &str = "_tr.Unknown";

fn means(
    r: &Rewriter<'_>,
    facts: &Facts,
    value: Node<'_>,
    calls: bool,
    others_call: bool,
) -> Means {
    if calls {
        return Means::Through;
    }
    let text = r.text(value);
    let is_string = matches!(
        value.kind(),
        "interpreted_string_literal" | "raw_string_literal"
    );
    if is_fixed(r, facts, value) || value.kind() == "identifier" {
        let is_short = text.len() <= SHORT && !text.contains('\n');
        return match (is_short, is_string) {
            (true, _) => Means::Beside(text.into_owned()),
            (false, true) => Means::Through,
            (false, false) => Means::Beside(UNKNOWN.to_owned()),
        };
    }
    let is_address = value.kind() == "unary_expression"
        && value
            .child(0)
            .is_some_and(|operator| operator.kind() == "&")
        && value
            .child(1)
            .is_some_and(|operand| operand.kind() == "identifier");
    let is_literal = value.kind() == "func_literal";
    // Go may read it before or after the calls, which may change it.
    let is_settled = is_address || is_literal || !others_call || is_own(r, facts, value);
    if is_settled && (is_literal || is_truth(value) || is_typed(r, facts, value)) {
        Means::Through
    } else {
        Means::Beside(UNKNOWN.to_owned())
    }
}

/// Whether an expression is made of literals and of what packages declare.
fn is_fixed(r: &Rewriter<'_>, facts: &Facts, node: Node<'_>) -> bool {
    match node.kind() {
        "int_literal"
        | "float_literal"
        | "imaginary_literal"
        | "rune_literal"
        | "interpreted_string_literal"
        | "raw_string_literal"
        | "true"
        | "false"
        | "nil" => true,
        "identifier" => !facts.is_variable(&r.text(node)),
        "selector_expression" => node.child_by_field_name("operand").is_some_and(|operand| {
            operand.kind() == "identifier" && !facts.is_variable(&r.text(operand))
        }),
        "unary_expression" => {
            let operator = node.child_by_field_name("operator");
            operator.is_some_and(|operator| matches!(operator.kind(), "-" | "+" | "^" | "!"))
                && node
                    .child_by_field_name("operand")
                    .is_some_and(|operand| is_fixed(r, facts, operand))
        }
        "binary_expression" => {
            let operator = node.child_by_field_name("operator");
            operator.is_some_and(|operator| {
                matches!(
                    operator.kind(),
                    "+" | "-" | "*" | "|" | "&" | "^" | "&^" | "<<" | ">>"
                )
            }) && ["left", "right"].iter().all(|side| {
                node.child_by_field_name(side)
                    .is_some_and(|side| is_fixed(r, facts, side))
            })
        }
        "parenthesized_expression" => is_fixed(r, facts, inside_parentheses(node)),
        _ => false,
    }
}

/// Whether no call can change what an expression names.
fn is_own(r: &Rewriter<'_>, facts: &Facts, node: Node<'_>) -> bool {
    if node.kind() == "identifier" {
        let name = r.text(node);
        return facts.is_own(&name) || !facts.is_variable(&name);
    }
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .all(|child| is_own(r, facts, child))
}

/// Whether an expression is a comparison, or made of such.
fn is_truth(node: Node<'_>) -> bool {
    let node = inside_parentheses(node);
    let operator = node
        .child_by_field_name("operator")
        .map_or("", |operator| operator.kind());
    node.kind() == "binary_expression"
        && matches!(
            operator,
            "==" | "!=" | "<" | "<=" | ">" | ">=" | "&&" | "||"
        )
        || node.kind() == "unary_expression" && operator == "!"
}

fn is_typed(r: &Rewriter<'_>, facts: &Facts, node: Node<'_>) -> bool {
    let part = |field| node.child_by_field_name(field);
    // A field of what another package declares is no constant.
    let is_inside = node.kind() == "selector_expression"
        && part("operand").is_some_and(|operand| operand.kind() == "selector_expression");
    is_inside || writes::is_typed(r, facts, node)
}

/// What the names of the file stand for.
fn names(r: &Rewriter<'_>) -> Names {
    let mut libraries = LibraryNames::default();
    let mut functions = BTreeMap::new();
    let mut others = Vec::new();
    let mut stack = vec![r.root()];
    let mut cursor = r.root().walk();
    while let Some(node) = stack.pop() {
        let mut inner = node.walk();
        let named = node.children_by_field_name("name", &mut inner);
        match node.kind() {
            "import_spec" => {
                import(r, node, &mut libraries, &mut others);
                continue;
            }
            "function_declaration" => {
                let name = named.map(|name| r.text(name).into_owned()).next();
                functions.extend(name.clone().map(|name| (name, results_of(node))));
                others.extend(name);
            }
            "var_spec"
            | "const_spec"
            | "type_spec"
            | "type_alias"
            | "parameter_declaration"
            | "variadic_parameter_declaration"
            | "type_parameter_declaration" => {
                others.extend(named.map(|name| r.text(name).into_owned()));
            }
            "short_var_declaration" | "range_clause" | "receive_statement" => {
                let left = node.child_by_field_name("left");
                let left = left.map(|left| context::identifiers(r, left));
                let left = left.into_iter().flatten();
                others.extend(left.map(|name| r.text(name).into_owned()));
            }
            "type_switch_statement" => {
                let alias = node.child_by_field_name("alias");
                let alias = alias.map(|alias| context::identifiers(r, alias));
                let alias = alias.into_iter().flatten();
                others.extend(alias.map(|name| r.text(name).into_owned()));
            }
            _ => {}
        }
        stack.extend(node.named_children(&mut cursor));
    }
    libraries.others(others);
    Names {
        libraries,
        functions,
    }
}

fn import(
    r: &Rewriter<'_>,
    spec: Node<'_>,
    libraries: &mut LibraryNames,
    others: &mut Vec<String>,
) {
    let Some(path) = spec.child_by_field_name("path") else {
        return;
    };
    let path = r.text(path).trim_matches(['"', '`']).to_owned();
    let name = spec.child_by_field_name("name");
    let bound = match name {
        Some(name) => vec![r.text(name).into_owned()],
        None => customary(&path),
    };
    // Their names are no functions.
    if matches!(path.as_str(), "C" | "unsafe") || !r.is_library(&path) {
        others.extend(bound);
        return;
    }
    for name in bound {
        if !matches!(name.as_str(), "_" | ".") {
            libraries.import(&name, &path, &path);
        }
    }
}

/// The names that a package at this path may have: only itself says it, and that is not here to read.
fn customary(path: &str) -> Vec<String> {
    let is_version = |part: &str| {
        part.strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut parts = path.rsplit('/');
    let mut last = parts.next().unwrap_or(path);
    if is_version(last) {
        last = parts.next().unwrap_or(last);
    }
    if let Some((name, version)) = last.rsplit_once('.')
        && (is_version(version) || version == "go")
    {
        last = name;
    }
    let mut names = vec![last];
    names.extend(last.strip_prefix("go-"));
    names.extend(last.strip_suffix("-go"));
    names.extend(last.rsplit_once('-').map(|(_, name)| name));
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_go_by_the_customary_names() {
        assert_eq!(customary("math/rand/v2"), ["rand"]);
        assert_eq!(customary("gopkg.in/yaml.v3"), ["yaml"]);
        assert_eq!(customary("github.com/mattn/go-isatty"), ["isatty"]);
        assert_eq!(customary("github.com/google/uuid"), ["uuid"]);
    }

    #[test]
    fn functions_are_told_from_types() {
        assert_eq!(standard("strconv", "Atoi"), Some((2, false)));
        assert_eq!(standard("slices", "Sort"), Some((0, true)));
        assert_eq!(standard("time", "Duration"), None);
    }
}
