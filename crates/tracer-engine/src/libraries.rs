//! Gives a program in an image the library layers that its imports need, and says what is missing.
//!
//! Nothing is installed here: a layer that is not built is named, and the run goes on without it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tracer_image::{Store, libraries};
use tracer_instrument::LanguageSpec;
use tracer_libraries::{Around, Catalogue, Entry, Kind, Origin, classify};
use tracer_model::{Payload, Trace};

use crate::program::Files;
use crate::{EngineError, Program, Toolchain};

/// What a program got of what it imports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Libraries {
    /// Layers in its root, by name and digest.
    pub layers: Vec<(String, String)>,
    /// Imports without a library, each with what to do or why. Those that a program says it can do
    /// without are left out.
    pub missing: Vec<String>,
    /// What the compiler is told to find them.
    pub flags: Vec<OsString>,
}

impl Libraries {
    /// For the notes of a trace.
    pub(crate) fn notes(&self) -> Vec<String> {
        let layers = self.layers.iter();
        let layers = layers.map(|(name, digest)| format!("libraries of {name} ({digest})"));
        let missing = self.missing.iter();
        let missing = missing.map(|name| format!("library not available: {name}"));
        layers.chain(missing).collect()
    }
}

/// The catalogue of a language; read once per process.
fn catalogue(language: &'static str) -> &'static Catalogue {
    static READ: Mutex<BTreeMap<&str, &'static Catalogue>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    read.entry(language)
        .or_insert_with(|| Box::leak(Box::new(Catalogue::of(language))))
}

/// What the language itself brings is this package's.
const STANDARD: &str = "standard library";

/// Where the imports of a file come from, by name. What cannot be read as the language has none.
pub(crate) fn origins(
    spec: &'static LanguageSpec,
    path: &Path,
    source: &[u8],
    files: &Files,
) -> BTreeMap<String, Origin> {
    let around = Around {
        path,
        exists: &|path| files.is_file(path),
        read: &|path| files.read(path).ok(),
    };
    let needs = classify(spec, source, &around).unwrap_or_default();
    let imports = needs.imports.into_iter();
    imports
        .map(|each| (each.import.name, each.origin))
        .collect()
}

/// Names package and version of what calls went to. A package whose layer the run did not have has
/// no version: nobody knows which one it met.
pub(crate) fn name_packages(program: &Program, toolchain: &Toolchain, trace: &mut Trace) {
    let mut known: BTreeMap<&str, (Option<String>, Option<String>)> = BTreeMap::new();
    for event in &mut trace.events {
        let Some(import) = program.calls.get(&event.site) else {
            continue;
        };
        let (package, version) = known
            .entry(import)
            .or_insert_with(|| package(program, toolchain, import));
        name(&mut event.payload, package.as_ref(), version.as_ref());
    }
}

/// How many calls into libraries are left alone, and why, for the notes of a trace.
pub(crate) fn calls_left(program: &Program) -> Option<String> {
    let each = program.calls_left.iter();
    let each: Vec<String> = each
        .map(|(why, count)| format!("{count} ({why})"))
        .collect();
    (!each.is_empty()).then(|| {
        format!(
            "calls into libraries that are not told: {}",
            each.join(", ")
        )
    })
}

fn name(payload: &mut Payload, of: Option<&String>, in_version: Option<&String>) {
    match payload {
        Payload::Call {
            package, version, ..
        } => (*package, *version) = (of.cloned(), in_version.cloned()),
        Payload::Elide {
            last: Some(last), ..
        } => name(last, of, in_version),
        _ => {}
    }
}

fn package(
    program: &Program,
    toolchain: &Toolchain,
    import: &str,
) -> (Option<String>, Option<String>) {
    let spec = program.spec;
    if program.imports.get(import) == Some(&Origin::Standard) {
        return (
            Some(STANDARD.to_owned()),
            Some(toolchain.found.version.clone()),
        );
    }
    let Some(entry) = catalogue(spec.id).provider(spec, import) else {
        return (None, None);
    };
    let layer = libraries::name(spec.id, &entry.layer);
    let mut layers = toolchain.libraries.layers.iter();
    let there = layers.any(|(name, _)| *name == layer);
    let version = there.then(|| entry.version.clone());
    (Some(entry.package.clone()), version)
}

/// Adds layers to the toolchain's root for what the program's files import.
pub(crate) fn add(
    program: &Program,
    store: &Store,
    toolchain: &mut Toolchain,
) -> Result<(), EngineError> {
    let spec = program.spec;
    let Some(declared) = libraries::declared(spec.id)? else {
        return Ok(());
    };
    let Some(image) = &mut toolchain.image else {
        return Ok(());
    };
    let catalogue = catalogue(spec.id);
    let given = &mut toolchain.libraries;
    let mut wanted: Vec<&Entry> = Vec::new();
    for source in &program.sources {
        let around = Around {
            path: &source.path,
            exists: &Path::exists,
            read: &|path| std::fs::read(path).ok(),
        };
        // What cannot be read as the language is told when it is instrumented.
        let Ok(needs) = classify(spec, &source.original, &around) else {
            continue;
        };
        let others = needs.imports.iter();
        for each in others.filter(|each| each.origin == Origin::ThirdParty) {
            let name = &each.import.name;
            let entry = catalogue.provider(spec, name);
            let missing = match entry {
                Some(entry) => {
                    if !wanted.contains(&entry) {
                        wanted.push(entry);
                    }
                    let reason = entry.reason.as_ref();
                    reason.map(|reason| format!("{name} ({}: {reason})", entry.package))
                }
                None => Some(name.clone()),
            };
            let missing = missing.filter(|_| each.import.kind != Kind::Optional);
            given.missing.extend(missing);
        }
    }
    let told = wanted.iter().flat_map(|entry| &entry.flags);
    let told = tracer_libraries::catalogue::flags(told.map(String::as_str));
    given.flags = told.into_iter().map(OsString::from).collect();
    for entry in wanted {
        for layer in declared.with_needs(&entry.layer) {
            let name = libraries::name(&declared.owner, layer);
            if given.layers.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let Some(manifest) = store.manifest(&name) else {
                let command = format!("`tracer libraries build {} {layer}`", declared.owner);
                given
                    .missing
                    .push(format!("the layer {name}, which is not built ({command})"));
                continue;
            };
            image.root.layers.extend(store.attach(&manifest)?.layers);
            let digest = manifest
                .layers
                .first()
                .map(|layer| layer.digest.to_string());
            given.layers.push((name, digest.unwrap_or_default()));
        }
    }
    if !given.layers.is_empty() {
        let variables = declared.environment.iter();
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        image.environment.extend(variables);
    }
    given.missing.sort();
    given.missing.dedup();
    Ok(())
}
