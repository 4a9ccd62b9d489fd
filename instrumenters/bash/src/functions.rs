//! Functions, entered and left, and the script as a whole.

use std::collections::BTreeSet;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, FunctionKind, Kind, Span};

use crate::blocks::{
    at_end, begins_async, behind_token, edits, in_backquotes, opens, statements as members,
};
use crate::caution::{self, Mode};
use crate::{statements, words};

/// Arguments that have a name of their own in a trace.
const NAMED: usize = 20;

/// What a file's text begins with where its probes find no emitter: a process that runs the file
/// again by itself.
const ALONE: &str = "[[ ${_tr_p-} ]]||eval '_tr_s(){ return $?;};_tr_k(){ return $?;};_tr_c(){ return $?;};\
_tr_t(){ return $?;};_tr_v(){ return $?;};_tr_u(){ return $?;};_tr_w(){ return $?;};_tr_b(){ return $?;};_tr_z(){ :;};\
_tr_y(){ return $?;};_tr_x(){ return $?;};_tr_l(){ return $?;};_tr_i(){ return $?;};_tr_o(){ return $?;};\
_tr_end(){ return $?;};_tr_go(){ :;};_tr_sub= _tr_nl='";

/// The whole file.
pub(crate) fn script<'a>(r: &mut Rewriter<'a>, root: Node<'a>) {
    if !edits(r) {
        let mode = caution::of(r).mode;
        let reason = if mode == Mode::Hook {
            "traced_by_hook"
        } else {
            "not_traced"
        };
        r.drop_probe(root, reason);
        return;
    }
    let main = r.options.file == 0;
    let quiet = caution::of(r).quiet;
    let mut text = ALONE.to_owned();
    if quiet {
        text = format!("{{ {text};}} 2>/dev/null");
    }
    text.push(';');
    if main {
        let go = "_tr_go \"${_tr_u-}\"&&((1))";
        text.push_str(&if quiet {
            format!("{{ {go};}} 2>/dev/null;")
        } else {
            format!("{go};")
        });
    }
    r.open_at(0, usize::MAX >> 1, text);
    if main && r.wants(Detail::Lines) && !root.has_error() {
        at_end(r, root, "_tr_end");
    }
}

/// Sites for the lines that the parser could not read: xtrace tells of them, should it come to that.
pub(crate) fn unread<'a>(r: &mut Rewriter<'a>, root: Node<'a>) {
    if !root.has_error() {
        return;
    }
    let known: BTreeSet<u32> = r
        .sites()
        .iter()
        .filter(|site| site.kind == Kind::Step)
        .map(|site| site.span.line)
        .collect();
    let source = r.source;
    let mut start = 0;
    for (line, text) in (1..).zip(source.split(|&byte| byte == b'\n')) {
        let inside = text.trim_ascii();
        let indent = text.len() - text.trim_ascii_start().len();
        if !inside.is_empty() && !inside.starts_with(b"#") && !known.contains(&line) {
            let span = Span {
                start: (start + indent) as u32,
                end: (start + indent + inside.len()) as u32,
                line,
                column: indent as u32 + 1,
                end_line: line,
            };
            r.site_at(Kind::Step, 0, span);
            let call = r.site_at(Kind::Call, 0, span);
            r.site_mut(call).text = String::from_utf8_lossy(inside).chars().take(80).collect();
        }
        start += text.len() + 1;
    }
}

/// A function definition.
pub(crate) fn function<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(name), Some(body)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    let name = r.text(name).into_owned();
    r.enter_function(node, body, &name, ".", FunctionKind::Function);
    let opener = body
        .child(0)
        .filter(|first| matches!(first.kind(), "{" | "(") && !first.is_missing());
    let Some(opener) = opener.filter(|_| {
        !in_backquotes(r, node)
            && !r.is_broken(body)
            && !begins_async(r, body)
            && !members(body).is_empty()
            && opens(r, body.child(0).unwrap_or(body))
    }) else {
        r.drop_probe(node, "unsupported");
        return;
    };
    let entry = r.site_of(Kind::In, body, "in");
    // The emitter knows that the way out has the next number.
    r.site_of(Kind::Out, body, "out");
    r.set_names(entry, (1..=NAMED).map(|number| format!("${number}")));
    r.site_mut(entry).text = "$@".into();
    behind_token(r, opener, &format!("_tr_i {entry} \"$@\""));
    at_end(r, body, &format!("_tr_o {}", entry + 1));
}

/// The probe in front of a `return`: the call.
pub(crate) fn leave<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> Option<String> {
    let mut around = r.parent(node);
    while let Some(parent) = around {
        if parent.kind() == "function_definition" {
            break;
        }
        around = r.parent(parent);
    }
    let body = around?.child_by_field_name("body")?;
    r.known_site(body, "out")?;
    let mut cursor = node.walk();
    let status = node.children_by_field_name("argument", &mut cursor).next();
    let status = match status {
        Some(word) => format!(
            " {}",
            words::again_silently(r, word).unwrap_or_else(|| "\"$_tr_sub\"".into())
        ),
        None => String::new(),
    };
    let step = statements::step_site(r, node);
    let site = r.site(Kind::Out, node);
    r.site_mut(site).chain.before = vec![step];
    Some(format!("_tr_o {site}{status}"))
}

/// What stands around the file's own text, for whoever needs to know whether it was rewritten.
pub(crate) fn is_rewritten(text: &[u8]) -> bool {
    let start = ALONE.as_bytes();
    text.starts_with(start)
        || text
            .strip_prefix(b"{ ")
            .is_some_and(|rest| rest.starts_with(start))
}
