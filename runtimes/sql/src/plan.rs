//! What the engine counted while it ran a statement: its plan, and the rounds of recursion.
//!
//! The counts are those of the run itself; no statement is run to learn a plan.

use crate::engine::Scan;

/// The plan as lines, indented by what is part of what; with counts if asked for.
pub(crate) fn lines(scans: &[Scan], counts: bool) -> Vec<String> {
    scans
        .iter()
        .map(|scan| {
            let indent = "  ".repeat(level(scans, scan));
            let mut line = format!("{indent}{}", scan.plan);
            if counts && scan.loops >= 0 {
                let rows = if scan.rows == 1 { "row" } else { "rows" };
                line = format!("{line} ({}×, {} {rows})", scan.loops, scan.rows.max(0));
            }
            line
        })
        .collect()
}

/// Whether a plan goes through a table, rather than constants alone.
pub(crate) fn reads_tables(scans: &[Scan]) -> bool {
    let constant =
        |scan: &Scan| scan.plan.ends_with("CONSTANT ROW") || scan.plan.ends_with("VALUES CLAUSE");
    scans.iter().any(|scan| !constant(scan))
}

fn level(scans: &[Scan], scan: &Scan) -> usize {
    let mut level = 0;
    let mut parent = scan.parent;
    while parent != 0 && level < scans.len() {
        let Some(outer) = scans.iter().find(|other| other.id == parent) else {
            break;
        };
        parent = outer.parent;
        level += 1;
    }
    level
}

/// How many rounds each recursive table expression made: site and rounds, in the order of the
/// plan. Each round takes one row off the queue and begins the recursive part's outermost loop
/// with it. What the plan does not tell apart is left out.
pub(crate) fn rounds(scans: &[Scan], loops: &[(u32, String)]) -> Vec<(u32, u64)> {
    let steps: Vec<&Scan> = scans
        .iter()
        .filter(|scan| scan.plan == "RECURSIVE STEP")
        .collect();
    let mut found = Vec::new();
    for step in &steps {
        let inner: Vec<&Scan> = scans
            .iter()
            .filter(|scan| scan.parent == step.id && scan.loops >= 0)
            .collect();
        let Some(outermost) = inner.first() else {
            continue;
        };
        let named = loops.iter().find(|(_, name)| {
            inner
                .iter()
                .any(|scan| table(scan).eq_ignore_ascii_case(name))
        });
        let only = loops
            .first()
            .filter(|_| loops.len() == 1 && steps.len() == 1);
        if let Some((site, _)) = named.or(only) {
            found.push((*site, outermost.loops as u64));
        }
    }
    found
}

/// The table or alias that a loop goes through.
fn table(scan: &Scan) -> &str {
    let mut words = scan.plan.split(' ');
    match words.next() {
        Some("SCAN" | "SEARCH") => words.next().unwrap_or_default(),
        _ => "",
    }
}

/// The loop over a table, if there is exactly one.
pub(crate) fn scan_of<'s>(scans: &'s [Scan], name: &str) -> Option<&'s Scan> {
    let mut fitting = scans
        .iter()
        .filter(|scan| scan.loops >= 0 && table(scan).eq_ignore_ascii_case(name));
    fitting.next().filter(|_| fitting.next().is_none())
}
