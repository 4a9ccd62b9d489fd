//! Images of languages: built or imported, then finished with what only the engine knows, the
//! toolchain inside and the emitter compiled with it.

use std::fs;
use std::path::Path;

use tracer_image::declaration::BASE;
use tracer_image::{
    BuildOptions, Cancel, Declaration, ImageError, ImportOptions, LayerKind, Manifest, Progress,
    Store, Toolchain as Inside, Verified, pack,
};

use tracer_sandbox::Request;

use crate::emitters::{self, Freshness};
use crate::toolchain::in_image;
use crate::{EngineError, languages, wasm};

/// The language with an image: a language that is not traced yet may have one.
pub fn language(name: &str) -> Result<&'static str, EngineError> {
    if let Some(spec) = languages::by_name(name) {
        return Ok(spec.id);
    }
    let known = tracer_image::declaration::languages();
    let lower = name.to_lowercase();
    known
        .into_iter()
        .chain(tracer_image::declaration::modules())
        .chain([BASE])
        .find(|known| *known == lower)
        .ok_or_else(|| EngineError::NoSuchLanguage { name: name.into() })
}

/// Builds the image of a language, or what of it is out of date.
pub fn build(
    store: &Store,
    language: &str,
    options: &BuildOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Manifest, EngineError> {
    let manifest = tracer_image::build(store, language, options, progress, cancel)?;
    finish(store, manifest, progress, cancel)
}

/// Takes an archive as the image of a language.
pub fn import(
    store: &Store,
    archive: &Path,
    language: &str,
    options: &ImportOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Manifest, EngineError> {
    let manifest = tracer_image::import(store, archive, language, options, progress, cancel)?;
    finish(store, manifest, progress, cancel)
}

/// Asks the toolchain what it is, and compiles the emitter unless it is current.
fn finish(
    store: &Store,
    mut manifest: Manifest,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Manifest, EngineError> {
    if let Some((spec, wanted)) = wasm::language(&manifest.language) {
        manifest.toolchain = None;
        let found = wasm::attach(spec, wanted, store, &manifest)?.found;
        manifest.toolchain = Some(Inside {
            program: found.program,
            version: found.version,
        });
        store.save(&manifest)?;
        return Ok(manifest);
    }
    let Some(spec) = languages::by_name(&manifest.language) else {
        return Ok(manifest); // not traced yet: nothing to compile
    };
    let before = manifest.clone();
    manifest.toolchain = None;
    let toolchain = in_image(spec, store, &manifest)?;
    manifest.toolchain = Some(Inside {
        program: toolchain.found.program.clone(),
        version: toolchain.found.version.clone(),
    });
    if emitters::freshness(spec, &manifest, &toolchain)? == Freshness::Stale {
        progress.step(&manifest.language, "compiling the emitter");
        manifest
            .layers
            .retain(|layer| layer.kind != LayerKind::Emitter);
        let toolchain = in_image(spec, store, &manifest)?;
        let staging = store.staging()?;
        let tree = staging.path().join("emitter");
        fs::create_dir(&tree)
            .map_err(|error| ImageError::system(format!("make {}", tree.display()), error))?;
        if let Some(source) = emitters::compile(spec, &toolchain, &tree)? {
            let made = (LayerKind::Emitter, source);
            let layer = pack::layer(store, &staging, &manifest, &tree, made, cancel)?;
            manifest.layers.push(layer);
        }
    }
    if manifest != before {
        store.save(&manifest)?;
    }
    Ok(manifest)
}

/// How the emitter layer of an image stands; `None` where the language is not traced yet.
pub fn freshness(store: &Store, manifest: &Manifest) -> Result<Option<Freshness>, EngineError> {
    if wasm::language(&manifest.language).is_some() {
        return Ok(Some(Freshness::NotNeeded));
    }
    let Some(spec) = languages::by_name(&manifest.language) else {
        return Ok(None);
    };
    let toolchain = in_image(spec, store, manifest)?;
    emitters::freshness(spec, manifest, &toolchain).map(Some)
}

/// Proves an image: its files are whole, and the declaration's programs run in it.
pub fn verify(store: &Store, manifest: &Manifest) -> Result<Verified, EngineError> {
    for layer in &manifest.layers {
        store.check_layer(layer)?;
    }
    let attached = store.attach(manifest)?;
    let declaration = Declaration::find(&manifest.language)?;
    let modules = match wasm::language(&manifest.language) {
        Some((spec, wanted)) => Some(wasm::attach(spec, wanted, store, manifest)?),
        None => None,
    };
    let prepare = |request: &mut Request| match &modules {
        Some(toolchain) => wasm::prepare(request, toolchain).map_err(|error| ImageError::Tool {
            what: "starting a module".into(),
            status: String::new(),
            said: error.to_string(),
        }),
        None => Ok(()),
    };
    Ok(tracer_image::verify(
        &attached.layers,
        manifest,
        &declaration,
        &prepare,
    )?)
}
