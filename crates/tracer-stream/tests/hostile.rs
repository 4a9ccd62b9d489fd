//! The subject can write anything into the region: nothing it writes may panic the reader, hang
//! it, or make it allocate without bound.

mod common;

use proptest::prelude::*;
use tracer_stream::{Layout, Record, decode, record};

/// Reads all there is, and gives how many records that was.
fn read_all(region: &[u8], layout: &Layout) -> usize {
    let decoded = decode(region, layout);
    let mut records = 0;
    for stream in &decoded.streams {
        assert!(stream.parent.is_none_or(|parent| parent < stream.number));
        for record in stream.records() {
            records += 1;
            if let Ok(Record::Elide { last, .. }) = record {
                let _ = record::read_whole(last);
            }
        }
    }
    assert!(decoded.slots.len() < layout.slots as usize);
    records
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn mutated_regions_are_read(
        streams in common::streams(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in any::<prop::sample::Index>(),
        shorten in any::<bool>(),
    ) {
        let layout = common::layout();
        let mut region = common::region(&streams);
        // Most of a region is zeros; change what means something.
        let used: Vec<usize> =
            region.iter().enumerate().filter(|(_, byte)| **byte != 0).map(|(at, _)| at).collect();
        for (index, byte) in changes {
            region[*index.get(&used)] = byte;
        }
        if shorten {
            region.truncate(cut.index(region.len()));
        }
        let most = region.len();
        prop_assert!(read_all(&region, &layout) <= most);
    }

    #[test]
    fn random_records_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = record::read_whole(&bytes);
        let layout = common::layout();
        let mut region = common::region(&vec![Vec::new()]);
        let start = layout.first_segment() as usize + 32;
        region[start..start + bytes.len()].copy_from_slice(&bytes);
        read_all(&region, &layout);
    }

    #[test]
    fn random_regions_are_read(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
        read_all(&bytes, &common::layout());
    }
}

#[test]
fn huge_counts_allocate_nothing() {
    // VAR with 2^63 values; a sequence of 2^63 elements; a string of 2^62 bytes.
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    for head in [
        &[0x02, 1][..],
        &[0x02, 1, 1, 0x11, 0, 0, 0, 0],
        &[0x02, 1, 1, 0x06, 0],
    ] {
        let bytes: Vec<u8> = head.iter().chain(&huge).copied().collect();
        assert!(record::read_whole(&bytes).is_err());
    }
}

#[test]
fn endless_nesting_is_refused() {
    let mut bytes = vec![0x02, 1, 1];
    bytes.extend([0x10, 0].repeat(100_000));
    assert!(record::read_whole(&bytes).is_err());
}
