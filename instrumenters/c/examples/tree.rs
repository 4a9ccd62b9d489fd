//! Prints the syntax tree of a C file: `cargo run -p tracer-lang-c --example tree -- FILE`.

use std::io::Write;

use tracer_instrument::engine;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: tree FILE")?;
    let source = std::fs::read(path)?;
    let tree = engine::parse(&tracer_lang_c::SPEC, &source).ok_or("no tree")?;
    writeln!(std::io::stdout(), "{}", tree.root_node().to_sexp())?;
    Ok(())
}
