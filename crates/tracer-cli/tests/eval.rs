//! `tracer eval` as a user starts it: what is built twice is the same, true answers are right, and an
//! answered input counts by what it reaches.
#![cfg(feature = "python")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test: the command is started as a user starts it"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

const STEPS: &str = "\
import sys

def steps(n):
    count = 0
    while n > 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        count += 1
    return count

if len(sys.argv) < 2:
    print('usage')
    sys.exit(2)
start = int(sys.argv[1])
total = steps(start)
print(start, total)
";

const WORDS: &str = "\
count = int(input())
total = 0
for index in range(count):
    number = index * 7 % 5
    if number > 2:
        total += number
        print('more', number)
    else:
        total -= 1
print(total)
";

const DEFINES: &str = "\
def mean(values: list[int]) -> float:
    total = 0
    for value in values:
        total += value
    if not values:
        return 0.0
    return total / len(values)

def sign(number: int) -> str:
    if number < 0:
        word = 'minus'
    else:
        word = 'plus'
    return word
";

/// Needs no input.
const PRIMES: &str = "\
primes = []
for number in range(2, 20):
    is_prime = True
    for prime in primes:
        if number % prime == 0:
            is_prime = False
            break
    if is_prime:
        primes.append(number)
        last = number
print(primes, last)
";

fn tracer(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
    command.args(words);
    command
}

fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether programs can be run here; if not, says so.
fn possible() -> bool {
    let run = tracer(&["run", "--quiet", "--discard", "tests/batch/loop.py"])
        .output()
        .unwrap();
    if !run.status.success() {
        eprintln!("skipped: this machine runs no Python in a sandbox");
    }
    run.status.success()
}

fn corpus(folder: &Path) {
    for (path, text) in [
        ("one/steps.py", STEPS),
        ("two/words.py", WORDS),
        ("three/deep/defines.py", DEFINES),
    ] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn build(input: &Path, out: &Path, more: &[&str]) -> String {
    let command = &mut tracer(&["eval", "build", "--quiet", "-l", "python"]);
    done(command.args(more).arg(input).arg("-o").arg(out))
}

fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Scores answers, made of items by a function, and gives the tasks' averages.
fn scored(benchmark: &Path, folder: &Path, answer: impl Fn(&Value) -> Value) -> Value {
    let lines: Vec<String> = rows(&benchmark.join("items.jsonl"))
        .iter()
        .map(|item| json!({"id": item["id"], "answer": answer(item)}).to_string())
        .collect();
    let answers = folder.join("answers.jsonl");
    fs::write(&answers, lines.join("\n")).unwrap();
    let command = &mut tracer(&["eval", "score", "--json"]);
    let score = done(command.arg(benchmark).arg(&answers));
    serde_json::from_str::<Value>(&score).unwrap()["tasks"].clone()
}

#[test]
fn a_benchmark_is_the_same_twice_and_its_answers_are_right() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    corpus(&folder.join("corpus"));
    let (input, first, second) = (folder.join("corpus"), folder.join("a"), folder.join("b"));
    let said = build(&input, &first, &[]);
    let items = fs::read_to_string(first.join("items.jsonl")).unwrap();

    // Built in two goes, the first of which was cut off while it wrote.
    build(&input, &second, &["--per-language", "1"]);
    let ledger = second.join(".work/python.jsonl");
    let text = fs::read_to_string(&ledger).unwrap();
    fs::write(&ledger, &text[..text.len() - 40]).unwrap();
    build(&input, &second, &[]);
    let again = fs::read_to_string(second.join("items.jsonl")).unwrap();
    assert!(items == again, "{said}");

    let programs = rows(&first.join("programs.jsonl"));
    assert_eq!(programs.len(), 3, "{said}");
    let driven = |program: &&Value| program["driver"] != "";
    assert_eq!(programs.iter().filter(driven).count(), 1);
    let runs = |program: &Value| program["inputs"].as_array().unwrap().len();
    assert!(programs.iter().any(|program| runs(program) > 1), "{said}");

    let right = scored(&first, folder, |item| item["answer"].clone());
    for (task, languages) in right.as_object().unwrap() {
        assert_eq!(languages["macro"]["exact"], 1.0, "{task} {items}");
    }
    for task in ["T1", "T2", "T3", "T4", "T9", "T11"] {
        assert!(right.get(task).is_some(), "{task} is not asked: {said}");
    }
    assert!(right["T5"]["macro"]["own"] == 1.0, "{right}");

    // Without input, nothing that is asked for is reached; a sentence is no input.
    let none = scored(&first, folder, |item| match item["task"].as_str() {
        Some("T9") => json!("{\"args\": [], \"stdin\": \"\"}"),
        _ => json!("I do not know"),
    });
    assert_eq!(none["T9"]["macro"]["exact"], 0.0);
    assert_eq!(none["T9"]["macro"]["wrong"], 1.0);
    assert_eq!(none["T1"]["macro"]["unparseable"], 1.0);
}

#[test]
fn fresh_items_are_of_the_same_programs_with_other_inputs() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    corpus(&folder.join("corpus"));
    let (known, fresh) = (folder.join("known"), folder.join("fresh"));
    build(&folder.join("corpus"), &known, &[]);
    let said = build(&known, &fresh, &["--fresh", "--seed", "5"]);
    let inputs = |folder: &Path, name: &str| {
        let programs = rows(&folder.join("programs.jsonl"));
        let found = programs.iter().find(|program| program["name"] == name);
        found.map(|program| program["inputs"].as_array().unwrap().clone())
    };
    for name in ["steps.py", "words.py"] {
        let old = inputs(&known, name).unwrap();
        let new = inputs(&fresh, name).unwrap_or_else(|| panic!("{name}: {said}"));
        assert!(new.iter().all(|input| !old.contains(input)), "{new:?}");
    }
    assert!(inputs(&fresh, "defines.py").is_none());
    let right = scored(&fresh, folder, |item| item["answer"].clone());
    assert_eq!(right["T1"]["macro"]["exact"], 1.0);
}

#[test]
fn what_batch_kept_becomes_a_benchmark() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    corpus(&folder.join("corpus"));
    fs::write(folder.join("corpus/one/primes.py"), PRIMES).unwrap();
    for form in ["jsonl", "parquet"] {
        let examples = folder.join(form);
        let command = &mut tracer(&["batch", "--quiet", "--format", form]);
        let command = command.arg(folder.join("corpus")).arg("-o");
        done(command.arg(&examples));
        let out = folder.join(format!("{form}-eval"));
        let said = build(&examples, &out, &[]);
        let programs = rows(&out.join("programs.jsonl"));
        assert!(!programs.is_empty(), "{form}: {said}");
        let right = scored(&out, folder, |item| item["answer"].clone());
        assert_eq!(right["T1"]["macro"]["exact"], 1.0, "{form}");
    }
}
