//! Writes chosen probes into the source, and what each run prints.

use tracer_model::Phrase;

use super::candidates::{Candidate, State};
use super::{Example, Probe, Run};

/// The example with at most `keep` visits of a site, and its last.
pub(super) fn example(
    runs: &[Run<'_>],
    chosen: &[Candidate],
    phrase: &Phrase,
    keep: usize,
) -> Example {
    let main = runs.first().and_then(|run| run.trace.table.files.first());
    let (path, text) = main.map_or(("", ""), |file| (&file.path, &file.text));
    let file = path.rsplit('/').next().unwrap_or(path).to_owned();
    let (blocks, whole) = (0..runs.len()).map(|run| block(chosen, run, keep)).unzip();
    Example {
        source: source(text, chosen, phrase),
        run_sh: run_sh(runs, &file, phrase),
        file,
        blocks,
        whole,
        probes: chosen
            .iter()
            .map(|candidate| Probe {
                key: candidate.key.clone(),
                head: candidate.head(),
            })
            .collect(),
        fits: true,
    }
}

fn source(text: &str, chosen: &[Candidate], phrase: &Phrase) -> String {
    let mut out = String::with_capacity(text.len() + chosen.len() * 60);
    let mut at = 0;
    let mut inserted: Vec<(usize, String)> = chosen
        .iter()
        .map(|candidate| {
            let line = statement(candidate, phrase);
            (candidate.offset, format!("{}{line}\n", candidate.indent))
        })
        .collect();
    let top = header_offset(text, phrase);
    let first = inserted.iter().map(|(offset, _)| *offset).min();
    let before = &text[..first.unwrap_or(0)];
    // What is all of a line must stand as one, and before it is needed; else, anywhere.
    let stands = |sign: &str, line: &str| {
        if sign == line {
            before.lines().any(|known| known.starts_with(line))
        } else {
            text.contains(sign)
        }
    };
    let headers = phrase
        .headers
        .iter()
        .filter(|(sign, line)| !stands(sign, line))
        .map(|(_, line)| (top, format!("{line}\n")));
    inserted.splice(0..0, headers);
    inserted.sort_by_key(|(offset, _)| *offset);
    for (offset, line) in inserted {
        out.push_str(&text[at..offset]);
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&line);
        at = offset;
    }
    out.push_str(&text[at..]);
    out
}

/// Behind the first line that must come first.
fn header_offset(text: &str, phrase: &Phrase) -> usize {
    let mut offset = 0;
    let mut found = 0;
    for line in text.split_inclusive('\n') {
        let first = offset == 0 && line.starts_with("#!");
        let named = !phrase.headers_after.is_empty() && line.starts_with(phrase.headers_after);
        offset += line.len();
        if first || named || line.starts_with("from __future__") {
            found = offset;
        }
        if named {
            break;
        }
    }
    found
}

/// The probe as a statement of the language.
fn statement(candidate: &Candidate, phrase: &Phrase) -> String {
    let escaped = |text: &str| {
        // One pass: what an escape puts in is not escaped again.
        let mut out = String::new();
        for character in text.chars() {
            let own = character.to_string();
            let escape = phrase.escapes.iter().find(|(from, _)| *from == own);
            out.push_str(escape.map_or(&own, |(_, to)| to));
        }
        out
    };
    let mut text = escaped(&candidate.head());
    let mut arguments = String::new();
    if let State::Values(names) = &candidate.state {
        for (index, (name, type_name)) in names.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&escaped(name));
            text.push('=');
            if let Some(hole) = phrase.hole(type_name) {
                text.push_str(&hole.text.replace('@', name));
                arguments.push_str(&hole.argument.replace('@', name));
            }
        }
    }
    let whole = format!(
        "{}{text}{}{arguments}{}",
        phrase.open, phrase.text_end, phrase.close
    );
    // `"…" + x + ""` is not how it is written.
    whole.replace(" + \"\")", ")")
}

/// Lines of a run: shortened, and whole.
fn block(chosen: &[Candidate], run: usize, keep: usize) -> (String, Vec<String>) {
    let mut lines: Vec<(usize, usize, usize)> = Vec::new();
    for (index, candidate) in chosen.iter().enumerate() {
        for (visit, (event, _)) in candidate.lines[run].iter().enumerate() {
            lines.push((*event, index, visit));
        }
    }
    lines.sort_unstable();
    let mut out = String::new();
    let mut whole = Vec::new();
    for (_, index, visit) in lines {
        let candidate = &chosen[index];
        let visits = candidate.lines[run].len();
        let line = format!("{}{}", candidate.head(), candidate.lines[run][visit].1);
        if visit < keep || visit + 1 == visits || visits <= keep.saturating_add(2) {
            out.push_str(&line);
            out.push('\n');
        } else if visit == keep {
            let left_out = visits - keep - 1;
            out.push_str(&format!("{}… ×{left_out}\n", candidate.head()));
        }
        whole.push(line);
    }
    (out, whole)
}

fn run_sh(runs: &[Run<'_>], file: &str, phrase: &Phrase) -> String {
    let command = phrase.run.replace("{}", file);
    let mut out = String::from("#!/bin/sh\n");
    for (index, run) in runs.iter().enumerate() {
        let mut line = command.clone();
        for arg in &run.trace.environment.args {
            line.push(' ');
            line.push_str(&quoted(arg));
        }
        let number = index + 1;
        let stdin = if run.stdin.is_empty() {
            "< /dev/null".to_owned()
        } else {
            let text = String::from_utf8_lossy(run.stdin);
            line = format!("printf %s {} | ({line})", quoted(&text));
            String::new()
        };
        let space = if stdin.is_empty() { "" } else { " " };
        out.push_str(&format!("{line}{space}{stdin} 2> trace{number}.txt\n"));
    }
    out
}

/// A word of the shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
