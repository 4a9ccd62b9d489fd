//! Emitters compiled ahead, for an image's own layer.
//!
//! What is compiled is what [`Plan::once`](tracer_instrument::Plan::once) names; a run finds it by
//! the same key as in the user's cache, so a layer that is out of date is passed over.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tracer_image::{Digest, Layer, LayerKind, Manifest};
use tracer_instrument::LanguageSpec;
use tracer_model::{Detail, End};

use crate::toolchain::Toolchain;
use crate::workshop::Workshop;
use crate::{EngineError, Program, Settings, cache};

/// Where they stand inside an image, without the root.
pub(crate) const FOLDER: &str = "usr/lib/tracer/emitters";

/// How an emitter layer stands to this version of tracer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The language's emitter needs no compiling.
    NotNeeded,
    /// It is there and current.
    Current,
    /// It is missing or older: runs use the user's cache until it is made again.
    Stale,
}

/// Whether the emitter layer of an image is current.
pub(crate) fn freshness(
    spec: &'static LanguageSpec,
    manifest: &Manifest,
    toolchain: &Toolchain,
) -> Result<Freshness, EngineError> {
    let keys = with_workshop(toolchain, |workshop| Ok(keys(spec, workshop)))?;
    if keys.is_empty() {
        return Ok(Freshness::NotNeeded);
    }
    let layer = manifest.layer(LayerKind::Emitter);
    let current = layer.is_some_and(|layer: &Layer| layer.source == source(&keys));
    Ok(if current {
        Freshness::Current
    } else {
        Freshness::Stale
    })
}

/// Compiles the emitter inside the image into `tree`. Gives the layer's source; `None` where there
/// is nothing to compile.
pub(crate) fn compile(
    spec: &'static LanguageSpec,
    toolchain: &Toolchain,
    tree: &Path,
) -> Result<Option<Digest>, EngineError> {
    with_workshop(toolchain, |workshop| {
        let program = Program::empty(spec);
        let plan = workshop.plan(&program);
        let failed = |source| EngineError::System {
            what: "keep the compiled emitter",
            source,
        };
        workshop.make_build_folder()?;
        let folder = tree.join(FOLDER);
        for (step, product) in &plan.once {
            let argv = &plan.build[*step];
            let finished = workshop.step(&program, &plan, argv)?;
            if finished.outcome.end != (End::Exited { code: 0 }) {
                return Err(EngineError::EmitterBuild {
                    language: spec.name,
                    said: String::from_utf8_lossy(&finished.stderr).into_owned(),
                });
            }
            fs::create_dir_all(&folder).map_err(failed)?;
            cache::copy(product, &folder.join(workshop.key(argv, &plan))).map_err(failed)?;
        }
        let keys = keys(spec, workshop);
        Ok((!keys.is_empty()).then(|| source(&keys)))
    })
}

fn keys(spec: &'static LanguageSpec, workshop: &Workshop<'_>) -> Vec<String> {
    let plan = workshop.plan(&Program::empty(spec));
    plan.once
        .iter()
        .map(|(step, _)| workshop.key(&plan.build[*step], &plan))
        .collect()
}

fn source(keys: &[String]) -> Digest {
    Digest::of(keys.join("\n").as_bytes())
}

fn with_workshop<T>(
    toolchain: &Toolchain,
    work: impl FnOnce(&Workshop<'_>) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let scratch = TempDir::with_prefix("tracer-").map_err(|source| EngineError::System {
        what: "make a temporary folder",
        source,
    })?;
    let settings = Settings {
        cwd: "/".into(),
        ..Settings::new()?
    };
    work(&Workshop {
        toolchain,
        settings: &settings,
        traced: Some(Detail::default()),
        scratch: scratch.path(),
        linked: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tracer_image::manifest::MANIFEST_VERSION;
    use tracer_image::{Digest, Layer, LayerKind, Manifest, Origin};

    use super::*;
    use crate::{find_toolchain, languages};

    fn manifest(layers: Vec<Layer>) -> Manifest {
        Manifest {
            version: MANIFEST_VERSION,
            language: "c".into(),
            architecture: "amd64".into(),
            layers,
            environment: BTreeMap::new(),
            scratch: Vec::new(),
            toolchain: None,
            built: 0,
            origin: Origin::Imported { name: "a".into() },
        }
    }

    /// Emitters that need compiling are found again by the run's own key; a layer made from
    /// another emitter is stale.
    #[test]
    fn compiled_emitters_are_found_by_runs() {
        let mut compiled = 0;
        for spec in languages::all() {
            let Ok(found) = find_toolchain(spec) else {
                continue;
            };
            let toolchain = Toolchain::from(found);
            let tree = tempfile::tempdir().unwrap();
            let Some(source) = compile(spec, &toolchain, tree.path()).unwrap() else {
                let state = freshness(spec, &manifest(Vec::new()), &toolchain).unwrap();
                assert_eq!(state, Freshness::NotNeeded, "{}", spec.id);
                continue;
            };
            compiled += 1;
            let folder = tree.path().join(FOLDER);
            let keys = with_workshop(&toolchain, |workshop| Ok(keys(spec, workshop))).unwrap();
            for key in &keys {
                assert!(cache::find(Some(&folder), key).is_some(), "{}", spec.id);
            }
            let layer = |source| Layer {
                kind: LayerKind::Emitter,
                digest: Digest::of(b"layer"),
                size: 1,
                source,
            };
            let state = |layers| freshness(spec, &manifest(layers), &toolchain).unwrap();
            assert_eq!(state(vec![layer(source)]), Freshness::Current);
            assert_eq!(state(vec![layer(Digest::of(b"older"))]), Freshness::Stale);
            assert_eq!(state(Vec::new()), Freshness::Stale);
        }
        assert!(compiled > 0, "some emitter needs compiling");
    }
}
