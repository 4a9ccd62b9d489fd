//! Feeds the body of the same name with what the fuzzer makes up.
#![no_main]

#[path = "../bodies/copy_out.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::feed(bytes));
