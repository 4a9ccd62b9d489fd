//! One answer against the truth.

use std::collections::BTreeMap;

use tracer_view::qa::Task;

use super::{Judged, Marks, pooled};
use crate::items::Item;
use crate::predict;
use crate::rouge::{Tokens, harmonic, rouge2};

/// Judges one answer as a text. One for which an input was asked is judged by what it says, not by
/// what it reaches.
pub fn judge(item: &Item, given: &str) -> Judged {
    let (wanted, got) = match item.task {
        Task::T1 => (blocks(&item.answer), blocks(given)),
        _ => (single(item, &item.answer), single(item, given)),
    };
    let wanted = wanted.unwrap_or_default();
    let unparseable = got.is_none();
    let got = got.unwrap_or_default();
    let files = wanted.len().max(1) as f64;
    let right = wanted
        .iter()
        .filter(|(name, parts)| got.get(*name) == Some(*parts));
    let (mut shared, mut asked, mut said, mut prefix) = (0, 0, 0, 0);
    for (name, parts) in &wanted {
        let other = got.get(name).map_or(&[][..], Vec::as_slice);
        shared += in_both(parts, other);
        prefix += parts.iter().zip(other).take_while(|(a, b)| a == b).count();
        asked += parts.len();
    }
    for parts in got.values() {
        said += parts.len();
    }
    let whole = asked.max(1) as f64;
    let exact = !unparseable && wanted == got;
    // An empty list that is right has no parts to be right in.
    let share = |part: usize, of: usize| {
        if of == 0 && exact {
            1.0
        } else {
            part as f64 / of.max(1) as f64
        }
    };
    let (precision, recall) = (share(shared, said), share(shared, asked));
    Judged {
        id: item.id.clone(),
        exact,
        unparseable,
        pairs: pooled::pairs(item, &wanted, &got),
        marks: Marks {
            files: right.count() as f64 / files,
            precision,
            recall,
            f1: harmonic(precision, recall),
            prefix: if asked == 0 && exact {
                1.0
            } else {
                f64::from(prefix as u32) / whole
            },
            rouge_google: rouge2(&item.answer, given, Tokens::Google),
            rouge_whitespace: rouge2(&item.answer, given, Tokens::Whitespace),
        },
    }
}

/// Parts of an answer, by file; one without a name where it has none.
pub(super) type Parts = BTreeMap<String, Vec<String>>;

/// `===STDERR:NAME:START===` to `END`, by name; `None` without a whole block.
fn blocks(text: &str) -> Option<Parts> {
    let mut found = Parts::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        let line = line.trim_end();
        let mark = line
            .strip_prefix("===STDERR:")
            .and_then(|rest| rest.strip_suffix("==="));
        match (mark.and_then(|mark| mark.rsplit_once(':')), &mut open) {
            (Some((name, "START")), _) => open = Some((name.to_owned(), Vec::new())),
            (Some((name, "END")), Some((own, _))) if own == name => {
                found.extend(open.take());
            }
            (_, Some((_, lines))) => lines.push(line.to_owned()),
            (_, None) => {}
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The parts of an answer of one of the other tasks, in canonical form.
fn single(item: &Item, text: &str) -> Option<Parts> {
    let task = item.task;
    let text = match task {
        Task::T2 => text.trim_end(),
        _ => text.trim(),
    };
    let parts = match task {
        Task::T3 | Task::T5 | Task::T6 | Task::T7 | Task::T12 => {
            let list: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
            let mut parts: Vec<String> = list
                .iter()
                .map(|part| {
                    part.as_str()
                        .map_or_else(|| part.to_string(), str::to_owned)
                })
                .collect();
            if task == Task::T12 {
                parts.sort();
                parts.dedup();
            }
            parts
        }
        Task::T4 | Task::T10 => vec![typed(text, item.about.float)?],
        Task::T8 => match text.rsplit_once(';') {
            Some((name, line)) => {
                let line: u32 = line.trim().parse().ok()?;
                vec![format!("{};{line}", name.trim())]
            }
            None if text == "none" => vec![text.to_owned()],
            None => return None,
        },
        Task::T11 => vec![text.parse::<u64>().ok()?.to_string()],
        Task::T2 => {
            let (output, status) = text.rsplit_once("status ")?;
            let status: u8 = status.trim().parse().ok()?;
            // Whether the output ends with a line's end is not asked.
            let lines = output.trim_end().lines().map(str::trim_end);
            let lines = lines.map(str::to_owned);
            lines.chain([format!("status {status}")]).collect()
        }
        Task::T9 => {
            let given = predict::read(text)?;
            given.args.into_iter().chain([given.stdin]).collect()
        }
        Task::T1 => text.lines().map(str::to_owned).collect(),
    };
    Some(BTreeMap::from([(String::new(), parts)]))
}

/// `value;type`. A number with a fraction has one form: `1.50;float` and `15e-1;float` are
/// `1.5;float`, but `1;int` is not `1.0;float`, and `1.50;str` stays as it is.
fn typed(text: &str, float: bool) -> Option<String> {
    if text == "none" {
        return Some(text.into());
    }
    let (value, name) = text.rsplit_once(';')?;
    let (value, name) = (value.trim(), name.trim());
    match value.parse::<f64>() {
        Ok(number) if float => Some(format!("{number:?};{name}")),
        _ => Some(format!("{value};{name}")),
    }
}

/// Parts in both, counted as often as in both.
fn in_both(wanted: &[String], got: &[String]) -> usize {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for part in wanted {
        *left.entry(part).or_insert(0) += 1;
    }
    got.iter()
        .filter(|part| match left.get_mut(&part[..]) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::tests::item;

    const TWO: &str = "===STDERR:trace1.txt:START===\nTRACE:VAR:f:x=-1\nTRACE:VAR:f:x=2\n\
                       ===STDERR:trace1.txt:END===\n===STDERR:trace2.txt:START===\n\
                       TRACE:VAR:f:x=3\n===STDERR:trace2.txt:END===\n";

    #[test]
    fn a_lost_minus_sign_is_wrong_though_rouge_does_not_see_it() {
        let judged = judge(&item(Task::T1, TWO), &TWO.replace("-1", "1"));
        assert!(!judged.exact && !judged.unparseable);
        assert!((judged.marks.rouge_google - 1.0).abs() < 1e-9);
        assert!(
            (judged.marks.files - 0.5).abs() < 1e-9
                && (judged.marks.recall - 2.0 / 3.0).abs() < 1e-9
        );
        assert!((judged.marks.prefix - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn right_cut_off_and_absent_answers_are_told_apart() {
        assert!(judge(&item(Task::T1, TWO), TWO).exact);
        let cut = &TWO[..TWO.find("===STDERR:trace2").unwrap()];
        let judged = judge(&item(Task::T1, TWO), cut);
        assert!(!judged.exact && (judged.marks.precision - 1.0).abs() < 1e-9);
        assert!(judge(&item(Task::T1, TWO), "I think it prints 3").unparseable);
    }

    #[test]
    fn values_are_compared_with_their_types() {
        let right = |wanted, given| judge(&item(Task::T4, wanted), given).exact;
        let mut float = item(Task::T4, "1.5;float");
        float.about.float = true;
        assert!(judge(&float, " 1.50;float\n").exact && judge(&float, "15e-1;float").exact);
        assert!(!judge(&float, "1.5;str").exact && right("a;b;str", "a;b;str"));
        assert!(!right("1.5;str", "1.50;str") && right("none", "none"));
        assert!(!right("1;int", "1.0;float") && !right("1;int", "1;str"));
        assert!(judge(&item(Task::T4, "1;int"), "1").unparseable);
        assert!(judge(&item(Task::T12, "[\"a\",\"b\"]"), "[\"b\",\"a\"]").exact);
        assert!(!judge(&item(Task::T5, "[\"a\",\"b\"]"), "[\"b\",\"a\"]").exact);
    }
}
