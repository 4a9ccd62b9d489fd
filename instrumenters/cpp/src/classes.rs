//! The program's own types: a friend at the end of each class names its fields, a function behind
//! each enumeration its members. Neither changes anything that the program can ask of the type.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::Detail;

use crate::functions::enclosing_body;

/// Whether a node stands in a block with C's linkage, where no template may.
fn has_c_linkage(node: Node<'_>) -> bool {
    let mut at = node.parent();
    while let Some(outer) = at {
        if outer.kind() == "linkage_specification" {
            return true;
        }
        at = outer.parent();
    }
    false
}

fn literal(name: &str) -> String {
    format!("\"{name}\"")
}

/// Hook: a class, struct, union or namespace with a body.
pub(crate) fn class<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let Some(name) = node.child_by_field_name("name") else {
        return;
    };
    let full = rewriter.label(name);
    rewriter.enter_class(body, &full);
    let known = matches!(node.kind(), "class_specifier" | "struct_specifier");
    if !known
        || !rewriter.wants(Detail::State)
        || enclosing_body(rewriter, node).is_some()
        || has_c_linkage(node)
    {
        return;
    }
    // Inside, a class is known by its bare name, whatever it was qualified or specialised with.
    let bare = full.split('<').next().unwrap_or(&full);
    let bare = bare.rsplit("::").next().unwrap_or(bare).trim().to_owned();
    let mut text = String::new();
    bases(rewriter, node, &mut text);
    if !fields(rewriter, body, &mut text) {
        return;
    }
    rewriter.open_at(
        body.end_byte() - 1,
        0,
        format!("template<class _tr_V>friend void _tr_f(_tr_V&_tr_v,const {bare}*_tr_o){{{text}}}"),
    );
}

fn bases<'a>(rewriter: &Rewriter<'a>, node: Node<'a>, text: &mut String) {
    let mut cursor = node.walk();
    let Some(clause) = node
        .named_children(&mut cursor)
        .find(|child| child.kind() == "base_class_clause")
    else {
        return;
    };
    let mut cursor = clause.walk();
    for base in clause.named_children(&mut cursor) {
        let is_type = matches!(
            base.kind(),
            "type_identifier" | "template_type" | "qualified_identifier"
        );
        // A pack has as many as it is given.
        let pack = rewriter.source[base.end_byte()..].starts_with(b"...");
        let name = rewriter.label(base);
        if is_type && !pack && !name.contains('"') {
            let typename = if base.kind() == "qualified_identifier" && name.contains('<') {
                "typename "
            } else {
                ""
            };
            let _ = write!(text, "_tr_v.base((const {typename}{name}*)_tr_o);");
        }
    }
}

/// Whether all of the body could be read. Writes a line for each field.
fn fields<'a>(rewriter: &Rewriter<'a>, body: Node<'a>, text: &mut String) -> bool {
    let mut cursor = body.walk();
    for child in body.named_children(&mut cursor) {
        if child.kind().starts_with("preproc_") && child.kind() != "preproc_call" {
            // Which fields there are is the preprocessor's to say.
            if !matches!(
                child.kind(),
                "preproc_def" | "preproc_function_def" | "preproc_include"
            ) {
                return false;
            }
            continue;
        }
        if child.kind() != "field_declaration" || child.has_error() {
            continue;
        }
        let mut parts = child.walk();
        let is_static = child.children(&mut parts).any(|part| {
            matches!(
                &*rewriter.text(part),
                "static" | "typedef" | "friend" | "using" | "extern"
            )
        });
        if is_static {
            continue;
        }
        let mut names = child.walk();
        for declarator in child.children_by_field_name("declarator", &mut names) {
            if let Some(name) = field_name(declarator) {
                let name = rewriter.text(name);
                let _ = write!(text, "_tr_v.field({},_tr_o->{name});", literal(&name));
            }
        }
    }
    true
}

/// The name of a field; `None` for a method's declaration.
fn field_name(declarator: Node<'_>) -> Option<Node<'_>> {
    match declarator.kind() {
        "field_identifier" => Some(declarator),
        "pointer_declarator" | "array_declarator" | "reference_declarator" => {
            let inner = declarator.child_by_field_name("declarator").or_else(|| {
                let mut cursor = declarator.walk();
                declarator.named_children(&mut cursor).last()
            })?;
            field_name(inner)
        }
        _ => None,
    }
}

/// Hook: an enumeration with a body.
pub(crate) fn enumeration<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(name), Some(body)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    let Some(parent) = node.parent() else { return };
    if !rewriter.wants(Detail::State) || enclosing_body(rewriter, node).is_some() {
        return;
    }
    // Behind the `;` of a declaration that does nothing else.
    let in_class =
        parent.kind() == "field_declaration" || parent.kind() == "field_declaration_list";
    let item = if matches!(parent.kind(), "field_declaration" | "declaration") {
        parent
    } else {
        node
    };
    let end = match item.kind() {
        "enum_specifier" => {
            let Some(semicolon) = node.next_sibling().filter(|next| next.kind() == ";") else {
                return;
            };
            semicolon.end_byte()
        }
        _ if item.child_by_field_name("declarator").is_none() => item.end_byte(),
        _ => return,
    };
    if item.has_error() {
        return;
    }
    let full = rewriter.label(name);
    if full.contains("::") {
        return;
    }
    let mut cursor = node.walk();
    let scoped = node
        .children(&mut cursor)
        .any(|child| matches!(child.kind(), "class" | "struct"));
    let mut members = String::new();
    let mut count = 0;
    let mut cursor = body.walk();
    for child in body.named_children(&mut cursor) {
        if child.kind().starts_with("preproc_") {
            return;
        }
        let Some(member) = child
            .child_by_field_name("name")
            .filter(|_| child.kind() == "enumerator")
        else {
            continue;
        };
        let member = rewriter.text(member);
        let scope = if scoped {
            format!("{full}::")
        } else {
            String::new()
        };
        let _ = write!(members, "{{{},(_tr_ll){scope}{member}}},", literal(&member));
        count += 1;
    }
    if count == 0 {
        return;
    }
    let head = if in_class {
        "friend inline"
    } else if has_c_linkage(node) {
        "extern \"C++\" inline"
    } else {
        "inline"
    };
    rewriter.close_at(
        end,
        usize::MAX >> 40,
        format!(
            "{head} _tr_members _tr_e(const {full}*){{static const _tr_member _tr_m[]={{{members}}};\
             _tr_members _tr_r={{_tr_m,{count}u}};return _tr_r;}}"
        ),
    );
}
