//! Java: what is rewritten, and how a program is built and run.
//!
//! Only insertions, all on the line they belong to, and only names of the package `trc$`. No local
//! variable is inserted: the JVM numbers them in its messages. The hooks decide where; what the
//! inserted calls do is `runtimes/java`.

mod branches;
mod constants;
mod drive;
mod errors;
mod fields;
mod functions;
mod imports;
mod loops;
mod mutations;
mod phrase;
mod reach;
mod returns;
mod steps;
mod switches;
mod syntax;
mod toolchain;
mod types;
mod writes;

use tracer_instrument::{EmitterFile, Hook, LanguageSpec, Wasm};
use tracer_model::TypeNames;

/// Hooks by capture name. At one node they run in this order.
const HOOKS: &[(&str, Hook)] = &[
    ("class", functions::class),
    ("function", functions::function),
    ("initialiser", fields::initialiser),
    ("step", steps::step),
    ("if", branches::if_statement),
    ("switch", switches::switch),
    ("loop", loops::circle),
    ("return", returns::leave),
    ("throw", errors::throw),
    ("try", errors::attempt),
    ("ternary", branches::ternary),
    ("logical", branches::logical),
    ("field", fields::field),
    ("mutation", mutations::mutation),
    ("declared", writes::declared),
    ("assignment", writes::assignment),
    ("update", writes::update),
];

macro_rules! emitter {
    ($($name:literal),* $(,)?) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/java/", $name)),
        }),*]
    };
}

const EMITTER: &[EmitterFile] = emitter![
    "A.java",
    "Boxes.java",
    "Changes.java",
    "Channel.java",
    "Ending.java",
    "Errors.java",
    "Hashes.java",
    "Heap.java",
    "Inside.java",
    "Layout.java",
    "Loops.java",
    "Mapping.java",
    "Marks.java",
    "Order.java",
    "Output.java",
    "P.java",
    "Record.java",
    "Returns.java",
    "Room.java",
    "Scalars.java",
    "Text.java",
    "Threads.java",
    "V.java",
    "Values.java",
    "Writer.java",
];

/// The language.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "java",
    name: "Java",
    aliases: &["jdk"],
    extensions: &["java"],
    interpreters: &["java"],
    missing_library: &[
        ("error: package ", " does not exist"),
        ("symbol:   class ", ""),
    ],
    hash_seeds: &[],
    grammar: || tree_sitter_java::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("probes.scm"),
    hooks: HOOKS,
    blocks: &[
        "program",
        "block",
        "class_body",
        "interface_body",
        "enum_body",
        "enum_body_declarations",
        "constructor_body",
        "switch_block",
        "switch_block_statement_group",
    ],
    finish: None,
    local_modules: Some(toolchain::local_modules),
    imports: imports::IMPORTS,
    project: None,
    mask: None,
    emitter: EMITTER,
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        null: "null",
        boolean: "boolean",
        integer: "int",
        big_integer: "BigInteger",
        unsigned: "int",
        float: "double",
        float32: "float",
        character: "char",
        string: "String",
        bytes: "byte[]",
        function: "lambda",
        null_text: "null",
        true_text: "true",
        false_text: "false",
        ..TypeNames::NEUTRAL
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[],
    wasm: Wasm::No("no WebAssembly module of its toolchain exists"),
    drive: Ok(&drive::DRIVE),
};
