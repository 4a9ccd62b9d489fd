//! Names that lowering turns into members: variables a namespace exports. A probe that reads one
//! reads the member.

use std::collections::HashMap;

/// Where a name stands for a member, and for which; or for something else again.
#[derive(Debug, Clone)]
struct Meaning {
    start: usize,
    end: usize,
    path: Option<String>,
}

/// All such names of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    meanings: HashMap<String, Vec<Meaning>>,
}

impl Names {
    /// Within these places the name stands for `path`.
    pub(crate) fn add(&mut self, start: usize, end: usize, name: &str, path: String) {
        self.note(start, end, name, Some(path));
    }

    /// Within these places the name is something else, if it is one of these at all.
    pub(crate) fn hide(&mut self, start: usize, end: usize, name: &str) {
        if self.meanings.contains_key(name) {
            self.note(start, end, name, None);
        }
    }

    fn note(&mut self, start: usize, end: usize, name: &str, path: Option<String>) {
        let meanings = self.meanings.entry(name.to_owned()).or_default();
        meanings.push(Meaning { start, end, path });
    }

    /// What a name stands for at a place: the innermost meaning holds.
    fn path(&self, at: usize, name: &str) -> Option<&str> {
        let around = self.meanings.get(name)?.iter();
        around
            .filter(|meaning| meaning.start <= at && at <= meaning.end)
            .min_by_key(|meaning| meaning.end - meaning.start)?
            .path
            .as_deref()
    }

    /// The text of a probe at a place, reading members where names are gone.
    pub(crate) fn adapt(&self, at: usize, text: String) -> String {
        if self.meanings.is_empty() {
            return text;
        }
        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
        let mut done = String::with_capacity(text.len());
        let mut rest = text.as_str();
        let mut quoted = false;
        while let Some(letter) = rest.chars().next() {
            quoted ^= letter == '"';
            if quoted || !is_part(letter) {
                done.push(letter);
                rest = &rest[letter.len_utf8()..];
                continue;
            }
            let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            let word = &rest[..end];
            done.push_str(self.path(at, word).unwrap_or(word));
            rest = &rest[end..];
        }
        done
    }
}
