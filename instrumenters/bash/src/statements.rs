//! Statements: a step each, told by whatever the statement reports first.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::blocks::{
    ahead, ahead_of_text, begins_async, behind, block_of, in_backquotes, is_async, statements,
};
use crate::calls::{Use, leading, torn};
use crate::{caution, loops, words, writes};

/// The step's site, made on first use.
pub(crate) fn step_site<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> u32 {
    let step = r.site_of(Kind::Step, statement, "step");
    if let Some(name) = torn(r, statement) {
        r.site_mut(step).span = r.span(name);
    }
    step
}

/// A statement of a block.
pub(crate) fn statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    if r.parent(node).is_some_and(|parent| parent.kind() == "list") {
        return writes::in_list(r, node);
    }
    let Some(block) = block_of(r, node) else {
        if in_backquotes(r, node) && r.parent(node).is_some_and(|parent| is_block(parent)) {
            r.drop_probe(node, "backquotes");
        }
        return;
    };
    let start = node.start_byte();
    if caution::of(r)
        .kept
        .iter()
        .any(|&(after, upto)| after < start && start <= upto)
    {
        r.drop_probe(node, "pipe_status");
    }
    if is_async(r, node) && begins_async(r, block) && is_led_by_async(r, block, node) {
        return r.drop_probe(node, "no_place");
    }
    if let Some(command) = torn(r, node).and_then(|name| r.parent(name)) {
        torn_off(r, command, node);
    }
    let calls = leading(r, node, Use::Counts);
    let reports = if r.wants(Detail::State) {
        writes::reports(r, node)
    } else {
        Vec::new()
    };
    let mut told = None;
    for report in reports {
        if behind(r, node, &report.call) {
            told.get_or_insert(report.site);
        } else {
            r.drop_probe(node, "no_place");
        }
    }
    // What reads `PIPESTATUS` must come first behind the pipeline, and a plain assignment runs
    // nothing before it is done: both are told of afterwards.
    let reads = caution::of(r).pipe_status && r.text(node).contains("PIPESTATUS");
    match told {
        Some(site) if reads || is_plain(r, node) => {
            let step = step_site(r, node);
            r.site_mut(site).chain.before = vec![step];
        }
        None if reads => {}
        _ => lead(r, node, &calls),
    }
}

/// The assignments of a line of their own, in front of the command that they are no part of.
fn torn_off<'a>(r: &mut Rewriter<'a>, command: Node<'a>, statement: Node<'a>) {
    let step = r.site(Kind::Step, command);
    let reports = if r.wants(Detail::State) {
        writes::before_torn(r, command)
    } else {
        Vec::new()
    };
    let runs = writes::assignments(command)
        .into_iter()
        .any(|assignment| !words::is_pure(r, assignment));
    if runs || reports.is_empty() {
        ahead_of_text(r, command, &format!("_tr_s {step}"));
    }
    for report in reports {
        if !runs {
            r.site_mut(report.site).chain.before = vec![step];
        }
        ahead(r, statement, &report.call);
    }
}

/// Whether only commands in the background stand in front of a statement in its block.
fn is_led_by_async(r: &Rewriter<'_>, block: Node<'_>, node: Node<'_>) -> bool {
    statements(block)
        .iter()
        .take_while(|before| before.id() != node.id())
        .all(|before| is_async(r, *before))
}

fn is_block(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "command_substitution" | "do_group" | "compound_statement" | "subshell"
    )
}

/// Whether a statement only assigns, and runs nothing to do so.
fn is_plain(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "variable_assignment" | "variable_assignments" | "declaration_command"
    ) && words::is_pure(r, node)
        && !is_async(r, node)
}

/// The probes in front of a statement.
fn lead<'a>(r: &mut Rewriter<'a>, node: Node<'a>, calls: &[String]) {
    if !calls.is_empty() {
        for call in calls {
            ahead(r, node, call);
        }
        return;
    }
    let step = step_site(r, node);
    if loops::loop_of(node).is_some() && loops::enters(r, node) {
        // A loop tells of its step when it is entered.
        return;
    }
    match node.kind() {
        "if_statement" | "case_statement" | "compound_statement" | "list" | "negated_command" => {
            ahead(r, node, &format!("_tr_k {step}"));
        }
        _ => ahead(r, node, &format!("_tr_s {step}")),
    }
}
