//! `BRANCH`: which way an `if`, `switch`, `?:`, `&&` or `||` went.
//!
//! Statements report inside their arms, so that conditions stay as they are: what is assigned or
//! constant in them keeps counting. Within expressions the condition's truth passes through.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::chains;
use crate::context::{bare, brace, enclosing_function, open_body, takes_statement};
use crate::facts::{self, Facts};

/// Most operands one branch tells.
const OPERANDS: usize = 2;

fn two_armed<'a>(r: &mut Rewriter<'a>, node: Node<'a>, condition: Node<'a>) -> u32 {
    let site = r.site(Kind::Branch, node);
    let text = r.label(bare(condition));
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = vec!["false".into(), "true".into()];
    site
}

/// Hook: `if`.
pub(crate) fn if_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(condition), Some(consequence)) = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("consequence"),
    ) else {
        return;
    };
    let alternative = node.child_by_field_name("alternative");
    brace(r, consequence);
    if let Some(alternative) = alternative {
        brace(r, alternative);
    }
    if !r.wants(Detail::Lines) {
        return;
    }
    let site = two_armed(r, node, condition);
    if chains::is_quiet(r, condition) {
        chains::absorb(r, node, site);
    }
    let operands = if r.wants(Detail::State) {
        operands(r, condition)
    } else {
        Vec::new()
    };
    let list: String = operands.iter().map(|name| format!(",{name}")).collect();
    r.set_names(site, operands);
    open_body(r, consequence, &format!("_tr.B({site},1{list});"));
    let first = chains::first_of(r, consequence);
    if !first.is_empty() {
        r.site_mut(site).chain.after_arm.push((1, first));
    }
    let Some(alternative) = alternative else {
        r.close(node, format!("else{{_tr.B({site},0{list});}}"));
        let next = chains::next_of(r, node);
        if !next.is_empty() {
            r.site_mut(site).chain.after_arm.push((0, next));
        }
        return;
    };
    open_body(r, alternative, &format!("_tr.B({site},0{list});"));
    let first = chains::first_of(r, alternative);
    if !first.is_empty() {
        r.site_mut(site).chain.after_arm.push((0, first));
    }
}

/// The locals that a condition compares, if nothing in it can change or hide them.
fn operands<'a>(r: &mut Rewriter<'a>, condition: Node<'a>) -> Vec<String> {
    let mut found = Vec::new();
    if !collect(r, condition, &mut found) {
        return Vec::new();
    }
    let mut seen = Vec::new();
    found.retain(|name| {
        let fresh = !seen.contains(name);
        seen.push(name.clone());
        fresh
    });
    found.truncate(OPERANDS);
    found
}

fn collect<'a>(r: &mut Rewriter<'a>, node: Node<'a>, found: &mut Vec<String>) -> bool {
    match node.kind() {
        "identifier" => {
            if facts::is_plain_local(r, node) {
                found.push(r.text(node).into_owned());
            }
            true
        }
        "binary_expression" => {
            let operator = node
                .child_by_field_name("operator")
                .map_or("", |node| node.kind());
            if matches!(operator, "&&" | "||" | "??") {
                return false;
            }
            let parts = ["left", "right"].map(|field| node.child_by_field_name(field));
            parts
                .into_iter()
                .flatten()
                .all(|part| collect(r, part, found))
        }
        "parenthesized_expression" | "prefix_unary_expression" => {
            if matches!(crate::context::operator_of(node), "++" | "--" | "&" | "*") {
                return false;
            }
            node.named_child(0)
                .is_some_and(|inner| collect(r, inner, found))
        }
        "integer_literal"
        | "real_literal"
        | "string_literal"
        | "boolean_literal"
        | "character_literal"
        | "null_literal"
        | "this"
        | "base"
        | "element_access_expression" => true,
        "member_access_expression" => node
            .child_by_field_name("expression")
            .is_some_and(|part| collect(r, part, &mut Vec::new())),
        _ => false,
    }
}

/// Hook: `switch`.
pub(crate) fn switch_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(value), Some(body)) = (
        node.child_by_field_name("value"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    if !r.wants(Detail::Lines) || enclosing_function(r, node).is_none() && !takes_statement(r, node)
    {
        return;
    }
    let mut cursor = body.walk();
    let sections: Vec<Node<'a>> = body
        .named_children(&mut cursor)
        .filter(|child| child.kind() == "switch_section")
        .collect();
    let site = r.site(Kind::Branch, node);
    let value = bare(value);
    let operand = (r.wants(Detail::State) && facts::is_plain_local(r, value))
        .then(|| r.text(value).into_owned());
    let mut arms = vec!["no case".to_owned()];
    let mut has_default = false;
    let facts = Facts::of(r);
    for section in &sections {
        let labels = labels_of(r, *section);
        has_default |= labels.iter().any(|label| label == "default");
        let arm = arms.len() as u32;
        arms.push(labels.join(", "));
        facts
            .sections
            .borrow_mut()
            .insert(section.id(), (site, arm, operand.clone()));
    }
    let text = r.label(value);
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = arms;
    entry.names = operand.clone().into_iter().collect();
    if !has_default && !body.has_error() {
        let list = operand.map_or_else(String::new, |name| format!(",{name}"));
        r.open_at(
            body.end_byte() - 1,
            0,
            format!("default:_tr.B({site},0{list});break;"),
        );
    }
}

/// The labels of a section as they are written.
fn labels_of(r: &Rewriter<'_>, section: Node<'_>) -> Vec<String> {
    let mut labels = Vec::new();
    let mut label = String::new();
    let mut cursor = section.walk();
    for child in section.children(&mut cursor) {
        match child.kind() {
            ":" => labels.push(std::mem::take(&mut label).trim().to_owned()),
            kind if crate::context::is_statement(kind) => break,
            _ => {
                label.push_str(&r.label(child));
                label.push(' ');
            }
        }
    }
    labels
}

/// Hook: a section of a switch.
pub(crate) fn section<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let known = Facts::of(r).sections.borrow().get(&node.id()).cloned();
    let Some((site, arm, operand)) = known else {
        return;
    };
    let mut cursor = node.walk();
    let first = node
        .named_children(&mut cursor)
        .find(|child| crate::context::is_statement(child.kind()));
    let Some(first) = first else { return };
    let list = operand.map_or_else(String::new, |name| format!(",{name}"));
    let extent = node.end_byte() - node.start_byte();
    r.open_at(
        first.start_byte(),
        extent,
        format!("_tr.B({site},{arm}{list});"),
    );
    if chains::has_step(r, first) {
        let step = r.site_of(Kind::Step, first, chains::STEP);
        r.site_mut(site).chain.after_arm.push((arm, vec![step]));
    }
}

/// Whether what a condition decides must stay visible to the compiler: names it declares or assigns,
/// constants.
fn is_delicate<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    if matches!(
        node.kind(),
        "declaration_pattern"
            | "recursive_pattern"
            | "var_pattern"
            | "is_pattern_expression"
            | "declaration_expression"
            | "assignment_expression"
            | "list_pattern"
    ) {
        return true;
    }
    if node.kind() == "argument" && crate::context::has_word(r, node, "out") {
        return true;
    }
    let mut cursor = node.walk();
    let children: Vec<Node<'a>> = node.named_children(&mut cursor).collect();
    children.into_iter().any(|child| is_delicate(r, child))
}

/// Whether a condition may be a constant, which the compiler works out.
fn may_be_constant<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let facts = Facts::of(r);
    match node.kind() {
        "identifier" => facts.constants.contains(&*r.text(node)) || !facts::is_local(r, node),
        "member_access_expression"
        | "integer_literal"
        | "real_literal"
        | "string_literal"
        | "boolean_literal"
        | "character_literal"
        | "null_literal"
        | "sizeof_expression" => true,
        "binary_expression"
        | "parenthesized_expression"
        | "prefix_unary_expression"
        | "conditional_expression"
        | "cast_expression" => {
            let mut cursor = node.walk();
            let children: Vec<Node<'a>> = node.named_children(&mut cursor).collect();
            children
                .into_iter()
                .all(|child| matches!(child.kind(), "predefined_type") || may_be_constant(r, child))
        }
        _ => false,
    }
}

fn within_expression<'a>(r: &mut Rewriter<'a>, node: Node<'a>, condition: Node<'a>) {
    if Facts::of(r).expression_trees
        || enclosing_function(r, node).is_none()
        || is_delicate(r, condition)
        || may_be_constant(r, condition)
    {
        return;
    }
    let site = two_armed(r, node, condition);
    r.wrap(condition, format!("_tr.T({site},"), ")");
}

/// Hook: `?:`.
pub(crate) fn ternary<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let Some(condition) = node.child_by_field_name("condition")
        && r.wants(Detail::Lines)
    {
        within_expression(r, node, condition);
    }
}

/// Hook: `&&` and `||`. The branch is whether the left operand is true.
pub(crate) fn logical<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let Some(left) = node.child_by_field_name("left")
        && r.wants(Detail::State)
    {
        within_expression(r, node, left);
    }
}
