//! What Go prints that differs between any two builds of one program: addresses, offsets and
//! arguments in stack traces. Inlining decides which arguments are shown at all.
//!
//! Only for comparing; nothing is taken out of what the user sees.

/// Where the emitter's functions stand: where a stack overflows, one may be the innermost.
const OWN: &[&[u8]] = &[b"index."];

/// The text with that taken out.
pub(crate) fn without(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut lines = text.split_inclusive(|&byte| byte == b'\n').peekable();
    let mut in_trace = false;
    // Of a recursion the runtime shows the ends, by number of frames.
    let mut last = (Vec::new(), Vec::new());
    while let Some(line) = lines.next() {
        let begins = line.starts_with(b"goroutine ") && line.trim_ascii_end().ends_with(b":");
        in_trace = in_trace || begins;
        if !in_trace {
            hide_addresses(line, &mut out);
            continue;
        }
        if is_register(line) || line.starts_with(b"...") {
            continue;
        }
        let quiet = |line: &[u8]| {
            let mut shown = Vec::new();
            hide_addresses(frame(line).trim_ascii_end(), &mut shown);
            shown.push(b'\n');
            shown
        };
        let shown = quiet(line);
        let place = lines.next_if(|next| next.starts_with(b"\t"));
        let place = place.map_or_else(Vec::new, quiet);
        if OWN.iter().any(|own| line.starts_with(own)) || last == (shown.clone(), place.clone()) {
            continue;
        }
        out.extend_from_slice(&shown);
        out.extend_from_slice(&place);
        if !place.is_empty() {
            last = (shown, place);
        }
    }
    out
}

/// A line of a stack trace without arguments and offset.
fn frame(line: &[u8]) -> &[u8] {
    let text = line.trim_ascii_end();
    if text.starts_with(b"\t") {
        let offset = text.windows(4).rposition(|window| window == b" +0x");
        return offset.map_or(line, |at| &line[..at]);
    }
    if text.ends_with(b")") && !text.starts_with(b"goroutine ") {
        // `main.(*T).f(0x1, {0x2, 0x3})`: what is called ends at the last opening parenthesis.
        let arguments = text.iter().rposition(|&byte| byte == b'(');
        let name = arguments.map_or(line, |at| &line[..at]);
        // A function literal is called after whatever its function was inlined into.
        let literal = name.windows(5).position(|window| window == b".func");
        return match literal {
            Some(_) => name.split(|&byte| byte == b'.').next().unwrap_or(name),
            None => name,
        };
    }
    line
}

/// A line of the registers that a fault prints.
fn is_register(line: &[u8]) -> bool {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let name = words.next().unwrap_or_default();
    let value = words.next().unwrap_or_default();
    let is_name = (2..=6).contains(&name.len()) && name.iter().all(u8::is_ascii_alphanumeric);
    is_name && value.starts_with(b"0x") && words.next().is_none()
}

/// Replaces numbers in base 16, and the numbers of wrappers that the compiler makes.
fn hide_addresses(line: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        if rest.starts_with(b"0x") {
            out.extend_from_slice(b"0x");
            at += 2;
            while line.get(at).is_some_and(u8::is_ascii_hexdigit) {
                at += 1;
            }
        } else if rest.starts_with(b".gowrap") || rest.starts_with(b".deferwrap") {
            let length = rest
                .iter()
                .skip(1)
                .take_while(|byte| byte.is_ascii_lowercase());
            let length = 1 + length.count();
            out.extend_from_slice(&rest[..length]);
            at += length;
            while line.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
        } else {
            out.push(rest[0]);
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_differ_only_in_addresses() {
        let first = b"panic: no\n\ngoroutine 1 [running]:\nmain.(*T).f(0x5, {0xc000012, 0x3})\n\
                      \t/p/x.go:49 +0x69a\ncreated by main.main.gowrap1 in goroutine 1\n";
        let second = b"panic: no\n\ngoroutine 1 [running]:\nmain.(*T).f(...)\n\t/p/x.go:49\n\
                       created by main.main.gowrap2 in goroutine 1\n";
        assert_eq!(without(first), without(second));
        assert_ne!(without(first), without(b"panic: yes\n"));
        assert_eq!(without(b"f(1)\n+0x12\n"), b"f(1)\n+0x\n");
    }
}
