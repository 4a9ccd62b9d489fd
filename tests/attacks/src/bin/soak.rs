//! `soak N`: N runs of every kind on one runner, and whether anything of them is left.
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::process::ExitCode;

fn main() -> ExitCode {
    tracer_attacks::stage();
    let Some(total) = std::env::args().nth(1).and_then(|word| word.parse().ok()) else {
        println!("usage: soak RUNS");
        return ExitCode::from(2);
    };
    match tracer_attacks::soak(total) {
        Ok(accounts) => {
            for account in &accounts {
                println!("{account:?}");
            }
            let leaked = !accounts[0].holds_the_same_as(&accounts[accounts.len() - 1]);
            println!(
                "{total} runs, {}",
                if leaked { "LEAKED" } else { "nothing left" }
            );
            ExitCode::from(u8::from(leaked))
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
