//! The binary form: eight bytes of magic and version, then bincode. For speed, not for archives:
//! a new version of the program reads the versions it has structs for, and no others.

use std::borrow::Cow;
use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use tracer_model::{
    Budget, Coverage, Detail, Environment, Event, Limit, Limits, Outcome, Payload, Protection,
    Raised, SiteTable, Trace,
};

/// First four bytes.
pub const MAGIC: [u8; 4] = *b"TRCB";
/// Version written and read: major, minor.
pub const VERSION: (u16, u16) = (1, 3);
/// Bytes read at most, so that a forged length cannot exhaust memory.
const READ_LIMIT: usize = 4 << 30;

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// The file cannot be read or written at all.
    #[error("the trace cannot be read or written")]
    Io(#[from] std::io::Error),
    /// It is something else.
    #[error("not a binary trace")]
    Magic,
    /// Written by another version.
    #[error(
        "the trace has binary format {major}.{minor}; this program reads {}.{}",
        VERSION.0,
        VERSION.1
    )]
    Version {
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// Cut off or damaged.
    #[error("the trace is damaged")]
    Damaged(#[from] bincode::error::DecodeError),
    /// A value that the format cannot hold.
    #[error("the trace cannot be written")]
    Encode(#[from] bincode::error::EncodeError),
}

/// How a run ended. The model's enum names its variants by a field, which bincode cannot read.
#[derive(Serialize, Deserialize)]
enum End {
    Exited { code: u8 },
    Signaled { signal: i32, name: String },
    Limited { limit: Limit },
    BuildFailed { code: u8, diagnostics: String },
}

/// What version 1.0 had for an environment.
#[derive(Clone, Deserialize)]
struct Environment10 {
    language: String,
    toolchain: String,
    tracer: String,
    isolation: String,
    args: Vec<String>,
}

impl From<Environment10> for Environment {
    fn from(old: Environment10) -> Self {
        let Environment10 {
            language,
            toolchain,
            tracer,
            isolation,
            args,
        } = old;
        Self {
            language,
            toolchain,
            image: None,
            tracer,
            isolation,
            args,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Contents<'t, E: Clone> {
    schema_version: Cow<'t, str>,
    environment: Cow<'t, E>,
    detail: Detail,
    budget: Cow<'t, Budget>,
    limits: Cow<'t, Limits>,
    table: Cow<'t, SiteTable>,
    events: Cow<'t, [Event]>,
    end: End,
    limits_hit: Cow<'t, [Limit]>,
    coverage: Cow<'t, Coverage>,
    protections: Cow<'t, [Protection]>,
}

/// Writes a trace.
pub fn write(trace: &Trace, out: &mut impl Write) -> Result<(), BinaryError> {
    out.write_all(&MAGIC)?;
    out.write_all(&VERSION.0.to_le_bytes())?;
    out.write_all(&VERSION.1.to_le_bytes())?;
    let end = match trace.outcome.end.clone() {
        tracer_model::End::Exited { code } => End::Exited { code },
        tracer_model::End::Signaled { signal, name } => End::Signaled { signal, name },
        tracer_model::End::Limited { limit } => End::Limited { limit },
        tracer_model::End::BuildFailed { code, diagnostics } => {
            End::BuildFailed { code, diagnostics }
        }
    };
    let contents = Contents {
        schema_version: Cow::Borrowed(&trace.schema_version),
        environment: Cow::Borrowed(&trace.environment),
        detail: trace.detail,
        budget: Cow::Borrowed(&trace.budget),
        limits: Cow::Borrowed(&trace.limits),
        table: Cow::Borrowed(&trace.table),
        events: Cow::Borrowed(&trace.events),
        end,
        limits_hit: Cow::Borrowed(&trace.outcome.limits_hit),
        coverage: Cow::Borrowed(&trace.coverage),
        protections: Cow::Borrowed(&trace.protections),
    };
    let config = bincode::config::standard();
    bincode::serde::encode_into_std_write(&contents, out, config)?;
    bincode::serde::encode_into_std_write(&trace.coverage.trace_invalid, out, config)?;
    bincode::serde::encode_into_std_write(raised_of(&trace.events), out, config)?;
    Ok(())
}

/// Reads a trace.
pub fn read(input: &mut impl Read) -> Result<Trace, BinaryError> {
    let mut head = [0; 8];
    input.read_exact(&mut head)?;
    if head[..4] != MAGIC {
        return Err(BinaryError::Magic);
    }
    let major = u16::from_le_bytes([head[4], head[5]]);
    let minor = u16::from_le_bytes([head[6], head[7]]);
    if major != VERSION.0 || minor > VERSION.1 {
        return Err(BinaryError::Version { major, minor });
    }
    let config = bincode::config::standard().with_limit::<READ_LIMIT>();
    if minor == 0 {
        let old: Contents<'static, Environment10> =
            bincode::serde::decode_from_std_read(input, config)?;
        return Ok(assemble(old));
    }
    let contents: Contents<'static, Environment> =
        bincode::serde::decode_from_std_read(input, config)?;
    let mut trace = assemble(contents);
    if minor >= 2 {
        trace.coverage.trace_invalid = bincode::serde::decode_from_std_read(input, config)?;
    }
    if minor >= 3 {
        let all: Vec<(u64, Raised)> = bincode::serde::decode_from_std_read(input, config)?;
        for (index, error) in all {
            let event = usize::try_from(index).ok();
            let event = event.and_then(|index| trace.events.get_mut(index));
            if let Some(raised) = event.and_then(|event| raised(&mut event.payload)) {
                *raised = Some(error);
            }
        }
    }
    Ok(trace)
}

/// What calls raised, by the index of the event. A visit left out counts as its last one.
fn raised_of(events: &[Event]) -> Vec<(u64, &Raised)> {
    let all = events.iter().enumerate();
    all.filter_map(|(index, event)| Some((index as u64, told(&event.payload)?)))
        .collect()
}

fn told(payload: &Payload) -> Option<&Raised> {
    match payload {
        Payload::Call { raised, .. } => raised.as_ref(),
        Payload::Elide { last, .. } => told(last.as_deref()?),
        _ => None,
    }
}

fn raised(payload: &mut Payload) -> Option<&mut Option<Raised>> {
    match payload {
        Payload::Call { raised, .. } => Some(raised),
        Payload::Elide { last, .. } => raised(last.as_deref_mut()?),
        _ => None,
    }
}

fn assemble<E: Clone + Into<Environment>>(contents: Contents<'_, E>) -> Trace {
    let end = match contents.end {
        End::Exited { code } => tracer_model::End::Exited { code },
        End::Signaled { signal, name } => tracer_model::End::Signaled { signal, name },
        End::Limited { limit } => tracer_model::End::Limited { limit },
        End::BuildFailed { code, diagnostics } => {
            tracer_model::End::BuildFailed { code, diagnostics }
        }
    };
    Trace {
        schema_version: contents.schema_version.into_owned(),
        environment: contents.environment.into_owned().into(),
        detail: contents.detail,
        budget: contents.budget.into_owned(),
        limits: contents.limits.into_owned(),
        table: contents.table.into_owned(),
        events: contents.events.into_owned(),
        outcome: Outcome {
            end,
            limits_hit: contents.limits_hit.into_owned(),
        },
        coverage: contents.coverage.into_owned(),
        protections: contents.protections.into_owned(),
    }
}
