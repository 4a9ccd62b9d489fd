//! Newer syntax than the grammar's, as text of the same length that it reads: `if consteval` and
//! explicit object parameters. Only the shape of the tree comes from it.

/// The text to parse; `None` where there is nothing to replace.
pub(crate) fn mask(source: &[u8]) -> Option<Vec<u8>> {
    let mut masked = source.to_vec();
    for at in words(source, b"consteval") {
        mask_condition(&mut masked, at);
    }
    for at in words(source, b"this") {
        mask_object(&mut masked, at);
    }
    (masked != source).then_some(masked)
}

/// Where a word stands.
fn words<'a>(source: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    source
        .windows(word.len())
        .enumerate()
        .filter(move |(at, window)| {
            let is_part = |index: Option<usize>| {
                index
                    .and_then(|index| source.get(index))
                    .is_some_and(|byte| is_letter(*byte))
            };
            *window == word && !is_part(at.checked_sub(1)) && !is_part(Some(at + word.len()))
        })
        .map(|(at, _)| at)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The space on both sides of `consteval`, or of `!consteval`, becomes its parentheses.
fn mask_condition(masked: &mut [u8], at: usize) {
    let open = if at > 0 && masked[at - 1] == b'!' {
        at.checked_sub(2)
    } else {
        at.checked_sub(1)
    };
    let close = at + b"consteval".len();
    let Some(open) = open.filter(|open| masked[*open] == b' ' && masked.get(close) == Some(&b' '))
    else {
        return;
    };
    if masked[..open].trim_ascii_end().ends_with(b"if") {
        masked[open] = b'(';
        masked[close] = b')';
        // A name, which it is not to the grammar either.
        masked[close - 1] = b'_';
    }
}

/// `(this Self &self)` is a parameter like any other without its first word.
fn mask_object(masked: &mut [u8], at: usize) {
    let end = at + b"this".len();
    let behind = masked[end..].trim_ascii_start();
    let is_type = behind.len() < masked.len() - end
        && behind
            .first()
            .is_some_and(|byte| is_letter(*byte) || *byte == b':')
        && ![&b"and"[..], b"or", b"not_eq", b"bitand", b"bitor", b"xor"]
            .iter()
            .any(|word| behind.starts_with(word));
    if is_type && masked[..at].trim_ascii_end().ends_with(b"(") {
        masked[at..end].fill(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(source: &str) -> Option<String> {
        mask(source.as_bytes()).map(|text| String::from_utf8(text).expect("it was text"))
    }

    #[test]
    fn only_new_syntax_is_replaced() {
        let text = |source| masked(source).unwrap_or_default();
        assert_eq!(text("if consteval { f(); }"), "if(consteva_){ f(); }");
        assert_eq!(text("if !consteval { f(); }"), "if(!consteva_){ f(); }");
        assert_eq!(text("int f(this S &s);"), "int f(     S &s);");
        assert_eq!(masked("consteval int f() { return g(this); }"), None);
        assert_eq!(masked("bool b = (this or other);"), None);
    }
}
