//! JavaScript against V8's block coverage: every statement and every function ran as often as V8
//! counted.
//!
//! V8 counts blocks, not statements: where an error leaves a block half-way, only the block's first
//! statement is comparable. The oracle runs the original program and knows nothing of tracer.
#![expect(clippy::print_stderr, reason = "a missing toolchain is said")]

use tracer_engine::{find_toolchain, languages};
use tracer_tests::coverage::{compare, count};
use tracer_tests::fixture::Case;
use tracer_tests::oracle::{self, Verdict};

/// Under the oracle a program is not the main module, and the stack is less deep.
fn suits(case: &Case) -> bool {
    let own = ["require.main", "process._getActive", "Worker("];
    let deep = ["recursion-too-deep", "overflow"];
    let text = &case.files[0].1;
    !own.iter().any(|word| text.contains(word)) && !deep.contains(&case.name.as_str())
}

#[test]
fn traces_agree_with_block_coverage() {
    let spec = languages::by_name("javascript").unwrap();
    let found = match find_toolchain(spec) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut verdict = Verdict::default();
    for (name, path) in oracle::subjects("javascript", "js", scratch.path(), &suits) {
        let Some(theirs) = count(&path, &found.program, &found.roots) else {
            Verdict::skip(&name, "leaves no counts");
            continue;
        };
        let trace = oracle::record(&path);
        // What the parser cannot read has no probes.
        if trace
            .coverage
            .dropped
            .iter()
            .any(|dropped| dropped.reason == "syntax_error")
        {
            Verdict::skip(&name, "not all of it is traced");
            continue;
        }
        let text = &trace.table.files[0].text;
        let place = |offset: usize| text[..offset].encode_utf16().count();
        let outcome = compare(&trace, &theirs, &place);
        verdict.add(&name, outcome.map(|visits| visits as usize));
    }
    verdict.close("visits agree with V8's block coverage");
}
