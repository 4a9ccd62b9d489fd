//! C: what is rewritten, and how a program is built and run.
//!
//! Only insertions, all on the line they belong to, and only names that start with `_tr_`. The
//! hooks decide where; what the inserted names do is `runtimes/c`.

mod branches;
mod capture;
mod context;
mod definition;
mod drive;
mod functions;
pub mod headers;
pub mod imports;
mod library;
mod loops;
pub mod module;
mod output;
mod phrase;
mod steps;
mod toolchain;
mod types;
mod writes;

use tracer_instrument::{EmitterFile, Hook, LanguageSpec, Wasm};
use tracer_model::TypeNames;

/// Hooks by capture name. At one node they run in this order.
const HOOKS: &[(&str, Hook)] = &[
    ("definition", capture::definition),
    ("frame", functions::frame),
    ("function", functions::function),
    ("step", steps::step),
    ("return", functions::leave),
    ("if", branches::if_statement),
    ("switch", branches::switch_statement),
    ("case", branches::case),
    ("loop", loops::loop_statement),
    ("label", loops::label),
    ("ternary", branches::ternary),
    ("logical", branches::logical),
    ("output", output::output),
    ("declared", writes::declared),
    ("write", writes::write),
    ("call", functions::call),
];

const EMITTER: &[EmitterFile] = &[
    EmitterFile {
        name: "tracer_emit.h",
        contents: include_bytes!("../../../runtimes/c/tracer_emit.h"),
    },
    EmitterFile {
        name: "tracer_emit.c",
        contents: include_bytes!("../../../runtimes/c/tracer_emit.c"),
    },
    EmitterFile {
        name: "tracer_values.h",
        contents: include_bytes!("../../../runtimes/c/tracer_values.h"),
    },
    EmitterFile {
        name: "tracer_probes.h",
        contents: include_bytes!("../../../runtimes/c/tracer_probes.h"),
    },
    EmitterFile {
        name: "tracer_output.h",
        contents: include_bytes!("../../../runtimes/c/tracer_output.h"),
    },
    EmitterFile {
        name: "tracer_tasks.h",
        contents: include_bytes!("../../../runtimes/c/tracer_tasks.h"),
    },
];

/// The language.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "c",
    name: "C",
    aliases: &["c99", "c11"],
    extensions: &["c"],
    interpreters: &["tcc"],
    missing_library: &[("fatal error: ", ": No such file")],
    hash_seeds: &[],
    grammar: || tree_sitter_c::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("probes.scm"),
    hooks: HOOKS,
    blocks: &[
        "translation_unit",
        "compound_statement",
        "declaration_list",
        "case_statement",
        "preproc_if",
        "preproc_ifdef",
        "preproc_else",
        "preproc_elif",
        "preproc_elifdef",
    ],
    finish: Some(capture::declare_used),
    local_modules: Some(toolchain::local_modules),
    imports: imports::IMPORTS,
    project: None,
    mask: None,
    emitter: EMITTER,
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "void *",
        boolean: "_Bool",
        integer: "int",
        unsigned: "unsigned int",
        float: "double",
        float32: "float",
        character: "char",
        string: "char *",
        null_text: "NULL",
        true_text: "1",
        false_text: "0",
        ..TypeNames::NEUTRAL
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[],
    wasm: Wasm::Yes {
        toolchain: &toolchain::MODULE,
        image: Some("wasm-c"),
    },
    drive: Ok(&drive::DRIVE),
};
