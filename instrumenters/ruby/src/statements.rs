//! Statements: where each begins, which are certain to begin, and what surrounds a file's
//! top-level code.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::names::{facts, is_silent};
use crate::syntax::{code_end, counted, is_clause, is_list, probe, statements};

/// Whether a statement has a site for its beginning. What only groups others has none.
pub(crate) fn is_stepped<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    if !r.wants(Detail::Lines) || is_clause(node.kind()) || r.is_broken(node) || r.is_opaque(node) {
        return false;
    }
    let Some(parent) = r.parent(node) else {
        return false;
    };
    is_list(parent.kind())
        && !matches!(node.kind(), "begin" | "parenthesized_statements")
        && (parent.kind() != "parenthesized_statements" || statements(parent).len() > 1)
}

/// A statement is about to run.
pub(crate) fn step<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !is_stepped(r, node) {
        return;
    }
    let implied = r.known_site(node, "step").is_some();
    let site = r.site_of(Kind::Step, node, "step");
    if !implied {
        r.open(node, format!("{}||{}({site});", counted(site), probe("s")));
    }
    // Defining a method reports nothing.
    if matches!(node.kind(), "method" | "alias" | "undef") && !facts(r).hooks {
        let next = next_of(r, node);
        r.site_mut(site).chain.after = next;
    }
}

fn site_of<'a>(r: &mut Rewriter<'a>, statement: Option<Node<'a>>) -> Vec<u32> {
    match statement {
        Some(statement) if is_stepped(r, statement) => {
            vec![r.site_of(Kind::Step, statement, "step")]
        }
        _ => Vec::new(),
    }
}

/// The first statement of a body, as an implied event.
pub(crate) fn first_of<'a>(r: &mut Rewriter<'a>, list: Option<Node<'a>>) -> Vec<u32> {
    let first = list.and_then(|list| statements(list).first().copied());
    site_of(r, first)
}

/// The statement behind one of a list, as an implied event.
pub(crate) fn next_of<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> Vec<u32> {
    let Some(parent) = r.parent(statement).filter(|parent| is_list(parent.kind())) else {
        return Vec::new();
    };
    let children = r.children(parent);
    let Some(place) = children.place(statement) else {
        return Vec::new();
    };
    let next = children.nodes[place + 1..]
        .iter()
        .find(|child| !matches!(child.kind(), "comment" | "heredoc_body" | "empty_statement"))
        .copied();
    site_of(r, next)
}

/// Chains what follows a statement to the site of a write that is the last thing it does.
pub(crate) fn follow<'a>(r: &mut Rewriter<'a>, statement: Node<'a>, site: u32) {
    let next = next_of(r, statement);
    r.site_mut(site).chain.after = next;
}

/// Top-level code: opens the frame of a file that another one loads.
pub(crate) fn program<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if is_silent(r) {
        r.drop_probe(node, "unsupported");
        return;
    }
    if r.options.file == 0 || facts(r).begins {
        return;
    }
    let list = statements(node);
    let (Some(first), Some(last)) = (list.first().copied(), list.last().copied()) else {
        return;
    };
    let site = r.site(Kind::In, node);
    let out = r.site(Kind::Out, node);
    r.site(Kind::Err, node);
    let chain = first_of(r, Some(node));
    r.site_mut(site).chain.after = chain;
    let extent = node.end_byte() + 1;
    let (enter, done, leave) = (probe("i0"), probe("d"), probe("o"));
    r.open_at(
        first.start_byte(),
        extent,
        format!("{enter}({site});begin;"),
    );
    r.close_at(
        code_end(last),
        extent,
        format!(";{done}({out},nil);ensure;{leave}({out});end"),
    );
}

/// Puts what the emitter must know behind everything else, as the last insertion: the plan takes it
/// off again, and the interpreter never sees it. Three lists, parted by bars: each loop's first and
/// last site and the function it stands in; runs of sites by function (0: sites that enter one); the
/// offsets of top-level statements that hold something the parser could not read.
pub(crate) fn finish<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let mut text = String::from("#");
    let homes = enclosing(r);
    let base = r.options.first_function;
    let home = |function: u32| function + 1;
    for site in r.sites() {
        if let Some((start, end)) = site.inner {
            // A block is a function of its own: what goes on around it is its caller's.
            let stands_in = match site.kind {
                Kind::In => homes
                    .get((site.function - base) as usize)
                    .map_or(base, |place| *place),
                _ => site.function,
            };
            text.push_str(&format!(" {start} {end} {}", home(stands_in)));
        }
    }
    text.push_str(" |");
    let runs = r.sites().chunk_by(|one, other| {
        one.function == other.function && (one.kind == Kind::In) == (other.kind == Kind::In)
    });
    for run in runs {
        let function = match run[0].kind {
            Kind::In => 0,
            _ => home(run[0].function),
        };
        text.push_str(&format!(" {function} {} {}", run[0].id, run.len()));
    }
    text.push_str(" |");
    let mut cursor = node.walk();
    for child in node.children(&mut cursor).filter(Node::has_error) {
        text.push_str(&format!(" {} {}", child.start_byte(), child.end_byte()));
    }
    r.close_at(r.source.len().max(node.end_byte()), usize::MAX >> 33, text);
}

/// For each function of the file, the one that it stands in.
fn enclosing(r: &Rewriter<'_>) -> Vec<u32> {
    let base = r.options.first_function;
    let mut open: Vec<(u32, u32)> = Vec::new();
    let mut found = Vec::new();
    for (id, function) in (base..).zip(r.functions()) {
        let (start, end) = (function.span.start, function.span.end);
        while open.last().is_some_and(|&(_, last)| last <= start) {
            open.pop();
        }
        found.push(open.last().map_or(base, |&(outer, _)| outer));
        open.push((id, end));
    }
    found
}
