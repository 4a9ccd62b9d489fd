//! Names that lowering turns into members: variables a namespace exports. A probe that reads one
//! reads the member.

/// A name, where it stands for a member, and which.
#[derive(Debug, Clone)]
struct Member {
    start: usize,
    end: usize,
    name: String,
    path: String,
}

/// All such names of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    members: Vec<Member>,
    hidden: Vec<(usize, usize, String)>,
}

impl Names {
    /// Within these places the name stands for `path`.
    pub(crate) fn add(&mut self, start: usize, end: usize, name: &str, path: String) {
        self.members.push(Member {
            start,
            end,
            name: name.into(),
            path,
        });
    }

    /// Within these places, inside an [`add`](Self::add)ed stretch, the name is something else.
    pub(crate) fn hide(&mut self, start: usize, end: usize, name: &str) {
        self.hidden.push((start, end, name.into()));
    }

    /// The text of a probe at a place, reading members where names are gone.
    pub(crate) fn adapt(&self, at: usize, text: String) -> String {
        let mut text = text;
        let around: Vec<&Member> = self
            .members
            .iter()
            .filter(|member| member.start <= at && at <= member.end)
            .filter(|member| {
                !self.hidden.iter().any(|(start, end, name)| {
                    *start <= at
                        && at <= *end
                        && *name == member.name
                        && member.start <= *start
                        && *end <= member.end
                })
            })
            .collect();
        if around.is_empty() {
            return text;
        }
        let mut done = String::with_capacity(text.len());
        let mut rest = text.as_str();
        let mut quoted = false;
        while let Some(letter) = rest.chars().next() {
            let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
            if letter == '"' {
                quoted = !quoted;
            }
            if quoted || !is_part(letter) {
                done.push(letter);
                rest = &rest[letter.len_utf8()..];
                continue;
            }
            let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            let word = &rest[..end];
            // The innermost namespace comes last.
            match around.iter().rev().find(|member| member.name == word) {
                Some(member) => done.push_str(&member.path),
                None => done.push_str(word),
            }
            rest = &rest[end..];
        }
        text.clear();
        text.push_str(&done);
        text
    }
}
