//! C#: what is rewritten, and how a program is built and run.
//!
//! Only insertions, all on the line they belong to, and only names that start with `_tr`. The hooks
//! decide where; what the inserted names do is `runtimes/csharp`.

mod branches;
mod chains;
mod context;
mod dotnet;
mod drive;
mod errors;
mod facts;
mod functions;
mod imports;
mod lambdas;
mod loops;
mod newer;
mod phrase;
mod project;
mod steps;
mod suspensions;
mod toolchain;
mod toplevel;
mod writes;

use tracer_instrument::{EmitterFile, Hook, LanguageSpec, Project, Wasm};
use tracer_model::TypeNames;

/// Hooks by capture name. At one node they run in this order.
const HOOKS: &[(&str, Hook)] = &[
    ("top", toplevel::top_level),
    ("type", functions::type_declaration),
    ("function", functions::function),
    ("step", steps::step),
    ("output", steps::output),
    ("embedded", steps::embedded),
    ("return", functions::leave),
    ("yield", suspensions::yield_statement),
    ("if", branches::if_statement),
    ("switch", branches::switch_statement),
    ("section", branches::section),
    ("loop", loops::loop_statement),
    ("ternary", branches::ternary),
    ("logical", branches::logical),
    ("declared", writes::declared),
    ("header", writes::header),
    ("assignment", writes::assignment),
    ("update", writes::update),
    ("throw", errors::throw),
    ("catch", errors::catch),
    ("await", suspensions::await_expression),
    ("creation", suspensions::creation),
];

macro_rules! emitter {
    ($($name:literal),*) => {
        &[$(EmitterFile {
            name: $name,
            contents: include_bytes!(concat!("../../../runtimes/csharp/", $name)),
        }),*]
    };
}

const EMITTER: &[EmitterFile] = emitter![
    "Channel.cs",
    "Errors.cs",
    "Output.cs",
    "Probes.cs",
    "Records.cs",
    "Types.cs",
    "Values.cs",
    "Writer.cs"
];

/// The language.
pub static SPEC: LanguageSpec = LanguageSpec {
    id: "csharp",
    name: "C#",
    aliases: &["c#", "cs", "dotnet"],
    extensions: &["cs"],
    interpreters: &["csharp"],
    missing_library: &[("error CS0246: ", ""), ("error CS0234: ", "")],
    hash_seeds: &[],
    grammar: || tree_sitter_c_sharp::LANGUAGE.into(),
    other_grammars: &[],
    probes: include_str!("probes.scm"),
    hooks: HOOKS,
    blocks: &[
        "compilation_unit",
        "namespace_declaration",
        "file_scoped_namespace_declaration",
        "declaration_list",
        "class_declaration",
        "struct_declaration",
        "record_declaration",
        "block",
        "switch_body",
        "switch_section",
        "preproc_if",
        "preproc_else",
        "preproc_elif",
    ],
    finish: None,
    local_modules: None,
    imports: imports::IMPORTS,
    project: Some(Project {
        read: project::read,
        local_modules: project::local_modules,
    }),
    mask: None,
    emitter: EMITTER,
    phrase: phrase::PHRASE,
    type_names: TypeNames {
        integer: "int",
        big_integer: "BigInteger",
        unsigned: "uint",
        float: "double",
        float32: "float",
        character: "char",
        null_text: "null",
        ..TypeNames::NEUTRAL
    },
    toolchain: toolchain::TOOLCHAIN,
    other_toolchains: &[(newer::needs_dotnet, &dotnet::TOOLCHAIN)],
    wasm: Wasm::No("no WebAssembly module of its toolchain exists"),
    drive: Ok(&drive::DRIVE),
};
