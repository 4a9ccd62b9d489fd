//! What programs are given: as their sources say, or new values of the same form.

use std::collections::BTreeSet;

use tracer_drive::propose;

use super::Reason;
use crate::corpus::Candidate;
use crate::items::Given;

/// New inputs made of each known one.
const NEW: u32 = 3;

/// A source ready to run.
pub(super) struct Plan {
    pub(super) name: String,
    /// With the driver.
    pub(super) source: String,
    /// What of it is the driver.
    pub(super) driver: String,
    pub(super) inputs: Vec<Given>,
}

impl Plan {
    /// Bytes of the source before the driver, which stands behind all else.
    pub(super) fn own(&self) -> usize {
        let own = self.source.strip_suffix(&self.driver);
        own.map_or(self.source.len(), str::len)
    }
}

/// Finds a candidate's inputs; with a seed, new ones.
pub(super) fn plan(candidate: &Candidate, fresh: Option<u64>) -> Result<Plan, Reason> {
    let text = candidate.text().ok_or("not UTF-8")?;
    let mut plan = match &candidate.inputs {
        Some(inputs) => Plan {
            name: candidate.name.clone(),
            source: text,
            driver: candidate.driver.clone(),
            inputs: inputs.clone(),
        },
        None => found(candidate, text)?,
    };
    let Some(seed) = fresh else {
        // One run is always without input: what the others do is compared with it.
        if plan.driver.is_empty() && !plan.inputs.contains(&Given::default()) {
            plan.inputs.push(Given::default());
        }
        return Ok(plan);
    };
    if !plan.driver.is_empty() {
        return Err("a driver's values are not new");
    }
    let mut new = BTreeSet::new();
    for given in &plan.inputs {
        for number in 0..NEW {
            let other = renewed(given, &plan.source, &format!("{seed} {number}"));
            if !plan.inputs.contains(&other) {
                new.insert(other);
            }
        }
    }
    if new.is_empty() {
        return Err("reads nothing that could be new");
    }
    plan.inputs = new.into_iter().collect();
    Ok(plan)
}

fn found(candidate: &Candidate, text: String) -> Result<Plan, Reason> {
    let proposal = propose(candidate.spec, &candidate.name, text.as_bytes());
    let mut plan = Plan {
        name: candidate.name.clone(),
        source: text,
        driver: String::new(),
        inputs: Vec::new(),
    };
    if let Some(driver) = proposal.driver {
        let mut files = driver.files(plan.source.as_bytes());
        let (name, source) = files.swap_remove(0);
        // Beside the file, a driver would be what is asked about.
        if driver.placed.appended.is_empty() || !files.is_empty() || name.contains('/') {
            return Err("a driver would be another file");
        }
        driver.text().clone_into(&mut plan.driver);
        plan.name = name;
        plan.source = String::from_utf8(source).map_err(|_| "not UTF-8")?;
    }
    let mut files = Vec::new();
    for input in proposal.inputs {
        // What a `run.sh` and a prompt can show; files of one name are the same in all runs.
        let (true, Ok(stdin)) = (input.env.is_empty(), String::from_utf8(input.stdin)) else {
            continue;
        };
        let Ok(own) = texts(input.files) else {
            continue;
        };
        let clash = own.iter().any(|(name, text)| {
            let same_name = |(known, other): &(String, String)| known == name && other != text;
            *name == plan.name || files.iter().any(same_name)
        });
        if !clash {
            files.extend(own.clone());
            plan.inputs.push(Given {
                args: input.args,
                stdin,
                files: own,
            });
        }
    }
    if plan.inputs.is_empty() {
        plan.inputs.push(Given::default());
    }
    Ok(plan)
}

fn texts(
    files: Vec<(String, Vec<u8>)>,
) -> Result<Vec<(String, String)>, std::string::FromUtf8Error> {
    let texts = files.into_iter();
    texts
        .map(|(name, text)| Ok((name, String::from_utf8(text)?)))
        .collect()
}

/// All files of all runs, each once.
pub(super) fn files(inputs: &[Given]) -> Vec<(String, String)> {
    let all: BTreeSet<_> = inputs
        .iter()
        .flat_map(|given| given.files.clone())
        .collect();
    all.into_iter().collect()
}

/// The same words with other values: numbers of as many digits, texts of as many letters. What the
/// source names stays as it is.
fn renewed(given: &Given, source: &str, key: &str) -> Given {
    let mut dice = Dice::new(&format!("{key} {given:?} {source}"));
    let mut word = |word: &str| renewed_word(word, source, &mut dice);
    let args = given.args.iter().map(|arg| word(arg)).collect();
    let stdin = given.stdin.split_inclusive(char::is_whitespace);
    let stdin = stdin
        .map(|part| {
            let bare = part.trim_end();
            word(bare) + &part[bare.len()..]
        })
        .collect();
    Given {
        args,
        stdin,
        files: given.files.clone(),
    }
}

fn renewed_word(word: &str, source: &str, dice: &mut Dice) -> String {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let named = word.len() > 1 && source.contains(word);
    if !number && (word.starts_with('-') || named) {
        return word.to_owned();
    }
    let mut first = true;
    word.chars()
        .map(|letter| {
            let begins = std::mem::take(&mut first) && digits.len() > 1;
            match letter {
                '0'..='9' => {
                    char::from(b'0' + dice.roll(if begins { 9 } else { 10 }) + u8::from(begins))
                }
                'a'..='z' if !number => char::from(b'a' + dice.roll(26)),
                'A'..='Z' if !number => char::from(b'A' + dice.roll(26)),
                other => other,
            }
        })
        .collect()
}

/// Numbers that a text gives, the same on every machine.
struct Dice(blake3::OutputReader);

impl Dice {
    fn new(key: &str) -> Self {
        Self(blake3::Hasher::new().update(key.as_bytes()).finalize_xof())
    }

    /// Below `sides`.
    fn roll(&mut self, sides: u8) -> u8 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        (u32::from_le_bytes(bytes) % u32::from(sides)) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_inputs_have_the_form_of_the_old_and_keep_what_the_source_names() {
        let given = Given {
            args: vec!["--count".into(), "12".into(), "sum".into(), "-3.5".into()],
            stdin: "7 apples\n40\n".into(),
            files: Vec::new(),
        };
        let new = renewed(&given, "if mode == 'sum': pass", "1 0");
        assert_ne!(new, given);
        assert_eq!((&new.args[0][..], &new.args[2][..]), ("--count", "sum"));
        assert!((10..100).contains(&new.args[1].parse::<u32>().expect("a number")));
        assert!(new.args[3].starts_with('-') && new.args[3].len() == 4);
        assert!(new.stdin.ends_with('\n') && new.stdin.lines().count() == 2);
        assert_eq!(new, renewed(&given, "if mode == 'sum': pass", "1 0"));
        assert_ne!(new, renewed(&given, "if mode == 'sum': pass", "2 0"));
    }
}
