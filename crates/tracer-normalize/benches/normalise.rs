//! Events per second of decoding and of normalising, on a trace like that of a loop that calls a
//! function. `cargo bench -p tracer-normalize`; each figure is the best of five.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

use std::time::Instant;

use tracer_model::{
    Budget, Chain, Detail, End, Environment, Function, FunctionKind, Kind, Limits, Outcome, Site,
    SiteTable, Span, TypeNames,
};
use tracer_normalize::{Inputs, normalise};
use tracer_stream::encode::Encoder;
use tracer_stream::{Layout, RawItems, RawText, RawValue, Record, decode};

fn site(id: u32, kind: Kind, function: u32, names: &[&str]) -> Site {
    Site {
        id,
        kind,
        file: 0,
        function,
        span: Span {
            line: id,
            end_line: id,
            ..Span::default()
        },
        names: names.iter().map(|&name| name.to_owned()).collect(),
        text: String::new(),
        arms: Vec::new(),
        expression: false,
        inner: None,
        implied_value: None,
        chain: Chain::default(),
    }
}

fn table() -> SiteTable {
    let function = |name: &str, kind| Function {
        name: name.to_owned(),
        qualified: name.to_owned(),
        file: 0,
        span: Span::default(),
        kind,
    };
    let mut sites = vec![
        site(1, Kind::Loop, 0, &["i"]),
        site(2, Kind::Step, 0, &[]),
        site(3, Kind::In, 1, &["n", "items"]),
        site(4, Kind::Branch, 1, &["n"]),
        site(5, Kind::Out, 1, &[]),
        site(6, Kind::Var, 0, &["total"]),
        site(7, Kind::Step, 0, &[]),
    ];
    // A write implies the next statement, as instrumenters have it.
    sites[5].chain.after = vec![7];
    SiteTable {
        files: Vec::new(),
        functions: vec![
            function("<module>", FunctionKind::Module),
            function("f", FunctionKind::Function),
        ],
        sites,
    }
}

/// A region with `rounds` rounds of the loop.
fn region(layout: &Layout, rounds: i64) -> Vec<u8> {
    let mut encoder = Encoder::new(layout);
    encoder.begin(0, None, 0, 0, 0);
    encoder.record(
        0,
        &Record::Intern {
            id: 1,
            name: b"list",
        },
    );
    encoder.record(
        0,
        &Record::Loop {
            site: 1,
            phase: 0,
            targets: Vec::new(),
        },
    );
    for round in 0..rounds {
        let int = || RawValue::Int(round);
        let text = RawText {
            total: 5,
            shown: b"hello",
            digest: None,
        };
        let items = RawItems::whole(1, 0x7f00, vec![int(), RawValue::String(text)]);
        let records = [
            Record::Loop {
                site: 1,
                phase: 1,
                targets: vec![int()],
            },
            Record::Step { site: 2 },
            Record::In {
                site: 3,
                args: vec![int(), RawValue::Sequence(items)],
            },
            Record::Branch {
                site: 4,
                arm: 1,
                operands: vec![int()],
            },
            Record::Out {
                site: 5,
                value: Some(int()),
                unwinding: false,
                suspended: false,
            },
            Record::Var {
                site: 6,
                values: vec![int()],
            },
        ];
        for record in &records {
            encoder.record(0, record);
        }
    }
    encoder.finish()
}

fn best(mut work: impl FnMut() -> usize) -> (f64, usize) {
    let mut best = f64::INFINITY;
    let mut events = 0;
    for _ in 0..5 {
        let start = Instant::now();
        events = work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    (events as f64 / best / 1e6, events)
}

fn main() {
    let table = table();
    for rounds in [20_000, 200_000] {
        let budget = Budget {
            bytes: 64 << 20,
            ..Budget::default()
        };
        let layout = Layout::new(table.sites.len() as u32, &budget, Detail::State, [7; 16]);
        let region = region(&layout, rounds);
        let (rate, records) = best(|| {
            decode(&region, &layout)
                .streams
                .iter()
                .map(|stream| stream.records().count())
                .sum()
        });
        println!("decode:    {rate:6.2} M records/s ({records} records)");
        let decoded = decode(&region, &layout);
        let (rate, events) = best(|| {
            let trace = normalise(Inputs {
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
                budget: budget.clone(),
                detail: Detail::State,
                environment: Environment {
                    language: String::new(),
                    toolchain: String::new(),
                    tracer: String::new(),
                    isolation: String::new(),
                    args: Vec::new(),
                },
                protections: Vec::new(),
                notes: Vec::new(),
            });
            trace.events.len()
        });
        println!("normalise: {rate:6.2} M events/s ({events} events, decoding included)");
    }
}
