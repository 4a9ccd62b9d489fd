//! Proves a written form: the source with its probes is run as it stands, and probes that print
//! anything but what the trace says are taken out.

use std::collections::BTreeSet;

use super::{Example, NoProbes, Options, Run, example};

/// Times the written probes are corrected before a source is given up.
const CORRECTIONS: usize = 6;

/// Fewest lines that the probes print.
const FEWEST_LINES: usize = 5;

/// What became of the source with its probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printed {
    /// What each run printed on stderr.
    Lines(Vec<String>),
    /// It does not build.
    Unbuilt,
}

/// Why there is no proved form. `E` is what running the source may fail with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproved<E> {
    /// There is no place for probes.
    None(NoProbes),
    /// The probes print too few lines.
    Little,
    /// It does not fit the budget.
    TooLong,
    /// What is printed is not what the trace says, whichever probes are taken out.
    Otherwise,
    /// It could not be run.
    Run(E),
}

/// Writes probes, has the source run as written (`print`), and takes out what does not print as the
/// trace says, until all of it does.
pub fn proved<E>(
    runs: &[Run<'_>],
    options: &Options<'_>,
    mut print: impl FnMut(&Example) -> Result<Printed, E>,
) -> Result<Example, Unproved<E>> {
    let mut without = options.without.clone();
    for _ in 0..CORRECTIONS {
        let choice = Options {
            without: &without,
            ..*options
        };
        let example = example(runs, &choice).map_err(Unproved::None)?;
        if example.whole.iter().map(Vec::len).sum::<usize>() < FEWEST_LINES {
            return Err(Unproved::Little);
        }
        if !example.fits {
            return Err(Unproved::TooLong);
        }
        let wrong = match print(&example).map_err(Unproved::Run)? {
            Printed::Lines(printed) => wrong(&example, &printed),
            // Probes of values are what a compiler refuses.
            Printed::Unbuilt => half_of_values(&example),
        };
        if wrong.is_empty() {
            return Ok(example);
        }
        without.extend(wrong);
    }
    Err(Unproved::Otherwise)
}

/// Probes of which one printed line and the trace disagree.
fn wrong(example: &Example, printed: &[String]) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    for (expected, printed) in example.whole.iter().zip(printed) {
        let lines: Vec<&str> = printed
            .lines()
            .filter(|line| line.starts_with("TRACE:"))
            .collect();
        let same =
            expected.len() == lines.len() && expected.iter().zip(&lines).all(|(a, b)| a == b);
        if same {
            continue;
        }
        // It ended early: what was to come next is to blame, and nothing behind it.
        if let Some(next) = expected.get(lines.len())
            && expected.iter().zip(&lines).all(|(a, b)| a == b)
        {
            let all = example.probes.iter();
            let next = all.filter(|probe| next.starts_with(&probe.head));
            wrong.extend(next.map(|probe| probe.key.clone()));
            continue;
        }
        let of = |probe: &super::Probe, all: &mut dyn Iterator<Item = &str>| -> Vec<String> {
            all.filter(|line| line.starts_with(&probe.head))
                .map(str::to_owned)
                .collect()
        };
        let before = wrong.len();
        for probe in &example.probes {
            let trace = of(probe, &mut expected.iter().map(String::as_str));
            if trace != of(probe, &mut lines.iter().copied()) {
                wrong.insert(probe.key.clone());
            }
        }
        // The lines are the same and their order is not: the first that is out of it.
        if wrong.len() == before
            && let Some((line, _)) = expected.iter().zip(&lines).find(|(a, b)| a != b)
        {
            let probe = example
                .probes
                .iter()
                .filter(|probe| line.starts_with(&probe.head));
            wrong.extend(probe.map(|probe| probe.key.clone()));
        }
    }
    wrong.into_iter().collect()
}

/// Every other probe that prints values; all others where there is none.
fn half_of_values(example: &Example) -> Vec<String> {
    let values = example
        .probes
        .iter()
        .filter(|probe| probe.head.ends_with(':'));
    let half: Vec<String> = values.step_by(2).map(|probe| probe.key.clone()).collect();
    if half.is_empty() {
        return example
            .probes
            .iter()
            .step_by(2)
            .map(|probe| probe.key.clone())
            .collect();
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::Probe;

    fn written() -> Example {
        let probe = |key: &str| Probe {
            key: key.to_owned(),
            head: format!("TRACE:VAR:{key}:"),
        };
        Example {
            file: "a.py".to_owned(),
            source: String::new(),
            run_sh: String::new(),
            blocks: Vec::new(),
            whole: vec![vec![
                "TRACE:VAR:1:x=1".to_owned(),
                "TRACE:VAR:2:y=2".to_owned(),
            ]],
            probes: vec![probe("1"), probe("2")],
            fits: true,
        }
    }

    #[test]
    fn a_probe_that_prints_something_else_is_named() {
        let printed = |text: &str| vec![text.to_owned()];
        let example = written();
        let right = "noise\nTRACE:VAR:1:x=1\nTRACE:VAR:2:y=2\n";
        assert!(wrong(&example, &printed(right)).is_empty());
        let other = "TRACE:VAR:1:x=1\nTRACE:VAR:2:y=3\n";
        assert_eq!(wrong(&example, &printed(other)), ["2"]);
        let early = "TRACE:VAR:1:x=1\n";
        assert_eq!(wrong(&example, &printed(early)), ["2"]);
        let order = "TRACE:VAR:2:y=2\nTRACE:VAR:1:x=1\n";
        assert_eq!(wrong(&example, &printed(order)), ["1"]);
    }
}
