//! What the command line asks for.

use anyhow::{Context, bail};

/// Choices of one run.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    only: Vec<String>,
    /// Fewer repetitions and smaller inputs: to see that everything runs.
    pub(crate) quick: bool,
    /// Put the tables into the page.
    pub(crate) write: bool,
    /// Repetitions asked for.
    rounds: Option<usize>,
}

impl Settings {
    /// Reads arguments after the program's name; `names` are the measurements there are.
    pub(crate) fn parse(
        mut arguments: impl Iterator<Item = String>,
        names: &[&str],
    ) -> anyhow::Result<Self> {
        let mut settings = Self {
            only: Vec::new(),
            quick: false,
            write: false,
            rounds: None,
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => {
                    let name = arguments.next().context("--only needs a name")?;
                    if !names.iter().any(|known| known.starts_with(&name)) {
                        bail!(
                            "no measurement is called {name}; there are: {}",
                            names.join(", ")
                        );
                    }
                    settings.only.push(name);
                }
                "--rounds" => {
                    let text = arguments.next().context("--rounds needs a number")?;
                    settings.rounds = Some(text.parse().context("--rounds needs a number")?);
                }
                "--quick" => settings.quick = true,
                "--write" => settings.write = true,
                // Cargo passes this to every bench target.
                "--bench" => {}
                _ => bail!("usage: [--only NAME]… [--quick] [--rounds N] [--write]"),
            }
        }
        Ok(settings)
    }

    /// Whether a measurement was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|asked| name.starts_with(asked))
    }

    /// Repetitions, where `usual` are enough for a steady minimum.
    pub(crate) fn rounds(&self, usual: usize) -> usize {
        self.rounds
            .unwrap_or(if self.quick { usual.div_ceil(5) } else { usual })
            .max(1)
    }
}
