//! The tree of calls: arguments, result, and what each call wrote.
//!
//! Shows no statements; of one call's calls of one function only the first and the last.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tracer_model::{Event, Payload, Trace, Value};

use crate::text::{cut, ending, is_definition, short, visible};

/// What to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns.
    pub width: usize,
    /// Calls of one function by one caller shown before the rest is counted; 0 shows all.
    pub calls: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 80,
            calls: 4,
        }
    }
}

/// Characters of one value.
const VALUE_LIMIT: usize = 40;

/// A name that a call wrote.
struct Written<'t> {
    name: &'t str,
    first: &'t Value,
    last: &'t Value,
    writes: u64,
}

struct Call<'t> {
    level: usize,
    function: u32,
    label: String,
    result: String,
    written: Vec<Written<'t>>,
    /// One past the last call made within it.
    end: usize,
    /// Which of its caller's calls of this function it is, and how many there are.
    nth: u32,
    of: u32,
}

/// The view as a text.
pub fn render(trace: &Trace, options: &Options) -> String {
    crate::text::collect(|out| write(trace, options, out))
}

/// Writes the view.
pub fn write(trace: &Trace, options: &Options, out: &mut impl Write) -> io::Result<()> {
    let calls = calls(trace);
    let mut index = 0;
    let mut skipped = 0u32;
    while let Some(call) = calls.get(index) {
        if options.calls > 0 && call.nth > options.calls && call.nth < call.of {
            skipped += 1;
            index = call.end;
            continue;
        }
        if skipped > 0 {
            let bars = "│ ".repeat(call.level);
            writeln!(out, "{bars}⋮ {skipped} more calls")?;
            skipped = 0;
        }
        write_call(call, options.width, out)?;
        index += 1;
    }
    writeln!(out, "{}", ending(&trace.outcome))
}

fn write_call(call: &Call<'_>, width: usize, out: &mut impl Write) -> io::Result<()> {
    let bars = "│ ".repeat(call.level);
    let room = width.saturating_sub(bars.chars().count()).max(20);
    writeln!(
        out,
        "{bars}{}",
        cut(&visible(&format!("{}{}", call.label, call.result)), room)
    )?;
    for written in &call.written {
        let last = short(written.last, VALUE_LIMIT);
        let text = match written.writes {
            1 => format!("{} = {last}", written.name),
            writes => {
                let first = short(written.first, VALUE_LIMIT);
                format!("{}: {first} → {last} ({writes} writes)", written.name)
            }
        };
        writeln!(
            out,
            "{bars}│   {}",
            cut(&visible(&text), room.saturating_sub(4))
        )?;
    }
    Ok(())
}

fn calls(trace: &Trace) -> Vec<Call<'_>> {
    let mut calls: Vec<Call<'_>> = Vec::new();
    let mut open: BTreeMap<u32, Vec<(usize, u32)>> = BTreeMap::new();
    for event in &trace.events {
        let stack = open.entry(event.task).or_default();
        if stack.is_empty() && !matches!(event.payload, Payload::In { .. }) {
            // What runs without a call.
            stack.push((calls.len(), 0));
            let label = match event.task {
                0 => "program".to_owned(),
                task => format!("task {task}"),
            };
            calls.push(call(0, u32::MAX, label));
        }
        match &event.payload {
            Payload::In { args } => {
                close(stack, &mut calls, event.depth);
                stack.push((calls.len(), event.depth));
                let function = trace
                    .table
                    .site(event.site)
                    .map_or(u32::MAX, |site| site.function);
                calls.push(call(stack.len() - 1, function, label(trace, event, args)));
            }
            Payload::Out {
                value,
                unwinding,
                suspended: false,
            } => {
                close(stack, &mut calls, event.depth + 1);
                if let Some(&(index, depth)) = stack.last()
                    && depth == event.depth
                {
                    calls[index].result = match value {
                        _ if *unwinding => " ! left by an error".to_owned(),
                        Some(value) => format!(" → {}", short(value, VALUE_LIMIT)),
                        None => String::new(),
                    };
                    close(stack, &mut calls, event.depth);
                }
            }
            Payload::Var { name, value } => {
                let expression = trace
                    .table
                    .site(event.site)
                    .is_some_and(|site| site.expression);
                if let Some(&(index, _)) = stack.last()
                    && !expression
                    && !is_definition(name, value)
                {
                    calls[index].write(name, value);
                }
            }
            Payload::Elide {
                last: Some(last),
                count,
                ..
            } => {
                if let (Payload::Var { name, value }, Some(&(index, _))) = (&**last, stack.last()) {
                    calls[index].write(name, value).writes += count - 1;
                }
            }
            _ => {}
        }
    }
    for (_, mut stack) in open {
        close(&mut stack, &mut calls, 0);
    }
    number(&mut calls);
    calls
}

fn call<'t>(level: usize, function: u32, label: String) -> Call<'t> {
    let (result, written) = (String::new(), Vec::new());
    Call {
        level,
        function,
        label,
        result,
        written,
        end: usize::MAX,
        nth: 1,
        of: 1,
    }
}

impl<'t> Call<'t> {
    fn write(&mut self, name: &'t str, value: &'t Value) -> &mut Written<'t> {
        let known = self.written.iter().position(|written| written.name == name);
        let index = known.unwrap_or(self.written.len());
        if known.is_none() {
            self.written.push(Written {
                name,
                first: value,
                last: value,
                writes: 0,
            });
        }
        let written = &mut self.written[index];
        written.last = value;
        written.writes += 1;
        written
    }
}

fn label(trace: &Trace, event: &Event, args: &[(String, Value)]) -> String {
    let function = trace
        .table
        .site(event.site)
        .and_then(|site| trace.table.functions.get(site.function as usize));
    let args: Vec<String> = args
        .iter()
        .map(|(name, value)| format!("{name} = {}", short(value, VALUE_LIMIT)))
        .collect();
    format!(
        "{}({})",
        function.map_or("?", |function| &function.qualified),
        args.join(", ")
    )
}

/// Ends the calls at this depth and deeper ones.
fn close(stack: &mut Vec<(usize, u32)>, calls: &mut [Call<'_>], depth: u32) {
    let end = calls.len();
    while let Some((index, _)) = stack.pop_if(|(_, open)| *open >= depth) {
        calls[index].end = end;
    }
}

/// Numbers the calls of one function that one call made.
fn number(calls: &mut [Call<'_>]) {
    let mut made: BTreeMap<(usize, u32), Vec<usize>> = BTreeMap::new();
    let mut path: Vec<usize> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        path.truncate(call.level);
        let caller = path.last().copied().unwrap_or(usize::MAX);
        made.entry((caller, call.function)).or_default().push(index);
        path.push(index);
    }
    for alike in made.into_values() {
        for (nth, &index) in (1..).zip(&alike) {
            (calls[index].nth, calls[index].of) = (nth, alike.len() as u32);
        }
    }
}
