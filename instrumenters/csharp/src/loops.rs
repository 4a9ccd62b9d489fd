//! `LOOP`: entered, each iteration, left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::chains;
use crate::context::{bare, brace, has_word, is_special_type, open_body, takes_statement};

/// Hook: `while`, `do`, `for`, `foreach`.
pub(crate) fn loop_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    brace(r, body);
    if !r.wants(Detail::Lines) || !takes_statement(r, node) || has_word(r, node, "await") {
        return;
    }
    let site = r.site(Kind::Loop, node);
    let told = ["condition", "right"]
        .iter()
        .find_map(|field| node.child_by_field_name(field));
    if let Some(told) = told {
        let text = r.label(bare(told));
        r.site_mut(site).text = text;
    }
    r.enter_loop(node, site);
    chains::absorb(r, node, site);
    let first = chains::first_of(r, body);
    r.site_mut(site).chain.after = first;
    let next = chains::next_of(r, node);
    r.site_mut(site).chain.after_left = next;
    r.open(node, format!("_tr.E({site});"));
    let target = node
        .child_by_field_name("left")
        .filter(|left| node.kind() == "foreach_statement" && left.kind() == "identifier")
        .filter(|_| r.wants(Detail::State))
        .filter(|_| {
            node.child_by_field_name("type").is_none_or(|of| {
                let of = r.text(of);
                !is_special_type(&of) && of != "dynamic"
            })
        });
    let probe = match target {
        Some(target) => {
            let name = r.text(target).into_owned();
            r.set_names(site, [name.clone()]);
            format!("_tr.N({site},{name});")
        }
        None => format!("_tr.N({site});"),
    };
    open_body(r, body, &probe);
    r.close(node, format!("_tr.X({site});"));
}
