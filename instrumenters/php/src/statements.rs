//! Statements: where each begins, and what surrounds a file's top-level code.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::chains::is_stepped;
use crate::functions::Frame;
use crate::syntax::{close_statement, file, guarded, is_braced, is_list, unticked};

/// Top-level code: opens the frame of a file that another one includes, and says when the main
/// file's is over.
pub(crate) fn program<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let file = file(r);
    let mut cursor = node.walk();
    let statements: Vec<Node<'a>> = node
        .named_children(&mut cursor)
        .filter(|child| runs(child.kind()) && file.halt.is_none_or(|halt| child.end_byte() < halt))
        .collect();
    let is_main = r.options.file == 0;
    r.remember(
        node,
        "frame",
        if is_main {
            Frame::Main
        } else {
            Frame::Included
        } as u32,
    );
    r.site_of(Kind::Err, node, "uncaught");
    let mut cursor = node.walk();
    // With braces around namespaces, nothing may stand outside of them.
    let braced = node.named_children(&mut cursor).any(|child| {
        child.kind() == "namespace_definition" && child.child_by_field_name("body").is_some()
    });
    if braced {
        return;
    }
    let (Some(first), Some(last)) = (statements.first(), statements.last()) else {
        return;
    };
    let extent = node.end_byte() + 1;
    let mut out = 0;
    if !is_main {
        if crate::syntax::is_echoed(r, *first) {
            return;
        }
        let site = r.site(Kind::In, node);
        out = r.site(Kind::Out, node);
        r.remember(node, "out", out);
        let text = unticked(r, &format!("\\trc0_ii({site});"));
        r.open_at(first.start_byte(), extent, text);
    }
    if last.kind() == "return_statement" || r.is_broken(*last) {
        return;
    }
    let text = if is_main {
        "\\trc0_z();".to_owned()
    } else {
        format!("\\trc0_o({out});")
    };
    let text = unticked(r, &text);
    let ended = matches!(r.source.get(last.end_byte() - 1), Some(b';' | b'}'));
    let semicolon = if ended { "" } else { ";" };
    r.close_at(last.end_byte(), extent, format!("{semicolon}{text}"));
}

/// What counts a call and reports its arguments.
pub(crate) fn entry(site: u32, arguments: &str) -> String {
    format!(
        "++\\Trc0::$d;{}",
        guarded(site, &format!("i({site}{arguments})"))
    )
}

fn runs(kind: &str) -> bool {
    kind.ends_with("_statement") && kind != "declare_statement" && kind != "named_label_statement"
}

/// A statement is about to run.
pub(crate) fn step<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(parent) = r.parent(node) else { return };
    let probe = |r: &mut Rewriter<'a>| {
        if is_stepped(r, node) && r.known_site(node, "step").is_none() {
            let site = r.site_of(Kind::Step, node, "step");
            let text = unticked(r, &guarded(site, &format!("s({site})")));
            r.open(node, text);
        }
    };
    if is_list(parent.kind()) {
        probe(r);
        return;
    }
    if !is_braced(node, parent) {
        return;
    }
    let is_loop = matches!(
        parent.kind(),
        "for_statement" | "foreach_statement" | "while_statement" | "do_statement"
    );
    if !is_loop {
        r.enclose(node, "{", "");
        close_statement(r, node, "}");
    }
    probe(r);
}

/// Puts what the emitter must know of the sites behind everything else, as the last insertion: the
/// emitter reads it and PHP never sees it.
pub(crate) fn finish<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let known = file(r);
    let first_function = r.options.first_function;
    let functions: Vec<String> = r
        .functions()
        .iter()
        .map(|function| function.qualified.clone())
        .collect();
    let mut sites = Vec::with_capacity(r.sites().len() * 2);
    let mut loops = Vec::new();
    for site in r.sites() {
        sites.push(site.function.saturating_sub(first_function));
        sites.push(site.span.line);
        if let Some((start, end)) = site.inner {
            loops.extend([start, end]);
        }
    }
    let facts = serde_json::json!({
        "first": r.options.first_site,
        "functions": functions,
        "sites": sites,
        "loops": loops,
        "broken": node.has_error(),
        "short": known.short,
        "halt": known.halt,
        "end": r.known_site(node, "uncaught").unwrap_or(0),
    });
    let text = format!("/*{}*/", facts.to_string().replace("*/", "*\\/"));
    r.close_at(r.source.len().max(node.end_byte()), usize::MAX >> 33, text);
}
