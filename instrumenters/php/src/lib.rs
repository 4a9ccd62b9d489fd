//! PHP: probe query, hooks and toolchain.
//!
//! The hooks insert calls of the emitter's probes (`runtimes/php`). Nothing here runs anything.
//! Invariants of the inserted text: it names only `\trc0_…`, `\Trc0` and, in functions that need
//! their frame, `$trc0F`; it holds no newline; it never stands where PHP wants a constant, a
//! variable or the first statement of a file.

mod branches;
mod calls;
mod chains;
mod drive;
mod errors;
mod functions;
mod imports;
mod libraries;
mod loops;
mod modules;
mod output;
mod phrase;
mod statements;
mod suspensions;
mod syntax;
mod toolchain;
mod writes;

use tracer_instrument::{EmitterFile, LanguageSpec, Node, Rewriter, Wasm};
use tracer_model::TypeNames;

macro_rules! emitter {
    ($($name:literal),* $(,)?) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/php/", $name)),
        }),*]
    };
}

/// A hook that leaves alone what the parser could not read, and what is no code.
macro_rules! sound {
    ($hook:path) => {{
        fn checked<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
            if syntax::is_live(rewriter, node) {
                $hook(rewriter, node);
            }
        }
        checked
    }};
}

/// PHP 8 on the command line.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "php",
    name: "PHP",
    aliases: &["php8"],
    extensions: &["php", "phtml"],
    interpreters: &["php"],
    missing_library: &[
        ("Failed opening required '", "'"),
        ("Class \"", "\" not found"),
    ],
    hash_seeds: &[],
    grammar: || tree_sitter_php::LANGUAGE_PHP.into(),
    other_grammars: &[],
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
        ("match", sound!(branches::select)),
        ("condition", sound!(branches::condition)),
        ("unset", sound!(writes::unset)),
        ("static", sound!(writes::fixed)),
        ("echo", sound!(output::echo)),
        ("tag", sound!(output::tag)),
        ("print", sound!(output::print)),
        ("exit", sound!(output::exit)),
        ("html", sound!(output::html)),
        ("assignment", sound!(writes::assignment)),
        ("reference", sound!(writes::reference)),
        ("compound", sound!(writes::compound)),
        ("update", sound!(writes::update)),
        ("value", sound!(calls::value)),
        ("shortcut", sound!(branches::shortcut)),
        ("throw", sound!(errors::throw)),
        ("catch", sound!(errors::catch)),
        ("finally", sound!(errors::finally)),
        ("yield", sound!(suspensions::pause)),
        ("call", sound!(calls::call)),
        ("method", sound!(calls::method)),
        ("library", sound!(libraries::call)),
        ("name", sound!(calls::name)),
        ("include", sound!(calls::include)),
    ],
    blocks: &[
        "program",
        "compound_statement",
        "colon_block",
        "declaration_list",
        "enum_declaration_list",
        "switch_block",
        "case_statement",
        "default_statement",
        "match_block",
    ],
    finish: Some(statements::finish),
    local_modules: Some(modules::local_modules),
    imports: imports::IMPORTS,
    project: None,
    mask: None,
    emitter: emitter![
        "region.php",
        "recorder.php",
        "values.php",
        "probes.php",
        "calls.php",
        "frames.php",
        "output.php",
        "sources.php",
    ],
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "null",
        undefined: "null",
        boolean: "bool",
        integer: "int",
        big_integer: "int",
        unsigned: "int",
        float: "float",
        float32: "float",
        character: "string",
        string: "string",
        bytes: "string",
        function: "Closure",
        null_text: "null",
        true_text: "true",
        false_text: "false",
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[],
    wasm: Wasm::Yes {
        toolchain: &toolchain::MODULE,
        image: Some("wasm-php"),
    },
    drive: Ok(&drive::DRIVE),
};
