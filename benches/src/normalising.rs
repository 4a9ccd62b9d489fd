//! From the bytes of a raw stream to a trace: events a second, and memory against length.

use std::hint::black_box;

use tracer_model::{
    Budget, Chain, Detail, End, Environment, Function, FunctionKind, Kind, Limits, Outcome, Site,
    SiteTable, SourceFile, Span, TypeNames,
};
use tracer_normalize::{Inputs, normalise};
use tracer_stream::encode::Encoder;
use tracer_stream::{Layout, RawItems, RawText, RawValue, Record, decode};

use crate::report::{Report, count, time};
use crate::sample::{Variant, interleave};
use crate::settings::Settings;

/// Iterations of the recorded loop in one call.
const ITERATIONS: usize = 20;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    report.say(
        "Processor time. One thread decodes and normalises a stream made here: calls of a function with a loop, \
         in it a statement, an integer, a string and a list of 8 by turns, and a branch. \
         `memory` is how far the resident set grew while the finished trace was held.",
    );
    let table = table();
    let mut rows = Vec::new();
    let lengths = [
        10_000,
        100_000,
        if settings.quick { 300_000 } else { 1_000_000 },
    ];
    for length in lengths {
        let (region, layout) = stream(length);
        let before = resident();
        let trace = run(&table, &region, &layout);
        let grown = resident().saturating_sub(before);
        let events = trace.events.len();
        drop(trace);
        let rounds = settings.rounds(if length > 500_000 { 7 } else { 15 });
        let variants = vec![
            Variant::new("decode", || {
                let decoded = decode(&region, &layout);
                for stream in &decoded.streams {
                    black_box(stream.records().count());
                }
                Ok(())
            }),
            Variant::new("decode and normalise", || {
                black_box(run(&table, &region, &layout));
                Ok(())
            }),
        ];
        for sample in interleave(rounds, variants)? {
            let whole = sample.name != "decode";
            rows.push(vec![
                format!("{} events: {}", count(events as f64), sample.name),
                time(sample.median_cpu()),
                time(sample.least_cpu()),
                count(events as f64 / sample.least_cpu()),
                if whole {
                    format!("{:.1} MB", grown as f64 / 1e6)
                } else {
                    String::new()
                },
                if whole {
                    format!("{:.0}", grown as f64 / events as f64)
                } else {
                    String::new()
                },
            ]);
        }
    }
    report.table(
        &[
            "",
            "median",
            "least",
            "events/s/core",
            "memory",
            "bytes an event",
        ],
        &rows,
    );
    Ok(())
}

fn run(table: &SiteTable, region: &[u8], layout: &Layout) -> tracer_model::Trace {
    let decoded = decode(region, layout);
    normalise(Inputs {
        table: table.clone(),
        dropped: Vec::new(),
        decoded: &decoded,
        type_names: &TypeNames::NEUTRAL,
        stdout: None,
        stderr: None,
        outcome: Outcome {
            end: End::Exited { code: 0 },
            limits_hit: Vec::new(),
        },
        limits: Limits::default(),
        budget: layout.budget.clone(),
        detail: Detail::State,
        environment: Environment {
            language: "none".into(),
            toolchain: "none".into(),
            tracer: "none".into(),
            isolation: "none".into(),
            image: None,
            args: Vec::new(),
        },
        protections: Vec::new(),
        notes: Vec::new(),
    })
}

fn table() -> SiteTable {
    let kinds = [
        Kind::In,
        Kind::Loop,
        Kind::Step,
        Kind::Var,
        Kind::Var,
        Kind::Var,
        Kind::Branch,
        Kind::Out,
    ];
    let function = |name: &str, kind| Function {
        name: name.into(),
        qualified: name.into(),
        file: 0,
        span: Span::default(),
        kind,
    };
    let site = |(index, kind): (usize, Kind)| Site {
        id: index as u32 + 1,
        kind,
        file: 0,
        function: 1,
        span: Span {
            line: index as u32 + 1,
            end_line: index as u32 + 1,
            ..Span::default()
        },
        names: match kind {
            Kind::In | Kind::Var => vec!["value".into()],
            Kind::Loop => vec!["item".into()],
            _ => Vec::new(),
        },
        text: "a line of the program".into(),
        arms: Vec::new(),
        expression: false,
        inner: (kind == Kind::Loop).then_some((2, 7)),
        implied_value: None,
        chain: Chain::default(),
    };
    SiteTable {
        files: vec![SourceFile {
            path: "stream".into(),
            language: "none".into(),
            text: "a line of the program\n".repeat(kinds.len()),
        }],
        functions: vec![
            function("<module>", FunctionKind::Module),
            function("work", FunctionKind::Function),
        ],
        sites: kinds.into_iter().enumerate().map(site).collect(),
    }
}

/// A region with about this many events.
fn stream(events: usize) -> (Vec<u8>, Layout) {
    let budget = Budget {
        events: u32::MAX,
        bytes: 1 << 30,
        ..Budget::default()
    };
    let layout = Layout::new(8, &budget, Detail::State, *b"0123456789abcdef");
    let mut encoder = Encoder::new(&layout);
    encoder.begin(0, None, 0, 0, 0);
    for (id, name) in [(1, "list"), (2, "Account")] {
        encoder.record(
            0,
            &Record::Intern {
                id,
                name: name.as_bytes(),
            },
        );
    }
    let mut made = 0;
    let mut number = 0_i64;
    while made < events {
        let value = RawValue::Int(number);
        encoder.record(
            0,
            &Record::In {
                site: 1,
                args: vec![value.clone()],
            },
        );
        encoder.record(
            0,
            &Record::Loop {
                site: 2,
                phase: 0,
                targets: Vec::new(),
            },
        );
        for _ in 0..ITERATIONS {
            number += 7;
            let targets = vec![RawValue::Int(number)];
            encoder.record(
                0,
                &Record::Loop {
                    site: 2,
                    phase: 1,
                    targets,
                },
            );
            encoder.record(0, &Record::Step { site: 3 });
            encoder.record(0, &written(number));
            let arm = u32::from(number % 3 == 0);
            encoder.record(
                0,
                &Record::Branch {
                    site: 7,
                    arm,
                    operands: Vec::new(),
                },
            );
            made += 4;
        }
        encoder.record(
            0,
            &Record::Loop {
                site: 2,
                phase: 2,
                targets: Vec::new(),
            },
        );
        let value = Some(value);
        encoder.record(
            0,
            &Record::Out {
                site: 8,
                value,
                unwinding: false,
                suspended: false,
            },
        );
        made += 4;
    }
    (encoder.finish(), layout)
}

fn written(number: i64) -> Record<'static> {
    match number % 3 {
        0 => Record::Var {
            site: 4,
            values: vec![RawValue::Int(number)],
        },
        1 => {
            let text = RawText {
                total: 12,
                shown: b"twelve bytes",
                digest: None,
            };
            Record::Var {
                site: 5,
                values: vec![RawValue::String(text)],
            }
        }
        _ => {
            let items = (0..8).map(|step| RawValue::Int(number + step)).collect();
            let heap = 4096 + number.unsigned_abs() % 64 * 16;
            let list = RawItems::whole(1, heap, items);
            Record::Var {
                site: 6,
                values: vec![RawValue::Sequence(list)],
            }
        }
    }
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    pages * 4096
}
