//! What tracer does with whole programs, and oracles that check it against the languages' own tools.
//!
//! One binary for all of them: each would link the whole engine.

mod coverage_bash;
mod emitter_javascript;
mod goroutines_go;
mod identity_java;
mod images;
mod isolation;
mod modules_go;
mod muting_bash;
mod oracle_bash;
mod oracle_c;
mod oracle_cpp;
mod oracle_csharp;
mod oracle_go;
mod oracle_java;
mod oracle_javascript;
mod oracle_php;
mod oracle_python;
mod oracle_ruby;
mod oracle_rust;
mod oracle_sql;
mod oracle_swift;
mod oracle_typescript;
mod parallel_bash;
mod projects_java;
mod reproducible;
mod shedding_rust;
mod threads_java;
mod wasm;
