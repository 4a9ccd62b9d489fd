//! `STDOUT`: where to look whether something was written.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Detail;

use crate::context::{FileFacts, is_result, takes_statement};

/// Functions of the C library that write nothing and are called often.
const SILENT: &[&str] = &[
    "abs", "atof", "atoi", "atol", "calloc", "ceil", "clock", "cos", "exp", "fabs", "feof",
    "floor", "fopen", "free", "isalnum", "isalpha", "isdigit", "islower", "isspace", "isupper",
    "labs", "log", "malloc", "memchr", "memcmp", "memcpy", "memmove", "memset", "pow", "rand",
    "realloc", "round", "sin", "sprintf", "snprintf", "sqrt", "srand", "strcat", "strchr",
    "strcmp", "strcpy", "strdup", "strlen", "strncat", "strncmp", "strncpy", "strrchr", "strstr",
    "strtol", "tan", "time", "tolower", "toupper", "va_end", "va_start",
];

/// Whether a statement calls something outside this file that may write.
pub(crate) fn may_print(rewriter: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    let facts = FileFacts::of(rewriter);
    facts.watch_output && prints(rewriter, &facts, node)
}

fn prints(rewriter: &Rewriter<'_>, facts: &FileFacts, node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|child| {
        if child.kind() == "call_expression" {
            let callee = child.child_by_field_name("function");
            let name = callee
                .map(|callee| rewriter.text(callee))
                .unwrap_or_default();
            if !facts.functions.contains(&*name) && !SILENT.contains(&&*name) {
                return true;
            }
        }
        prints(rewriter, facts, child)
    })
}

/// Hook: an expression statement.
pub(crate) fn output<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let attribute = rewriter.text(node).starts_with("__attribute__");
    if rewriter.wants(Detail::Calls)
        && !attribute
        && !is_result(node)
        && takes_statement(rewriter, node)
        && may_print(rewriter, node)
    {
        // Before whatever else is said after the statement.
        rewriter.close_at(node.end_byte(), 0, "_tr_p();");
    }
}
