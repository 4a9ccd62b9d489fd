//! `tracer instrument`: the rewritten source, or its sites.

use tracer_engine::Program;

use crate::args::InstrumentArgs;
use crate::printer::Printer;
use crate::settings;

pub(crate) fn run(args: &InstrumentArgs, printer: &Printer) -> anyhow::Result<u8> {
    let mut options = settings::program(&args.program);
    options.main_only = true;
    let program = Program::load(&args.file, &options)?;
    for dropped in &program.dropped {
        printer.say(&format!(
            "{}:{}: no probe ({}): {}",
            args.file.display(),
            dropped.line,
            dropped.reason,
            dropped.detail
        ));
    }
    printer.data(|out| {
        if args.sites {
            serde_json::to_writer_pretty(&mut *out, &program.table.sites)?;
            writeln!(out)
        } else {
            out.write_all(&program.sources[0].instrumented.rewritten.text)
        }
    })?;
    Ok(0)
}
