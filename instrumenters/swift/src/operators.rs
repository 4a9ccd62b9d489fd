//! `BRANCH`: `&&` and `||`, by what stands to their left.
//!
//! The grammar knows no precedence, so it is made anew from the order of operands and operators. A
//! chain with an operator that the standard library does not have is left alone: only its
//! declaration tells how it binds.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::bodies::Body;
use crate::statements;

/// Of an operator, how it stands to the two that may not evaluate their right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binds {
    /// `?` and `:`: looser than both.
    Looser,
    Or,
    And,
    /// All others of the standard library.
    Tighter,
}

fn binds(operator: &str) -> Option<Binds> {
    Some(match operator {
        "?" | ":" => Binds::Looser,
        "||" => Binds::Or,
        "&&" => Binds::And,
        "==" | "!=" | "===" | "!==" | "<" | "<=" | ">" | ">=" | "~=" | "??" | "is" | "as"
        | "..." | "..<" | "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "<<" | ">>" | "&+"
        | "&-" | "&*" | "&<<" | "&>>" => Binds::Tighter,
        _ => return None,
    })
}

/// A chain as it is written: operands and what stands between them.
#[derive(Default)]
struct Chain<'a> {
    /// Where each operand begins and ends.
    operands: Vec<(usize, usize)>,
    /// Each operator, with the node it belongs to.
    operators: Vec<(Binds, Node<'a>)>,
}

/// The parts of a node that goes on a chain: fields in front of and behind its operator.
fn parts(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "additive_expression"
        | "multiplicative_expression"
        | "comparison_expression"
        | "equality_expression"
        | "conjunction_expression"
        | "disjunction_expression"
        | "bitwise_operation"
        | "infix_expression" => ("lhs", "rhs"),
        "nil_coalescing_expression" => ("value", "if_nil"),
        "range_expression" => ("start", "end"),
        "ternary_expression" => ("condition", "if_false"),
        "check_expression" => ("target", "type"),
        "as_expression" => ("expr", "type"),
        _ => return None,
    })
}

/// What stands in front of an operand and reaches as far as the chain goes.
fn is_effect(kind: &str) -> bool {
    matches!(
        kind,
        "try_expression" | "await_expression" | "unsafe_expression"
    )
}

impl<'a> Chain<'a> {
    /// Adds what a node holds. `None` if the chain cannot be understood.
    fn add(&mut self, rewriter: &Rewriter<'_>, node: Node<'a>) -> Option<()> {
        if node.is_error() || node.is_missing() {
            return None;
        }
        let kind = node.kind();
        if let Some((left, right)) = parts(kind) {
            self.add(rewriter, node.child_by_field_name(left)?)?;
            let operator = match kind {
                "nil_coalescing_expression" => "??".into(),
                "ternary_expression" => "?".into(),
                "as_expression" => "as".into(),
                _ => rewriter.text(node.child_by_field_name("op")?),
            };
            self.operators.push((binds(&operator)?, node));
            return self.add(rewriter, node.child_by_field_name(right)?);
        }
        if is_effect(kind) {
            return if self.operands.is_empty() {
                self.add(rewriter, node.child_by_field_name("expr")?)
            } else {
                None
            };
        }
        if kind == "prefix_expression" {
            let first = self.operands.len();
            self.add(rewriter, node.child_by_field_name("target")?)?;
            self.operands.get_mut(first)?.0 = node.start_byte();
            return Some(());
        }
        // What the grammar takes for a call of a whole chain is one of its last operand.
        let head = node.named_child(0);
        if head.is_some_and(|head| head.start_byte() == node.start_byte() && goes_on(head)) {
            return None;
        }
        self.operands.push((node.start_byte(), node.end_byte()));
        Some(())
    }

    /// What stands to the left of an operator: `a == b` in `c || a == b && d`.
    fn left_of(&self, index: usize) -> Option<(usize, usize)> {
        let this = self.operators[index].0;
        let before = &self.operators[..index];
        let first = before.iter().rposition(|(binds, _)| *binds < this);
        let start = self.operands.get(first.map_or(0, |at| at + 1))?.0;
        Some((start, self.operands.get(index)?.1))
    }
}

fn goes_on(node: Node<'_>) -> bool {
    parts(node.kind()).is_some() || is_effect(node.kind())
}

/// The node that holds the whole chain a node is part of.
fn whole<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Node<'a> {
    let mut top = node;
    while let Some(parent) = rewriter.parent(top) {
        let middle = parent.kind() == "ternary_expression"
            && parent.child_by_field_name("if_true") == Some(top);
        if middle || !(goes_on(parent) || parent.kind() == "prefix_expression") {
            break;
        }
        top = parent;
    }
    top
}

/// Whether the program's own code runs here, and where a probe may stand in it.
fn runs(rewriter: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    let mut at = rewriter.parent(node);
    while let Some(inner) = at {
        match inner.kind() {
            "macro_invocation" | "directive" | "attribute" | "parameter" => return false,
            "class_body" | "enum_class_body" => break,
            _ => at = rewriter.parent(inner),
        }
    }
    if let Some(body) = Body::around(rewriter, node) {
        let inside = (body.start..body.end).contains(&node.start_byte());
        return inside && !statements::is_built(rewriter, body.whole);
    }
    at.is_none() && statements::is_script(rewriter)
}

/// Hook: `&&` and `||`.
pub(crate) fn logical<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let whole = whole(rewriter, node);
    if !rewriter.wants(Detail::State)
        || rewriter.recall(whole, "parted").is_some()
        || !runs(rewriter, whole)
    {
        return;
    }
    rewriter.remember(whole, "parted", 1);
    let mut chain = Chain::default();
    if chain.add(rewriter, whole).is_none() {
        return;
    }
    for (index, &(binds, of)) in chain.operators.iter().enumerate() {
        if !matches!(binds, Binds::And | Binds::Or) {
            continue;
        }
        let Some((start, end)) = chain.left_of(index) else {
            continue;
        };
        let text = String::from_utf8_lossy(&rewriter.source[start..end]).into_owned();
        if matches!(&*text, "true" | "false") {
            continue;
        }
        let site = rewriter.site(Kind::Branch, of);
        let entry = rewriter.site_mut(site);
        entry.text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        while entry.text.len() > 160 {
            entry.text.pop();
        }
        entry.arms = vec!["false".into(), "true".into()];
        rewriter.open_at(start, end - start, format!("_tr_c({site}, "));
        rewriter.close_at(end, end - start, ")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_operators_bind() {
        assert_eq!(binds("&&"), Some(Binds::And));
        assert_eq!(binds("<=>"), None);
        assert!(binds("?") < binds("||") && binds("||") < binds("&&"));
        assert!(binds("&&") < binds("=="));
    }
}
