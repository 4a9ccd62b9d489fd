//! Go: what is rewritten, and how a program is built and run.
//!
//! Only insertions, all on the line they belong to, and only names that start with `_tr`. The hooks
//! decide where; what the inserted names do is `runtimes/go`.

mod branches;
mod calls;
mod context;
mod drive;
mod facts;
mod functions;
mod imports;
mod libraries;
mod loops;
mod noise;
mod phrase;
mod project;
mod source;
mod steps;
mod switches;
mod toolchain;
mod writes;

use tracer_instrument::{EmitterFile, Hook, LanguageSpec, Project, Wasm};
use tracer_model::TypeNames;

/// Hooks by capture name. At one node they run in this order.
const HOOKS: &[(&str, Hook)] = &[
    ("package", functions::package),
    ("function", functions::function),
    ("step", steps::step),
    ("if", branches::if_statement),
    ("switch", switches::switch_statement),
    ("select", switches::select_statement),
    ("fallthrough", switches::falls_through),
    ("loop", loops::loop_statement),
    ("logical", branches::logical),
    ("go", calls::go_statement),
    ("library", libraries::call),
    ("call", calls::call),
    ("declared", writes::declared),
    ("write", writes::write),
    ("count", writes::count),
];

macro_rules! emitter {
    ($($name:literal),* $(,)?) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/go/", $name)),
        }),*]
    };
}

const EMITTER: &[EmitterFile] = emitter![
    "calls.go",
    "channel.go",
    "errors.go",
    "libraries.go",
    "g_amd64.s",
    "g_arm64.s",
    "g_wasm.s",
    "channel_linux.go",
    "channel_wasip1.go",
    "maps.go",
    "os_hook.go",
    "output.go",
    "panics.go",
    "probes.go",
    "record.go",
    "scalars.go",
    "segments.go",
    "tasks.go",
    "values.go",
    "writer.go",
];

/// The language.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "go",
    name: "Go",
    aliases: &["golang"],
    extensions: &["go"],
    interpreters: &["gorun"],
    missing_library: &[
        ("no required module provides package ", ""),
        ("package ", " is not in std"),
        ("cannot find package ", ""),
    ],
    hash_seeds: &[],
    grammar: || tree_sitter_go::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("probes.scm"),
    hooks: HOOKS,
    blocks: &[
        "source_file",
        "block",
        "statement_list",
        "expression_case",
        "type_case",
        "communication_case",
        "default_case",
    ],
    mask: None,
    finish: None,
    local_modules: None,
    imports: imports::IMPORTS,
    project: Some(Project {
        read: project::read,
        local_modules: project::local_modules,
    }),
    emitter: EMITTER,
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "nil",
        boolean: "bool",
        integer: "int",
        unsigned: "uint",
        float: "float64",
        float32: "float32",
        character: "rune",
        string: "string",
        bytes: "[]uint8",
        function: "func",
        null_text: "nil",
        true_text: "true",
        false_text: "false",
        ..TypeNames::NEUTRAL
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[],
    wasm: Wasm::Yes {
        toolchain: &toolchain::MODULE,
        image: None,
    },
    drive: Ok(&drive::DRIVE),
};
