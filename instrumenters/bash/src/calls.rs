//! Commands: their words, before they run.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::writes::assignments;
use crate::{caution, functions, statements, words};

/// How the command's status is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A status other than 0 is an event.
    Counts,
    /// It decides something, which is reported there.
    Decides,
}

/// The probes for the commands that a statement begins with, in source order: one command, or all
/// the stages of a pipeline, whose words are expanded alike before the stages begin.
pub(crate) fn leading<'a>(r: &mut Rewriter<'a>, node: Node<'a>, how: Use) -> Vec<String> {
    let mut found = Vec::new();
    collect(r, node, how, &mut found);
    found
}

/// The name of the command that a statement begins with, where assignments in front of it end their
/// line: they are a statement of their own, which the parser takes for a part of the command.
pub(crate) fn torn<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let mut first = node;
    while matches!(
        first.kind(),
        "pipeline" | "redirected_statement" | "list" | "negated_command"
    ) {
        first = first.named_child(0)?;
    }
    let name = first.child_by_field_name("name")?;
    let last = assignments(first)
        .into_iter()
        .rfind(|assignment| assignment.end_byte() <= name.start_byte())?;
    let between = &r.source[last.end_byte()..name.start_byte()];
    let ends = |(at, &byte): (usize, &u8)| byte == b'\n' && (at == 0 || between[at - 1] != b'\\');
    between.iter().enumerate().any(ends).then_some(name)
}

fn collect<'a>(r: &mut Rewriter<'a>, node: Node<'a>, how: Use, found: &mut Vec<String>) {
    match node.kind() {
        "command" => found.extend(command(r, node, how)),
        "redirected_statement" => {
            if let Some(body) = node.child_by_field_name("body") {
                collect(r, body, how, found);
            }
            // `cat <<END | sort`: the further stages are part of the redirection.
            let mut cursor = node.walk();
            let redirects: Vec<_> = node
                .named_children(&mut cursor)
                .filter(|child| child.kind() == "heredoc_redirect")
                .collect();
            for redirect in redirects {
                let mut cursor = redirect.walk();
                let further: Vec<_> = redirect
                    .named_children(&mut cursor)
                    .filter(|child| child.kind() == "pipeline")
                    .collect();
                for pipeline in further {
                    collect(r, pipeline, how, found);
                }
            }
        }
        "negated_command" | "list" => {
            if let Some(first) = node.named_child(0) {
                collect(r, first, Use::Decides, found);
            }
        }
        "pipeline" => {
            let mut cursor = node.walk();
            let stages: Vec<_> = node.named_children(&mut cursor).collect();
            for stage in stages {
                if matches!(stage.kind(), "command" | "redirected_statement") {
                    collect(r, stage, how, found);
                }
            }
        }
        _ => {}
    }
}

/// The probe for one command, unless its function tells of it itself.
fn command<'a>(r: &mut Rewriter<'a>, node: Node<'a>, how: Use) -> Option<String> {
    if !r.wants(Detail::State) || node.has_error() {
        return None;
    }
    let name = node.child_by_field_name("name")?;
    let known = caution::of(r);
    let plain = r.text(name).into_owned();
    if known.functions.contains(&plain) {
        return None;
    }
    if how == Use::Decides && matches!(&*plain, ":" | "true" | "false") {
        return None;
    }
    if plain == "return"
        && let Some(probe) = functions::leave(r, node)
    {
        return Some(probe);
    }
    let step = statements::step_site(r, node);
    let mut call = String::new();
    let mut cursor = node.walk();
    let first = name.named_child(0).unwrap_or(name);
    let arguments = node.children_by_field_name("argument", &mut cursor);
    for word in std::iter::once(first).chain(arguments) {
        // `exec {fd}>file`: the name belongs to the redirection.
        let behind = r.source.get(word.end_byte());
        if r.text(word).starts_with('{') && matches!(behind, Some(b'<' | b'>')) {
            continue;
        }
        call.push(' ');
        let text = if known.quiet || known.reads_reference(&r.text(word)) {
            words::again_silently(r, word)
        } else {
            words::again(r, word)
        };
        match text {
            Some(text) => call.push_str(&text),
            None => call.push_str("\"$_tr_sub\""),
        }
    }
    // The emitter knows that the step has the number before.
    let place = torn(r, node).unwrap_or(node);
    let mut site = r.site(Kind::Call, place);
    if site != step + 1 {
        r.site(Kind::Step, place);
        site = r.site(Kind::Call, place);
    }
    let label = r.label(node);
    let entry = r.site_mut(site);
    entry.text = label;
    entry.chain.before = vec![site - 1];
    let probe = match how {
        Use::Counts => "_tr_c",
        Use::Decides => "_tr_t",
    };
    Some(format!("{probe} {site}{call}"))
}
