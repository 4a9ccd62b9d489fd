//! Keeps any one answer from being right too often.

use std::collections::BTreeMap;

use tracer_view::qa::Task;

use crate::items::Item;

/// Drops items, the last first, until no answer is that of more than half of a language's items of a
/// task. A single item has no majority. How many were dropped, by task.
pub(super) fn balance(items: &mut Vec<Item>) -> BTreeMap<Task, usize> {
    let mut groups: BTreeMap<(String, Task), BTreeMap<String, Vec<usize>>> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        let group = groups
            .entry((item.language.clone(), item.task))
            .or_default();
        let answer = item.answer.trim().to_owned();
        group.entry(answer).or_default().push(index);
    }
    let mut dropped = vec![false; items.len()];
    let mut counts = BTreeMap::new();
    for ((_, task), answers) in groups {
        let total: usize = answers.values().map(Vec::len).sum();
        let Some(most) = answers.values().max_by_key(|all| all.len()) else {
            continue;
        };
        let others = total - most.len();
        // An item alone keeps its place, unless all say the same.
        let room = if total == 1 { 1 } else { others };
        for index in most.iter().skip(room) {
            dropped[*index] = true;
            *counts.entry(task).or_insert(0) += 1;
        }
    }
    let mut index = 0;
    items.retain(|_| {
        index += 1;
        !dropped[index - 1]
    });
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::tests::item;

    #[test]
    fn no_answer_is_more_than_half() {
        let of = |answers: &[&str]| {
            let mut items: Vec<Item> = answers.iter().map(|a| item(Task::T8, a)).collect();
            let dropped = balance(&mut items);
            let left: Vec<String> = items.into_iter().map(|item| item.answer).collect();
            (left.join(","), dropped.get(&Task::T8).copied().unwrap_or(0))
        };
        assert_eq!(
            of(&["none", "none", "E;1", "none", "F;2"]),
            ("none,none,E;1,F;2".into(), 1)
        );
        assert_eq!(of(&["none", "none", "none"]), (String::new(), 3));
        assert_eq!(of(&["a", "b", "c"]), ("a,b,c".into(), 0));
        assert_eq!(of(&["a"]), ("a".into(), 0));
    }
}
