//! The `tracer` command: arguments in, the engine's answers out.
//!
//! This crate alone prints. It holds no logic of tracing: a command is a few calls into the engine
//! and a rendering.

mod args;
mod commands;
mod printer;
mod progress;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::printer::Printer;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let printer = Printer::new(arguments.color, arguments.quiet);
    let result = match arguments.command {
        Command::Run(run) => commands::run::run(&run, &printer),
        Command::Instrument(instrument) => commands::instrument::run(&instrument, &printer),
        Command::Check(check) => commands::check::run(&check, &printer),
        Command::Batch(batch) => commands::batch::run(&batch, &printer),
        Command::Generate { command } => commands::generate::run(&command, &printer),
        Command::Eval { command } => commands::eval::run(&command, &printer),
        Command::View(view) => commands::view::run(&view, &printer),
        Command::Image { command } => commands::image::run(&command, &printer),
        Command::Libraries { command } => commands::libraries::run(&command, &printer),
        Command::Languages(languages) => commands::languages::run(&languages, &printer),
        Command::Doctor(doctor) => commands::doctor::run(&doctor, &printer),
        Command::Completions { shell } => commands::completions::run(shell, &printer),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => printer.failure(&error),
    }
}
