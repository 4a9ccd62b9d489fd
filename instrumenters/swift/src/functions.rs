//! `IN` and `OUT`: functions, closures and accessors entered and left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::bodies::{self, Body, Gives};
use crate::facts::Facts;
use crate::statements::{self, OUTERMOST};
use crate::syntax::{self, children, statements_of};

/// Hook: a class, struct, enum, actor or extension.
pub(crate) fn type_body<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let name = node.child_by_field_name("name");
    let name = name.map_or("_".into(), |name| rewriter.text(name).into_owned());
    rewriter.enter_class(body, &name);
}

/// Hook: a function, closure or accessor.
pub(crate) fn function<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = Body::of(rewriter, node) else {
        return;
    };
    rewriter.enter_function(node, node, &body.name, ".", body.kind);
    if statements::is_built(rewriter, node) {
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    let lambda = node.kind() == "lambda_literal";
    let choice = body.is_choice() && body.only().is_some_and(statements::choice_is_value);
    if lambda && choice {
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    let site = rewriter.site(Kind::In, node);
    let names = bodies::parameters(rewriter, node);
    let entered = match names.len() {
        0 => format!("_tr_i({site})"),
        count => format!("_tr_i({site}, {count}, {})", names.join(", ")),
    };
    rewriter.set_names(site, names);
    if let Some(value) = body.value(rewriter) {
        imply_step(rewriter, site, value);
        let out = rewriter.site(Kind::Out, value);
        if body.throws && !lambda {
            let before = format!(
                "let _tr_n = _tr_d(); defer {{ _tr_u({out}, _tr_n) }}; {entered}; return _tr_r({out}, "
            );
            rewriter.wrap(value, before, ")");
        } else {
            rewriter.wrap(value, format!("_tr_r({entered}, {out}, "), ")");
        }
        return;
    }
    if let Some((statement, result)) = returned_by_closure(rewriter, &body) {
        imply_step(rewriter, site, statement);
        let out = rewriter.site(Kind::Out, statement);
        rewriter.remember(statement, "told", 1);
        rewriter.wrap(result, format!("_tr_r({entered}, {out}, "), ")");
        return;
    }
    if let Some(first) = body
        .statements
        .and_then(|inner| statements_of(inner).into_iter().next())
    {
        imply_step(rewriter, site, first);
    }
    let out = rewriter.site(Kind::Out, node);
    let mut text = String::from(" ");
    if body.is_async && Facts::of(rewriter).tasks {
        text.push_str("_tr_q(); ");
    }
    let defers = body.defers(rewriter);
    if defers && body.throws && !choice {
        // What leaves the call without a word is an error.
        text.push_str(&format!(
            "let _tr_n = _tr_d(); var _tr_e = true; defer {{ _tr_u({out}, _tr_n, _tr_e) }}; "
        ));
    } else if defers || choice {
        text.push_str(&format!("defer {{ _tr_o({out}) }}; "));
    } else if body.throws {
        text.push_str(&format!(
            "let _tr_n = _tr_d(); defer {{ _tr_u({out}, _tr_n) }}; "
        ));
    }
    text.push_str(&entered);
    let empty = body.statements.is_none();
    text.push_str(if empty { "" } else { "; " });
    rewriter.open_at(body.start, OUTERMOST, text);
    if choice {
        if let Some(only) = body.only() {
            rewriter.open(only, "return ");
        }
        return;
    }
    let told = if defers {
        body.throws.then(|| "_tr_e = false".to_owned())
    } else {
        Some(format!("_tr_o({out})"))
    };
    if let Some(told) = told.filter(|_| body.gives != Gives::Value)
        && !ends_elsewhere(rewriter, &body)
    {
        let last = body
            .statements
            .and_then(|inner| children(inner).into_iter().rfind(Node::is_named));
        match last.filter(|last| last.kind() != "directive" && !last.is_extra()) {
            // The grammar knows no blank in front of a semicolon.
            Some(last) => rewriter.close_at(last.end_byte(), OUTERMOST, format!("; {told}")),
            None if empty => rewriter.close_at(body.end, 0, format!("; {told} ")),
            None => rewriter.close_at(body.end, 0, format!(" {told} ")),
        }
    }
}

/// The step of a body's first statement needs no probe.
fn imply_step<'a>(rewriter: &mut Rewriter<'a>, site: u32, first: Node<'a>) {
    if let Some(step) = statements::imply(rewriter, first) {
        rewriter.site_mut(site).chain.after.push(step);
    }
}

/// A closure that is one `return` counts as one expression when types are inferred.
fn returned_by_closure<'a>(
    rewriter: &Rewriter<'_>,
    body: &Body<'a>,
) -> Option<(Node<'a>, Node<'a>)> {
    let only = body
        .only()
        .filter(|_| body.whole.kind() == "lambda_literal")?;
    let result = returned(rewriter, only)?;
    Some((only, result))
}

/// The value of a `return`, where a probe can stand around it.
fn returned<'a>(rewriter: &Rewriter<'_>, node: Node<'a>) -> Option<Node<'a>> {
    let result = node.child_by_field_name("result")?;
    let whole = result.end_byte() == node.end_byte();
    let choice = matches!(result.kind(), "if_statement" | "switch_statement");
    (keyword(rewriter, node) == "return" && whole && !choice && result.kind() != "nil_literal")
        .then_some(result)
        .or_else(|| (result.kind() == "nil_literal" && whole).then_some(result))
}

fn keyword(rewriter: &Rewriter<'_>, node: Node<'_>) -> String {
    let text = rewriter.text(node);
    text.split(|c: char| !c.is_alphabetic())
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Whether the last statement jumps away, so that nothing comes behind it.
fn ends_elsewhere(rewriter: &Rewriter<'_>, body: &Body<'_>) -> bool {
    let last = body
        .statements
        .and_then(|inner| statements_of(inner).into_iter().next_back());
    last.is_some_and(|last| {
        last.kind() == "control_transfer_statement" || syntax::never_returns(rewriter, last)
    })
}

/// Hook: `return` and `throw`.
pub(crate) fn transfer<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    match &*keyword(rewriter, node) {
        "return" => leave(rewriter, node),
        "throw" => {
            let Some(error) = children(node).into_iter().rfind(|part| {
                part.is_named() && part.kind() != "throw_keyword" && !part.is_extra()
            }) else {
                return;
            };
            let site = rewriter.site(Kind::Err, node);
            let text = rewriter.label(error);
            rewriter.site_mut(site).text = text;
            rewriter.wrap(error, format!("_tr_t({site}, "), ")");
        }
        _ => {}
    }
}

fn leave<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = Body::around(rewriter, node) else {
        return;
    };
    if rewriter.recall(node, "told").is_some() || statements::is_built(rewriter, body.whole) {
        return;
    }
    let result = returned(rewriter, node);
    let failed = body.whole.kind() == "init_declaration";
    if body.defers(rewriter) {
        // The call is over when its `defer` blocks are.
        let choice = body.is_choice() && body.only().is_some_and(statements::choice_is_value);
        let throws = body.throws && !choice;
        match result.filter(|_| !failed) {
            Some(result) if rewriter.wants(Detail::State) => {
                let site = rewriter.site(Kind::Var, node);
                rewriter.set_names(site, ["return".to_owned()]);
                rewriter.site_mut(site).expression = true;
                let after = if throws { ", &_tr_e)" } else { ")" };
                rewriter.wrap(result, format!("_tr_v({site}, "), after);
            }
            Some(result) if throws => rewriter.enclose(result, "_tr_v(", ", &_tr_e)"),
            None if throws => rewriter.enclose(node, "_tr_e = false; ", ""),
            _ => {}
        }
        return;
    }
    let site = rewriter.site(Kind::Out, node);
    match result {
        Some(result) if !failed => rewriter.wrap(result, format!("_tr_r({site}, "), ")"),
        None if node.child_by_field_name("result").is_some() && !failed => {
            rewriter.open(node, format!("defer {{ _tr_o({site}) }}; "));
        }
        _ => rewriter.open(node, format!("_tr_o({site}); ")),
    }
}

/// Called last: the emitter's module is imported in front of everything.
pub(crate) fn import<'a>(rewriter: &mut Rewriter<'a>, root: Node<'a>) {
    let first = children(root)
        .into_iter()
        .find(|part| !matches!(part.kind(), "shebang_line" | "directive") && part.is_named());
    let Some(first) = first else { return };
    let tasks = statements::is_script(rewriter) && Facts::of(rewriter).tasks;
    rewriter.enclose(
        first,
        if tasks {
            "import _tr; _tr_q(); "
        } else {
            "import _tr; "
        },
        "",
    );
}
