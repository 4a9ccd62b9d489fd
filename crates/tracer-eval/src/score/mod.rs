//! Scores answers: exactly where the answer allows it, by events where it is a trace.
//!
//! What cannot be read as an answer at all is *unparseable*, which is kept apart from *wrong*. No
//! answer is executed, except an input that was asked for: the item's program gets it, in the sandbox.

mod judge;
mod pooled;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use tracer_view::qa::Task;

use tracer_engine::Settings;

use crate::items::{Answer, Item};
use crate::{EvalError, predict};

pub use judge::judge;

/// What an answer is worth in part. Shares, 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Marks {
    /// Share of files (trace blocks) right; that of the item where it has none.
    pub files: f64,
    /// Precision of events, or of a list's parts.
    pub precision: f64,
    /// Recall likewise.
    pub recall: f64,
    /// F1 likewise.
    pub f1: f64,
    /// Share of the answer's lines or parts before the first wrong one.
    pub prefix: f64,
    /// ROUGE-2 with Google's tokens.
    pub rouge_google: f64,
    /// ROUGE-2 with tokens at white space.
    pub rouge_whitespace: f64,
}

impl Marks {
    /// The mean of each.
    fn mean(all: &[&Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| mean(all.iter().map(|marks| of(marks)));
        Self {
            files: mean(|marks| marks.files),
            precision: mean(|marks| marks.precision),
            recall: mean(|marks| marks.recall),
            f1: mean(|marks| marks.f1),
            prefix: mean(|marks| marks.prefix),
            rouge_google: mean(|marks| marks.rouge_google),
            rouge_whitespace: mean(|marks| marks.rouge_whitespace),
        }
    }
}

/// 0 of nothing.
fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = numbers.fold((0_u32, 0.0), |(count, sum), number| {
        (count + 1, sum + number)
    });
    sum / f64::from(count.max(1))
}

/// What one answer is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The item's id.
    pub id: String,
    /// Right in every part.
    pub exact: bool,
    /// Not an answer of the form asked for, or none at all.
    pub unparseable: bool,
    /// What it is worth in part.
    #[serde(flatten)]
    pub marks: Marks,
    /// What the measures over all items of a task are made of.
    #[serde(skip)]
    pub(crate) pairs: Vec<(String, String)>,
}

impl Judged {
    /// Right or not, and nothing in between.
    fn decide(&mut self, right: bool) {
        let whole = f64::from(right);
        self.exact = right;
        self.marks = Marks {
            files: whole,
            precision: whole,
            recall: whole,
            f1: whole,
            prefix: whole,
            ..self.marks
        };
    }
}

/// How answers are scored.
#[derive(Debug, Clone, Copy)]
pub struct Options<'s> {
    /// How inputs that were asked for are tried; without, items that ask for one are left out.
    pub settings: Option<&'s Settings>,
    /// Inputs tried at once.
    pub jobs: usize,
}

/// Means over items.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Items.
    pub items: usize,
    /// Share that is exactly right.
    pub exact: f64,
    /// Wilson's interval of that share, at 95 %.
    pub exact_interval: (f64, f64),
    /// Share unparseable.
    pub unparseable: f64,
    /// Share that is an answer, and a wrong one.
    pub wrong: f64,
    /// The task's own measure, where it has one: balanced accuracy of branches' outcomes (T5), F1 of
    /// edges of calls (T7), macro F1 of how programs end (T8). Over all of a language's items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<f64>,
    /// Means of the rest.
    #[serde(flatten)]
    pub marks: Marks,
}

/// A score: all that `tracer eval score` says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// By task, then language; the language `macro` is the mean over languages.
    pub tasks: BTreeMap<Task, BTreeMap<String, Summary>>,
    /// By task, then difficulty.
    pub buckets: BTreeMap<Task, BTreeMap<String, Summary>>,
    /// Items left out because no input was to be tried.
    pub untried: usize,
    /// Each answer.
    pub answers: Vec<Judged>,
}

/// Scores answers; an item without an answer is unparseable.
pub fn score(items: &[Item], answers: &[Answer], options: Options<'_>) -> Result<Score, EvalError> {
    let mut by_id: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for item in items {
        if by_id.insert(&item.id, None).is_some() {
            return Err(wrong_id(&item.id, "is there twice among the items"));
        }
    }
    for answer in answers {
        match by_id.get_mut(&answer.id[..]) {
            None => return Err(wrong_id(&answer.id, "is not among the items")),
            Some(Some(_)) => return Err(wrong_id(&answer.id, "is answered twice")),
            Some(given) => *given = Some(&answer.answer),
        }
    }
    let tried = |item: &&Item| options.settings.is_some() || item.task != Task::T9;
    let scored: Vec<&Item> = items.iter().filter(tried).collect();
    let mut judged: Vec<Judged> = scored
        .iter()
        .map(|item| judge(item, by_id[&item.id[..]].unwrap_or("")))
        .collect();
    if let Some(settings) = options.settings {
        reach(&scored, &by_id, &mut judged, settings, options.jobs)?;
    }
    let mut by_language: BTreeMap<Task, BTreeMap<String, Vec<&Judged>>> = BTreeMap::new();
    let mut by_bucket: BTreeMap<Task, BTreeMap<String, Vec<&Judged>>> = BTreeMap::new();
    for (item, judged) in scored.iter().zip(&judged) {
        let languages = by_language.entry(item.task).or_default();
        languages
            .entry(item.language.clone())
            .or_default()
            .push(judged);
        let bucket = format!("{:?}", item.bucket).to_lowercase();
        let buckets = by_bucket.entry(item.task).or_default();
        buckets.entry(bucket).or_default().push(judged);
    }
    let mut tasks = summaries(by_language);
    for languages in tasks.values_mut() {
        let mean = macro_mean(languages);
        languages.insert("macro".into(), mean);
    }
    Ok(Score {
        tasks,
        buckets: summaries(by_bucket),
        untried: items.len() - scored.len(),
        answers: judged,
    })
}

/// Tries the inputs that were answered: right is what reaches its goal, whatever it is.
fn reach(
    items: &[&Item],
    answers: &BTreeMap<&str, Option<&str>>,
    judged: &mut [Judged],
    settings: &Settings,
    jobs: usize,
) -> Result<(), EvalError> {
    let asked: Vec<usize> = (0..items.len())
        .filter(|index| items[*index].task == Task::T9 && !judged[*index].unparseable)
        .collect();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, asked.len().max(1)) {
            scope.spawn(|| {
                while let Some(&index) = asked.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let item = items[index];
                    let given = answers[&item.id[..]].and_then(predict::read);
                    let reached = predict::reaches(item, &given.unwrap_or_default(), settings);
                    if let Ok(mut found) = found.lock() {
                        found.push((index, reached));
                    }
                }
            });
        }
    });
    for (index, reached) in found.into_inner().unwrap_or_default() {
        let reached = reached.map_err(|reason| EvalError::Try {
            id: items[index].id.clone(),
            reason,
        })?;
        judged[index].decide(reached);
    }
    Ok(())
}

fn wrong_id(id: &str, what: &'static str) -> EvalError {
    EvalError::Id {
        id: id.into(),
        what,
    }
}

fn summaries(
    groups: BTreeMap<Task, BTreeMap<String, Vec<&Judged>>>,
) -> BTreeMap<Task, BTreeMap<String, Summary>> {
    groups
        .into_iter()
        .map(|(task, groups)| {
            let groups = groups.into_iter();
            (
                task,
                groups
                    .map(|(name, all)| (name, summary(task, &all)))
                    .collect(),
            )
        })
        .collect()
}

fn summary(task: Task, all: &[&Judged]) -> Summary {
    let right = all.iter().filter(|judged| judged.exact).count();
    let share = |is: fn(&Judged) -> bool| mean(all.iter().map(|judged| f64::from(is(judged))));
    Summary {
        items: all.len(),
        exact: share(|judged| judged.exact),
        exact_interval: wilson(right, all.len()),
        unparseable: share(|judged| judged.unparseable),
        wrong: share(|judged| !judged.exact && !judged.unparseable),
        own: pooled::own(task, all),
        marks: Marks::mean(&all.iter().map(|judged| &judged.marks).collect::<Vec<_>>()),
    }
}

/// The mean over languages, whatever their number of items. Its interval is that of all items.
fn macro_mean(languages: &BTreeMap<String, Summary>) -> Summary {
    let all = languages.values();
    let items: usize = all.clone().map(|language| language.items).sum();
    let own = all.clone().any(|language| language.own.is_some());
    let right: f64 = all
        .clone()
        .map(|language| (language.exact * language.items as f64).round())
        .sum();
    Summary {
        items,
        exact: mean(all.clone().map(|language| language.exact)),
        exact_interval: wilson(right as usize, items),
        unparseable: mean(all.clone().map(|language| language.unparseable)),
        wrong: mean(all.clone().map(|language| language.wrong)),
        own: own.then(|| mean(all.clone().filter_map(|language| language.own))),
        marks: Marks::mean(&all.map(|language| &language.marks).collect::<Vec<_>>()),
    }
}

/// Wilson's score interval at 95 %.
pub fn wilson(right: usize, of: usize) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (z, n) = (1.959_963_984_540_054_f64, of as f64);
    let share = right as f64 / n;
    let middle = share + z * z / (2.0 * n);
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + z * z / n;
    (
        ((middle - spread) / whole).max(0.0),
        ((middle + spread) / whole).min(1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        let (low, high) = wilson(5, 75);
        assert!(
            (low - 0.0288).abs() < 1e-3 && (high - 0.1468).abs() < 1e-3,
            "{low} {high}"
        );
    }
}
