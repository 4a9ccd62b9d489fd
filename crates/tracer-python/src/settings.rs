//! A tracer's settings from Python's arguments.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use tracer::{Detail, Isolation, Limits, Origin, Profile, Tracer};

use crate::error::{of_run, setting};

/// Settings under the names they have in Python. All are given: defaults are the package's.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Settings {
    detail: String,
    timeout: Option<f64>,
    memory: Option<u64>,
    isolation: String,
    profile: String,
    toolchain: String,
    store: Option<PathBuf>,
    env: Vec<(String, String)>,
    pub(crate) jobs: usize,
}

impl Settings {
    /// The tracer, which keeps sandboxes ready for as many runs as there are jobs.
    pub(crate) fn tracer(&self) -> PyResult<Tracer> {
        let detail = match self.detail.as_str() {
            "calls" => Detail::Calls,
            "lines" => Detail::Lines,
            "state" => Detail::State,
            "full" => Detail::Full,
            other => return Err(setting("detail", other, "calls, lines, state, full")),
        };
        let isolation = match self.isolation.as_str() {
            "native" => Isolation::Native,
            "wasm" => Isolation::Wasm,
            "none" => Isolation::None,
            other => return Err(setting("isolation", other, "native, wasm, none")),
        };
        let profile = match self.profile.as_str() {
            "compat" => Profile::Compat,
            "trusted" => Profile::Trusted,
            other => return Err(setting("profile", other, "compat, trusted")),
        };
        let toolchain = match self.toolchain.as_str() {
            "auto" => Origin::Auto,
            "image" => Origin::Image,
            "host" => Origin::Host,
            other => return Err(setting("toolchain", other, "auto, image, host")),
        };
        let mut limits = Limits::default();
        if let Some(seconds) = self.timeout {
            let wall = Duration::try_from_secs_f64(seconds)
                .map_err(|_| setting("timeout", &seconds.to_string(), "seconds above zero"))?;
            limits.wall = Some(wall);
            limits.cpu = limits.cpu.max(Some(wall));
        }
        limits.memory = self.memory.or(limits.memory);
        let mut builder = Tracer::builder()
            .detail(detail)
            .isolation(isolation)
            .profile(profile)
            .toolchain(toolchain)
            .limits(limits)
            .warm(self.jobs);
        if let Some(folder) = &self.store {
            builder = builder.store(folder);
        }
        for (name, value) in &self.env {
            builder = builder.env(name, value);
        }
        builder.build().map_err(|error| of_run(&error))
    }
}
