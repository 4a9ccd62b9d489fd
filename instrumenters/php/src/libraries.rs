//! Calls into libraries: `Yaml::dump($x)`, `new Crawler($html)` and `f(1)` where a `use` says whose
//! they are.
//!
//! The call stays as it is, and its result passes through a probe. A variable among its arguments may
//! be taken by reference, and is read on its own; what no reference can be taken to passes through a
//! probe where it is evaluated.

use tracer_instrument::{LibraryNames, Node, Rewriter};
use tracer_model::Detail;

use crate::functions::{is_function_by_reference, returns_reference};
use crate::syntax::{enclosing_function, expression_child, is_plain};

/// Constants that are written again instead of being wrapped are at most this long.
const SHORT: usize = 64;

struct Names {
    classes: LibraryNames,
    functions: LibraryNames,
    /// Whether a function here gives references back, which would be lost in a probe.
    references: bool,
}

/// A call, or an object that is made.
pub(crate) fn call<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let callee = match node.kind() {
        "object_creation_expression" => expression_child(node),
        "scoped_call_expression" => node.child_by_field_name("scope"),
        _ => node.child_by_field_name("function"),
    };
    let Some(callee) = callee.filter(|name| matches!(name.kind(), "name" | "qualified_name"))
    else {
        return;
    };
    let text = r.text(callee).into_owned();
    let names = r.memo(names);
    let first = text.split('\\').next().unwrap_or_default().to_owned();
    // An imported function is called by its own name; `Sub\f()` begins with a namespace's.
    let plain_call = node.kind() == "function_call_expression" && callee.kind() == "name";
    let known = if plain_call {
        &names.functions
    } else {
        &names.classes
    };
    let Some((qualified, import)) = known.get(&first) else {
        if known.is_doubtful(&first) {
            r.leave_call("its name is bound more than once");
        }
        return;
    };
    let mut full = format!("{qualified}{}", &text[first.len()..]);
    if node.kind() == "scoped_call_expression" {
        match node.child_by_field_name("name") {
            Some(name) if name.kind() == "name" => {
                full.push_str("::");
                full.push_str(&r.text(name));
            }
            _ => return r.leave_call("its name is an expression"),
        }
    }
    let import = import.to_owned();
    match argued(r, node, names.references) {
        Ok(parts) => report(r, node, &full, &import, &parts),
        Err(why) => r.leave_call(why),
    }
}

/// How an argument's value is learnt.
enum Means {
    /// By an expression that runs nothing, evaluated beside the call.
    Read(String),
    /// By a probe around it.
    Passed,
}

struct Part<'a> {
    value: Node<'a>,
    label: String,
    means: Means,
}

fn argued<'a>(
    r: &mut Rewriter<'a>,
    node: Node<'a>,
    references: bool,
) -> Result<Vec<Part<'a>>, &'static str> {
    // A reference that a call gives back would be lost in a probe.
    let function = enclosing_function(r, node);
    let parent = r.parent(node);
    let is_bound = parent.is_some_and(|parent| match parent.kind() {
        "reference_assignment_expression" => true,
        "foreach_statement" => r.text(parent).contains('&'),
        "return_statement" | "yield_expression" | "arrow_function" => {
            is_function_by_reference(function)
        }
        _ => false,
    });
    if is_bound {
        return Err("its result may be bound by reference");
    }
    let mut cursor = node.walk();
    let list = node
        .named_children(&mut cursor)
        .find(|child| child.kind() == "arguments");
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let text = r.text(list).to_ascii_lowercase();
    if text.contains("yield") || text.contains("suspend") {
        return Err("its arguments may wait");
    }
    let mut parts = Vec::new();
    for argument in r.children(list).nodes.clone() {
        if argument.kind() != "argument" {
            return Err("it makes a function of it");
        }
        let name = argument.child_by_field_name("name");
        let mut label = name.map_or_else(String::new, |name| r.text(name).into_owned());
        let mut cursor = argument.walk();
        let value = argument
            .named_children(&mut cursor)
            .filter(|child| !child.is_extra() && Some(*child) != name)
            .last();
        let mut value = value.ok_or("its arguments cannot be read")?;
        if value.kind() == "variadic_unpacking" {
            "...".clone_into(&mut label);
            value = expression_child(value).ok_or("its arguments cannot be read")?;
        }
        let means = means(r, value, references)?;
        parts.push(Part {
            value,
            label,
            means,
        });
    }
    tracer_instrument::argued(parts)
}

fn means<'a>(r: &Rewriter<'a>, value: Node<'a>, references: bool) -> Result<Means, &'static str> {
    let text = r.text(value);
    Ok(match value.kind() {
        "variable_name" if is_plain(r, value) => Means::Read(format!("\\trc0_cv({text}??null)")),
        "variable_name" if text == "$this" => Means::Read("\\trc0_cv($this)".to_owned()),
        "integer" | "float" | "boolean" | "null" | "string"
            if text.len() <= SHORT && !text.contains(['\n', '\r']) =>
        {
            Means::Read(format!("\\trc0_cv({text})"))
        }
        // What a reference can be taken to.
        "variable_name"
        | "dynamic_variable_name"
        | "member_access_expression"
        | "nullsafe_member_access_expression"
        | "subscript_expression"
        | "scoped_property_access_expression" => match place(r, value) {
            Some(place) => Means::Read(format!("\\trc0_cp({place})")),
            None => Means::Read("\\trc0_cp()".to_owned()),
        },
        "parenthesized_expression" | "error_suppression_expression" if !is_certain(value) => {
            return Err("its arguments may be taken by reference");
        }
        kind if references && kind.ends_with("call_expression") => {
            return Err("its arguments may be taken by reference");
        }
        "throw_expression" => return Err("its arguments cannot be read"),
        _ => Means::Passed,
    })
}

/// Whether what stands in parentheses is no place that a reference could be taken to.
fn is_certain(value: Node<'_>) -> bool {
    let inner = crate::syntax::bare(value);
    matches!(
        inner.kind(),
        "binary_expression" | "conditional_expression" | "cast_expression" | "integer" | "string"
    )
}

/// The root of a place and its keys, as `trc0_at` takes them: read without running anything.
fn place(r: &Rewriter<'_>, node: Node<'_>) -> Option<String> {
    match node.kind() {
        "variable_name" if r.text(node) == "$this" => Some("$this".to_owned()),
        "variable_name" if is_plain(r, node) => Some(format!("{}??null", r.text(node))),
        "member_access_expression" => {
            let object = place(r, node.child_by_field_name("object")?)?;
            let name = node.child_by_field_name("name")?;
            (name.kind() == "name").then(|| format!("{object},\"\\0{}\"", r.text(name)))
        }
        "subscript_expression" => {
            let mut cursor = node.walk();
            let parts: Vec<_> = node
                .named_children(&mut cursor)
                .filter(|child| !child.is_extra())
                .collect();
            let [of, key] = parts[..] else { return None };
            let of = place(r, of)?;
            let text = r.text(key);
            let key = match key.kind() {
                "variable_name" if is_plain(r, key) => format!("{text}??null"),
                "integer" => text.into_owned(),
                // Numbers in quotes are numbers as keys.
                "string"
                    if text.len() <= SHORT
                        && !text.contains(['\n', '\r'])
                        && !text[1..].starts_with(|first: char| first.is_ascii_digit()) =>
                {
                    text.into_owned()
                }
                _ => return None,
            };
            Some(format!("{of},{key}"))
        }
        _ => None,
    }
}

fn report<'a>(
    r: &mut Rewriter<'a>,
    node: Node<'a>,
    callee: &str,
    import: &str,
    parts: &[Part<'a>],
) {
    let labels = parts.iter().map(|part| part.label.clone()).collect();
    let site = r.library_call(node, callee, import, labels);
    let passed = parts
        .iter()
        .filter(|part| matches!(part.means, Means::Passed));
    let mut passed: Vec<&Part<'a>> = passed.collect();
    let read = |keyed: bool| {
        let each = parts.iter().enumerate();
        let texts = each.filter_map(|(at, part)| match &part.means {
            Means::Read(text) if keyed => Some(format!("{at}=>{text}")),
            Means::Read(text) => Some(text.clone()),
            Means::Passed => None,
        });
        texts.collect::<Vec<_>>().join(",")
    };
    let Some(last) = passed.pop() else {
        let told = format!(
            "--\\Trc0::$f[{site}]<0?\\trc0_cb({site},[{}]):0",
            read(false)
        );
        r.wrap(node, format!("\\trc0_cr({told},"), ")");
        return;
    };
    for part in passed {
        wrap_argument(r, part, &format!("\\trc0_ck({site},"), ")");
    }
    let rest = format!(",\\Trc0::$f[{site}]>0?[]:[{}])", read(true));
    wrap_argument(r, last, &format!("\\trc0_ca({site},"), &rest);
    r.wrap(node, format!("\\trc0_cr(\\trc0_co({site}),"), ")");
}

/// What may be taken by reference with a notice, as a call's result may, stays so; what may not be
/// at all stays that, too.
fn wrap_argument<'a>(r: &mut Rewriter<'a>, part: &Part<'a>, before: &str, after: &str) {
    let kind = part.value.kind();
    let is_result = kind.ends_with("call_expression") && !makes_function(part.value)
        || kind.starts_with("include")
        || kind.starts_with("require")
        || kind == "object_creation_expression";
    if part.label == "..." || is_result {
        r.wrap(part.value, before, after);
    } else {
        r.wrap(part.value, format!("(1?{before}"), format!("{after}:0)"));
    }
}

/// Whether `f(...)` stands for the function.
fn makes_function(call: Node<'_>) -> bool {
    let list = call.child_by_field_name("arguments");
    list.and_then(expression_child)
        .is_some_and(|first| first.kind() == "variadic_placeholder")
}

/// What the names of the file stand for.
fn names(r: &Rewriter<'_>) -> Names {
    let mut names = Names {
        classes: LibraryNames::default(),
        functions: LibraryNames::default(),
        references: false,
    };
    let mut spaces = 0;
    let mut stack = vec![r.root()];
    let mut cursor = r.root().walk();
    while let Some(node) = stack.pop() {
        match node.kind() {
            "namespace_definition" => spaces += 1,
            "namespace_use_declaration" => import(r, node, &mut names),
            kind if crate::syntax::is_function(kind) => {
                names.references |= returns_reference(node);
            }
            _ => {}
        }
        stack.extend(node.named_children(&mut cursor));
    }
    // What one namespace imports means nothing in the next.
    if spaces > 1 {
        names.classes.all_other();
        names.functions.all_other();
    }
    names
}

fn import(r: &Rewriter<'_>, node: Node<'_>, names: &mut Names) {
    let mut cursor = node.walk();
    let parts: Vec<_> = node.named_children(&mut cursor).collect();
    let space = parts.iter().find(|part| part.kind() == "namespace_name");
    let space = space.map(|space| r.text(*space).into_owned());
    let group = node.child_by_field_name("body").unwrap_or(node);
    let kind_of = |node: Node<'_>| {
        let kind = node.child_by_field_name("type");
        kind.map(|kind| r.text(kind).to_ascii_lowercase())
    };
    let all = kind_of(node);
    let mut cursor = group.walk();
    for clause in group.named_children(&mut cursor) {
        if clause.kind() != "namespace_use_clause" {
            continue;
        }
        let Some(named) = expression_child(clause) else {
            continue;
        };
        let name = r.text(named);
        let name = name.trim_start_matches('\\');
        let (full, import) = match &space {
            Some(space) => (format!("{space}\\{name}"), space.clone()),
            None => (name.to_owned(), r.text(named).into_owned()),
        };
        let alias = clause.child_by_field_name("alias");
        let last = name.rsplit('\\').next().unwrap_or(name);
        let bound = alias.map_or_else(|| last.to_owned(), |alias| r.text(alias).into_owned());
        let known = match all.clone().or_else(|| kind_of(clause)).as_deref() {
            Some("function") => &mut names.functions,
            Some(_) => continue,
            None => &mut names.classes,
        };
        if r.is_library(&import) {
            known.import(&bound, &full, &import);
        } else {
            known.others([bound]);
        }
    }
}
