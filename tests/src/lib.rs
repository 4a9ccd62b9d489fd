//! Whole-system tests; see the files in `tests/`.
