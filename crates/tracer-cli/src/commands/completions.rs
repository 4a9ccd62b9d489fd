//! `tracer completions`: for the user's shell.

use clap::CommandFactory;

use crate::args::Arguments;
use crate::printer::Printer;

pub(crate) fn run(shell: clap_complete::Shell, printer: &Printer) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tracer", &mut script);
    printer.data(|out| out.write_all(&script))?;
    Ok(0)
}
