//! C++: what is rewritten, and how a program is built and run.
//!
//! Only insertions, all on the line they belong to, and only names that start with `_tr_`. The
//! hooks decide where; what the inserted names do is `runtimes/cpp`, on top of `runtimes/c`.

mod branches;
mod changes;
mod classes;
mod context;
mod drive;
mod errors;
mod facts;
mod functions;
mod imports;
mod loops;
mod mask;
mod operands;
mod output;
mod phrase;
mod steps;
mod toolchain;
mod waits;
mod writes;

use tracer_instrument::{EmitterFile, Hook, LanguageSpec, Wasm};
use tracer_model::TypeNames;

/// Hooks by capture name. At one node they run in this order.
const HOOKS: &[(&str, Hook)] = &[
    ("class", classes::class),
    ("enumeration", classes::enumeration),
    ("function", functions::function),
    ("catch", errors::catch),
    ("step", steps::step),
    ("return", functions::leave),
    ("throw", errors::throw),
    ("wait", waits::wait),
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
    ("call", changes::call),
    ("input", changes::input),
];

macro_rules! files {
    ($($folder:literal: $($name:literal),+;)+) => {
        &[$($(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/", $folder, "/", $name)),
        },)+)+]
    };
}

const EMITTER: &[EmitterFile] = files! {
    "c": "tracer_emit.h", "tracer_emit.c", "tracer_values.h", "tracer_probes.h", "tracer_output.h",
        "tracer_tasks.h";
    "cpp": "tracer_emit_cpp.c", "tracer_shapes.h", "tracer_changes.h", "tracer_frames.h", "tracer_exceptions.h",
        "tracer_threads.h", "tracer_flushes.h", "tracer_emit.hpp", "tracer_values.hpp", "tracer_classes.hpp",
        "tracer_results.hpp", "tracer_constant.hpp";
};

/// The language.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "cpp",
    name: "C++",
    aliases: &["c++", "cxx"],
    extensions: &["cpp", "cc", "cxx", "c++", "cp"],
    interpreters: &[],
    missing_library: &[("fatal error: ", ": No such file")],
    hash_seeds: &[],
    grammar: || tree_sitter_cpp::LANGUAGE.into(),
    other_grammars: &[],
    mask: Some(mask::mask),
    probes: include_str!("probes.scm"),
    hooks: HOOKS,
    blocks: &[
        "translation_unit",
        "compound_statement",
        "declaration_list",
        "field_declaration_list",
        "case_statement",
        "namespace_definition",
        "class_specifier",
        "struct_specifier",
        "template_declaration",
        "linkage_specification",
        "preproc_if",
        "preproc_ifdef",
        "preproc_else",
        "preproc_elif",
        "preproc_elifdef",
    ],
    finish: Some(facts::refuse_modules),
    local_modules: Some(toolchain::local_modules),
    imports: imports::IMPORTS,
    project: None,
    emitter: EMITTER,
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "std::nullptr_t",
        boolean: "bool",
        integer: "int",
        unsigned: "unsigned int",
        float: "double",
        float32: "float",
        character: "char",
        string: "char *",
        null_text: "nullptr",
        true_text: "true",
        false_text: "false",
        ..TypeNames::NEUTRAL
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[],
    wasm: Wasm::Yes {
        toolchain: &toolchain::MODULE,
        image: Some("wasm-cpp"),
    },
    drive: Ok(&drive::DRIVE),
};
