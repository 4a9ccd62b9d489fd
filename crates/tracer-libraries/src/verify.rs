//! Tries every library of a language's layers inside the sandbox, and writes down how that went.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use tracer_image::libraries::{self, Libraries, Registry};
use tracer_image::{ImageError, LayerKind, Store};
use tracer_model::{End, Limits};
use tracer_sandbox::{Body, Inject, Request, Root, Stdin, run};

use crate::LibrariesError;
use crate::catalogue::{Catalogue, Entry, flags};
use crate::packages::{self, Package};

/// Where the script that tries them stands inside.
const FOLDER: &str = "/tmp";

/// What one import came to.
struct Tried {
    import: String,
    said: String,
    flags: String,
}

impl Tried {
    fn works(&self) -> bool {
        self.said == "ok"
    }

    fn is_public(&self) -> bool {
        !self.import.starts_with('_')
    }
}

/// The catalogue of the layers that are built, each library tried. `made` is today. A layer that is to the
/// byte what `known` tells of is not tried again.
pub fn catalogue(
    store: &Store,
    language: &str,
    made: &str,
    known: &Catalogue,
) -> Result<Catalogue, LibrariesError> {
    let mut all = Catalogue {
        made: made.to_owned(),
        ..Catalogue::default()
    };
    let Some(declared) = libraries::declared(language)? else {
        return Ok(all);
    };
    for layer in &declared.layers {
        let whole = libraries::name(&declared.owner, &layer.name);
        let Some(manifest) = store.manifest(&whole) else {
            continue;
        };
        let Some(made) = manifest.layer(LayerKind::Libraries) else {
            continue;
        };
        let digest = made.digest.to_string();
        all.layers.push((layer.name.clone(), digest.clone()));
        let before = known.entries.iter();
        let before = before.filter(|entry| entry.layer == layer.name && entry.digest == digest);
        let before: Vec<Entry> = before.cloned().collect();
        if !before.is_empty() {
            all.entries.extend(before);
            continue;
        }
        let folder = store.attach(&manifest)?.layers.remove(0);
        let found = packages::read(declared.registry, &folder, &whole, &declared.place);
        let mut said = attempt(store, language, &declared, &layer.name, &found)?;
        for package in found {
            let tried = said.remove(&package.name).unwrap_or_default();
            // A package of Debian that offers nothing is no library, but what others need.
            if tried.is_empty() && declared.registry == Registry::Debian {
                continue;
            }
            let reason = verdict(&tried);
            // Only what works is offered; where nothing does, all of it is shown.
            let offered = tried.iter().filter(|each| each.works() || reason.is_some());
            let flags = flags(tried.iter().flat_map(|each| each.flags.split_whitespace()));
            let flags = flags.into_iter().map(str::to_owned).collect();
            all.entries.push(Entry {
                language: language.to_owned(),
                imports: offered.map(|each| each.import.clone()).collect(),
                package: package.name,
                version: package.version,
                licence: package.licence,
                layer: layer.name.clone(),
                digest: digest.clone(),
                verified: reason.is_none(),
                reason,
                flags,
            });
        }
    }
    Ok(all)
}

/// A library works if its first name does, or a public one: those behind it may be extras.
fn verdict(tried: &[Tried]) -> Option<String> {
    let Some(first) = tried.first() else {
        return Some("nothing to import".to_owned());
    };
    let mut others = tried.iter().filter(|each| each.is_public());
    let works = first.works() || others.any(Tried::works);
    (!works).then(|| first.said.clone())
}

/// What each import of each package came to.
fn attempt(
    store: &Store,
    language: &str,
    declared: &Libraries,
    layer: &str,
    packages: &[Package],
) -> Result<BTreeMap<String, Vec<Tried>>, LibrariesError> {
    let missing = |language: &str| ImageError::NotBuilt {
        language: language.to_owned(),
    };
    let image = store.manifest(language).ok_or_else(|| missing(language))?;
    let mut layers = store.attach(&image)?.layers;
    for needed in declared.with_needs(layer) {
        let name = libraries::name(&declared.owner, needed);
        let manifest = store.manifest(&name).ok_or_else(|| missing(&name))?;
        layers.extend(store.attach(&manifest)?.layers);
    }
    let script = libraries::smoke(language, declared)?;
    let mut request = Request::new(&declared.smoke.program, "/tmp");
    request
        .argv
        .extend(declared.smoke.args.iter().map(OsString::from));
    // Some interpreters go by the name's ending.
    let place = format!("{FOLDER}/{}", declared.smoke.script);
    request.argv.push(place.clone().into());
    request
        .argv
        .extend(declared.smoke.given.iter().map(OsString::from));
    let fixed = [
        ("HOME", "/tmp"),
        ("PATH", "/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
    ];
    let pair = |(name, value): (&str, &str)| (OsString::from(name), OsString::from(value));
    request.env = fixed.map(pair).to_vec();
    let variables = image.environment.iter().chain(&declared.environment);
    let variables = variables.map(|(name, value)| pair((name, value)));
    request.env.extend(variables);
    request.image = Some(Root {
        layers,
        scratch: image.scratch.clone(),
    });
    request.files.push(Inject {
        path: place.into(),
        body: Body::Bytes(Arc::from(script)),
        executable: false,
    });
    let lines = packages.iter().map(|package| {
        let words = [&package.name].into_iter().chain(&package.imports);
        let words: Vec<&str> = words.map(String::as_str).collect();
        format!("{}\n", words.join("\t"))
    });
    request.stdin = Stdin::Bytes(lines.collect::<String>().into_bytes());
    request.limits = Limits {
        cpu: None,
        wall: Some(Duration::from_secs(2 * 3600)),
        memory: Some(6 << 30),
        disk: Some(4 << 30),
        ..Limits::default()
    };
    let finished = run(&request)?;
    if finished.outcome.end != (End::Exited { code: 0 }) {
        let said = String::from_utf8_lossy(&finished.stderr);
        return Err(LibrariesError::Untried {
            layer: libraries::name(&declared.owner, layer),
            said: format!(
                "{:?} {}",
                finished.outcome.end,
                said.lines().last().unwrap_or_default()
            ),
        });
    }
    let mut tried: BTreeMap<String, Vec<Tried>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&finished.stdout).lines() {
        let mut words = line.split('\t').map(str::to_owned);
        if let (Some(package), Some(import), Some(said)) =
            (words.next(), words.next(), words.next())
        {
            let flags = words.next().unwrap_or_default();
            let all = tried.entry(package).or_default();
            all.push(Tried {
                import,
                said,
                flags,
            });
        }
    }
    Ok(tried)
}
