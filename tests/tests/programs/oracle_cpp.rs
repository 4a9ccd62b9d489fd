//! C++ against gcov: each statement ran as often as the compiler's own counters say.
//!
//! `TRACER_ORACLE=<folder>` compares every C++ file below a folder too.

use tracer_model::Kind;
use tracer_tests::gcov::{Gcov, agree};

const GCOV: Gcov = Gcov {
    language: "cpp",
    extension: "cpp",
    options: "",
    // gcov adds the head of a function or handler to what stands on its line.
    counted_otherwise: &[Kind::Loop, Kind::In, Kind::Err],
    // Conditions within an expression; lists, arrays and lambdas, which it counts by element and call.
    splits: &[
        b"&&", b"||", b"?", b"{{", b"{\"", b"{}", b"{1", b"](", b"&[", b"&&[", b"new ", b"fork",
    ],
    returns_twice: true,
};

#[test]
fn statements_run_as_often_as_gcov_counts() {
    agree(&GCOV);
}
