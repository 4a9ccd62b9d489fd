//! Swift: what is rewritten, and how a program is built and run.
//!
//! Only insertions, all on the line they belong to, and only names that start with `_tr_`. The
//! hooks decide where; what the inserted names do is `runtimes/swift`.

mod bodies;
mod branches;
mod drive;
mod errors;
mod facts;
mod functions;
mod imports;
mod loops;
mod operators;
mod phrase;
mod statements;
mod syntax;
mod toolchain;
mod writes;

use tracer_instrument::{EmitterFile, Hook, LanguageSpec, Wasm};
use tracer_model::TypeNames;

/// Hooks by capture name. At one node they run in this order.
const HOOKS: &[(&str, Hook)] = &[
    ("type", functions::type_body),
    ("function", functions::function),
    ("statement", statements::statement),
    ("transfer", functions::transfer),
    ("if", branches::if_statement),
    ("guard", branches::guard),
    ("switch", branches::switch),
    ("ternary", branches::ternary),
    ("logical", operators::logical),
    ("loop", loops::loop_statement),
    ("do", errors::do_statement),
    ("catch", errors::catch),
    ("declared", writes::declared),
    ("write", writes::write),
    ("call", writes::call),
];

macro_rules! emitter {
    ($($name:literal from $path:literal),* $(,)?) => {
        &[$(EmitterFile { name: $name, contents: include_bytes!($path) }),*]
    };
}

/// The Swift half, and the C emitter that it stands on.
const EMITTER: &[EmitterFile] = emitter![
    "core.swift" from "../../../runtimes/swift/core.swift",
    "probes.swift" from "../../../runtimes/swift/probes.swift",
    "values.swift" from "../../../runtimes/swift/values.swift",
    "bridge.c" from "../../../runtimes/swift/bridge.c",
    "tasks.h" from "../../../runtimes/swift/tasks.h",
    "tracer_emit.c" from "../../../runtimes/c/tracer_emit.c",
    "tracer_output.h" from "../../../runtimes/c/tracer_output.h",
    "tracer_emit.h" from "../../../runtimes/c/tracer_emit.h",
    "tracer_values.h" from "../../../runtimes/c/tracer_values.h",
    "tracer_probes.h" from "../../../runtimes/c/tracer_probes.h",
    "tracer_tasks.h" from "../../../runtimes/c/tracer_tasks.h",
];

/// The language.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "swift",
    name: "Swift",
    aliases: &[],
    extensions: &["swift"],
    interpreters: &["swift"],
    missing_library: &[("no such module '", "'")],
    hash_seeds: &[("SWIFT_DETERMINISTIC_HASHING", "0")],
    grammar: || tree_sitter_swift::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("../probes.scm"),
    hooks: HOOKS,
    blocks: &[
        "source_file",
        "statements",
        "class_body",
        "enum_class_body",
        "function_body",
        "lambda_literal",
        "switch_statement",
        "computed_property",
    ],
    finish: Some(functions::import),
    local_modules: Some(toolchain::local_modules),
    imports: imports::IMPORTS,
    project: None,
    mask: None,
    emitter: EMITTER,
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "nil",
        boolean: "Bool",
        integer: "Int",
        unsigned: "UInt",
        float: "Double",
        float32: "Float",
        character: "Character",
        string: "String",
        null_text: "nil",
        true_text: "true",
        false_text: "false",
        ..TypeNames::NEUTRAL
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[],
    wasm: Wasm::No("no WebAssembly module of its toolchain exists"),
    drive: Ok(&drive::DRIVE),
};
