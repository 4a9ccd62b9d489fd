//! Rust: what is rewritten, and how a program is built and run.
//!
//! Only insertions, all on the line they belong to, and only names that start with `_tr`. The hooks
//! decide where; what the inserted names do is `runtimes/rust`. A probe takes references alone, and
//! only to what nothing else can hold mutably at that place.

mod branches;
mod cargo;
mod columns;
mod context;
mod drive;
mod functions;
mod imports;
mod loops;
mod patterns;
mod phrase;
mod project;
mod steps;
mod tasks;
mod toolchain;
mod types;
mod writes;

use tracer_instrument::{EmitterFile, Hook, LanguageSpec, Wasm};
use tracer_model::TypeNames;

/// Hooks by capture name. At one node they run in this order.
const HOOKS: &[(&str, Hook)] = &[
    ("crate", functions::crate_attribute),
    ("type", types::described),
    ("function", functions::function),
    ("closure", functions::closure),
    ("future", tasks::block),
    ("statement", steps::statement),
    ("result", functions::result),
    ("return", functions::leave),
    ("if", branches::if_expression),
    ("else", branches::let_else),
    ("arm", branches::arm),
    ("logical", branches::logical),
    ("try", branches::question_mark),
    ("loop", loops::loop_expression),
    ("break", loops::leave),
    ("await", tasks::wait),
    ("spawn", tasks::spawn),
    ("let", writes::declared),
    ("write", writes::write),
    ("change", writes::change),
];

macro_rules! emitter {
    ($($name:literal)*) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/rust/", $name)),
        }),*]
    };
}

/// The first one is what is compiled; the others are its modules.
const EMITTER: &[EmitterFile] = emitter! {
    "tracer_lib.rs"
    "tracer_channel.rs"
    "tracer_columns.rs"
    "tracer_futures.rs"
    "tracer_module.rs"
    "tracer_probes.rs"
    "tracer_std.rs"
    "tracer_system.rs"
    "tracer_tasks.rs"
    "tracer_values.rs"
    "tracer_wrapped.rs"
    "tracer_writer.rs"
};

/// The language.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "rust",
    name: "Rust",
    aliases: &["rs"],
    extensions: &["rs"],
    interpreters: &["rust-script"],
    missing_library: &[
        ("can't find crate for `", "`"),
        ("unresolved import `", "`"),
        ("unlinked crate `", "`"),
        ("file not found for module `", "`"),
    ],
    hash_seeds: &[],
    grammar: || tree_sitter_rust::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("probes.scm"),
    hooks: HOOKS,
    blocks: &["source_file", "block", "declaration_list", "match_block"],
    mask: None,
    other_toolchains: &[],
    wasm: Wasm::Yes {
        toolchain: &toolchain::MODULE,
        image: Some("wasm-rust"),
    },
    finish: None,
    local_modules: Some(toolchain::local_modules),
    imports: imports::IMPORTS,
    project: Some(toolchain::PROJECT),
    emitter: EMITTER,
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "()",
        boolean: "bool",
        integer: "i32",
        big_integer: "i128",
        unsigned: "usize",
        float: "f64",
        float32: "f32",
        character: "char",
        string: "&str",
        function: "fn",
        null_text: "()",
        true_text: "true",
        false_text: "false",
        ..TypeNames::NEUTRAL
    },
    toolchain: toolchain::TOOLCHAIN,
    drive: Ok(&drive::DRIVE),
};
