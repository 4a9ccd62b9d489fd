//! Records as the stream holds them.
//!
//! One function reads one record; segments and streams are `decode`'s matter.

use crate::Malformed;
use crate::cursor::Cursor;
use crate::value::{self, RawText, RawValue};

/// A place an error came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawFrame {
    /// Name id of the function.
    pub function: u32,
    /// Line, 0 if unknown.
    pub line: u32,
}

/// One record. `FORMAT.md`, section Records, describes each field.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the specification describes each field once")]
pub enum Record<'a> {
    Step {
        site: u32,
    },
    Var {
        site: u32,
        values: Vec<RawValue<'a>>,
    },
    In {
        site: u32,
        args: Vec<RawValue<'a>>,
    },
    Out {
        site: u32,
        value: Option<RawValue<'a>>,
        unwinding: bool,
        suspended: bool,
    },
    Branch {
        site: u32,
        arm: u32,
        operands: Vec<RawValue<'a>>,
    },
    Loop {
        site: u32,
        phase: u8,
        targets: Vec<RawValue<'a>>,
    },
    Err {
        site: u32,
        phase: u8,
        type_name: RawText<'a>,
        message: RawValue<'a>,
        line: u32,
        frames: Vec<RawFrame>,
    },
    Transform {
        site: u32,
        before: RawValue<'a>,
        after: RawValue<'a>,
    },
    Call {
        site: u32,
        callee: u32,
        package: u32,
        version: u32,
        args: Vec<RawValue<'a>>,
        result: Option<RawValue<'a>>,
    },
    Stdout {
        stream: u8,
        length: u64,
        text: &'a [u8],
    },
    Task {
        phase: u8,
        what: u32,
        task: u64,
        site: u32,
    },
    Elide {
        site: u32,
        count: u64,
        last: &'a [u8],
    },
    Depth {
        depth: u64,
    },
    Intern {
        id: u32,
        name: &'a [u8],
    },
    Limit {
        which: u8,
    },
    Resume {
        site: u32,
        value: Option<RawValue<'a>>,
        thrown: bool,
    },
    Returned {
        site: u32,
        value: Option<RawValue<'a>>,
    },
}

impl Record<'_> {
    /// The site it names; 0 where it names none.
    pub fn site(&self) -> u32 {
        match *self {
            Self::Step { site }
            | Self::Var { site, .. }
            | Self::In { site, .. }
            | Self::Out { site, .. }
            | Self::Branch { site, .. }
            | Self::Loop { site, .. }
            | Self::Err { site, .. }
            | Self::Transform { site, .. }
            | Self::Call { site, .. }
            | Self::Task { site, .. }
            | Self::Elide { site, .. }
            | Self::Resume { site, .. }
            | Self::Returned { site, .. } => site,
            Self::Stdout { .. } | Self::Depth { .. } | Self::Intern { .. } | Self::Limit { .. } => {
                0
            }
        }
    }
}

/// Reads the record that a slot or an `ELIDE` record carries. `Ok(None)` where it carries none.
pub fn read_whole(bytes: &[u8]) -> Result<Option<Record<'_>>, Malformed> {
    read(&mut Cursor::new(bytes))
}

/// Reads one record; `Ok(None)` at `END`.
pub(crate) fn read<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Record<'a>>, Malformed> {
    if cursor.remaining() == 0 {
        return Ok(None);
    }
    Ok(Some(match cursor.byte()? {
        0x00 => return Ok(None),
        0x01 => Record::Step {
            site: cursor.small()?,
        },
        0x02 => Record::Var {
            site: cursor.small()?,
            values: value::read_list(cursor)?,
        },
        0x03 => Record::In {
            site: cursor.small()?,
            args: value::read_list(cursor)?,
        },
        0x04 => {
            let site = cursor.small()?;
            let flags = cursor.byte()?;
            let value = optional(cursor, flags)?;
            Record::Out {
                site,
                value,
                unwinding: flags & 2 != 0,
                suspended: flags & 4 != 0,
            }
        }
        0x05 => Record::Branch {
            site: cursor.small()?,
            arm: cursor.small()?,
            operands: value::read_list(cursor)?,
        },
        0x06 => Record::Loop {
            site: cursor.small()?,
            phase: up_to(cursor, 2)?,
            targets: value::read_list(cursor)?,
        },
        0x07 => error(cursor)?,
        0x08 => Record::Transform {
            site: cursor.small()?,
            before: value::read(cursor)?,
            after: value::read(cursor)?,
        },
        0x09 => {
            let site = cursor.small()?;
            let flags = cursor.byte()?;
            Record::Call {
                site,
                callee: cursor.small()?,
                package: cursor.small()?,
                version: cursor.small()?,
                args: value::read_list(cursor)?,
                result: optional(cursor, flags)?,
            }
        }
        0x0A => {
            let stream = up_to(cursor, 2)?;
            let length = cursor.varint()?;
            let text = cursor.blob()?;
            if stream == 0 || text.len() as u64 > length {
                return Err(Malformed::OutOfRange);
            }
            Record::Stdout {
                stream,
                length,
                text,
            }
        }
        0x0B => Record::Task {
            phase: up_to(cursor, 3)?,
            what: cursor.small()?,
            task: cursor.varint()?,
            site: cursor.small()?,
        },
        0x0C => Record::Elide {
            site: cursor.small()?,
            count: cursor.varint()?,
            last: cursor.blob()?,
        },
        0x0D => Record::Depth {
            depth: cursor.varint()?,
        },
        0x0E => Record::Intern {
            id: cursor.small()?,
            name: cursor.blob()?,
        },
        0x0F => Record::Limit {
            which: up_to(cursor, 2)?,
        },
        0x10 => {
            let site = cursor.small()?;
            let flags = cursor.byte()?;
            Record::Resume {
                site,
                value: optional(cursor, flags)?,
                thrown: flags & 2 != 0,
            }
        }
        0x11 => {
            let site = cursor.small()?;
            let flags = cursor.byte()?;
            Record::Returned {
                site,
                value: optional(cursor, flags)?,
            }
        }
        op => return Err(Malformed::Op(op)),
    }))
}

fn error<'a>(cursor: &mut Cursor<'a>) -> Result<Record<'a>, Malformed> {
    let site = cursor.small()?;
    let phase = up_to(cursor, 5)?;
    let RawValue::String(type_name) = value::read(cursor)? else {
        return Err(Malformed::OutOfRange);
    };
    let message = value::read(cursor)?;
    let line = cursor.small()?;
    let count = cursor.count(2)?;
    let mut frames = Vec::with_capacity(count);
    for _ in 0..count {
        frames.push(RawFrame {
            function: cursor.small()?,
            line: cursor.small()?,
        });
    }
    Ok(Record::Err {
        site,
        phase,
        type_name,
        message,
        line,
        frames,
    })
}

fn optional<'a>(cursor: &mut Cursor<'a>, flags: u8) -> Result<Option<RawValue<'a>>, Malformed> {
    if flags & 1 == 0 {
        Ok(None)
    } else {
        value::read(cursor).map(Some)
    }
}

fn up_to(cursor: &mut Cursor<'_>, most: u8) -> Result<u8, Malformed> {
    match u8::try_from(cursor.varint()?) {
        Ok(number) if number <= most => Ok(number),
        _ => Err(Malformed::OutOfRange),
    }
}
