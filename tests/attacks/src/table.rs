//! The table of results, as Markdown.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::case::{Case, Mode};

/// What became of one case in one mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// The attack did not succeed, and everything around it was as it should be; nothing was left
    /// after so many milliseconds.
    Held(u64),
    /// It succeeded, or the test failed otherwise.
    Fell,
    /// It was not tried, for this reason.
    Skipped(String),
}

/// Writes the table of `cells` to `path`.
pub fn write_table(
    path: &Path,
    cases: &[Case],
    cells: &BTreeMap<(String, Mode), Cell>,
) -> io::Result<()> {
    let day = std::process::Command::new("date")
        .arg("+%Y-%m-%d")
        .output()?
        .stdout;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let release = kernel.trim().split('-').next().unwrap_or_default();
    let mut text = format!(
        "# What the attack suite shows\n\n\
         Written by `cargo run -p xtask -- attack-table` on {}, Linux {release}. Every case is a \
         program in `fixtures/hostile`, run inside a throwaway sandbox. *Walls left out*: with all \
         others standing the attack must succeed, else the case proves nothing. *bwrap*: the same \
         namespaces, an ordinary user, no limits, no filter. *root*, *pool*, *started*, *user*: the \
         native back end behind all its walls, with a runner that is root, the same in a sandbox \
         made ahead, the same in an interpreter that had started before, and an ordinary user. *wasm*: the same program as a module in the \
         WebAssembly back end, the runner being root; the cases in `wasm/` are modules that nobody \
         else runs (–). Attacks on the trace itself, in \
         `fixtures/hostile/instrumentation`, are run by `tests/tests/cases/channel.rs`.\n\n",
        String::from_utf8_lossy(&day).trim()
    );
    let mut counts: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    let mut rows = String::new();
    let mut notes = String::new();
    for case in cases {
        let mut row = format!(
            "| {} | {} | {} ",
            case.name,
            case.attack,
            if case.wall_names.is_empty() {
                "–".to_owned()
            } else {
                case.wall_names.join(", ")
            }
        );
        for mode in Mode::ALL {
            let column = mode.name();
            let cell = cells.get(&(case.name.clone(), mode));
            let (held, fell) = if mode == Mode::Open {
                ("succeeds", "FAILS")
            } else {
                ("survived", "**fell**")
            };
            let count = counts.entry(column).or_default();
            let word = match cell {
                Some(Cell::Held(_)) => {
                    count.0 += 1;
                    count.1 += 1;
                    held.to_owned()
                }
                Some(Cell::Fell) => {
                    count.1 += 1;
                    fell.to_owned()
                }
                Some(Cell::Skipped(why)) => {
                    count.2 += 1;
                    notes.push_str(&format!("- {} ({column}): {why}\n", case.name));
                    "skipped".to_owned()
                }
                None => "–".to_owned(),
            };
            row.push_str(&format!("| {word} "));
        }
        rows.push_str(&format!("{row}|\n"));
    }
    for (column, what) in [
        ("open", "attacks shown to succeed with the walls left out"),
        ("bwrap", "survived under bwrap"),
        ("root", "survived, native as root"),
        (
            "pool",
            "survived, native as root in a sandbox made ahead by the nursery",
        ),
        (
            "started",
            "survived, native as root in an interpreter that had started before",
        ),
        ("user", "survived, native as an ordinary user"),
        ("wasm", "survived, WebAssembly"),
    ] {
        let (held, tried, skipped) = counts.get(column).copied().unwrap_or_default();
        text.push_str(&format!(
            "- {held} of {tried} {what}, {skipped} not tried\n"
        ));
    }
    let slowest = cells
        .iter()
        .filter(|((_, mode), _)| !matches!(mode, Mode::Open | Mode::Bwrap))
        .filter_map(|((name, mode), cell)| match cell {
            Cell::Held(gone) => Some((gone, name, mode.name())),
            _ => None,
        })
        .max();
    if let Some((gone, name, column)) = slowest {
        text.push_str(&format!(
            "- {gone} ms at most until nothing was left of a run ({name}, {column}); 100 ms are \
             promised, and held in processor time of the runner\n"
        ));
    }
    text.push_str(
        "\n| case | tries to | walls left out | without them | bwrap | root | pool | started | user | wasm |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    text.push_str(&rows);
    if !notes.is_empty() {
        text.push_str(&format!("\n## Not tried, and why\n\n{notes}"));
    }
    fs::write(path, text)
}
