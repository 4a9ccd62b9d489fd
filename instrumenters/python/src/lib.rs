//! Python: what to insert where, and how its programs are run.
//!
//! The inserted text is legal Python on the original's lines. Where Python has no place for a
//! probe (`try:`, `def`, the end of a function), markers are inserted that the emitter's
//! completion pass (`runtimes/python/complete.py`) lifts to their place in the syntax tree.
//!
//! Invariant: no inserted name is bound in the program's scopes or starts with two underscores.
//! Invariant: no inserted text evaluates any of the program's expressions a second time.

mod blocks;
mod branches;
mod calls;
mod drive;
mod errors;
mod expressions;
mod functions;
mod generators;
mod imports;
mod loops;
mod modules;
mod phrase;
mod statements;
mod targets;
mod toolchain;
mod writes;

use tracer_instrument::{EmitterFile, LanguageSpec, Wasm};
use tracer_model::TypeNames;

/// The language.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "python",
    name: "Python",
    aliases: &["py", "python3", "cpython"],
    extensions: &["py", "pyw"],
    interpreters: &["python"],
    missing_library: &[
        ("ModuleNotFoundError: No module named '", "'"),
        ("ImportError: ", ""),
    ],
    hash_seeds: &[("PYTHONHASHSEED", "1"), ("PYTHONHASHSEED", "77")],
    grammar: || tree_sitter_python::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("../probes.scm"),
    hooks: &[
        ("module", functions::module),
        ("statement", statements::statement),
        ("function", functions::function),
        ("class", functions::class),
        ("lambda", functions::lambda),
        ("if", branches::if_statement),
        ("elif", branches::elif_clause),
        ("while", loops::while_statement),
        ("for", loops::for_statement),
        ("match", branches::match_statement),
        ("assert", branches::assert_statement),
        ("with", statements::with_statement),
        ("except", errors::except_clause),
        ("finally", errors::finally_clause),
        ("return", functions::return_statement),
        ("raise", errors::raise_statement),
        ("delete", writes::delete_statement),
        ("import", writes::import_statement),
        ("type_alias", writes::type_alias),
        ("assignment", writes::assignment),
        ("mutation", writes::mutation),
        ("walrus", writes::walrus),
        ("ternary", branches::ternary),
        ("comprehension", loops::comprehension),
        ("yield", generators::yield_expression),
        ("await", generators::await_expression),
        ("expression", expressions::expression),
        ("call", calls::call),
    ],
    blocks: &["module", "block"],
    finish: None,
    local_modules: Some(modules::local_modules),
    imports: imports::IMPORTS,
    project: None,
    mask: None,
    emitter: EMITTER,
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "NoneType",
        boolean: "bool",
        integer: "int",
        big_integer: "int",
        float: "float",
        string: "str",
        bytes: "bytes",
        function: "function",
        null_text: "None",
        true_text: "True",
        false_text: "False",
        ..TypeNames::NEUTRAL
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[],
    wasm: Wasm::Yes {
        toolchain: &toolchain::MODULE,
        image: Some("wasm-python"),
    },
    drive: Ok(&drive::DRIVE),
};

macro_rules! emitter {
    ($($name:literal),*) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/python/", $name)),
        }),*]
    };
}

static EMITTER: &[EmitterFile] = emitter![
    "sitecustomize.py",
    "compile.py",
    "start.py",
    "complete.py",
    "values.py",
    "places.py",
    "errors.py",
    "process.py",
    "signals.py",
    "writes.py",
    "calls.py",
    "faults.py",
    "emitter.py"
];
