//! Reading the original between syntax nodes: trivia, words and tokens.

/// Where the next token begins, behind white space and comments.
pub(crate) fn skip_trivia(source: &str, from: usize) -> usize {
    let mut at = from;
    loop {
        let rest = &source[at..];
        let trimmed =
            rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("//") {
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        } else if trimmed.starts_with("/*") {
            at += trimmed.find("*/").map_or(trimmed.len(), |end| end + 2);
        } else {
            return at;
        }
    }
}

/// Whether a newline stands between a place and the next token.
pub(crate) fn line_ends_behind(source: &str, from: usize) -> bool {
    source[from..skip_trivia(source, from)].contains('\n')
}

/// The words of a stretch that holds only words, punctuation and comments.
pub(crate) fn words(source: &str, from: usize, to: usize) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = skip_trivia(source, from);
    while at < to {
        let rest = &source[at..to];
        let length: usize = rest
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$'))
            .map(char::len_utf8)
            .sum();
        if length > 0 {
            found.push((at, &rest[..length]));
            at += length;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        at = skip_trivia(source, at);
    }
    found
}

/// Where a word stands in such a stretch.
pub(crate) fn word(source: &str, from: usize, to: usize, wanted: &str) -> Option<usize> {
    let mut words = words(source, from, to).into_iter();
    words.find(|(_, word)| *word == wanted).map(|(at, _)| at)
}

/// Where a punctuation mark stands in such a stretch.
pub(crate) fn mark(source: &str, from: usize, to: usize, wanted: char) -> Option<usize> {
    let mut at = skip_trivia(source, from);
    while at < to {
        let letter = source[at..].chars().next()?;
        if letter == wanted {
            return Some(at);
        }
        at = skip_trivia(source, at + letter.len_utf8());
    }
    None
}
