//! Whatever was recorded: no panic, the same trace each time, and nothing in it that the
//! operating system chose.

#[path = "../../tracer-stream/tests/common/mod.rs"]
mod common;

use proptest::prelude::*;
use tracer_model::{
    Budget, Chain, Detail, End, Environment, Function, FunctionKind, Kind, Limits, Outcome,
    Payload, Site, SiteTable, Span, Trace, TypeNames,
};
use tracer_normalize::{Inputs, normalise};
use tracer_stream::encode::Encoder;
use tracer_stream::{RawItems, RawValue, Record, decode};

const KINDS: [Kind; 6] = [
    Kind::Step,
    Kind::In,
    Kind::Out,
    Kind::Var,
    Kind::Branch,
    Kind::Loop,
];

/// A table whose chains go anywhere, circles included.
fn table() -> impl Strategy<Value = SiteTable> {
    let ids = || prop::collection::vec(0..common::SITES + 2, 0..3);
    let site = (0..KINDS.len(), 0..5u32, ids(), ids(), ids(), ids());
    prop::collection::vec(site, common::SITES as usize).prop_map(|sites| SiteTable {
        files: Vec::new(),
        functions: (0..4).map(function).collect(),
        sites: (1..)
            .zip(sites)
            .map(|(id, (kind, function, before, after, arm, left))| Site {
                id,
                kind: KINDS[kind],
                file: 0,
                function,
                span: Span {
                    line: id,
                    end_line: id,
                    ..Span::default()
                },
                names: vec!["a".into(), format!("b{id}")],
                text: "text".into(),
                arms: Vec::new(),
                expression: id % 7 == 0,
                inner: None,
                implied_value: None,
                chain: Chain {
                    before,
                    after,
                    after_arm: vec![(1, arm)],
                    after_left: left,
                },
            })
            .collect(),
    })
}

fn function(number: usize) -> Function {
    let kind = [
        FunctionKind::Module,
        FunctionKind::Function,
        FunctionKind::Generator,
    ][number.min(2)];
    Function {
        name: "total".into(),
        qualified: "x".into(),
        file: 0,
        span: Span::default(),
        kind,
    }
}

fn run(table: &SiteTable, region: &[u8], stdout: Option<&[u8]>) -> Trace {
    let layout = common::layout();
    let decoded = decode(region, &layout);
    normalise(Inputs {
        table: table.clone(),
        dropped: Vec::new(),
        decoded: &decoded,
        type_names: &TypeNames::NEUTRAL,
        stdout,
        stderr: stdout,
        outcome: Outcome {
            end: End::Exited { code: 0 },
            limits_hit: Vec::new(),
        },
        limits: Limits::default(),
        budget: Budget::default(),
        detail: Detail::State,
        environment: Environment {
            language: String::new(),
            toolchain: String::new(),
            tracer: String::new(),
            isolation: String::new(),
            image: None,
            args: Vec::new(),
        },
        protections: Vec::new(),
        notes: Vec::new(),
    })
}

/// Another place for every object.
fn elsewhere(heap: u64) -> u64 {
    if heap == 0 {
        0
    } else {
        (heap ^ 0x2a) * 0x1_0001 + 3
    }
}

fn moved_items<T>(items: &RawItems<T>, each: impl Fn(&T) -> T) -> RawItems<T> {
    RawItems {
        heap: elsewhere(items.heap),
        items: items.items.iter().map(each).collect(),
        type_id: items.type_id,
        length: items.length,
        digest: items.digest,
        unordered: items.unordered,
    }
}

fn moved(value: &RawValue<'static>) -> RawValue<'static> {
    match value {
        RawValue::Typed { type_id, value } => RawValue::Typed {
            type_id: *type_id,
            value: Box::new(moved(value)),
        },
        RawValue::Sequence(items) => RawValue::Sequence(moved_items(items, moved)),
        RawValue::Set(items) => RawValue::Set(moved_items(items, moved)),
        RawValue::Map(items) => RawValue::Map(moved_items(items, |(key, value)| {
            (moved(key), moved(value))
        })),
        RawValue::Record(items) => {
            RawValue::Record(moved_items(items, |(name, value)| (*name, moved(value))))
        }
        RawValue::Reference { heap } => RawValue::Reference {
            heap: elsewhere(*heap),
        },
        RawValue::Opaque {
            type_id,
            heap,
            text,
        } => RawValue::Opaque {
            type_id: *type_id,
            heap: elsewhere(*heap),
            text,
        },
        RawValue::Pointer {
            type_id,
            heap,
            target,
        } => RawValue::Pointer {
            type_id: *type_id,
            heap: elsewhere(*heap),
            target: target.as_deref().map(|target| Box::new(moved(target))),
        },
        other => other.clone(),
    }
}

/// The same events in a program whose memory lies elsewhere.
fn moved_record(record: &Record<'static>) -> Record<'static> {
    let all = |values: &[RawValue<'static>]| values.iter().map(moved).collect();
    let mut record = record.clone();
    match &mut record {
        Record::Var { values, .. }
        | Record::In { args: values, .. }
        | Record::Branch {
            operands: values, ..
        }
        | Record::Loop {
            targets: values, ..
        } => *values = all(values),
        Record::Out { value, .. }
        | Record::Resume { value, .. }
        | Record::Returned { value, .. } => {
            *value = value.as_ref().map(moved);
        }
        Record::Err { message, .. } => *message = moved(message),
        Record::Transform { before, after, .. } => {
            (*before, *after) = (moved(before), moved(after));
        }
        Record::Call { args, result, .. } => {
            *args = all(args);
            *result = result.as_ref().map(moved);
        }
        _ => {}
    }
    record
}

fn written(trace: &Trace, wanted: u8) -> Vec<u8> {
    let texts = trace
        .events
        .iter()
        .filter_map(|event| match &event.payload {
            Payload::Stdout { stream, text, .. } if *stream == wanted => Some(text.bytes()),
            _ => None,
        });
    texts.flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn the_same_bytes_give_the_same_trace(table in table(), streams in common::streams()) {
        let region = common::region(&streams);
        let trace = run(&table, &region, None);
        prop_assert_eq!(&run(&table, &region, None), &trace);
        for event in &trace.events {
            prop_assert!(event.site <= common::SITES);
            match event.payload {
                // Counts of 2^64 saturate.
                Payload::Elide { from, to, count, .. } if to < u64::MAX => {
                    prop_assert_eq!(to - from + 1, count);
                }
                Payload::In { .. } => prop_assert!(event.depth > 0),
                _ => {}
            }
        }
    }

    #[test]
    fn addresses_do_not_matter(table in table(), streams in common::streams()) {
        let elsewhere: common::Streams =
            streams.iter().map(|stream| stream.iter().map(moved_record).collect()).collect();
        let here = run(&table, &common::region(&streams), None);
        let there = run(&table, &common::region(&elsewhere), None);
        prop_assert_eq!(here, there);
    }

    #[test]
    fn the_order_in_which_streams_begin_does_not_matter(
        table in table(), first in prop::collection::vec(common::record(), 0..30),
        second in prop::collection::vec(common::record(), 0..30),
    ) {
        let layout = common::layout();
        let region = |numbers: [u32; 2]| {
            let mut encoder = Encoder::new(&layout);
            encoder.begin(0, None, 0, 0, 0);
            let streams = [(numbers[0], 1, &first), (numbers[1], 2, &second)];
            for (number, child, records) in streams {
                encoder.begin(number, Some(0), 1, 3, child);
                for record in records {
                    encoder.record(number, record);
                }
            }
            encoder.finish()
        };
        prop_assert_eq!(run(&table, &region([1, 2]), None), run(&table, &region([2, 1]), None));
    }

    #[test]
    fn every_byte_of_output_appears_once(
        table in table(), streams in common::streams(),
        output in "[a-z\n]{0,40}(total)?(x)*[a-z\n]{0,20}",
    ) {
        let region = common::region(&streams);
        let trace = run(&table, &region, Some(output.as_bytes()));
        for stream in [1, 2] {
            let (mut told, mut captured) = (written(&trace, stream), output.clone().into_bytes());
            told.sort_unstable();
            captured.sort_unstable();
            prop_assert_eq!(&told, &captured);
        }
    }

    #[test]
    fn random_bytes_are_told(
        table in table(), bytes in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        let mut region = common::region(&vec![Vec::new()]);
        let start = common::layout().first_segment() as usize + 32;
        region[start..start + bytes.len()].copy_from_slice(&bytes);
        let slots = bytes.len().min(1000);
        region[4096 + 64..4096 + 64 + slots].copy_from_slice(&bytes[..slots]);
        run(&table, &region, Some(b"x\n"));
    }
}
