//! Tables that a query names: how often the engine went through each, and over how many rows.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

/// A table in a `FROM` or `JOIN`, which the plan calls by its alias where it has one.
pub(crate) fn relation<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let subquery = node
        .child(0)
        .is_none_or(|child| child.kind() != "object_reference");
    if !rewriter.wants(Detail::Full) || subquery {
        return;
    }
    let site = rewriter.site(Kind::Var, node);
    let label = rewriter.label(node);
    rewriter.set_names(site, [label]);
    rewriter.site_mut(site).expression = true;
}
