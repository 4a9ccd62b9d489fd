//! The seeds of the fuzz target `image`, and what once broke it, are read without complaint.

#[path = "../../../fuzz/bodies/image.rs"]
#[allow(unsafe_code, clippy::pedantic, unreachable_pub, missing_docs)] // written for the fuzzer
mod body;

#[test]
fn seeds_are_read() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/image");
    let mut count = 0;
    for seed in std::fs::read_dir(seeds).expect("the seeds").flatten() {
        body::feed(&std::fs::read(seed.path()).expect("a seed"));
        count += 1;
    }
    assert!(count > 5);
}
