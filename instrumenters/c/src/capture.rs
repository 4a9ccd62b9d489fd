//! How a value of a known type is captured, and the descriptions of the file's own types.
//!
//! What the file does not tell is left to the compiler's `_Generic`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};

use crate::context::{FileFacts, inside_parentheses};
use crate::definition::outermost_definition;
use crate::types::{Definition, Type};

/// What a capture is part of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Into {
    /// A `VAR` record of its own.
    Var(u32),
    /// The record being written.
    Record,
}

/// How much is known to be safe to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The pointer only: what it points at has not been written yet.
    Pointer,
    /// Also text and records behind it; a single number may be one past an array's end.
    Objects,
    /// Whatever is behind it.
    All,
}

/// The description of a type of this name. It may stand in another file: see [`declare_used`].
fn reference(name: &str) -> String {
    let mangled: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("_tr_X_{mangled}")
}

/// The name by which a definition is described.
fn described_name(definition: &Definition) -> &str {
    definition.name.as_deref().unwrap_or_default()
}

/// A reference to a type's description from inside a function, which may come before it.
fn use_of(facts: &FileFacts, name: &str, at: usize) -> String {
    let reference = reference(name);
    facts.used.borrow_mut().push((at, reference.clone()));
    reference
}

fn literal(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    // `??` could start a trigraph.
    quoted.replace("??", "?\"\"?")
}

/// Whether a type's description is written into the file.
fn is_described(definition: &Definition) -> bool {
    definition.name.is_some()
        && !definition.local
        && !(definition.fields.is_empty() && definition.members.is_empty())
}

/// The description of what a pointer points at; `0` if there is none.
fn target(facts: &FileFacts, type_: &Type, at: usize) -> String {
    let types = &facts.types;
    let type_ = types.settled(type_, at);
    match type_.resolved() {
        Type::Scalar(code, _) => format!("&_tr_T_{code}"),
        Type::Record(index) | Type::Enum(index) if is_described(&types.definitions[*index]) => {
            format!(
                "&{}",
                use_of(facts, described_name(&types.definitions[*index]), at)
            )
        }
        // Of another file, perhaps; at worst the description stays empty.
        Type::Unknown(name) if !name.is_empty() => format!("&{}", use_of(facts, name, at)),
        _ => "0".to_owned(),
    }
}

/// An expression that captures `expression`.
pub(crate) fn capture(
    rewriter: &mut Rewriter<'_>,
    into: Into,
    expression: &str,
    type_: Option<&(Type, bool)>,
    reach: Reach,
    at: usize,
) -> String {
    let probe = probe_of(rewriter, into, expression, type_, reach, at);
    match into {
        Into::Var(_) => FileFacts::of(rewriter).kept(probe),
        Into::Record => probe,
    }
}

fn probe_of(
    rewriter: &mut Rewriter<'_>,
    into: Into,
    expression: &str,
    type_: Option<&(Type, bool)>,
    reach: Reach,
    at: usize,
) -> String {
    let facts = FileFacts::of(rewriter);
    let types = &facts.types;
    let (prefix, site) = match into {
        Into::Var(site) => ("_tr_v", format!("{site}u,")),
        Into::Record => ("_tr_a", String::new()),
    };
    let settled = type_.map(|(type_, addressable)| (types.settled(type_, at), *addressable));
    if let Some((type_, addressable)) = &settled {
        match type_.resolved() {
            Type::Pointer(inner) => {
                let shown = match (reach, types.settled(inner, at).resolved()) {
                    (Reach::Pointer, _) => "0".to_owned(),
                    (Reach::Objects, Type::Scalar(code, _)) if *code != "c" => "0".to_owned(),
                    _ => target(&facts, inner, at),
                };
                let name = literal(&types.show(type_));
                return format!("{prefix}q({site}{expression},{name},{shown})");
            }
            Type::Record(index) if *addressable && is_described(&types.definitions[*index]) => {
                let description = use_of(&facts, described_name(&types.definitions[*index]), at);
                return format!("{prefix}r({site}&({expression}),&{description})");
            }
            Type::Enum(index) if is_described(&types.definitions[*index]) => {
                let description = use_of(&facts, described_name(&types.definitions[*index]), at);
                return format!("{prefix}e({site}{expression},&{description})");
            }
            Type::Unknown(name) if *addressable && !name.is_empty() => {
                let description = use_of(&facts, name, at);
                return format!("{prefix}u({site}{expression},&{description})");
            }
            Type::Array(..) if *addressable => {
                let description = describe(&facts, type_, expression, at);
                return format!("{prefix}r({site}&({expression}),{description})");
            }
            _ => {}
        }
    }
    format!("{prefix}({site}{expression})")
}

/// An expression for a type's description; `sample` is an expression of that type.
fn describe(facts: &FileFacts, type_: &Type, sample: &str, at: usize) -> String {
    let types = &facts.types;
    let settled = types.settled(type_, at);
    match settled.resolved() {
        Type::Pointer(inner) => {
            let name = literal(&types.show(&settled));
            let to = target(facts, inner, at);
            format!("&(const struct _tr_type){{{name},_tr_K_POINTER,sizeof(void*),0,{to}}}")
        }
        Type::Array(inner, size) => {
            if size.is_none() && sample.starts_with("((") {
                // A flexible array: its length is nowhere.
                return "0".to_owned();
            }
            let name = literal(&types.show(&settled));
            let element = describe(facts, inner, &format!("{sample}[0]"), at);
            format!(
                "&(const struct _tr_type){{{name},_tr_K_ARRAY,sizeof({sample}),\
                 sizeof({sample})/sizeof({sample}[0]),{element}}}"
            )
        }
        Type::Scalar(..) | Type::Record(_) | Type::Enum(_) => target(facts, &settled, at),
        Type::Unknown(name) if !name.is_empty() => {
            format!("_tr_D({sample},&{})", use_of(facts, name, at))
        }
        _ => format!("_tr_D({sample},0)"),
    }
}

/// Hook: a struct, union or enumeration with a body. Describes it and those inside it.
pub(crate) fn definition<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(place) = description_place(rewriter, node) else {
        return;
    };
    let facts = FileFacts::of(rewriter);
    let types = &facts.types;
    let mut text = String::new();
    for (index, definition) in types.definitions.iter().enumerate() {
        let inside = (node.start_byte()..node.end_byte()).contains(&definition.start);
        if !inside || !is_described(definition) {
            continue;
        }
        if definition.members.is_empty() {
            describe_record(&facts, index, place, &mut text);
        } else {
            describe_enum(definition, &mut text);
        }
    }
    if !text.is_empty() {
        rewriter.close_at(place, usize::MAX >> 40, text);
    }
}

/// Where the declaration that a specifier belongs to ends, if it stands at file level.
fn description_place<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<usize> {
    let parent = node.parent()?;
    let item = match parent.kind() {
        "declaration" | "type_definition" => parent,
        _ => node,
    };
    let outer = item.parent()?;
    let at_file_level = matches!(
        outer.kind(),
        "translation_unit" | "preproc_ifdef" | "preproc_if" | "preproc_else" | "declaration_list"
    );
    if !at_file_level
        || crate::definition::enclosing_body(rewriter, node).is_some()
        || item.has_error()
    {
        return None;
    }
    if item == node {
        let semicolon = node.next_sibling().filter(|next| next.kind() == ";")?;
        return Some(semicolon.end_byte());
    }
    Some(item.end_byte())
}

fn describe_record(facts: &FileFacts, index: usize, place: usize, text: &mut String) {
    let types = &facts.types;
    let definition = &types.definitions[index];
    let name = described_name(definition);
    let this = reference(name);
    let mut fields = String::new();
    let mut before = String::new();
    for (number, field) in definition.fields.iter().enumerate() {
        let sample = format!("((({name}*)0)->{})", field.name);
        let quoted = literal(&field.name);
        if field.bits {
            let kind = match field.type_.resolved() {
                Type::Scalar(code, _) => format!("&_tr_T_{code}"),
                Type::Enum(at) if is_described(&types.definitions[*at]) => {
                    format!("&{}", reference(described_name(&types.definitions[*at])))
                }
                _ => "&_tr_T_i".to_owned(),
            };
            let _ = write!(
                before,
                "static _tr_ll {this}_{number}(const void*_tr_p){{return((const {name}*)_tr_p)->{};}}",
                field.name
            );
            let _ = write!(fields, "{{{quoted},{kind},0,{this}_{number}}},");
            continue;
        }
        let described = describe(facts, &field.type_, &sample, place);
        // Whatever it refers to may be described further down, or not at all.
        let mut rest = described.as_str();
        while let Some(at) = rest.find("&_tr_X_") {
            let end = rest[at + 1..]
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .map_or(rest.len(), |length| at + 1 + length);
            let _ = write!(
                before,
                "static const struct _tr_type {};",
                &rest[at + 1..end]
            );
            rest = &rest[end..];
        }
        let _ = write!(
            fields,
            "{{{quoted},{described},(_tr_ul)&(({name}*)0)->{},0}},",
            field.name
        );
    }
    let kind = if definition.union {
        "_tr_K_UNION"
    } else {
        "_tr_K_STRUCT"
    };
    let _ = write!(
        text,
        "{before}static const struct _tr_field {this}_f[]={{{fields}}};"
    );
    for alias in names(definition) {
        let _ = write!(
            text,
            "static const struct _tr_type {}={{{},{kind},sizeof({name}),{},0,{this}_f}};",
            reference(alias),
            literal(alias),
            definition.fields.len(),
        );
    }
}

/// All names of a definition.
fn names(definition: &Definition) -> impl Iterator<Item = &str> {
    definition
        .name
        .iter()
        .chain(&definition.aliases)
        .map(String::as_str)
}

fn describe_enum(definition: &Definition, text: &mut String) {
    let name = described_name(definition);
    let this = reference(name);
    let mut members = String::new();
    for member in &definition.members {
        let _ = write!(members, "{{{},{member}}},", literal(member));
    }
    let _ = write!(
        text,
        "static const struct _tr_member {this}_m[]={{{members}}};"
    );
    for alias in names(definition) {
        let _ = write!(
            text,
            "static const struct _tr_type {}={{{},_tr_K_ENUM,sizeof({name}),{},0,0,{this}_m}};",
            reference(alias),
            literal(alias),
            definition.members.len(),
        );
    }
}

/// Called at the end: declares the descriptions that each function uses in front of it. One that is
/// defined nowhere, for a type of a system header, is then an empty one.
pub(crate) fn declare_used<'a>(rewriter: &mut Rewriter<'a>, root: Node<'a>) {
    let facts = FileFacts::of(rewriter);
    let mut used = facts.used.take();
    used.sort_unstable();
    let mut by_function: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (at, reference) in used {
        let Some(function) = root
            .descendant_for_byte_range(at, at)
            .and_then(|node| outermost_definition(rewriter, node))
        else {
            continue;
        };
        by_function.entry(function).or_default().insert(reference);
    }
    for (start, references) in by_function {
        let mut text = String::new();
        for reference in references {
            let _ = write!(text, "static const struct _tr_type {reference};");
        }
        rewriter.open_at(start, usize::MAX >> 40, text);
    }
}

/// How far behind a pointer one may look that was just set to `value`.
pub(crate) fn reach_of(rewriter: &Rewriter<'_>, value: Option<Node<'_>>) -> Reach {
    let Some(mut node) = value.map(inside_parentheses) else {
        return Reach::Objects;
    };
    while node.kind() == "cast_expression" {
        match node.child_by_field_name("value") {
            Some(inner) => node = inside_parentheses(inner),
            None => break,
        }
    }
    match node.kind() {
        "call_expression" => {
            let allocates = node
                .child_by_field_name("function")
                .is_some_and(|callee| rewriter.text(callee).to_ascii_lowercase().contains("alloc"));
            if allocates {
                Reach::Pointer
            } else {
                Reach::Objects
            }
        }
        "pointer_expression" => Reach::All,
        _ => Reach::Objects,
    }
}
