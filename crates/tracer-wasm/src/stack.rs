//! Room for the calls of an interpreter: many modules are linked with 64 KiB of stack, with which a
//! program that recurses a few hundred times ends as if it never would stop.
//!
//! The machine gives such a module more memory than it asks for, and lets its stack begin at the
//! end of that. Only for modules of images: their allocators take what lies behind the linked end
//! of the heap for somebody else's. Does not touch a module that is linked otherwise.

/// Bytes of stack that are enough.
const ENOUGH: u64 = 1 << 18;

/// Pages of 64 KiB that are given instead.
const PAGES: u64 = 256;

const PAGE: u64 = 1 << 16;

const MEMORY: u8 = 5;
const GLOBAL: u8 = 6;
const HEADER: usize = 8;
/// A 32-bit number that may change, set to a constant.
const POINTER: [u8; 3] = [0x7f, 1, 0x41];

/// The module with room; `None` where it has enough or keeps its stack in another way.
pub(crate) fn with_room(module: &[u8]) -> Option<Vec<u8>> {
    let mut out = module.get(..HEADER)?.to_vec();
    let mut rest = &module[HEADER..];
    let mut top = None;
    let mut moved = false;
    while let Some((&id, after)) = rest.split_first() {
        let (size, after) = unsigned(after)?;
        let body = after.get(..usize::try_from(size).ok()?)?;
        rest = &after[body.len()..];
        let changed = match id {
            MEMORY => {
                let (pages, body) = memory(body)?;
                top = Some((pages * PAGE).cast_signed());
                body
            }
            GLOBAL => {
                moved = true;
                pointer(body, top?)?
            }
            _ => body.to_vec(),
        };
        out.push(id);
        put_unsigned(&mut out, changed.len() as u64);
        out.extend(changed);
    }
    moved.then_some(out)
}

/// A memory section of one memory, with more pages: how many there are then, and the section.
fn memory(body: &[u8]) -> Option<(u64, Vec<u8>)> {
    let [1, limits @ (0 | 1), rest @ ..] = body else {
        return None;
    };
    let (least, rest) = unsigned(rest)?;
    let pages = least + PAGES;
    let bounded = *limits == 1;
    if bounded && unsigned(rest)?.0 < pages {
        return None;
    }
    let mut out = vec![1, *limits];
    put_unsigned(&mut out, pages);
    out.extend(rest);
    Some((pages, out))
}

/// A section of globals whose first one, the stack's pointer, begins elsewhere.
fn pointer(body: &[u8], top: i64) -> Option<Vec<u8>> {
    let (_, rest) = unsigned(body)?;
    let count = &body[..body.len() - rest.len()];
    let (first, after) = signed(rest.strip_prefix(&POINTER)?)?;
    if first <= 0 || first.cast_unsigned() > ENOUGH {
        return None;
    }
    let mut out = count.to_vec();
    out.extend(POINTER);
    put_signed(&mut out, top);
    out.extend(after);
    Some(out)
}

fn unsigned(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

fn signed(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (value, rest) = unsigned(bytes)?;
    let bits = 7 * (bytes.len() - rest.len());
    let value = value.cast_signed() << (64 - bits) >> (64 - bits);
    Some((value, rest))
}

fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_signed(out: &mut Vec<u8>, mut value: i64) {
    while !(-0x40..0x40).contains(&value) {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One page; a pointer at 1,000.
    const SMALL: &[u8] = b"\0asm\x01\0\0\0\x05\x03\x01\0\x01\x06\x07\x01\x7f\x01\x41\xe8\x07\x0b";

    #[test]
    fn a_small_stack_begins_at_the_end_of_more_memory() {
        let roomy = with_room(SMALL).unwrap();
        // 257 pages, which end at 16,842,752.
        let wanted =
            b"\0asm\x01\0\0\0\x05\x04\x01\0\x81\x02\x06\x09\x01\x7f\x01\x41\x80\x80\x84\x08\x0b";
        assert_eq!(roomy, wanted);
        assert_eq!(with_room(&roomy), None, "it has enough");
        assert_eq!(
            with_room(&SMALL[..SMALL.len() - 9]),
            None,
            "it has no pointer"
        );
        assert_eq!(with_room(b"\0asm"), None, "it is no module");
    }
}
