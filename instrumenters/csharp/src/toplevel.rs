//! Statements outside all types, which make up a program's entry point.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{FunctionKind, Kind};

use crate::context::own_code;
use crate::functions::{DEPTH, ENTRY, WAITS, ends_abruptly, entry_call};

/// Hook: a file. Its statements are told as one call, as the compiler makes them.
pub(crate) fn top_level<'a>(r: &mut Rewriter<'a>, file: Node<'a>) {
    let mut cursor = file.walk();
    let statements: Vec<Node<'a>> = file
        .named_children(&mut cursor)
        .filter(|child| child.kind() == "global_statement")
        .collect();
    let (Some(first), Some(last)) = (statements.first(), statements.last()) else {
        return;
    };
    // What is compiled only at times, or could not be read, may hold anything.
    let mut between = file.walk();
    let certain = file.children(&mut between).all(|child| {
        !child.is_error() && !matches!(child.kind(), "preproc_if" | "preproc_elif" | "preproc_else")
    });
    if !certain {
        return;
    }
    let waits = own_code(file, &mut |node| node.kind() == "await_expression");
    let catches = own_code(file, &mut |node| node.kind() == "catch_clause");
    let kind = if waits {
        FunctionKind::Async
    } else {
        FunctionKind::Method
    };
    r.enter_function(file, *last, "<Main>$", ".", kind);
    let site = r.site(Kind::In, *first);
    r.set_names(site, ["args".to_owned()]);
    r.remember(file, ENTRY, site);
    let mut head = String::new();
    if waits || catches {
        r.remember(file, DEPTH, site);
        let _ = write!(head, "int _tr_d{site}=");
    }
    let _ = write!(head, "{};try{{", entry_call(site, &["args".to_owned()]));
    let mut end = String::new();
    let statement = last.named_child(0);
    if !statement.is_some_and(|statement| ends_abruptly(statement)) {
        let out = r.site(Kind::Out, *last);
        let call = if waits { "_tr.H" } else { "_tr.O" };
        let _ = write!(end, "{call}({out});");
    }
    if waits {
        r.remember(file, WAITS, site);
        let _ = write!(end, "}}finally{{_tr.F(_tr_d{site});}}");
    } else {
        let error = r.site(Kind::Err, *first);
        let _ = write!(
            end,
            "}}catch(global::System.Exception _tr_e{error})when(_tr.U({error},_tr_e{error})){{throw;}}"
        );
    }
    let extent = last.end_byte() - first.start_byte() + 1;
    r.open_at(first.start_byte(), extent, head);
    r.close_at(last.end_byte(), extent, end);
}
