//! Hooks for what differs from JavaScript.

use tracer_instrument::{Node, Rewriter};
use tracer_lang_javascript::hooks as shared;

/// A class field.
pub(crate) fn field<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let (Some(name), Some(value)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("value"),
    ) {
        shared::initial_value(r, node, name, value);
    }
}

/// A declared variable. One that a namespace exports becomes a member, whose value takes no name
/// from it.
pub(crate) fn declarator<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    shared::declarator(r, node);
}
