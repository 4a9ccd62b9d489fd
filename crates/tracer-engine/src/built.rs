//! A program built once and run as often as one likes.
//!
//! What is built depends on the program, the toolchain and the settings of the build; a run may have
//! other arguments, input, variables and limits. Where the program stands must be the same.

use std::path::PathBuf;

use tempfile::TempDir;
use tracer_instrument::StreamForm;
use tracer_model::{Detail, Dropped, Trace};

use crate::channel::Channel;
use crate::run::{Executed, normalise};
use crate::toolchain::Toolchain;
use crate::workshop::Workshop;
use crate::{EngineError, Program, Settings};

/// What a build left. It goes when this is dropped.
#[derive(Debug)]
pub struct Built {
    scratch: TempDir,
    linked: Vec<PathBuf>,
    shed: Vec<Dropped>,
    traced: Option<Detail>,
    failed: Option<Executed>,
}

impl Built {
    /// Builds a program, traced at a level of detail or, with `None`, as it is. A language that
    /// needs no build only gets its files ready. Probes that the compiler refuses are taken out of
    /// the program.
    pub fn new(
        program: &mut Program,
        toolchain: &Toolchain,
        settings: &Settings,
        traced: Option<Detail>,
    ) -> Result<Self, EngineError> {
        let scratch = TempDir::with_prefix("tracer-").map_err(|source| EngineError::System {
            what: "make a temporary folder",
            source,
        })?;
        let mut shed = Vec::new();
        let mut workshop = Workshop {
            toolchain,
            settings,
            traced,
            scratch: scratch.path(),
            linked: Vec::new(),
        };
        let plan = workshop.plan(program);
        let failed = workshop.build(program, &plan, &mut shed)?;
        let linked = workshop.linked;
        Ok(Self {
            scratch,
            linked,
            shed,
            traced,
            failed,
        })
    }

    /// How the build failed, if it did.
    pub fn failed(&self) -> Option<&Executed> {
        self.failed.as_ref()
    }

    /// Runs what was built. A build that failed is the outcome of every run of it.
    pub fn run(
        &self,
        program: &Program,
        toolchain: &Toolchain,
        settings: &Settings,
    ) -> Result<Executed, EngineError> {
        if let Some(failed) = &self.failed {
            return Ok(Executed {
                outcome: failed.outcome.clone(),
                stdout: failed.stdout.clone(),
                stderr: failed.stderr.clone(),
                usage: failed.usage,
                protections: failed.protections.clone(),
                changes: Vec::new(),
                shed: self.shed.clone(),
                notes: Vec::new(),
                beginning: failed.beginning,
                channel: None,
            });
        }
        let workshop = Workshop {
            toolchain,
            settings,
            traced: self.traced,
            scratch: self.scratch.path(),
            linked: self.linked.clone(),
        };
        let plan = workshop.plan(program);
        let channel = self
            .traced
            .filter(|_| plan.form != StreamForm::Nothing)
            .map(|detail| {
                let sites = program.table.sites.len() as u32;
                Channel::new(sites, &settings.budget, detail, plan.form)
            })
            .transpose()?;
        let finished = workshop.run(program, &plan, channel.as_ref())?;
        Ok(Executed {
            shed: self.shed.clone(),
            channel,
            notes: plan.notes,
            ..Executed::from(finished)
        })
    }

    /// The normalised trace of a run of what was built.
    pub fn trace(
        &self,
        program: &Program,
        toolchain: &Toolchain,
        settings: &Settings,
        executed: &Executed,
    ) -> Result<Trace, EngineError> {
        let detail = self.traced.unwrap_or_default();
        normalise(program, toolchain, settings, detail, executed)
    }
}
