//! What to run a file with: inputs found in its source, and a driver for a file that only defines.
//!
//! Pure: a source in, proposals out. It reads no file, starts no process and asks no model, and the
//! same source always gives the same proposal. What a language does differently is its
//! [`DriveSpec`](tracer_instrument::drive::DriveSpec).

mod arguments;
mod driver;
mod evidence;
mod examples;
mod facts;
mod inputs;
mod select;
mod tokens;
mod values;

use tracer_instrument::LanguageSpec;

pub use driver::{Driver, Skipped};
pub use facts::Facts;
pub use inputs::Input;
pub use select::select;

/// What to run a file with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposal {
    /// For a file that only defines: what calls its definitions.
    pub driver: Option<Driver>,
    /// Runs to try, best first, at most [`RUNS`]; at least one. With a driver, they choose between
    /// its runs.
    pub inputs: Vec<Input>,
    /// Why there is no driver, though nothing runs by itself; empty otherwise.
    pub undriven: String,
}

/// Runs proposed at most.
pub const RUNS: usize = 5;

/// Reads a file and says what to run it with. `name` is the file's name, without folders.
pub fn propose(spec: &'static LanguageSpec, name: &str, source: &[u8]) -> Proposal {
    let plain = || Proposal {
        inputs: vec![Input::none()],
        ..Proposal::default()
    };
    let Ok(text) = std::str::from_utf8(source) else {
        return plain();
    };
    let drive = match spec.drive {
        Ok(drive) => drive,
        Err(reason) => {
            return Proposal {
                undriven: reason.to_owned(),
                ..plain()
            };
        }
    };
    let grammar = spec.grammar_of(std::path::Path::new(name));
    let Some(tree) = tracer_instrument::engine::parse_masked(spec, grammar, source) else {
        return plain();
    };
    let Some(facts) = Facts::of(spec, grammar, drive, &tree, text) else {
        return plain();
    };
    if facts.runs || inputs::read_outside(drive, &facts, &tree, text) {
        return Proposal {
            inputs: inputs::find(drive, &tree, text),
            ..Proposal::default()
        };
    }
    match driver::make(spec, grammar, drive, &facts, &tree, name, text) {
        Ok(driver) => Proposal {
            inputs: driver.inputs(),
            driver: Some(driver),
            undriven: String::new(),
        },
        Err(reason) => Proposal {
            undriven: reason,
            ..plain()
        },
    }
}
