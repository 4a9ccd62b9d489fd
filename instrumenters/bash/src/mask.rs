//! What the grammar does not read, written so that it does: `${x:$i:1}`, `for ((i = 0; i < a[0]; …))`,
//! `[[ $x =~ ^("#"{1,6}) ]]`.
//!
//! Only the parser sees the masked text; it has the length of the original, and everything else is
//! done with the original's bytes. Masked are the insides of single words and of arithmetic that run
//! nothing; quotes and comments are not looked at, since a mask within them changes no structure. A
//! mask that misleads the parser costs probes: bash itself checks where these stand (`proof`).

/// Longest inside that is masked, bytes.
const LONGEST: usize = 1000;

/// The text for the parser; `None` if it is the original.
pub(crate) fn mask(source: &[u8]) -> Option<Vec<u8>> {
    let mut masked = source.to_vec();
    let mut at = 0;
    while at < source.len() {
        let done = match &source[at..] {
            [b'\\', ..] => Some(at + 2),
            [b'$', b'{', ..] => expansion(source, at, &mut masked),
            [b'(', b'(', ..] => arithmetic(source, at, &mut masked),
            [b'[', ..] => element(source, at, &mut masked),
            [b'=', b'~', b' ', ..] => regex(source, at + 3, &mut masked),
            _ => None,
        };
        at = done.unwrap_or(at + 1);
    }
    (masked != source).then_some(masked)
}

/// Whether text runs nothing, so that no probe is lost with it.
fn is_still(text: &[u8]) -> bool {
    text.len() < LONGEST
        && !text.contains(&b'`')
        && !text
            .windows(2)
            .any(|pair| matches!(pair, [b'$' | b'<' | b'>', b'('] | [b'$', b'[']))
}

/// The end of a quoted part or an escape that begins at an offset.
fn quoted(text: &[u8], at: usize) -> Option<usize> {
    match text[at] {
        b'\\' => Some(at + 2),
        quote @ (b'\'' | b'"') => {
            let mut end = at + 1;
            while *text.get(end)? != quote {
                end += if text[end] == b'\\' && quote == b'"' {
                    2
                } else {
                    1
                };
            }
            Some(end + 1)
        }
        _ => Some(at + 1),
    }
}

/// The offset of a closing bracket; `at` is behind the opening one.
fn closing(text: &[u8], mut at: usize, open: u8, close: u8) -> Option<usize> {
    let mut depth = 0;
    loop {
        let byte = *text.get(at)?;
        if byte == close {
            if depth == 0 {
                return Some(at);
            }
            depth -= 1;
        } else if byte == open {
            depth += 1;
        }
        at = quoted(text, at)?;
    }
}

/// `${x…}`: what stands behind the name.
fn expansion(source: &[u8], at: usize, masked: &mut [u8]) -> Option<usize> {
    let mut tail = at + 2;
    if matches!(source.get(tail)?, b'!' | b'#') {
        tail += 1;
    }
    let name = source[tail..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    tail += name;
    if name == 0 {
        if !matches!(source.get(tail)?, b'@' | b'*') {
            return None;
        }
        tail += 1;
    }
    if source.get(tail) == Some(&b'[') {
        let end = closing(source, tail + 1, b'[', b']')?;
        index(source, tail + 1, end, masked);
        tail = end + 1;
    }
    let mut depth = 0;
    let mut end = tail;
    while source.get(end)? != &b'}' || depth > 0 {
        match &source[end..] {
            [b'$', b'{', ..] => {
                depth += 1;
                end += 2;
            }
            [b'}', ..] => {
                depth -= 1;
                end += 1;
            }
            _ => end = quoted(source, end)?,
        }
    }
    let operator = b":#%/^,@-=?+".contains(&source[tail]);
    if end > tail && operator && is_still(&source[tail..end]) {
        masked[tail..end].fill(b'x');
        masked[tail] = b'#';
        return Some(end);
    }
    None
}

/// `a[$i,$j]=`: what stands between the brackets.
fn element(source: &[u8], at: usize, masked: &mut [u8]) -> Option<usize> {
    if at == 0 || !(source[at - 1].is_ascii_alphanumeric() || source[at - 1] == b'_') {
        return None;
    }
    let end = closing(source, at + 1, b'[', b']')?;
    let assigned = matches!(source[end + 1..], [b'=', ..] | [b'+', b'=', ..]);
    if assigned {
        index(source, at + 1, end, masked);
    }
    assigned.then_some(end + 1)
}

/// An index that is more than one name, number or `$x`.
fn index(source: &[u8], start: usize, end: usize, masked: &mut [u8]) {
    let inside = &source[start..end];
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@*$\"'".contains(byte);
    if !inside.iter().all(plain) && is_still(inside) && !inside.contains(&b'\n') {
        masked[start..end].fill(b'x');
    }
}

/// `((…))` and `$((…))`.
fn arithmetic(source: &[u8], at: usize, masked: &mut [u8]) -> Option<usize> {
    let before = source[..at].trim_ascii_end();
    let word = |word: &str| {
        let kept = before.strip_suffix(word.as_bytes());
        kept.is_some_and(|kept| !kept.last().is_some_and(u8::is_ascii_alphanumeric))
    };
    let counts = word("for");
    let commands = ["if", "elif", "while", "until", "then", "do", "else"]
        .iter()
        .any(|name| word(name))
        || before.len() < at && before.last().is_none_or(|byte| b";&|!{".contains(byte))
        || source[before.len()..at].contains(&b'\n');
    let expands = at > 0 && source[at - 1] == b'$';
    if !counts && !commands && !expands && at > 0 {
        return None;
    }
    let start = at + 2;
    let end = closing(source, start, b'(', b')')?;
    if source.get(end + 1) != Some(&b')') || end == start || !is_still(&source[start..end]) {
        return None;
    }
    let inside = &source[start..end];
    if counts {
        let parts = inside.split(|&byte| byte == b';').count();
        if parts != 3 {
            return None;
        }
        for (offset, &byte) in inside.iter().enumerate() {
            if !matches!(byte, b';' | b'\n') {
                masked[start + offset] = b' ';
            }
        }
    } else {
        for (offset, &byte) in inside.iter().enumerate() {
            if byte != b'\n' {
                masked[start + offset] = b' ';
            }
        }
        masked[start] = b'1';
    }
    Some(end + 2)
}

/// The pattern behind `=~`.
fn regex(source: &[u8], at: usize, masked: &mut [u8]) -> Option<usize> {
    let mut end = at;
    let mut depth = 0usize;
    loop {
        match *source.get(end)? {
            b' ' | b'\n' if depth == 0 => break,
            b'\n' => return None,
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        end = quoted(source, end)?;
    }
    let still = end > at && is_still(&source[at..end]) && !source[at..end].contains(&b'\n');
    // `$x` alone is read, and its value is looked at.
    if !still || source[at] == b'$' || source[at..].starts_with(b"\"$") {
        return None;
    }
    masked[at..end].fill(b'x');
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::mask;

    fn masked(text: &str) -> String {
        match mask(text.as_bytes()) {
            Some(masked) => String::from_utf8(masked).expect("bytes are replaced one by one"),
            None => text.to_owned(),
        }
    }

    #[test]
    fn insides_are_replaced() {
        assert_eq!(masked("echo ${x:$i:1}"), "echo ${x#xxxx}");
        assert_eq!(masked("${a[$i]%\\}}"), "${a[$i]#xx}");
        assert_eq!(
            masked("for ((i=0;i<a[1];++i)) do"),
            "for ((   ;      ;   )) do"
        );
        assert_eq!(masked("if (( 10#$x < 13 ))"), "if ((1           ))");
        assert_eq!(masked("a[$i,$j]=${b[$j,$i]}"), "a[xxxxx]=${b[xxxxx]}");
        assert_eq!(masked("x=$((10#$x))"), "x=$((1    ))");
        assert_eq!(
            masked("[[ $x =~ ^(\"#\"{1,6}) ]]"),
            "[[ $x =~ xxxxxxxxxxx ]]"
        );
    }

    #[test]
    fn what_runs_something_stays() {
        for text in [
            "${x:-$(date)}",
            "(( $(date) ))",
            "((a; b) | c)",
            "${x:-`date`}",
            "$(( a )",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
