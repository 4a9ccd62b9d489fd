//! JavaScript: probe query, hooks and toolchain.
//!
//! The hooks insert calls of the emitter's probes (`runtimes/javascript`). Nothing here runs
//! anything. Invariants of the inserted text: it names only `$t<n>_…`, holds no newline, keeps
//! name inference, `this` of calls and directive prologues, and never stands where V8 would print
//! it in an error message.

mod branches;
mod calls;
mod chains;
pub mod drive;
mod errors;
mod functions;
pub mod hooks;
pub mod imports;
mod loops;
mod modules;
pub mod phrase;
pub mod quickjs;
mod statements;
mod suspensions;
mod syntax;
mod toolchain;
mod writes;

use tracer_instrument::{EmitterFile, LanguageSpec, Toolchain, Wasm};
use tracer_model::TypeNames;

macro_rules! emitter {
    ($($name:literal),* $(,)?) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/javascript/", $name)),
        }),*]
    };
}

pub use toolchain::describe;

/// JavaScript on Node.js, `CommonJS` and ES modules.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "javascript",
    name: "JavaScript",
    aliases: &["js", "node", "nodejs"],
    extensions: &["js", "mjs", "cjs"],
    interpreters: &["node", "nodejs"],
    missing_library: &[
        ("Cannot find module '", "'"),
        ("Cannot find package '", "'"),
    ],
    hash_seeds: &[],
    grammar: || tree_sitter_javascript::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("../probes.scm"),
    // Of hooks on one node the earlier ones insert outermost.
    hooks: &[
        ("program", hooks::program),
        ("step", hooks::step),
        ("function", hooks::function),
        ("class", hooks::class),
        ("return", hooks::leave),
        ("loop", hooks::circle),
        ("switch", hooks::choose),
        ("condition", hooks::condition),
        ("jump", hooks::jump),
        ("declarator", hooks::declarator),
        ("assignment", hooks::assignment),
        ("compound", hooks::compound),
        ("update", hooks::update),
        ("delete", hooks::delete),
        ("field", hooks::field),
        ("shortcut", hooks::shortcut),
        ("throw", hooks::throw),
        ("catch", hooks::catch),
        ("finally", hooks::finally),
        ("suspension", hooks::suspension),
        ("change", hooks::change),
        ("call", hooks::call),
    ],
    blocks: hooks::BLOCKS,
    finish: Some(statements::finish),
    local_modules: Some(modules::local_modules),
    imports: imports::IMPORTS,
    project: None,
    mask: None,
    emitter: emitter![
        "emitter.cjs",
        "primordials.cjs",
        "channel.cjs",
        "values.cjs",
        "recorder.cjs",
        "probes.cjs",
        "sources.cjs",
        "stacks.cjs",
        "disguise.cjs",
        "loader.cjs",
        "output.cjs",
    ],
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "null",
        undefined: "undefined",
        boolean: "boolean",
        integer: "number",
        big_integer: "bigint",
        unsigned: "number",
        float: "number",
        float32: "number",
        character: "string",
        string: "string",
        bytes: "Buffer",
        function: "function",
        null_text: "null",
        true_text: "true",
        false_text: "false",
    },
    toolchain: Toolchain {
        programs: &["node", "nodejs"],
        identify: &["-p", "process.version+'\\n'+process.execPath"],
        describe: toolchain::describe,
        hint: "the Debian package nodejs, or https://nodejs.org",
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

/// What its programs run on.
static MODULE: Toolchain = QUICKJS;

/// `QuickJS` as a WebAssembly module.
pub const QUICKJS: Toolchain = Toolchain {
    programs: &["quickjs.wasm"],
    identify: &["--version"],
    describe: quickjs::describe,
    hint: "the image wasm-javascript",
    plan: toolchain::module_plan,
    environment: &[],
    variations: &[],
    diagnostics: None,
    dialects: &[],
    noise: None,
};
