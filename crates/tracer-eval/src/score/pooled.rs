//! Measures over all of a task's items together.

use std::collections::{BTreeMap, BTreeSet};

use tracer_view::qa::Task;

use super::Judged;
use super::judge::Parts;
use crate::items::Item;
use crate::rouge::harmonic;

/// Stands where nothing was answered.
const NOTHING: &str = "";

/// Pairs of truth and answer that an item gives to its task's measure.
pub(super) fn pairs(item: &Item, wanted: &Parts, got: &Parts) -> Vec<(String, String)> {
    let parts = |of: &Parts| of.values().flatten().cloned().collect::<Vec<String>>();
    let (wanted, got) = (parts(wanted), parts(got));
    match item.task {
        // Outcome by outcome; what was answered beyond the end is seen by the exact match.
        Task::T5 => {
            let given = got.into_iter().chain(std::iter::repeat(NOTHING.to_owned()));
            wanted.into_iter().zip(given).collect()
        }
        // Each function that is called is an edge from the one that was asked about.
        Task::T7 => {
            let (wanted, got): (BTreeSet<_>, BTreeSet<_>) =
                (wanted.into_iter().collect(), got.into_iter().collect());
            let edge = |on: bool, name: &String| if on { name.clone() } else { NOTHING.into() };
            wanted
                .union(&got)
                .map(|name| {
                    (
                        edge(wanted.contains(name), name),
                        edge(got.contains(name), name),
                    )
                })
                .collect()
        }
        // How it ends, without where.
        Task::T8 => {
            let label = |all: &[String]| {
                let first = all.first().map_or(NOTHING, String::as_str);
                first
                    .rsplit_once(';')
                    .map_or(first, |(name, _)| name)
                    .to_owned()
            };
            vec![(label(&wanted), label(&got))]
        }
        _ => Vec::new(),
    }
}

/// A task's own measure.
pub(super) fn own(task: Task, all: &[&Judged]) -> Option<f64> {
    let pairs: Vec<&(String, String)> = all.iter().flat_map(|judged| &judged.pairs).collect();
    match task {
        Task::T5 => balanced_accuracy(&pairs),
        Task::T7 => Some(edge_f1(&pairs)),
        Task::T8 => macro_f1(&pairs),
        _ => None,
    }
}

/// For each class of the truth, how many, how many answered so, how many right.
fn counts<'p>(pairs: &[&'p (String, String)]) -> BTreeMap<&'p str, (f64, f64, f64)> {
    let mut found: BTreeMap<&str, (f64, f64, f64)> = BTreeMap::new();
    for (wanted, got) in pairs {
        found.entry(wanted).or_default().0 += 1.0;
        found.entry(got).or_default().1 += 1.0;
        if wanted == got {
            found.entry(wanted).or_default().2 += 1.0;
        }
    }
    found
}

fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}

/// The mean, over classes of the truth, of the share of each that was found.
fn balanced_accuracy(pairs: &[&(String, String)]) -> Option<f64> {
    let recalls: Vec<f64> = counts(pairs)
        .into_values()
        .filter(|(there, ..)| *there > 0.0)
        .map(|(there, _, right)| right / there)
        .collect();
    mean(&recalls)
}

/// The mean, over classes of the truth or of the answers, of each one's F1.
fn macro_f1(pairs: &[&(String, String)]) -> Option<f64> {
    let all: Vec<f64> = counts(pairs)
        .into_iter()
        .filter(|(name, _)| *name != NOTHING)
        .map(|(_, (there, said, right))| harmonic(right / said.max(1.0), right / there.max(1.0)))
        .collect();
    mean(&all)
}

/// F1 over all edges of all items.
fn edge_f1(pairs: &[&(String, String)]) -> f64 {
    let count =
        |of: fn(&(String, String)) -> bool| pairs.iter().filter(|pair| of(pair)).count() as f64;
    let right = count(|(wanted, got)| wanted == got);
    let there = count(|(wanted, _)| wanted != NOTHING);
    let said = count(|(_, got)| got != NOTHING);
    harmonic(right / said.max(1.0), right / there.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::super::judge::judge;
    use super::*;
    use crate::items::tests::item;

    fn of(task: Task, answers: &[(&str, &str)]) -> f64 {
        let judged: Vec<Judged> = answers
            .iter()
            .map(|(wanted, got)| judge(&item(task, wanted), got))
            .collect();
        own(task, &judged.iter().collect::<Vec<_>>()).expect("a measure")
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn always_true_is_half_right_however_common_it_is() {
        let wanted = r#"["true","true","true","false"]"#;
        let always = r#"["true","true","true","true"]"#;
        assert!(near(of(Task::T5, &[(wanted, always)]), 0.5));
        assert!(near(of(Task::T5, &[(wanted, wanted)]), 1.0));
        // What is not answered is not found.
        assert!(near(of(Task::T5, &[(wanted, r#"["true"]"#)]), 1.0 / 6.0));
    }

    #[test]
    fn edges_are_counted_once_and_over_all_items() {
        let first = (r#"["f","g","f"]"#, r#"["g","f"]"#);
        let second = (r#"["h"]"#, r#"["k"]"#);
        assert!(near(of(Task::T7, &[first]), 1.0));
        assert!(near(of(Task::T7, &[first, second]), 2.0 / 3.0));
    }

    #[test]
    fn a_rare_end_weighs_as_much_as_a_common_one() {
        let ends = [("none", "none"), ("none", "none"), ("KeyError;3", "none")];
        assert!(near(of(Task::T8, &ends), 0.4));
        // The kind of error is right and its line is not: wrong, but the label is found.
        assert!(near(of(Task::T8, &[("KeyError;3", "KeyError;4")]), 1.0));
    }
}
