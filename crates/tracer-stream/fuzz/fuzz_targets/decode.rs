//! Feeds the decoder a region whose header, segment headers and records the fuzzer writes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tracer_model::{Budget, Detail};
use tracer_stream::{Layout, Record, decode, record};

fuzz_target!(|data: &[u8]| {
    let budget = Budget { bytes: 1 << 16, ..Budget::default() };
    let layout = Layout::new(15, &budget, Detail::State, [7; 16]);
    // The fuzzer's bytes fill the slots and two segments; the frame around them is right, so that
    // it need not guess the nonce.
    let start = layout.first_segment() as usize;
    let mut region = vec![0; start + 2 * 65_536];
    region[..72].copy_from_slice(&layout.header());
    region[64] = 2;
    let slots = data.len().min(1024);
    region[4096..4096 + slots].copy_from_slice(&data[..slots]);
    for (segment, bytes) in data.chunks(65_536 - 32).take(2).enumerate() {
        let at = start + segment * 65_536;
        region[at..at + 4].copy_from_slice(b"SEG1");
        region[at + 4] = bytes.first().copied().unwrap_or(0) & 1;
        region[at + 16..at + 24].copy_from_slice(&[7; 8]);
        region[at + 32..at + 32 + bytes.len()].copy_from_slice(bytes);
    }
    for stream in &decode(&region, &layout).streams {
        for item in stream.records() {
            if let Ok(Record::Elide { last, .. }) = item {
                let _ = record::read_whole(last);
            }
        }
    }
});
