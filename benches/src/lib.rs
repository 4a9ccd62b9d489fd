//! Benchmarks; see `README.md`.
