//! What a program writes: `echo`, `print`, `<?=` and text outside of code.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::syntax::{expression_child, is_echoed, is_list, listed, unticked};

/// Bytes of a text outside of code by which its place in the output is found.
const SHOWN: usize = 48;

/// `echo a, b;`
pub(crate) fn echo<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let mut values = Vec::new();
    if let Some(list) = expression_child(node) {
        listed(list, &mut values);
    }
    let word = node.start_byte() + "echo".len();
    for value in values {
        let glued = value.start_byte() == word;
        let space = if glued { " " } else { "" };
        r.wrap(value, format!("{space}\\trc0_e("), ")");
    }
}

/// `exit("text")`.
pub(crate) fn exit<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let Some(value) = expression_child(node) {
        r.wrap(value, "\\trc0_ex(", ")");
    }
}

/// `<?= value ?>`: a statement of its own.
pub(crate) fn tag<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !is_echoed(r, node) {
        return;
    }
    let Some(value) = expression_child(node) else {
        return;
    };
    if r.wants(Detail::Lines) {
        let site = r.site(Kind::Step, node);
        r.wrap(value, format!("\\trc0_e1(\\trc0_s1({site}),"), ")");
    } else {
        r.wrap(value, "\\trc0_e(", ")");
    }
}

/// `print value`.
pub(crate) fn print<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(value) = expression_child(node) else {
        return;
    };
    let glued = value.start_byte() == node.start_byte() + "print".len();
    let space = if glued { " " } else { "" };
    r.wrap(value, format!("{space}\\trc0_e("), ")");
}

/// `?>text<?php` where a statement can stand.
pub(crate) fn html<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(parent) = r.parent(node) else { return };
    let placed = is_list(parent.kind())
        || node
            .prev_sibling()
            .is_some_and(|before| before.kind() == "colon_block");
    let mut cursor = node.walk();
    let text = node
        .named_children(&mut cursor)
        .find(|child| child.kind() == "text");
    let Some(text) = text.filter(|_| placed) else {
        return;
    };
    if r.source.get(node.start_byte()..node.start_byte() + 2) != Some(b"?>") {
        return;
    }
    let before = r.source[..node.start_byte()].trim_ascii_end();
    if before.ends_with(b"<?php") || before.ends_with(b"<?=") {
        return;
    }
    let bytes = &r.source[text.start_byte()..text.end_byte()];
    let plain = bytes
        .iter()
        .position(|byte| !(b' '..=b'~').contains(byte) || matches!(byte, b'\'' | b'\\'))
        .unwrap_or(bytes.len())
        .min(SHOWN);
    let shown = String::from_utf8_lossy(&bytes[..plain]).into_owned();
    if shown.trim().is_empty() || shown.contains("?>") {
        return;
    }
    let text = unticked(r, &format!("\\trc0_w1('{shown}',{});", bytes.len()));
    r.open(node, format!(";{text}"));
}
