//! Programs as WebAssembly: which toolchain, and modules in the place of programs.
//!
//! A language's plan names modules (`….wasm`) as it would name programs; here each such command
//! becomes a call of the worker, inside the same walls. What an image's module compiles to is kept
//! in the user's cache; a module that a run's own build made is compiled by the run itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::Duration;

use tracer_image::{ImageError, Manifest, Store, modules};
use tracer_instrument::{Found, LanguageSpec, MODULES, SELF, Toolchain as Wanted, Wasm};
use tracer_model::Limits;
use tracer_sandbox::{Body, Inject, Isolation, Request, Root};
use tracer_wasm::{Job, Preopen, RUNNER, WORKER};

use crate::toolchain::{self, Image, Toolchain};
use crate::{EngineError, Program, Settings, languages};

mod compiled;

/// Where the worker finds the module inside; nothing that a module is given lies there.
const MODULE: &str = "/run/machine/module";

/// Where the root above a module's folders stands.
const ROOT: &str = "/run/machine/root";

/// Longest that compiling an interpreter may take: a minute's work on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// Whether programs of a language can be run as WebAssembly now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// They can.
    Ready,
    /// Something is missing that the user can get: what to do.
    Missing(String),
    /// They never run so: why.
    NativeOnly(&'static str),
}

/// What [`run`] would find of what it needs; nothing is started or compiled for it.
pub fn readiness(spec: &'static LanguageSpec, store: &Store) -> Readiness {
    let (toolchain, image) = match spec.wasm {
        Wasm::Yes { toolchain, image } => (toolchain, image),
        Wasm::No(reason) => return Readiness::NativeOnly(reason),
    };
    let missing = match image {
        Some(image) if built(store, image).is_err() => Some(format!("tracer image build {image}")),
        None if toolchain::find(spec).is_err() && store.manifest(spec.id).is_none() => {
            Some(format!("install {}", toolchain.hint))
        }
        _ if worker().is_err() => EngineError::NoWasm.hint(),
        _ => None,
    };
    missing.map_or(Readiness::Ready, Readiness::Missing)
}

/// An image's modules.
#[derive(Debug, Clone)]
pub(crate) struct Modules {
    /// The layer's folder on this machine.
    root: PathBuf,
    /// Its digest, which names all that is in it.
    digest: String,
}

/// Gives a program the language's WebAssembly toolchain where the settings ask for it.
pub(crate) fn enter(program: &mut Program, settings: &Settings) -> Result<(), EngineError> {
    if settings.isolation == Isolation::Wasm {
        let (module, _) = wanted(program.spec)?;
        let usual = [&program.spec.toolchain, module];
        if !usual.iter().any(|known| ptr::eq(*known, program.toolchain)) {
            return Err(EngineError::NativeOnly {
                language: program.spec.name,
                reason: format!(
                    "what runs this program, {}, is no module",
                    program.toolchain.hint
                ),
            });
        }
        program.toolchain = module;
    }
    Ok(())
}

/// An image of modules that this version of tracer can use.
fn built(store: &Store, image: &str) -> Result<Manifest, ImageError> {
    let language = || image.to_owned();
    let manifest = store.manifest(image).ok_or_else(|| ImageError::NotBuilt {
        language: language(),
    })?;
    if modules::is_outdated(&manifest)? {
        return Err(ImageError::Outdated {
            language: language(),
        });
    }
    Ok(manifest)
}

fn wanted(
    spec: &'static LanguageSpec,
) -> Result<(&'static Wanted, Option<&'static str>), EngineError> {
    match spec.wasm {
        Wasm::Yes { toolchain, image } => Ok((toolchain, image)),
        Wasm::No(reason) => Err(EngineError::NativeOnly {
            language: spec.name,
            reason: reason.to_owned(),
        }),
    }
}

/// The toolchain that a run as WebAssembly uses.
pub(crate) fn choose(program: &Program, settings: &Settings) -> Result<Toolchain, EngineError> {
    let (wanted, image) = wanted(program.spec)?;
    let Some(image) = image else {
        return toolchain::usual(program.spec, wanted, settings);
    };
    let store = settings.store()?;
    let manifest = built(&store, image)?;
    attach(program.spec, wanted, &store, &manifest)
}

/// The language whose modules an image has.
pub(crate) fn language(image: &str) -> Option<(&'static LanguageSpec, &'static Wanted)> {
    languages::all().iter().find_map(|spec| match spec.wasm {
        Wasm::Yes {
            toolchain,
            image: Some(own),
        } if own == image => Some((*spec, toolchain)),
        _ => None,
    })
}

/// The toolchain of an image, its modules compiled.
pub(crate) fn attach(
    spec: &'static LanguageSpec,
    wanted: &'static Wanted,
    store: &Store,
    manifest: &Manifest,
) -> Result<Toolchain, EngineError> {
    let name = wanted.programs.first().copied().unwrap_or_default();
    if !is_module(Path::new(name)) {
        return toolchain::attach(spec, wanted, store, manifest);
    }
    let attached = store.attach(manifest)?;
    let (Some(layer), Some(root)) = (manifest.layers.last(), attached.layers.last()) else {
        return Err(missing(spec, wanted));
    };
    let program = Path::new(MODULES).join(name);
    let mut toolchain = Toolchain {
        found: Found {
            program: program.clone(),
            version: String::new(),
            roots: Vec::new(),
        },
        image: Some(Image {
            digest: manifest.digest(),
            root: Root::default(),
            environment: environment(manifest),
            emitters: None,
        }),
        libraries: crate::libraries::Libraries::default(),
        modules: Some(Modules {
            root: root.clone(),
            digest: layer.digest.to_string(),
        }),
    };
    toolchain.found = match &manifest.toolchain {
        Some(known) => Found {
            version: known.version.clone(),
            ..toolchain.found
        },
        None => identify(wanted, &toolchain)?,
    };
    Ok(toolchain)
}

fn environment(manifest: &Manifest) -> Vec<(OsString, OsString)> {
    let all = manifest.environment.iter();
    all.map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn missing(spec: &LanguageSpec, wanted: &Wanted) -> EngineError {
    EngineError::NotInImage {
        language: spec.name,
        programs: wanted.programs.join(", "),
    }
}

/// Asks an image's module what it is.
fn identify(wanted: &Wanted, toolchain: &Toolchain) -> Result<Found, EngineError> {
    let program = &toolchain.found.program;
    let mut request = Request::new(program, "/tmp");
    request
        .argv
        .extend(wanted.identify.iter().map(OsString::from));
    request.isolation = Isolation::Wasm;
    request.limits = generous();
    let finished = run(request, toolchain, false)?;
    let said = String::from_utf8_lossy(&finished.stdout);
    (wanted.describe)(&said, program).ok_or_else(|| EngineError::StrangeToolchain {
        program: program.clone(),
        said: format!("{said}{}", String::from_utf8_lossy(&finished.stderr)),
    })
}

/// Runs a command, whether its program is a module or not; `rooted` as in [`Plan`].
///
/// [`Plan`]: tracer_instrument::Plan
pub(crate) fn run(
    mut request: Request,
    toolchain: &Toolchain,
    rooted: bool,
) -> Result<tracer_sandbox::Finished, EngineError> {
    if request.isolation == Isolation::Wasm {
        wrap(&mut request, toolchain, rooted)?;
    }
    Ok(tracer_sandbox::run(&request)?)
}

/// Makes a request for an image's module one that can be run.
pub(crate) fn prepare(request: &mut Request, toolchain: &Toolchain) -> Result<(), EngineError> {
    request.image = toolchain.root();
    request.isolation = Isolation::Wasm;
    wrap(request, toolchain, false)
}

/// Puts the worker in a module's place.
fn wrap(request: &mut Request, toolchain: &Toolchain, rooted: bool) -> Result<(), EngineError> {
    if !is_module(&request.program) {
        return Ok(());
    }
    let mut preopens = preopens(request);
    if rooted {
        raise(&mut preopens, request);
    }
    let mut module = request.program.clone();
    let inside = module.strip_prefix("/").unwrap_or(&module);
    let own = toolchain
        .modules
        .as_ref()
        .filter(|_| module.starts_with(MODULES));
    let compiled = own.is_some();
    if let Some(modules) = own {
        request.files.push(Inject {
            path: MODULE.into(),
            body: Body::Host(compiled::of(modules, inside)?),
            executable: false,
        });
        module = MODULE.into();
    }
    let worker = worker()?;
    let job = Job::Run {
        module,
        compiled,
        memory: request.limits.memory,
        preopens,
        argv: std::mem::take(&mut request.argv),
    };
    request.argv = arguments(&worker, &job);
    request.roots.push(worker.clone());
    request.program = worker;
    Ok(())
}

fn is_module(program: &Path) -> bool {
    program.extension().is_some_and(|end| end == "wasm")
}

/// The folders that a module may reach: the working folder by both its names, then all that the
/// sandbox shows for this run.
fn preopens(request: &Request) -> Vec<Preopen> {
    let mut preopens = vec![
        Preopen {
            guest: request.cwd.clone().into(),
            host: request.cwd.clone(),
        },
        Preopen {
            guest: ".".into(),
            host: request.cwd.clone(),
        },
    ];
    let folders = request.folders.iter().map(|folder| folder.path.as_path());
    let roots = request.roots.iter().map(PathBuf::as_path);
    let files = request.files.iter().filter_map(|file| file.path.parent());
    let mut known = vec![request.cwd.as_path()];
    let mut shown: Vec<&Path> = folders
        .chain(roots.filter(|root| root.is_dir()))
        .chain(files)
        .chain([Path::new("/tmp")])
        .collect();
    // A folder before those below it.
    shown.sort();
    for folder in shown {
        if !known.iter().any(|above| folder.starts_with(above)) {
            known.push(folder);
            preopens.push(Preopen {
                guest: folder.into(),
                host: folder.into(),
            });
        }
    }
    preopens
}

/// Puts a root above the folders of a module, in the place of the other name of the working one. In
/// it are the folders above them; where they are themselves stands an empty file, which nobody
/// reaches.
fn raise(preopens: &mut [Preopen], request: &mut Request) {
    let names: Vec<&Path> = preopens.iter().map(|each| Path::new(&each.guest)).collect();
    for name in &names {
        let is_above = names
            .iter()
            .any(|other| other != name && other.starts_with(name));
        if let Ok(inside) = name.strip_prefix("/")
            && !is_above
        {
            request.files.push(Inject {
                path: Path::new(ROOT).join(inside),
                body: Body::Bytes((&[][..]).into()),
                executable: false,
            });
        }
    }
    for preopen in preopens.iter_mut().filter(|each| each.guest == ".") {
        *preopen = Preopen {
            guest: "/".into(),
            host: ROOT.into(),
        };
    }
}

/// This program where it is the worker, too; else the separate one.
fn worker() -> Result<PathBuf, EngineError> {
    // Referring to the worker is what makes the linker keep it in this program.
    let name = if tracer_wasm::is_linked() {
        SELF
    } else {
        WORKER
    };
    toolchain::program(name).ok_or(EngineError::NoWasm)
}

fn arguments(worker: &Path, job: &Job) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![worker.into(), RUNNER.into()];
    words.extend(job.to_arguments());
    words
}

/// For what is done once.
fn generous() -> Limits {
    Limits {
        cpu: None,
        wall: Some(PATIENCE),
        memory: None,
        file_size: None,
        ..Limits::default()
    }
}
