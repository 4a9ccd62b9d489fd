//! ROUGE-2: overlap of pairs of neighbouring tokens.
//!
//! Google's tokenisation (the `rouge-score` package without stemming) keeps runs of ASCII letters
//! and digits, in lower case; the other splits at white space and keeps all.

use std::collections::BTreeMap;

/// How a text becomes tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// As the `rouge-score` package does.
    Google,
    /// At white space.
    Whitespace,
}

/// F-measure of ROUGE-2, 0 to 1.
pub fn rouge2(target: &str, prediction: &str, tokens: Tokens) -> f64 {
    let wanted = pairs(target, tokens);
    let given = pairs(prediction, tokens);
    let shared: usize = wanted
        .iter()
        .map(|(pair, count)| (*count).min(given.get(pair).copied().unwrap_or(0)))
        .sum();
    let precision = shared as f64 / given.values().sum::<usize>().max(1) as f64;
    let recall = shared as f64 / wanted.values().sum::<usize>().max(1) as f64;
    harmonic(precision, recall)
}

/// Harmonic mean; 0 where both are 0.
pub fn harmonic(precision: f64, recall: f64) -> f64 {
    if precision + recall > 0.0 {
        2.0 * precision * recall / (precision + recall)
    } else {
        0.0
    }
}

fn pairs(text: &str, tokens: Tokens) -> BTreeMap<(String, String), usize> {
    let words: Vec<String> = match tokens {
        Tokens::Google => text
            .to_lowercase()
            .split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
        Tokens::Whitespace => text.split_whitespace().map(str::to_owned).collect(),
    };
    let mut found = BTreeMap::new();
    for pair in words.windows(2) {
        *found.entry((pair[0].clone(), pair[1].clone())).or_insert(0) += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs and what the `rouge-score` package says of them.
    #[test]
    fn it_agrees_with_the_package() {
        let table = include_str!("../tests/rouge.jsonl");
        let mut checked = 0;
        for line in table.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            let ours = rouge2(&text("target"), &text("prediction"), Tokens::Google);
            let theirs = row["rouge2"].as_f64().unwrap();
            assert!(
                (ours - theirs).abs() < 1e-6,
                "{ours} is not {theirs}: {line}"
            );
            checked += 1;
        }
        assert!(checked >= 30);
    }

    #[test]
    fn white_space_keeps_signs() {
        assert!((rouge2("x=-1 y=2 z", "x=1 y=2 z", Tokens::Google) - 1.0).abs() < 1e-9);
        assert!(rouge2("x=-1 y=2 z", "x=1 y=2 z", Tokens::Whitespace) < 0.6);
    }
}
