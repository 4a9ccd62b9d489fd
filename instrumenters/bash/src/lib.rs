//! Bash: what to insert where, and how its programs are run.
//!
//! Probes are commands of their own, on the original's lines: `_tr_c 17 grep -q "$x"&&((1));` in
//! front of `grep -q "$x"`. A list's first command is exempt from `set -e` and the ERR trap, and
//! the probe gives back the status it found. Words are expanded a second time only where that
//! changes nothing and runs nothing; the rest is reported as a substitution.
//!
//! Invariant: no inserted text runs a command substitution, assigns, or reads `$RANDOM`.
//! Invariant: a probe stays only where bash itself reads it as a command between the script's own.
//! Invariant: what a script could see of its own text (`declare -f`, `set -v`, `trap … DEBUG`) keeps
//! it from being rewritten; xtrace on a private descriptor tells of such a script instead.

mod blocks;
mod branches;
mod calls;
mod caution;
mod drive;
mod functions;
mod imports;
mod lists;
mod loops;
mod mask;
mod modules;
mod notes;
mod phrase;
mod printed;
mod proof;
mod statements;
mod toolchain;
mod words;
mod writes;

use tracer_instrument::{EmitterFile, LanguageSpec, Wasm};
use tracer_model::TypeNames;

/// The language.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "bash",
    name: "Bash",
    aliases: &["sh", "shell"],
    extensions: &["sh", "bash"],
    interpreters: &["bash", "sh"],
    missing_library: &[(": command not found", "")],
    hash_seeds: &[],
    grammar: || tree_sitter_bash::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("../probes.scm"),
    hooks: &[
        ("script", functions::script),
        ("function", functions::function),
        ("statement", statements::statement),
        ("if", branches::if_statement),
        ("elif", branches::elif_clause),
        ("case", branches::case_statement),
        ("while", loops::while_statement),
        ("for", loops::for_statement),
        ("list", lists::list),
    ],
    blocks: &[
        "program",
        "compound_statement",
        "do_group",
        "subshell",
        "case_statement",
        "case_item",
        "if_statement",
        "elif_clause",
        "else_clause",
    ],
    finish: Some(functions::unread),
    local_modules: Some(modules::local_modules),
    imports: imports::IMPORTS,
    project: None,
    mask: Some(mask::mask),
    emitter: EMITTER,
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "unset",
        integer: "integer",
        big_integer: "integer",
        string: "string",
        ..TypeNames::NEUTRAL
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[],
    wasm: Wasm::No("a script starts other programs, which a WebAssembly module cannot"),
    drive: Ok(&drive::DRIVE),
};

macro_rules! emitter {
    ($($name:literal),*) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/bash/", $name)),
        }),*]
    };
}

static EMITTER: &[EmitterFile] = emitter!["start.sh", "emitter.sh", "values.sh", "budget.sh"];
