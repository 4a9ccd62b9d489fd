//! C against gcov: each statement ran as often as the compiler's own counters say.
//!
//! `TRACER_ORACLE=<folder>` compares every C file below a folder too.

use tracer_model::Kind;
use tracer_tests::gcov::{Gcov, agree};

const GCOV: Gcov = Gcov {
    language: "c",
    extension: "c",
    options: "-x c",
    counted_otherwise: &[Kind::Loop],
    // Conditions within an expression.
    splits: &[b"&&", b"||", b"?", b"({", b"fork", b"setjmp", b"longjmp"],
    returns_twice: false,
};

#[test]
fn statements_run_as_often_as_gcov_counts() {
    agree(&GCOV);
}
