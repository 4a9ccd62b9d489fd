//! Traces of JavaScript, and of what is lowered to it, against V8's block coverage: every statement
//! and every function ran as often as V8 counted.
//!
//! V8 counts blocks, not statements: where an error leaves a block half-way, only the block's first
//! statement is comparable. What runs programs is the oracle of `tests/oracles/javascript`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tracer_model::{FunctionKind, Kind, Payload, Trace};

use crate::oracle;

/// A stretch of source and how often it ran.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// Where it begins, in UTF-16 units.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How often it ran.
    pub count: u64,
}

/// What V8 counted, function by function; `None` if the program does not end in time under it, or leaves no counts.
///
/// # Panics
/// Where the oracle does not write what it should.
pub fn count(program: &Path, node: &Path, roots: &[PathBuf]) -> Option<Vec<Vec<Range>>> {
    let env = [("TZ", "UTC")];
    let text = oracle::run("javascript/coverage.cjs", program, node, roots, &env)?;
    let functions: Vec<Json> = serde_json::from_str(&text).expect("the oracle writes JSON");
    let number = |value: &Json| value.as_u64().expect("a number");
    Some(
        functions
            .iter()
            .map(|function| {
                let ranges = function["ranges"].as_array().into_iter().flatten();
                ranges
                    .map(|range| Range {
                        start: number(&range["startOffset"]) as usize,
                        end: number(&range["endOffset"]) as usize,
                        count: number(&range["count"]),
                    })
                    .collect()
            })
            .collect(),
    )
}

/// How often each site was visited, those left out included.
fn visits(trace: &Trace) -> BTreeMap<u32, u64> {
    let mut visits = BTreeMap::new();
    for event in &trace.events {
        *visits.entry(event.site).or_insert(0) += match &event.payload {
            Payload::Step | Payload::In { .. } => 1,
            Payload::Elide { count, .. } => *count,
            _ => continue,
        };
    }
    visits
}

/// The smallest of V8's ranges around a statement. A function that the statement begins with is not
/// around it.
fn innermost(functions: &[Vec<Range>], offset: usize) -> Option<Range> {
    let around = |range: &&Range| range.start <= offset && offset < range.end;
    let begins = |own: &Range| own.start == offset && offset > 0;
    functions
        .iter()
        .filter(|ranges| !ranges.first().is_some_and(begins))
        .flatten()
        .filter(around)
        .min_by_key(|range| range.end - range.start)
        .copied()
}

/// Compares every comparable place; the number compared, or the first that differs. `place` says
/// where an offset of the source is in the text that V8 ran, in UTF-16 units.
pub fn compare(
    trace: &Trace,
    functions: &[Vec<Range>],
    place: &dyn Fn(usize) -> usize,
) -> Result<u64, String> {
    let text = &trace.table.files[0].text;
    let visits = visits(trace);
    let errors = trace.events.iter().any(|event| {
        event.kind == Kind::Err
            || matches!(
                event.payload,
                Payload::Out {
                    unwinding: true,
                    ..
                }
            )
    });
    let mut compared = 0;
    let mut blocks_seen = Vec::new();
    for site in trace.table.sites.iter().filter(|site| site.file == 0) {
        let offset = place(site.span.start as usize);
        // A generator's body begins at the first `next`; V8 counts the call.
        let function = &trace.table.functions[site.function as usize];
        let generates = function.kind == FunctionKind::Generator;
        let expected = match site.kind {
            Kind::Step => {
                let Some(range) = innermost(functions, offset) else {
                    continue;
                };
                let is_whole = functions.iter().any(|ranges| {
                    ranges
                        .first()
                        .is_some_and(|own| (own.start, own.end) == (range.start, range.end))
                });
                if generates && is_whole {
                    continue;
                }
                let block = (range.start, range.end);
                let first = !blocks_seen.contains(&block);
                blocks_seen.push(block);
                if errors && !first {
                    continue;
                }
                range.count
            }
            Kind::In if generates => continue,
            Kind::In => {
                // V8 names a function's own range first; it is the definition's.
                let end = place(site.span.end as usize);
                let own = functions
                    .iter()
                    .filter_map(|ranges| ranges.first())
                    .find(|range| range.start == offset && range.end == end);
                let Some(range) = own else { continue };
                // V8 counts a call before its parameters have their values, we do after.
                let body = text[site.span.start as usize..].find('{').unwrap_or(0);
                if errors && text[site.span.start as usize..][..body].contains('=') {
                    continue;
                }
                range.count
            }
            _ => continue,
        };
        let found = visits.get(&site.id).copied().unwrap_or(0);
        if found != expected {
            return Err(format!(
                "{:?} on line {}: we say {found}, V8 says {expected}",
                site.kind, site.span.line
            ));
        }
        compared += 1.max(found);
    }
    Ok(compared)
}
