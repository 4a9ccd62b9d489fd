//! Mends two faults of modules whose stack is unwound by Binaryen's `asyncify`, as Ruby's is: what
//! `setjmp` keeps has six kibibytes a buffer, and `longjmp` leaves the stack's pointer where it was.
//!
//! The first ends a program that raises beneath some sixteen nested blocks, the second one that leaves
//! enough blocks by `break`. The functions that `asyncify` wrote are known by their bytes. They are given
//! others: a buffer on the stack keeps its frames in a region of its own, [`TIMES`] as long; a static
//! one, of which one is in use at a time, in one region; and each notes the stack's pointer. A buffer
//! elsewhere (a fiber's) keeps its frames in itself. Does not touch a module that is made otherwise.

use wasmparser::{ConstExpr, GlobalType, Operator, Parser, Payload, ValType};

/// How many times a buffer's length its frames may take, as a power of two.
const TIMES: u8 = 3;

/// Bytes for the frames of static buffers.
const STATIC: u64 = 1 << 20;

const PAGE: u64 = 1 << 16;

/// What the new functions need to know of a module.
struct Shape {
    /// Where the stack begins; it grows down to zero.
    top: u64,
    /// Bytes of memory at the start: all static data lies below.
    memory: u64,
    /// The global that is added.
    region: u32,
    /// The function that ends winding, either way.
    stop: u32,
}

/// The module, mended; `None` where it is none of these.
pub(crate) fn mended(module: &[u8]) -> Option<Vec<u8>> {
    let shape = shape(module)?;
    let mut out = module.get(..8)?.to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.ok()?;
        let (id, body) = match payload {
            Payload::GlobalSection(reader) => {
                let all = module.get(reader.range())?;
                let count = leb(u64::from(reader.count()) + 1);
                let rest = all.get(leb(u64::from(reader.count())).len()..)?;
                let own = [0x7f, 1, 0x41, 0, 0x0b];
                (6, [&count, rest, &own].concat())
            }
            Payload::CodeSectionStart { count, .. } => {
                let mut body = leb(u64::from(count));
                for code in parameters(module)?.into_iter().zip(functions(module)?) {
                    let code = function(&shape, code)?;
                    body.extend(leb(code.len() as u64));
                    body.extend(code);
                }
                (10, body)
            }
            ref other => match other.as_section() {
                Some((id, range)) => (id, module.get(range)?.to_vec()),
                None => continue,
            },
        };
        out.push(id);
        out.extend(leb(body.len() as u64));
        out.extend(body);
    }
    Some(out)
}

/// The bodies of a module's functions.
fn functions(module: &[u8]) -> Option<Vec<&[u8]>> {
    let entries = Parser::new(0).parse_all(module);
    let bodies = entries.filter_map(|payload| match payload {
        Ok(Payload::CodeSectionEntry(body)) => Some(module.get(body.range())),
        _ => None,
    });
    bodies.collect()
}

/// How many parameters each of those has.
fn parameters(module: &[u8]) -> Option<Vec<u32>> {
    let mut known = Vec::new();
    let mut all = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::TypeSection(types) => {
                for kind in types.into_iter_err_on_gc_types() {
                    known.push(u32::try_from(kind.ok()?.params().len()).ok()?);
                }
            }
            Payload::FunctionSection(kinds) => {
                for kind in kinds {
                    all.push(*known.get(usize::try_from(kind.ok()?).ok()?)?);
                }
            }
            _ => {}
        }
    }
    Some(all)
}

fn shape(module: &[u8]) -> Option<Shape> {
    let (mut imported, mut memory, mut globals, mut top) = (0, None, 0, None);
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::ImportSection(imports) => {
                for import in imports {
                    match import.ok()?.ty {
                        wasmparser::TypeRef::Func(_) => imported += 1,
                        wasmparser::TypeRef::Global(_) => return None,
                        _ => {}
                    }
                }
            }
            Payload::MemorySection(memories) => {
                let only = memories.into_iter().next()?.ok()?;
                memory = Some(only.initial * PAGE);
            }
            Payload::GlobalSection(all) => {
                globals = all.count();
                let first = all.into_iter().next()?.ok()?;
                top = pointer(first.ty, &first.init_expr);
            }
            _ => {}
        }
    }
    let bodies = functions(module)?;
    let at = |body: &[u8]| bodies.iter().position(|each| *each == body);
    // Both ways of beginning, else this is something else.
    at(&as_made(START_UNWIND))?;
    at(&as_made(START_REWIND))?;
    let stop = u32::try_from(at(&as_made(STOP))?).ok()? + imported;
    let shape = Shape {
        top: top?,
        memory: memory?,
        region: globals,
        stop,
    };
    // The stack stands first, and data above it.
    (globals == 3 && shape.top < shape.memory && shape.memory < 1 << 30).then_some(shape)
}

fn pointer(kind: GlobalType, value: &ConstExpr<'_>) -> Option<u64> {
    let number = value.get_operators_reader().read().ok()?;
    match number {
        Operator::I32Const { value } if kind.mutable && kind.content_type == ValType::I32 => {
            u64::try_from(value).ok()
        }
        _ => None,
    }
}

const STOP: u8 = 0;
const START_UNWIND: u8 = 1;
const START_REWIND: u8 = 2;

/// Ends the run where a buffer (its address in global 2) has overflown.
const CHECK: &[u8] = &[
    0x23, 2, 0x28, 2, 0, 0x23, 2, 0x28, 2, 4, 0x4b, 0x04, 0x40, 0x00, 0x0b, 0x0b,
];

/// The body of one of `asyncify`'s functions: which state it sets.
fn as_made(state: u8) -> Vec<u8> {
    let begin: &[u8] = &[0, 0x41, state, 0x24, 1];
    let data: &[u8] = match state {
        STOP => &[],
        _ => &[0x20, 0, 0x24, 2],
    };
    [begin, data, CHECK].concat()
}

/// A function's body as it is to be.
fn function(shape: &Shape, (parameters, body): (u32, &[u8])) -> Option<Vec<u8>> {
    if body == as_made(START_UNWIND) {
        return Some(start_unwind(shape));
    }
    if body == as_made(START_REWIND) {
        // The pointer as `start_unwind` noted it.
        let restore: &[u8] = &[0x20, 0, 0x28, 2, 8, 0x24, 0];
        let begin: &[u8] = &[0, 0x41, START_REWIND, 0x24, 1, 0x20, 0, 0x24, 2];
        return Some([begin, restore, CHECK].concat());
    }
    catches(shape, (parameters, body))
}

/// A function that ends winding goes on with the stack that it began with.
fn catches(shape: &Shape, (parameters, body): (u32, &[u8])) -> Option<Vec<u8>> {
    let call = [&[0x10][..], &leb(u64::from(shape.stop))].concat();
    if !body.windows(call.len()).any(|window| window == call) {
        return Some(body.to_vec());
    }
    let function = wasmparser::FunctionBody::new(wasmparser::BinaryReader::new(body, 0));
    let mut local = parameters;
    let mut locals = function.get_locals_reader().ok()?;
    let groups = locals.get_count();
    for _ in 0..groups {
        local += locals.read().ok()?.0;
    }
    let local = leb(u64::from(local));
    let mut operators = function.get_operators_reader().ok()?;
    let begin = operators.original_position();
    // One more local, which keeps the pointer.
    let declared = body.get(leb(u64::from(groups)).len()..begin)?;
    let mut out = [&leb(u64::from(groups) + 1)[..], declared, &[1, 0x7f]].concat();
    out.extend([&[0x23, 0, 0x21][..], &local].concat());
    while !operators.eof() {
        let from = operators.original_position();
        let operator = operators.read().ok()?;
        out.extend(body.get(from..operators.original_position())?);
        if matches!(operator, Operator::Call { function_index } if function_index == shape.stop) {
            out.extend([&[0x20][..], &local, &[0x24, 0]].concat());
        }
    }
    Some(out)
}

/// Begins unwinding: a buffer that is new gets its region.
fn start_unwind(shape: &Shape) -> Vec<u8> {
    let times = |bytes: u64| bytes << TIMES;
    let pages = (times(shape.top) + STATIC).div_ceil(PAGE);
    let region = &leb(u64::from(shape.region))[..];
    let constant = |value: u64| [&[0x41][..], &signed(value.cast_signed())].concat();
    let top = &constant(shape.top)[..];
    // The region of the buffer's part from what `address` leaves on the stack.
    let mapped = |address: &[u8]| {
        let begin = [&[0x23][..], region, top, address].concat();
        [&begin[..], &[0x6b, 0x41, TIMES, 0x74, 0x6a]].concat()
    };
    let of_static = |more: u64| {
        let offset = constant(times(shape.top) + more);
        [&[0x23][..], region, &offset[..], &[0x6a]].concat()
    };
    [
        &[0, 0x41, START_UNWIND, 0x24, 1, 0x20, 0, 0x24, 2][..],
        // New: its frames begin right behind its two fields.
        &[
            0x20, 0, 0x28, 2, 0, 0x20, 0, 0x41, 8, 0x6a, 0x46, 0x04, 0x40,
        ],
        &[0x20, 0, 0x23, 0, 0x36, 2, 8],
        &[0x20, 0, 0x20, 0, 0x41, 16, 0x6a, 0x36, 2, 0],
        // Static or on the stack.
        &[0x20, 0],
        &constant(shape.memory),
        &[0x49, 0x04, 0x40],
        // The regions are there from the first use on; -1 pages where there is no memory for them.
        &[0x23],
        region,
        &[0x45, 0x04, 0x40],
        &constant(pages),
        &[0x40, 0, 0x41, 16, 0x74, 0x24],
        region,
        &[0x0b, 0x23],
        region,
        &[0x41],
        &signed(-(1 << 16)),
        &[0x47, 0x04, 0x40],
        &[0x20, 0],
        top,
        &[0x49, 0x04, 0x40, 0x20, 0],
        &mapped(&[0x20, 0, 0x28, 2, 4]),
        &[0x36, 2, 0, 0x20, 0],
        &mapped(&[0x20, 0]),
        &[0x36, 2, 4, 0x05, 0x20, 0],
        &of_static(0),
        &[0x36, 2, 0, 0x20, 0],
        &of_static(STATIC),
        &[0x36, 2, 4, 0x0b, 0x0b, 0x0b, 0x0b],
        CHECK,
    ]
    .concat()
}

fn leb(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

fn signed(mut value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_modules_are_left_alone() {
        assert_eq!(mended(b"\0asm\x01\0\0\0"), None, "it has no functions");
        assert_eq!(mended(b"#!/bin/sh\n"), None, "it is no module");
    }
}
