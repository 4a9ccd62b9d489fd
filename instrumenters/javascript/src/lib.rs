//! JavaScript: probe query, hooks and toolchain.
//!
//! The hooks insert calls of the emitter's probes (`runtimes/javascript`). Nothing here runs
//! anything. Invariants of the inserted text: it names only `$t<n>_…`, holds no newline, keeps
//! name inference, `this` of calls and directive prologues, and never stands where V8 would print
//! it in an error message.

mod branches;
mod chains;
mod errors;
mod functions;
mod loops;
mod modules;
mod statements;
mod suspensions;
mod syntax;
mod toolchain;
mod writes;

use tracer_instrument::{EmitterFile, LanguageSpec, Node, Rewriter, Toolchain};
use tracer_model::TypeNames;

macro_rules! emitter {
    ($($name:literal),* $(,)?) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/javascript/", $name)),
        }),*]
    };
}

/// A hook that leaves alone what belongs to a statement the parser could not read.
macro_rules! sound {
    ($hook:path) => {{
        fn checked<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
            if !syntax::in_broken(rewriter, node) {
                $hook(rewriter, node);
            }
        }
        checked
    }};
}

/// JavaScript on Node.js, `CommonJS` and ES modules.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "javascript",
    name: "JavaScript",
    aliases: &["js", "node", "nodejs"],
    extensions: &["js", "mjs", "cjs"],
    interpreters: &["node", "nodejs"],
    grammar: || tree_sitter_javascript::LANGUAGE.into(),
    probes: include_str!("../probes.scm"),
    // Of hooks on one node the earlier ones insert outermost.
    hooks: &[
        ("program", sound!(statements::program)),
        ("step", sound!(statements::step)),
        ("function", sound!(functions::function)),
        ("class", sound!(functions::class)),
        ("return", sound!(functions::leave)),
        ("loop", sound!(loops::circle)),
        ("switch", sound!(branches::choose)),
        ("condition", sound!(branches::condition)),
        ("jump", sound!(suspensions::jump)),
        ("declarator", sound!(writes::declarator)),
        ("assignment", sound!(writes::assignment)),
        ("compound", sound!(writes::compound)),
        ("update", sound!(writes::update)),
        ("delete", sound!(writes::delete)),
        ("field", sound!(writes::field)),
        ("shortcut", sound!(branches::shortcut)),
        ("throw", sound!(errors::throw)),
        ("catch", sound!(errors::catch)),
        ("finally", sound!(errors::finally)),
        ("suspension", sound!(suspensions::suspension)),
        ("change", sound!(writes::change)),
    ],
    blocks: &[
        "program",
        "statement_block",
        "class_body",
        "switch_body",
        "switch_case",
        "switch_default",
        "class_static_block",
    ],
    finish: Some(statements::finish),
    local_modules: Some(modules::local_modules),
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
    },
};
