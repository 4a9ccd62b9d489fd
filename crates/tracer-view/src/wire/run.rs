//! First and last line in JSON: what a run was made with, and how it ended.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracer_model as model;

use super::table::Table;
use super::{all, back, mirror};

mirror! {
    /// How much is reported.
    Detail = model::Detail { Calls, Lines, State, Full }
}
mirror! {
    /// A limit that was hit.
    Limit = model::Limit { Cpu, Wall, Memory, Processes, FileSize, Disk, Output }
}

mirror! {
    /// A way in which the recorded stream does not hold together.
    TraceFault = model::TraceFault { Header, Segment, Record, Slot, Site }
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Header {
    /// `major.minor`.
    pub schema_version: String,
    /// What it was recorded with.
    pub environment: Environment,
    /// How much was asked for.
    pub detail: Detail,
    /// Recording bounds.
    pub budget: Budget,
    /// Run bounds.
    pub limits: Limits,
    /// What stood between the program and the machine.
    pub protections: Vec<Protection>,
    /// Files, functions, sites.
    pub table: Table,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Footer {
    /// How it ended.
    pub outcome: Outcome,
    /// What it does not say.
    pub coverage: Coverage,
}

/// What a run was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(
    missing_docs,
    reason = "the model's `Environment` describes each field"
)]
pub struct Environment {
    pub language: String,
    pub toolchain: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    pub tracer: String,
    pub isolation: String,
    pub args: Vec<String>,
}

/// Recording bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "the model's `Budget` describes each field")]
pub struct Budget {
    pub events: u32,
    pub bytes: u32,
    pub depth: u8,
    pub elements: u16,
    pub characters: u16,
    pub value_bytes: u16,
}

/// Run bounds; absent means unbounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
#[expect(missing_docs, reason = "the model's `Limits` describes each field")]
pub struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<u64>,
}

/// One wall between the program and the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Protection {
    /// Mechanism.
    pub name: String,
    /// Whether it was in force.
    pub active: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How the main process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "how")]
#[expect(missing_docs, reason = "the model's `End` describes each field")]
pub enum End {
    Exited { code: u8 },
    Signaled { signal: i32, name: String },
    Limited { limit: Limit },
    BuildFailed { code: u8, diagnostics: String },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    /// Exit, signal, limit or build failure.
    pub end: End,
    /// Limits that were hit without ending the run.
    pub limits_hit: Vec<Limit>,
}

/// A place without a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Dropped {
    /// Index of its file.
    pub file: u32,
    /// First line concerned.
    pub line: u32,
    /// Why, as a fixed word.
    pub reason: String,
    /// What was there.
    pub detail: String,
}

/// How much of the program reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Coverage {
    /// Places that report.
    pub sites: u32,
    /// Places that do not.
    pub dropped: Vec<Dropped>,
    /// Anything else a reader must know.
    pub notes: Vec<String>,
    /// How the recorded stream is broken, if it is: then nobody should learn from this trace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace_invalid: Vec<TraceFault>,
}

impl From<&model::Trace> for Header {
    fn from(trace: &model::Trace) -> Self {
        let model::Environment {
            language,
            toolchain,
            image,
            tracer,
            isolation,
            args,
        } = trace.environment.clone();
        let model::Budget {
            events,
            bytes,
            depth,
            elements,
            characters,
            value_bytes,
        } = trace.budget.clone();
        let limits = trace.limits.clone();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            // Writers write their own version, whatever was read.
            schema_version: model::SCHEMA_VERSION.to_owned(),
            environment: Environment {
                language,
                toolchain,
                image,
                tracer,
                isolation,
                args,
            },
            detail: trace.detail.into(),
            budget: Budget {
                events,
                bytes,
                depth,
                elements,
                characters,
                value_bytes,
            },
            limits: Limits {
                cpu_ms: limits.cpu.map(millis),
                wall_ms: limits.wall.map(millis),
                memory: limits.memory,
                processes: limits.processes,
                file_size: limits.file_size,
                disk: limits.disk,
                open_files: limits.open_files,
                output: limits.output,
                stack: limits.stack,
            },
            protections: all(&trace.protections),
            table: Table::from(&trace.table),
        }
    }
}

impl From<&model::Trace> for Footer {
    fn from(trace: &model::Trace) -> Self {
        let end = match trace.outcome.end.clone() {
            model::End::Exited { code } => End::Exited { code },
            model::End::Signaled { signal, name } => End::Signaled { signal, name },
            model::End::Limited { limit } => End::Limited {
                limit: limit.into(),
            },
            model::End::BuildFailed { code, diagnostics } => End::BuildFailed { code, diagnostics },
        };
        let limits_hit = trace
            .outcome
            .limits_hit
            .iter()
            .map(|&limit| limit.into())
            .collect();
        Self {
            outcome: Outcome { end, limits_hit },
            coverage: Coverage {
                sites: trace.coverage.sites,
                dropped: all(&trace.coverage.dropped),
                notes: trace.coverage.notes.clone(),
                trace_invalid: trace
                    .coverage
                    .trace_invalid
                    .iter()
                    .map(|&fault| fault.into())
                    .collect(),
            },
        }
    }
}

/// Puts a trace together from its parts.
pub fn assemble(header: Header, events: Vec<model::Event>, footer: Footer) -> model::Trace {
    let Environment {
        language,
        toolchain,
        image,
        tracer,
        isolation,
        args,
    } = header.environment;
    let Budget {
        events: most,
        bytes,
        depth,
        elements,
        characters,
        value_bytes,
    } = header.budget;
    let limits = header.limits;
    let end = match footer.outcome.end {
        End::Exited { code } => model::End::Exited { code },
        End::Signaled { signal, name } => model::End::Signaled { signal, name },
        End::Limited { limit } => model::End::Limited {
            limit: limit.into(),
        },
        End::BuildFailed { code, diagnostics } => model::End::BuildFailed { code, diagnostics },
    };
    model::Trace {
        schema_version: header.schema_version,
        environment: model::Environment {
            language,
            toolchain,
            image,
            tracer,
            isolation,
            args,
        },
        detail: header.detail.into(),
        budget: model::Budget {
            events: most,
            bytes,
            depth,
            elements,
            characters,
            value_bytes,
        },
        limits: model::Limits {
            cpu: limits.cpu_ms.map(Duration::from_millis),
            wall: limits.wall_ms.map(Duration::from_millis),
            memory: limits.memory,
            processes: limits.processes,
            file_size: limits.file_size,
            disk: limits.disk,
            open_files: limits.open_files,
            output: limits.output,
            stack: limits.stack,
        },
        table: header.table.into(),
        events,
        outcome: model::Outcome {
            end,
            limits_hit: footer
                .outcome
                .limits_hit
                .into_iter()
                .map(Into::into)
                .collect(),
        },
        coverage: model::Coverage {
            sites: footer.coverage.sites,
            dropped: back(footer.coverage.dropped),
            notes: footer.coverage.notes,
            trace_invalid: footer
                .coverage
                .trace_invalid
                .into_iter()
                .map(Into::into)
                .collect(),
        },
        protections: back(header.protections),
    }
}

impl From<&model::Protection> for Protection {
    fn from(protection: &model::Protection) -> Self {
        let model::Protection {
            name,
            active,
            reason,
        } = protection.clone();
        Self {
            name,
            active,
            reason,
        }
    }
}

impl From<Protection> for model::Protection {
    fn from(
        Protection {
            name,
            active,
            reason,
        }: Protection,
    ) -> Self {
        Self {
            name,
            active,
            reason,
        }
    }
}

impl From<&model::Dropped> for Dropped {
    fn from(dropped: &model::Dropped) -> Self {
        let model::Dropped {
            file,
            line,
            reason,
            detail,
        } = dropped.clone();
        Self {
            file,
            line,
            reason,
            detail,
        }
    }
}

impl From<Dropped> for model::Dropped {
    fn from(
        Dropped {
            file,
            line,
            reason,
            detail,
        }: Dropped,
    ) -> Self {
        Self {
            file,
            line,
            reason,
            detail,
        }
    }
}
