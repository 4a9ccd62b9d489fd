//! What an emitter writes is what the decoder reads.

mod common;

use proptest::prelude::*;
use tracer_model::{Budget, Detail};
use tracer_stream::encode::Encoder;
use tracer_stream::{Layout, Origin, Problem, RawText, RawValue, Record, decode};

proptest! {
    #[test]
    fn records_come_back(streams in common::streams()) {
        let region = common::region(&streams);
        let decoded = decode(&region, &common::layout());
        prop_assert_eq!(&decoded.problems, &[]);
        prop_assert_eq!(decoded.streams.len(), streams.len());
        for (stream, records) in decoded.streams.iter().zip(&streams) {
            let read: Result<Vec<_>, _> = stream.records().collect();
            prop_assert_eq!(&read.unwrap(), records);
        }
    }

    #[test]
    fn slots_come_back(site in 1..common::SITES, count in 1..u64::MAX, sequence: u64) {
        let layout = common::layout();
        let mut encoder = Encoder::new(&layout);
        let last = Record::Var { site, values: vec![RawValue::Int(-5)] };
        encoder.slot(site, count, sequence, Some(&last));
        let region = encoder.finish();
        let decoded = decode(&region, &layout);
        prop_assert_eq!(decoded.slots.len(), 1);
        let slot = &decoded.slots[0];
        prop_assert_eq!((slot.site, slot.count, slot.sequence), (site, count, sequence));
        prop_assert_eq!(&slot.last, &Some(last));
    }
}

#[test]
fn a_stream_continues_over_segments_in_claim_order() {
    let layout = common::layout();
    let long = vec![b'z'; 30_000];
    let text = RawText {
        total: 30_000,
        shown: &long,
        digest: None,
    };
    let mut encoder = Encoder::new(&layout);
    encoder.begin(0, None, 0, 0, 0);
    encoder.begin(1, Some(0), 1, 7, 2);
    for site in 1..=5 {
        let record = Record::Var {
            site,
            values: vec![RawValue::String(text)],
        };
        encoder.record(site % 2, &record);
    }
    let region = encoder.finish();
    assert_eq!(region.len() as u64, layout.used(&region));
    let decoded = decode(&region, &layout);
    let sites = |stream: usize| -> Vec<u32> {
        decoded.streams[stream]
            .records()
            .map(|record| record.unwrap().site())
            .collect()
    };
    assert_eq!(sites(0), [2, 4]);
    assert_eq!(sites(1), [1, 3, 5]);
    let child = &decoded.streams[1];
    assert_eq!((child.parent, child.origin), (Some(0), Origin::Thread));
    assert_eq!((child.began_at_site, child.ordinal), (7, 1));
}

#[test]
fn what_came_before_a_broken_record_is_kept() {
    let layout = common::layout();
    let mut encoder = Encoder::new(&layout);
    encoder.begin(0, None, 0, 0, 0);
    encoder.record(0, &Record::Step { site: 1 });
    encoder.record(0, &Record::Step { site: 2 });
    let mut region = encoder.finish();
    let at = layout.first_segment() as usize + 32 + 4;
    region[at] = 0xee;
    let decoded = decode(&region, &layout);
    let read: Vec<_> = decoded.streams[0].records().collect();
    assert_eq!(
        read[..2],
        [Ok(Record::Step { site: 1 }), Ok(Record::Step { site: 2 })]
    );
    assert!(matches!(read[2..], [Err(Problem::Record(_))]));
}

#[test]
fn another_runs_segments_are_refused() {
    let layout = common::layout();
    let mut encoder = Encoder::new(&layout);
    encoder.begin(0, None, 0, 0, 0);
    encoder.record(0, &Record::Step { site: 1 });
    let region = encoder.finish();
    let other = Layout {
        nonce: [9; 16],
        ..layout
    };
    let decoded = decode(&region, &other);
    assert!(decoded.streams.is_empty());
    assert_eq!(decoded.problems, [Problem::Header, Problem::Segment]);
}

#[test]
fn the_header_says_what_the_layout_says() {
    let budget = Budget {
        events: 0x0102_0304,
        value_bytes: 77,
        ..Budget::default()
    };
    let layout = Layout::new(100, &budget, Detail::Full, [7; 16]);
    let header = layout.header();
    let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
    assert_eq!(&header[..4], b"TRCS");
    assert_eq!(number(28), 101);
    assert_eq!(number(40), 4096 + 8192);
    assert_eq!(number(48), 0x0102_0304);
    assert_eq!(header[57], 3);
    assert_eq!(header[62], 77);
    assert_eq!(number(64), 0);
}

#[test]
fn absurd_site_counts_and_budgets_fit() {
    let budget = Budget {
        bytes: u32::MAX,
        ..Budget::default()
    };
    let layout = Layout::new(u32::MAX, &budget, Detail::Calls, [0; 16]);
    assert!(u64::from(layout.first_segment()) < u64::from(u32::MAX));
    assert!(layout.size() > u64::from(u32::MAX));
}

#[test]
fn pieces_of_several_streams_share_a_segment() {
    let layout = common::layout();
    let mut encoder = Encoder::new(&layout);
    encoder.begin(0, None, 0, 0, 0);
    encoder.begin(u32::MAX, None, 1, 0, 0);
    let mut region = encoder.finish();
    let mut at = region.len() - 65_536 + 32;
    // Stream, ordinal, and sites of its steps; the second stream goes on behind the third.
    for (number, ordinal, site) in [(2_u32, 1_u32, 5_u8), (3, 2, 6), (2, 1, 7)] {
        for (offset, field) in [
            (0, 32),
            (4, number),
            (8, 1),
            (12, 1),
            (16, 4),
            (20, ordinal),
        ] {
            region[at + offset..at + offset + 4].copy_from_slice(&field.to_le_bytes());
        }
        region[at + 24..at + 26].copy_from_slice(&[1, site]);
        at += 32;
    }
    let steps = |region: &[u8]| -> Vec<(u32, u32, Vec<u32>)> {
        let decoded = decode(region, &layout);
        let streams = decoded.streams.iter().skip(1);
        streams
            .map(|stream| {
                assert_eq!(
                    (stream.parent, stream.origin, stream.began_at_site),
                    (Some(0), Origin::Thread, 4)
                );
                let sites = stream.records().map(|record| record.unwrap().site());
                (stream.number, stream.ordinal, sites.collect())
            })
            .collect()
    };
    assert_eq!(steps(&region), [(2, 0, vec![5, 7]), (3, 1, vec![6])]);
    assert!(decode(&region, &layout).problems.is_empty());
    // A forged length costs the pieces behind it.
    region[at - 32..at - 28].copy_from_slice(&70_000_u32.to_le_bytes());
    assert_eq!(steps(&region), [(2, 0, vec![5]), (3, 1, vec![6])]);
    assert_eq!(decode(&region, &layout).problems, [Problem::Segment]);
}
