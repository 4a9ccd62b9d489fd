//! Initialisers: fields with values, and blocks. Those of a class run in one frame, though they
//! stand apart; a block behind each field says what it was given.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, FunctionKind, Kind};

use crate::constants::{is_quiet, may_be_constant};
use crate::syntax::{has_modifier, parts};

const ROLE: &str = "initialiser";

fn members(body: Node<'_>) -> Vec<Node<'_>> {
    parts(body)
        .into_iter()
        .flat_map(|part| match part.kind() {
            "enum_body_declarations" => parts(part),
            _ => vec![part],
        })
        .collect()
}

/// The declarators of a field that are given a value when the class or object is made.
fn given<'a>(r: &mut Rewriter<'a>, field: Node<'a>) -> Vec<Node<'a>> {
    let fixed = has_modifier(field, "final");
    parts(field)
        .into_iter()
        .filter(|part| {
            let value = part.child_by_field_name("value");
            // A constant is no assignment, and must not make the class need an initialiser.
            part.kind() == "variable_declarator"
                && value.is_some_and(|value| !(fixed && may_be_constant(r, value)))
        })
        .collect()
}

/// The frames of a class's initialisers: one of the class, one of each object.
pub(crate) fn initialisers<'a>(r: &mut Rewriter<'a>, body: Node<'a>, class: &str) {
    if !matches!(body.kind(), "class_body" | "enum_body") {
        return;
    }
    let (mut fixed, mut own) = (Vec::new(), Vec::new());
    for member in members(body) {
        if r.is_broken(member) {
            continue;
        }
        match member.kind() {
            "static_initializer" => fixed.push(member),
            "block" => own.push(member),
            "field_declaration" if !given(r, member).is_empty() && r.wants(Detail::Lines) => {
                if has_modifier(member, "static") {
                    fixed.push(member);
                } else {
                    own.push(member);
                }
            }
            _ => {}
        }
    }
    frame(r, &fixed, "<clinit>", class, "static{");
    frame(r, &own, "<init>", class, "{");
}

fn frame<'a>(r: &mut Rewriter<'a>, run: &[Node<'a>], name: &str, class: &str, block: &str) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return;
    };
    let span = r.span(*first);
    let function = r.function_at(name, span, FunctionKind::Class);
    r.set_qualified(function, format!("{class}.{name}"));
    let site = r.site_at(Kind::In, function, span);
    let out = r.site_at(Kind::Out, function, span);
    for member in run {
        r.remember(*member, ROLE, function);
    }
    let extent = last.end_byte() - first.start_byte() + 1;
    r.open_at(
        first.start_byte(),
        extent,
        format!("{block}trc$.P.i({site});}}"),
    );
    r.close_at(
        last.end_byte(),
        extent,
        format!("{block}trc$.P.o({out});}}"),
    );
}

/// Hook: an initialiser block.
pub(crate) fn initialiser<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let Some(function) = r.recall(node, ROLE) {
        r.enter_again(node, function);
    }
}

/// Hook: a field's declaration.
pub(crate) fn field<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(function) = r.recall(node, ROLE) else {
        return;
    };
    r.enter_again(node, function);
    let values = given(r, node);
    let quiet = values.len() == 1
        && values[0]
            .child_by_field_name("value")
            .is_some_and(|value| is_quiet(r, value));
    let block = if has_modifier(node, "static") {
        "static{"
    } else {
        "{"
    };
    let step = r.site(Kind::Step, node);
    let told = quiet && r.wants(Detail::State);
    if !told {
        r.open(node, format!("{block}trc$.P.s({step});}}"));
    }
    if !r.wants(Detail::State) {
        return;
    }
    let mut text = String::from(block);
    for part in values {
        let Some(name) = part.child_by_field_name("name") else {
            continue;
        };
        let name = r.text(name).into_owned();
        let site = r.site(Kind::Var, part);
        text.push_str(&format!("trc$.V.v({site},{name});"));
        r.set_names(site, [name]);
        if told {
            r.site_mut(site).chain.before.push(step);
        }
    }
    text.push('}');
    r.close(node, text);
}
