//! SQL on `SQLite` and PostgreSQL: which statements report, and how a script is run.
//!
//! Nothing is inserted into a statement. Statements are cut by the runner's own tokenizer, which
//! knows what the `sqlite3` shell knows; one comment behind the script tells the runner which sites
//! there are. Scripts of other dialects are refused by name.

mod dialect;
mod imports;
mod modules;
mod phrase;
mod places;
mod postgresql;
mod relations;
mod routine;
mod script;
mod server;
mod statement;
mod toolchain;

use tracer_instrument::{LanguageSpec, SELF, Toolchain, Wasm};
use tracer_model::TypeNames;

/// SQL, in the dialects of `SQLite` and PostgreSQL.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "sql",
    name: "SQL",
    aliases: &["sqlite"],
    extensions: &["sql"],
    interpreters: &["sqlite"],
    missing_library: &[("no such module: ", "")],
    hash_seeds: &[],
    grammar: || tree_sitter_sequel::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("../probes.scm"),
    hooks: &[("relation", relations::relation)],
    blocks: &["program", "statement", "block", "transaction"],
    finish: Some(script::finish),
    local_modules: Some(modules::local_modules),
    imports: imports::IMPORTS,
    project: None,
    // The emitter is the runner, which is this program (see `toolchain`).
    mask: None,
    emitter: &[],
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "null",
        undefined: "null",
        boolean: "integer",
        integer: "integer",
        big_integer: "integer",
        unsigned: "integer",
        float: "real",
        float32: "real",
        character: "text",
        string: "text",
        bytes: "blob",
        function: "function",
        null_text: "NULL",
        true_text: "1",
        false_text: "0",
    },
    toolchain: Toolchain {
        programs: &[SELF, "tracer-sql"],
        identify: &[tracer_runtime_sql::RUNNER, "--version"],
        describe: toolchain::describe,
        hint: "the program tracer-sql of this workspace beside the program that embeds it",
        plan: toolchain::plan,
        environment: &[],
        variations: &[],
        diagnostics: None,
        dialects: &[],
        noise: None,
    },
    other_toolchains: &[(dialect::is_postgresql, &server::TOOLCHAIN)],
    wasm: Wasm::Yes {
        toolchain: &toolchain::MODULE,
        image: Some("wasm-sql"),
    },
    drive: Err("a script runs as it stands, and what it defines belongs to a database"),
};
