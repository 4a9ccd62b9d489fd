//! TypeScript and TSX: probe query, hooks, lowering and toolchain.
//!
//! The TypeScript itself is instrumented, mostly by the hooks of JavaScript, and sites point into
//! it. Then the result is lowered to JavaScript (`lower`), so that nothing but Node.js is needed.
//! Types are not checked. Nothing here runs anything.
//!
//! The untraced program, which `tracer check` compares with, is the same lowering without probes.
//! Class fields follow the language's later rules (they are defined, not assigned) unless an initial
//! value needs a parameter property. JSX calls `React.createElement` or what `@jsx` names; without
//! that library the program ends with Node.js's own error. Decorators are those of before the
//! standard unless the file shows otherwise. What `tsconfig.json` says goes before all that.

mod drive;
mod hooks;
mod imports;
pub mod lower;
mod modules;
mod phrase;
pub mod settings;
mod toolchain;

use tracer_instrument::{LanguageSpec, Project, Toolchain, Wasm};
use tracer_lang_javascript::{QUICKJS, SPEC as JAVASCRIPT, hooks as shared};

/// TypeScript on Node.js, ES modules and `CommonJS`.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "typescript",
    name: "TypeScript",
    aliases: &["ts", "tsx"],
    extensions: &["ts", "tsx", "mts", "cts"],
    interpreters: &["ts-node", "tsx"],
    missing_library: &[
        ("Cannot find module '", "'"),
        ("Cannot find package '", "'"),
    ],
    hash_seeds: &[],
    grammar: || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
    other_grammars: &[
        ("tsx", || tree_sitter_typescript::LANGUAGE_TSX.into()),
        ("js", || tree_sitter_typescript::LANGUAGE_TSX.into()),
        ("jsx", || tree_sitter_typescript::LANGUAGE_TSX.into()),
        ("mjs", || tree_sitter_typescript::LANGUAGE_TSX.into()),
        ("cjs", || tree_sitter_typescript::LANGUAGE_TSX.into()),
    ],
    probes: include_str!("../probes.scm"),
    // Of hooks on one node the earlier ones insert outermost.
    hooks: &[
        ("program", shared::program),
        ("step", shared::step),
        ("function", hooks::function),
        ("class", shared::class),
        ("return", shared::leave),
        ("loop", shared::circle),
        ("switch", shared::choose),
        ("condition", shared::condition),
        ("jump", shared::jump),
        ("declarator", shared::declarator),
        ("assignment", shared::assignment),
        ("compound", shared::compound),
        ("update", shared::update),
        ("delete", shared::delete),
        ("field", hooks::field),
        ("enum", hooks::enumeration),
        ("shortcut", shared::shortcut),
        ("throw", shared::throw),
        ("catch", shared::catch),
        ("finally", shared::finally),
        ("suspension", shared::suspension),
        ("change", shared::change),
        ("call", shared::call),
    ],
    blocks: shared::BLOCKS,
    finish: Some(shared::finish),
    local_modules: Some(modules::local_modules),
    imports: imports::IMPORTS,
    project: Some(Project {
        read: settings::read,
        local_modules: modules::named_modules,
    }),
    mask: None,
    emitter: toolchain::EMITTER,
    phrase: phrase::PHRASE,
    type_names: JAVASCRIPT.type_names,
    toolchain: Toolchain {
        programs: &["node", "nodejs"],
        identify: &["-p", "process.version+'\\n'+process.execPath"],
        describe: tracer_lang_javascript::describe,
        hint: "the Debian package nodejs, or https://nodejs.org; version 20.19 or later",
        plan: toolchain::plan,
        environment: &[],
        variations: &[],
        diagnostics: None,
        dialects: &[],
        noise: None,
    },
    other_toolchains: &[],
    wasm: Wasm::Yes {
        toolchain: &MODULE,
        image: Some("wasm-javascript"),
    },
    drive: Ok(&drive::DRIVE),
};

/// The same engine as JavaScript's.
static MODULE: Toolchain = Toolchain {
    plan: toolchain::module_plan,
    ..QUICKJS
};
