//! Prints a C file as it is rewritten: `cargo run -p tracer-lang-c --example rewrite -- FILE`.

use std::io::Write;

use tracer_instrument::{Options, instrument};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: rewrite FILE")?;
    let source = std::fs::read(path)?;
    let instrumented = instrument(&tracer_lang_c::SPEC, &source, &Options::default())?;
    std::io::stdout().write_all(&instrumented.rewritten.text)?;
    Ok(())
}
