//! Ruby: probe query, hooks and toolchain.
//!
//! The hooks insert calls of the emitter's probes (`runtimes/ruby`). Nothing here runs anything.
//! Invariants of the inserted text: it names only `::RubyVM::T` and, to count visits without a call,
//! `::RubyVM::N` and `::RubyVM::L`; it holds no newline, binds no variable, opens no scope and no
//! block, and leaves the line of every call what it was.

mod branches;
mod drive;
mod errors;
mod functions;
mod imports;
mod libraries;
mod loops;
mod modules;
mod names;
mod phrase;
mod statements;
mod syntax;
mod toolchain;
mod writes;

use tracer_instrument::{EmitterFile, LanguageSpec, Node, Rewriter, Wasm};
use tracer_model::TypeNames;

macro_rules! emitter {
    ($($name:literal),* $(,)?) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/ruby/", $name)),
        }),*]
    };
}

/// A hook that leaves alone what belongs to a statement the parser could not read, and whole files
/// that would see the probes.
macro_rules! sound {
    ($hook:path) => {{
        fn checked<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
            if !names::is_silent(rewriter) && !syntax::in_broken(rewriter, node) {
                $hook(rewriter, node);
            }
        }
        checked
    }};
}

/// Ruby on the reference interpreter, 2.7 or later.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "ruby",
    name: "Ruby",
    aliases: &["rb"],
    extensions: &["rb"],
    interpreters: &["ruby"],
    missing_library: &[("cannot load such file -- ", "")],
    hash_seeds: &[],
    grammar: || tree_sitter_ruby::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("../probes.scm"),
    // Of hooks on one node the earlier ones insert outermost.
    hooks: &[
        ("program", statements::program),
        ("step", sound!(statements::step)),
        ("loop", sound!(loops::circle)),
        ("method", sound!(functions::method)),
        ("class", sound!(functions::class)),
        ("block", sound!(functions::block)),
        ("leave", sound!(functions::leave)),
        ("choice", sound!(branches::choose)),
        ("condition", sound!(branches::condition)),
        ("shortcut", sound!(branches::shortcut)),
        ("match", sound!(branches::bind)),
        ("assignment", sound!(writes::assignment)),
        ("compound", sound!(writes::compound)),
        ("append", sound!(writes::append)),
        ("change", sound!(writes::change)),
        ("library", sound!(libraries::call)),
        ("rescue", sound!(errors::rescue)),
        ("rescue_modifier", sound!(errors::modifier)),
        ("ensure", sound!(errors::ensure)),
    ],
    blocks: &[
        "program",
        "body_statement",
        "block_body",
        "then",
        "else",
        "do",
        "ensure",
        "begin",
        "parenthesized_statements",
    ],
    finish: Some(statements::finish),
    local_modules: Some(modules::local_modules),
    imports: imports::IMPORTS,
    project: None,
    mask: None,
    emitter: emitter![
        "emitter.rb",
        "start.rb",
        "channel.rb",
        "values.rb",
        "objects.rb",
        "recorder.rb",
        "probes.rb",
        "calls.rb",
        "frames.rb",
        "muting.rb",
        "errors.rb",
        "tasks.rb",
        "loader.rb",
        "surface.rb",
    ],
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "NilClass",
        undefined: "NilClass",
        boolean: "Boolean",
        integer: "Integer",
        big_integer: "Integer",
        unsigned: "Integer",
        float: "Float",
        float32: "Float",
        character: "String",
        string: "String",
        bytes: "String",
        function: "Proc",
        null_text: "nil",
        true_text: "true",
        false_text: "false",
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[],
    wasm: Wasm::Yes {
        toolchain: &toolchain::MODULE,
        image: Some("wasm-ruby"),
    },
    drive: Ok(&drive::DRIVE),
};
