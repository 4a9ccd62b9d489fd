//! The input a program reads, found in its source: arguments, standard input, variables and files.
//!
//! It sees what is asked for and in which order, not how often: lines go on a little behind what
//! was asked for once, and end with what the program compares its input with.

use tracer_instrument::drive::{DriveSpec, Reads};
use tree_sitter::Tree;

use crate::RUNS;
use crate::facts::Facts;
use crate::tokens::{Token, notes, tokens};

/// One run to try.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// Arguments behind the program's name.
    pub args: Vec<String>,
    /// Standard input.
    pub stdin: Vec<u8>,
    /// Variables to set.
    pub env: Vec<(String, String)>,
    /// Files in the working directory: path, and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// Where it comes from, for people.
    pub why: String,
}

impl Input {
    /// A run without any input.
    pub(crate) fn none() -> Self {
        Self {
            why: "the program as it stands".to_owned(),
            ..Self::default()
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Float,
    Text,
    Integers,
    Texts,
    Character,
}

/// What a program asks for.
#[derive(Debug, Default)]
struct Wanted {
    stdin: Vec<Kind>,
    everything: bool,
    arguments: Vec<(u32, Kind)>,
    any_arguments: bool,
    options: Vec<Vec<String>>,
    variables: Vec<String>,
    files: Vec<String>,
    literals: Vec<String>,
}

/// Inputs for a program that runs, best first.
pub(crate) fn find(drive: &DriveSpec, tree: &Tree, source: &str) -> Vec<Input> {
    let tokens = tokens(tree, source);
    let mut wanted = Wanted::default();
    for index in 0..tokens.len() {
        // The longest name that stands here.
        let here = drive
            .reads
            .iter()
            .filter(|(name, _)| stands(&tokens, index, name));
        if let Some(&(name, what)) = here.max_by_key(|(name, _)| name.len()) {
            wanted.take(&tokens, index, name, what);
        }
    }
    let reads = !wanted.stdin.is_empty() || wanted.everything;
    let takes = !wanted.arguments.is_empty() || wanted.any_arguments || !wanted.options.is_empty();
    if !reads && !takes && wanted.variables.is_empty() && wanted.files.is_empty() {
        return vec![Input::none()];
    }
    wanted.literals = literals(&tokens);
    let mut found: Vec<Input> = Vec::new();
    let shown = shown_input(tree, source).filter(|_| reads);
    if let Some(text) = shown {
        let input = Input {
            stdin: text.into_bytes(),
            why: "the input that a comment shows".to_owned(),
            ..wanted.rest(0)
        };
        found.push(input);
    }
    let whys = [
        "usual values",
        "what the program compares its input with",
        "one or zero",
        "negative and unusual values",
    ];
    for (run, why) in whys.iter().enumerate() {
        let stdin = if reads {
            wanted.stdin(run).into_bytes()
        } else {
            Vec::new()
        };
        let input = Input {
            stdin,
            why: (*why).to_owned(),
            ..wanted.rest(run)
        };
        let known = |other: &Input| {
            other.stdin == input.stdin && other.args == input.args && other.env == input.env
        };
        if !found.iter().any(known) {
            found.push(input);
        }
    }
    let nothing = Input {
        why: "no input".to_owned(),
        ..Input::default()
    };
    if found.len() < RUNS {
        found.push(nothing);
    }
    found.truncate(RUNS);
    found
}

/// Whether something is read from standard input outside of all definitions: that runs.
pub(crate) fn read_outside(drive: &DriveSpec, facts: &Facts, tree: &Tree, source: &str) -> bool {
    let tokens = tokens(tree, source);
    (0..tokens.len()).any(|index| {
        let at = tokens[index].at;
        let inside = |span: (usize, usize)| span.0 <= at && at < span.1;
        let waits = |what: Reads| {
            matches!(
                what,
                Reads::Line | Reads::Word | Reads::Integer | Reads::Float | Reads::Format
            )
        };
        !facts
            .definitions
            .iter()
            .any(|definition| inside(definition.span))
            && !facts.classes.iter().any(|class| inside(class.span))
            && drive
                .reads
                .iter()
                .any(|&(name, what)| waits(what) && stands(&tokens, index, name))
    })
}

/// Whether the tokens from here on spell a name.
fn stands(tokens: &[Token<'_>], index: usize, name: &str) -> bool {
    let mut left = name;
    let mut at = index;
    while !left.is_empty() {
        let Some(token) = tokens.get(at) else {
            return false;
        };
        if let Some(rest) = left.strip_prefix(token.text) {
            left = rest;
        } else {
            // A longer token ends like the name only if the name ends within a quoted path.
            return token.text == left;
        }
        at += 1;
    }
    let before = index.checked_sub(1).map_or("", |at| tokens[at].text);
    !(matches!(before, "." | "->" | "def" | "function" | "func" | "fn")
        && name.starts_with(|c: char| c.is_alphabetic()))
}

impl Wanted {
    fn take(&mut self, tokens: &[Token<'_>], index: usize, name: &str, what: Reads) {
        let behind = &tokens[index..tokens.len().min(index + 24)];
        let first_text = || {
            behind
                .iter()
                .take(8)
                .find_map(|token| token.content())
                .map(str::to_owned)
        };
        match what {
            Reads::Arguments(first) => {
                let place = behind
                    .iter()
                    .position(|token| token.text == "[")
                    .filter(|at| *at < 5);
                let number = place
                    .and_then(|at| behind.get(at + 1))
                    .and_then(|token| token.text.parse::<u32>().ok());
                let number = number.or_else(|| name.strip_prefix('$')?.parse().ok());
                match number {
                    Some(number) if number >= first && number < first + 8 => {
                        let kind = kind(tokens, index);
                        if self
                            .arguments
                            .iter()
                            .all(|(known, _)| *known != number - first)
                        {
                            self.arguments.push((number - first, kind));
                        }
                    }
                    Some(_) => {}
                    None => self.any_arguments = true,
                }
            }
            Reads::Option => {
                let end = closing(behind);
                let words: Vec<String> = behind[..end]
                    .iter()
                    .filter_map(|token| token.content().map(str::to_owned))
                    .collect();
                let mut option: Vec<String> = words
                    .into_iter()
                    .take_while(|word| !word.contains(' '))
                    .take(2)
                    .collect();
                let inside: String = behind[..end].iter().map(|token| token.text).collect();
                if inside.contains("store_true") {
                    option.push("\u{1}flag".to_owned());
                } else if inside.contains("int") || inside.contains("Int") {
                    option.push("\u{1}int".to_owned());
                } else if inside.contains("float") {
                    option.push("\u{1}float".to_owned());
                }
                if !option.is_empty() {
                    self.options.push(option);
                }
            }
            Reads::Line => self.stdin.push(kind(tokens, index)),
            Reads::Word => self.stdin.push(match kind(tokens, index) {
                Kind::Integers => Kind::Integer,
                other => other,
            }),
            Reads::Integer => self.stdin.push(Kind::Integer),
            Reads::Float => self.stdin.push(Kind::Float),
            Reads::Format => {
                let text = behind
                    .iter()
                    .take(6)
                    .find(|token| token.is_string())
                    .map_or("", |token| token.text);
                self.stdin.extend(formats(text));
            }
            Reads::Everything => {
                self.everything = true;
                self.stdin.push(kind(tokens, index));
            }
            Reads::Variable => self.variables.extend(first_text().filter(|name| {
                !matches!(name.as_str(), "HOME" | "PATH" | "USER")
                    && name.chars().all(|c| c.is_alphanumeric() || c == '_')
            })),
            Reads::File => {
                let writes = behind.iter().take(8).any(|token| {
                    token
                        .content()
                        .is_some_and(|mode| matches!(mode, "w" | "wb" | "a" | "w+" | "wt"))
                });
                let plain = |name: &String| {
                    !name.is_empty()
                        && !name.starts_with('/')
                        && !name.contains("..")
                        && name.len() < 60
                };
                if !writes {
                    self.files.extend(
                        first_text()
                            .filter(plain)
                            .filter(|name| !self.files.contains(name)),
                    );
                }
            }
        }
    }

    /// Arguments, variables and files of a run.
    fn rest(&self, run: usize) -> Input {
        let mut args = Vec::new();
        for (at, option) in self.options.iter().enumerate() {
            let mark = option.iter().find_map(|word| word.strip_prefix('\u{1}'));
            let kind = match mark {
                Some("int") => Kind::Integer,
                Some("float") => Kind::Float,
                _ => Kind::Text,
            };
            let Some(name) = option.iter().find(|word| !word.starts_with('\u{1}')) else {
                continue;
            };
            let long = option
                .iter()
                .find(|word| word.starts_with("--"))
                .unwrap_or(name);
            if !name.starts_with('-') {
                args.push(value(kind, run, at));
            } else if run % 2 == 1 {
                args.push(long.clone());
                if mark != Some("flag") {
                    args.push(value(kind, run, at));
                }
            }
        }
        let count = self
            .arguments
            .iter()
            .map(|(at, _)| at + 1)
            .max()
            .unwrap_or(0);
        for at in 0..count {
            let known = self.arguments.iter().find(|(known, _)| *known == at);
            let compared = (run == 1).then(|| self.literals.get(at as usize)).flatten();
            let kind = known.map_or(Kind::Text, |(_, kind)| *kind);
            args.push(match compared {
                Some(literal) if kind == Kind::Text => literal.clone(),
                _ => value(kind, run, at as usize),
            });
        }
        if self.any_arguments && args.is_empty() && self.options.is_empty() {
            let several: [&[&str]; 4] = [&["3", "5"], &["alpha"], &["1"], &["-2", "x y", "7"]];
            args.extend(several[run % 4].iter().map(|text| (*text).to_owned()));
            if run == 1
                && let Some(literal) = self.literals.first()
            {
                args = vec![literal.clone()];
            }
        }
        let env = if run == 1 {
            self.variables
                .iter()
                .map(|name| (name.clone(), "1".to_owned()))
                .collect()
        } else {
            Vec::new()
        };
        let file = |name: &String| {
            let text = match name.rsplit('.').next() {
                Some("json") => "{\"name\": \"Ann\", \"items\": [1, 2, 3]}\n",
                Some("csv") => "name,score\nAnn,3\nBob,5\n",
                _ => ["first line\n2 apples\nlast line\n", "1\n2\n3\n", "", "x\n"][run % 4],
            };
            (name.clone(), text.as_bytes().to_vec())
        };
        Input {
            args,
            env,
            files: self.files.iter().map(file).collect(),
            ..Input::default()
        }
    }

    fn stdin(&self, run: usize) -> String {
        let mut lines = Vec::new();
        let mut literals = self.literals.iter();
        // A program that asks for a count first reads as many.
        for round in 0..3 {
            for (at, kind) in self.stdin.iter().enumerate() {
                let literal = (run == 1 && *kind != Kind::Integers && round == 0)
                    .then(|| literals.next())
                    .flatten();
                let fits =
                    |literal: &&String| *kind == Kind::Text || literal.parse::<f64>().is_ok();
                lines.push(
                    literal
                        .filter(fits)
                        .cloned()
                        .unwrap_or_else(|| value(*kind, run, at + round)),
                );
            }
            if lines.len() > 12 {
                break;
            }
        }
        if run == 1 {
            lines.extend(literals.take(8).cloned());
        }
        // Menus end with one of what they compare with; most with the last.
        lines.extend(self.literals.iter().rev().take(6).cloned());
        lines.join("\n") + "\n"
    }
}

fn value(kind: Kind, run: usize, at: usize) -> String {
    let of = |values: [[&str; 3]; 4]| values[run % 4][at % 3].to_owned();
    match kind {
        Kind::Integer => of([
            ["5", "3", "8"],
            ["12", "7", "2"],
            ["1", "0", "1"],
            ["-4", "9", "-1"],
        ]),
        Kind::Float => of([
            ["2.5", "4", "1.5"],
            ["10", "0.5", "3"],
            ["1", "0", "1"],
            ["-1.5", "2", "1e3"],
        ]),
        Kind::Text => of([
            ["hello world", "Ann", "blue"],
            ["racecar", "Bob", "yes"],
            ["a", "x", "n"],
            ["42", "A man, a plan", "no"],
        ]),
        Kind::Integers => of([
            ["5 2 9", "3 8 1", "7 4 6"],
            ["1 2 3 4", "2 2 5", "10 20 30"],
            ["1 1", "0 0", "1 0"],
            ["-3 8 0", "9 -1 4", "6 6 6"],
        ]),
        Kind::Texts => of([
            ["one two three", "a b", "red green"],
            ["x y", "p q r", "k v"],
            ["a", "b", "c"],
            ["3 a -1", "z", "1 2"],
        ]),
        Kind::Character => of([
            ["y", "a", "+"],
            ["n", "b", "*"],
            ["q", "c", "-"],
            ["7", "Z", "/"],
        ]),
    }
}

/// What the code around a place does with what is read there.
fn kind(tokens: &[Token<'_>], index: usize) -> Kind {
    // Backwards to the statement's begin, forwards over the call.
    let line = tokens[..index]
        .iter()
        .rev()
        .take(8)
        .take_while(|token| !matches!(token.text, ";" | "{" | "}" | ":"));
    let before: Vec<&str> = line.map(|token| token.text).collect();
    let after: Vec<&str> = tokens[index..]
        .iter()
        .take(14)
        .take_while(|token| token.text != ";")
        .map(|token| token.text)
        .collect();
    let near = |words: &[&str]| before.iter().chain(&after).any(|word| words.contains(word));
    let whole = near(&[
        "int", "Integer", "parseInt", "Atoi", "to_i", "stoi", "atoi", "Int", "i32", "i64", "u32",
        "u64", "usize", "long", "intval", "Number", "atol", "strtol", "ParseInt", "ToInt32",
        "Parse",
    ]);
    let split = near(&[
        "split",
        "Split",
        "split_whitespace",
        "map",
        "explode",
        "Fields",
        "components",
    ]);
    let fraction = near(&[
        "float",
        "parseFloat",
        "to_f",
        "double",
        "Double",
        "f64",
        "stod",
        "atof",
        "ParseFloat",
        "floatval",
        "ToDouble",
    ]);
    if split && (whole || fraction) {
        Kind::Integers
    } else if whole {
        Kind::Integer
    } else if fraction {
        Kind::Float
    } else if split {
        Kind::Texts
    } else {
        Kind::Text
    }
}

fn closing(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// What a format of `scanf` asks for.
fn formats(text: &str) -> Vec<Kind> {
    let mut found = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            continue;
        }
        let mut skipped = false;
        for letter in letters.by_ref() {
            let kind = match letter {
                '*' => {
                    skipped = true;
                    continue;
                }
                'd' | 'i' | 'u' | 'x' | 'o' => Kind::Integer,
                'f' | 'g' | 'e' => Kind::Float,
                'c' => Kind::Character,
                's' | '[' | 'v' => Kind::Text,
                'h' | 'l' | 'L' | 'z' | 'j' | '0'..='9' => continue,
                _ => break,
            };
            if !skipped {
                found.push(if letter == 'v' { Kind::Integer } else { kind });
            }
            break;
        }
    }
    found
}

/// What is compared with, or is a case or a key, in the order of the file.
fn literals(tokens: &[Token<'_>]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for window in tokens.windows(3) {
        let [first, middle, last] = window else {
            continue;
        };
        let compared = matches!(middle.text, "==" | "===" | "!=" | "!==" | "eq" | "=");
        let named = first.is_name() || matches!(first.text, ")" | "]");
        let literal = if compared && named && middle.text != "=" {
            Some(last)
        } else if matches!(first.text, "case" | "when")
            || matches!(first.text, "{" | ",") && last.text == ":" && middle.is_string()
        {
            Some(middle)
        } else {
            None
        };
        let Some(literal) = literal else { continue };
        let text = literal.content().map(str::to_owned).or_else(|| {
            literal
                .text
                .parse::<i64>()
                .is_ok()
                .then(|| literal.text.to_owned())
        });
        let Some(text) = text else { continue };
        if !text.is_empty()
            && text.len() < 40
            && !text.starts_with("__")
            && text != "main"
            && !found.contains(&text)
        {
            found.push(text);
        }
        if found.len() == 12 {
            break;
        }
    }
    found
}

/// The lines below `Input:` in a comment, up to `Output`.
fn shown_input(tree: &Tree, source: &str) -> Option<String> {
    for (_, note) in notes(tree, source) {
        let mut lines: Vec<String> = Vec::new();
        let mut inside = false;
        for line in note.lines() {
            let line = line.trim().trim_start_matches(['*', '/', '#']).trim();
            let low = line.to_lowercase();
            if low.starts_with("output")
                || low.starts_with("sample output")
                || low.starts_with("expected")
            {
                break;
            }
            if inside {
                if line.is_empty() && !lines.is_empty() {
                    break;
                }
                lines.extend((!line.is_empty()).then(|| line.to_owned()));
            } else if low.starts_with("input")
                || low.starts_with("sample input")
                || low.starts_with("example input")
            {
                inside = true;
                if let Some((_, rest)) = line.split_once(':')
                    && !rest.trim().is_empty()
                {
                    lines.push(rest.trim().to_owned());
                }
            }
        }
        // Prose is no input.
        let prose = lines
            .iter()
            .any(|line| line.len() > 80 || line.ends_with('.'));
        if !lines.is_empty() && !prose {
            return Some(lines.join("\n") + "\n");
        }
    }
    None
}
