//! Arbitrary values, records and regions.

use proptest::prelude::*;
use tracer_model::{Budget, Detail};
use tracer_stream::encode::Encoder;
use tracer_stream::{Layout, RawFrame, RawItems, RawText, RawValue, Record};

/// Texts that records borrow.
const TEXTS: &[&[u8]] = &[
    b"",
    b"x",
    b"total",
    "h\u{e9}llo \u{1f600}".as_bytes(),
    b"\xff\xfe",
    b"\0\x07\n",
    &[b'a'; 300],
];

pub(crate) const SITES: u32 = 40;

pub(crate) fn layout() -> Layout {
    let budget = Budget {
        bytes: 1 << 16,
        ..Budget::default()
    };
    Layout::new(SITES, &budget, Detail::State, *b"0123456789abcdef")
}

fn blob() -> impl Strategy<Value = &'static [u8]> {
    prop::sample::select(TEXTS)
}

fn text() -> impl Strategy<Value = RawText<'static>> {
    (blob(), any::<Option<u64>>(), any::<u16>()).prop_map(|(shown, digest, more)| RawText {
        total: shown.len() as u64 + u64::from(more),
        shown,
        digest,
    })
}

fn items<T: std::fmt::Debug + Clone + 'static>(
    item: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = RawItems<T>> {
    (
        0..9u32,
        0..50u64,
        prop::collection::vec(item, 0..4),
        any::<Option<u64>>(),
        any::<bool>(),
    )
        .prop_map(|(type_id, heap, items, digest, unordered)| RawItems {
            digest,
            unordered,
            ..RawItems::whole(type_id, heap, items)
        })
}

pub(crate) fn value() -> impl Strategy<Value = RawValue<'static>> {
    let float = any::<f64>().prop_filter("nan is not equal to itself", |value| !value.is_nan());
    let leaf = prop_oneof![
        Just(RawValue::Null),
        any::<bool>().prop_map(RawValue::Bool),
        any::<i64>().prop_map(RawValue::Int),
        blob().prop_map(RawValue::BigInt),
        float.prop_map(RawValue::Float),
        text().prop_map(RawValue::String),
        text().prop_map(RawValue::Bytes),
        (0..9u32).prop_map(|name| RawValue::Function { name }),
        Just(RawValue::Unbound),
        Just(RawValue::Undefined),
        any::<u32>().prop_map(|value| RawValue::Float32(value as f32)),
        any::<u64>().prop_map(RawValue::Uint),
        any::<u32>().prop_map(RawValue::Character),
        (0..50u64).prop_map(|heap| RawValue::Reference { heap }),
        (0..9u32, 0..50u64, blob()).prop_map(|(type_id, heap, text)| RawValue::Opaque {
            type_id,
            heap,
            text
        }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (0..9u32, inner.clone()).prop_map(|(type_id, value)| RawValue::Typed {
                type_id,
                value: Box::new(value)
            }),
            items(inner.clone()).prop_map(RawValue::Sequence),
            items((inner.clone(), inner.clone())).prop_map(RawValue::Map),
            items(inner.clone()).prop_map(RawValue::Set),
            items((0..9u32, inner.clone())).prop_map(RawValue::Record),
            (0..9u32, 0..9u32, inner.clone()).prop_map(|(type_id, name, value)| RawValue::Enum {
                type_id,
                name,
                value: Box::new(value)
            }),
            (0..9u32, 0..50u64, prop::option::of(inner)).prop_map(|(type_id, heap, target)| {
                RawValue::Pointer {
                    type_id,
                    heap,
                    target: target.map(Box::new),
                }
            }),
        ]
    })
}

fn values() -> impl Strategy<Value = Vec<RawValue<'static>>> {
    prop::collection::vec(value(), 0..3)
}

pub(crate) fn record() -> impl Strategy<Value = Record<'static>> {
    let site = 0..SITES + 3;
    let optional = || prop::option::of(value());
    let frame = (0..9u32, 0..99u32).prop_map(|(function, line)| RawFrame { function, line });
    prop_oneof![
        4 => site.clone().prop_map(|site| Record::Step { site }),
        4 => (site.clone(), values()).prop_map(|(site, values)| Record::Var { site, values }),
        3 => (site.clone(), values()).prop_map(|(site, args)| Record::In { site, args }),
        3 => (site.clone(), optional(), any::<bool>(), any::<bool>()).prop_map(
            |(site, value, unwinding, suspended)| Record::Out { site, value, unwinding, suspended }
        ),
        2 => (site.clone(), 0..4u32, values())
            .prop_map(|(site, arm, operands)| Record::Branch { site, arm, operands }),
        3 => (site.clone(), 0..3u8, values())
            .prop_map(|(site, phase, targets)| Record::Loop { site, phase, targets }),
        2 => (site.clone(), 0..6u8, text(), value(), 0..99u32, prop::collection::vec(frame, 0..4))
            .prop_map(|(site, phase, type_name, message, line, frames)| Record::Err {
                site, phase, type_name, message, line, frames
            }),
        1 => (site.clone(), value(), value())
            .prop_map(|(site, before, after)| Record::Transform { site, before, after }),
        1 => (site.clone(), 0..9u32, 0..9u32, values(), optional()).prop_map(
            |(site, callee, package, args, result)| Record::Call {
                site, callee, package, version: 0, args, result
            }
        ),
        2 => (1..3u8, blob(), 0..9u64).prop_map(|(stream, text, more)| Record::Stdout {
            stream, length: text.len() as u64 + more, text
        }),
        2 => (0..3u8, 0..9u32, 0..5u64, site.clone())
            .prop_map(|(phase, what, task, site)| Record::Task { phase, what, task, site }),
        1 => (site.clone(), any::<u64>(), blob())
            .prop_map(|(site, count, last)| Record::Elide { site, count, last }),
        1 => prop_oneof![0..9u64, any::<u64>()].prop_map(|depth| Record::Depth { depth }),
        2 => (1..9u32, blob()).prop_map(|(id, name)| Record::Intern { id, name }),
        1 => (0..3u8).prop_map(|which| Record::Limit { which }),
        1 => (site.clone(), optional(), any::<bool>())
            .prop_map(|(site, value, thrown)| Record::Resume { site, value, thrown }),
        1 => (site, optional()).prop_map(|(site, value)| Record::Returned { site, value }),
    ]
}

pub(crate) type Streams = Vec<Vec<Record<'static>>>;

pub(crate) fn streams() -> impl Strategy<Value = Streams> {
    prop::collection::vec(prop::collection::vec(record(), 0..40), 1..4)
}

/// A region with these streams, the later ones children of the first.
pub(crate) fn region(streams: &Streams) -> Vec<u8> {
    let mut encoder = Encoder::new(&layout());
    for (number, records) in (0u32..).zip(streams) {
        let parent = (number > 0).then_some(0);
        encoder.begin(number, parent, number.min(3), number, number);
        for record in records {
            encoder.record(number, record);
        }
    }
    encoder.finish()
}
