//! Finishes a layer inside its image, by a script of the language's folder and without a network.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracer_model::{End, Limits};
use tracer_sandbox::{Access, Body, Folder, Inject, Request, Root, run};

use crate::{ImageError, Manifest, Store};

/// Where the script stands inside.
const SCRIPT: &str = "/tmp/setup";

/// A script, and what it sees.
pub(super) struct Setup<'a> {
    /// Its text.
    pub(super) script: &'static [u8],
    /// Variables.
    pub(super) environment: &'a BTreeMap<String, String>,
}

impl Setup<'_> {
    /// Runs it over the image and the layers `below`, the first of which is the image; `tree` holds
    /// the new layer's files and may be written.
    pub(super) fn run(
        &self,
        store: &Store,
        below: &[Manifest],
        whole: &str,
        tree: &Path,
    ) -> Result<(), ImageError> {
        let mut layers = Vec::new();
        for manifest in below {
            layers.extend(store.attach(manifest)?.layers);
        }
        let mut request = Request::new("/bin/sh", tree);
        request.argv = vec!["sh".into(), "-eu".into(), SCRIPT.into(), tree.into()];
        let variables = below.iter().flat_map(|manifest| &manifest.environment);
        let fixed = [
            ("HOME", "/tmp"),
            ("LANG", "C.UTF-8"),
            ("PATH", "/usr/bin:/bin"),
            ("PYTHONHASHSEED", "0"),
        ];
        let pair = |(name, value): (&str, &str)| (OsString::from(name), OsString::from(value));
        request.env = fixed.map(pair).to_vec();
        let variables = variables.chain(self.environment);
        let variables = variables.map(|(name, value)| pair((name, value)));
        request.env.extend(variables);
        request.image = Some(Root {
            layers,
            scratch: below
                .first()
                .map(|image| image.scratch.clone())
                .unwrap_or_default(),
        });
        request.files.push(Inject {
            path: SCRIPT.into(),
            body: Body::Bytes(Arc::from(self.script)),
            executable: false,
        });
        request.folders.push(Folder {
            path: tree.to_owned(),
            access: Access::Writable,
        });
        request.limits = Limits {
            cpu: Some(Duration::from_secs(4 * 3600)),
            wall: Some(Duration::from_secs(4 * 3600)),
            memory: Some(6 << 30),
            disk: Some(8 << 30),
            ..Limits::default()
        };
        let finished = run(&request)?;
        if finished.outcome.end == (End::Exited { code: 0 }) {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&finished.stderr).into_owned();
        let lines: Vec<&str> = said.lines().rev().take(12).collect();
        Err(ImageError::Tool {
            what: format!("setting up {whole}"),
            status: format!("{:?}", finished.outcome.end),
            said: lines.into_iter().rev().collect::<Vec<_>>().join("\n"),
        })
    }
}
