//! Finds a language's toolchain: in its image, or on this machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracer_image::{Digest, LayerKind, Manifest, Store};
use tracer_instrument::{Found, LanguageSpec, SELF, Toolchain as Wanted, VARIABLE};
use tracer_model::Limits;
use tracer_sandbox::{Isolation, Request, Root, Stream};

use crate::libraries::{self, Libraries};
use crate::{EngineError, Program, Settings, emitters, wasm};

/// Longest a toolchain may take to describe itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where programs stand inside an image, best first.
pub(crate) const IMAGE_PATH: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// Where a toolchain is to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// This machine's where it has one, else the language's image.
    #[default]
    Auto,
    /// The image alone.
    Image,
    /// This machine alone.
    Host,
}

/// A toolchain ready for use.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// Program and version.
    pub found: Found,
    /// The image it stands in; `None` on this machine.
    pub image: Option<Image>,
    /// Libraries for the program's imports.
    pub libraries: Libraries,
    /// Where its programs are modules: those of the image.
    pub(crate) modules: Option<wasm::Modules>,
}

/// An image ready for use.
#[derive(Debug, Clone)]
pub struct Image {
    /// What its manifest says it is.
    pub digest: Digest,
    /// Its layers on this machine.
    pub root: Root,
    /// Variables that programs in it see.
    pub environment: Vec<(OsString, OsString)>,
    /// Folder of compiled emitters on this machine, if it has any.
    pub(crate) emitters: Option<PathBuf>,
}

impl From<Found> for Toolchain {
    fn from(found: Found) -> Self {
        Self {
            found,
            image: None,
            libraries: Libraries::default(),
            modules: None,
        }
    }
}

impl Toolchain {
    /// Version and place for people, e.g. `CPython 3.13.5 (image 4f2a9c11d0b7)`.
    pub fn describe(&self) -> String {
        let version = &self.found.version;
        match &self.image {
            Some(image) => format!("{version} (image {})", image.digest.short()),
            None => format!("{version} (this machine's)"),
        }
    }

    /// The root that its programs run in; `None` for this machine's own, where modules do, too.
    pub(crate) fn root(&self) -> Option<Root> {
        let root = self.image.as_ref().map(|image| &image.root)?;
        (!root.layers.is_empty()).then(|| root.clone())
    }
}

/// The toolchain that a run of this program with these settings uses.
pub fn choose(program: &Program, settings: &Settings) -> Result<Toolchain, EngineError> {
    match settings.isolation {
        Isolation::Wasm => wasm::choose(program, settings),
        _ => {
            let mut toolchain = usual(program.spec, program.toolchain, settings)?;
            libraries::add(program, &settings.store()?, &mut toolchain)?;
            Ok(toolchain)
        }
    }
}

/// One of a language's toolchains, from where the settings say.
pub(crate) fn usual(
    spec: &'static LanguageSpec,
    wanted: &'static Wanted,
    settings: &Settings,
) -> Result<Toolchain, EngineError> {
    let store = settings.store()?;
    let isolated = settings.isolation != Isolation::None;
    let manifest = match settings.toolchain {
        Origin::Host => None,
        // Another engine's image has what reports from within it; this machine's may not.
        Origin::Auto if !isolated || is_same(spec, wanted) && find(spec).is_ok() => None,
        Origin::Auto => store.manifest(spec.id),
        Origin::Image if !isolated => return Err(EngineError::ImageNeedsWalls),
        Origin::Image => {
            Some(
                store
                    .manifest(spec.id)
                    .ok_or_else(|| tracer_image::ImageError::NotBuilt {
                        language: spec.id.into(),
                    })?,
            )
        }
    };
    let mut toolchain = match manifest {
        Some(manifest) => match attach(spec, wanted, &store, &manifest) {
            // An image need not have what only some programs want.
            Err(EngineError::NotInImage { .. }) if settings.toolchain == Origin::Auto => {
                find_one(spec, wanted)?.into()
            }
            attached => attached?,
        },
        None => find_one(spec, wanted)?.into(),
    };
    if !is_first(spec, wanted) && spec.toolchain.programs.contains(&SELF) {
        let carrier = find(spec)?.program;
        toolchain.found.roots.insert(0, carrier);
    }
    Ok(toolchain)
}

/// Whether it is the first one's program, perhaps for another purpose.
fn is_same(spec: &'static LanguageSpec, wanted: &'static Wanted) -> bool {
    wanted.programs == spec.toolchain.programs
}

fn is_first(spec: &'static LanguageSpec, wanted: &'static Wanted) -> bool {
    std::ptr::eq(wanted, &raw const spec.toolchain)
}

/// The toolchain of an image, which is mounted or unpacked if it is not yet.
pub fn in_image(
    spec: &'static LanguageSpec,
    store: &Store,
    manifest: &Manifest,
) -> Result<Toolchain, EngineError> {
    attach(spec, &spec.toolchain, store, manifest)
}

pub(crate) fn attach(
    spec: &'static LanguageSpec,
    wanted: &'static Wanted,
    store: &Store,
    manifest: &Manifest,
) -> Result<Toolchain, EngineError> {
    let attached = store.attach(manifest)?;
    // The layers are attached in the manifest's order.
    let emitters = manifest
        .layers
        .iter()
        .zip(&attached.layers)
        .find(|(layer, _)| layer.kind == LayerKind::Emitter)
        .map(|(_, folder)| folder.join(emitters::FOLDER));
    let image = Image {
        digest: manifest.digest(),
        root: Root {
            layers: attached.layers,
            scratch: manifest.scratch.clone(),
        },
        environment: manifest
            .environment
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        emitters,
    };
    // The manifest names the language's first toolchain; where that is this program, it is now
    // where it was when the image was built only by chance.
    let named = is_first(spec, wanted) && !wanted.programs.contains(&SELF);
    let found = match manifest.toolchain.as_ref().filter(|_| named) {
        Some(known) => Found {
            program: known.program.clone(),
            version: known.version.clone(),
            roots: Vec::new(),
        },
        None => find_in(spec, wanted, &image)?,
    };
    Ok(Toolchain {
        found,
        image: Some(image),
        libraries: Libraries::default(),
        modules: None,
    })
}

/// The language's first toolchain, on this machine; asked once per process.
pub fn find(spec: &'static LanguageSpec) -> Result<Found, EngineError> {
    find_one(spec, &spec.toolchain)
}

fn find_one(spec: &'static LanguageSpec, wanted: &'static Wanted) -> Result<Found, EngineError> {
    type Names = (&'static str, &'static [&'static str]);
    static KNOWN: Mutex<BTreeMap<Names, Found>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.get(&(spec.id, wanted.programs)) {
        return Ok(found.clone());
    }
    let mut strange = None;
    for name in wanted.programs {
        let Some(path) = program(name) else { continue };
        match identify(wanted, &path, None) {
            Ok(found) => {
                known.insert((spec.id, wanted.programs), found.clone());
                return Ok(found);
            }
            // A program that holds this crate as a library is not the runner, and says anything.
            Err(_) if *name == SELF => {}
            Err(error) => strange = strange.or(Some(error)),
        }
    }
    Err(strange.unwrap_or_else(|| missing(spec, wanted)))
}

/// The first working toolchain of an image.
fn find_in(
    spec: &'static LanguageSpec,
    wanted: &'static Wanted,
    image: &Image,
) -> Result<Found, EngineError> {
    let mut strange = None;
    for name in wanted.programs {
        let own = program(name).filter(|_| *name == SELF);
        let inside = IMAGE_PATH.iter().map(|folder| Path::new(folder).join(name));
        let elsewhere = *name == SELF || name.starts_with(VARIABLE);
        let inside = inside.filter(|path| !elsewhere && stands_in(image, path));
        for path in own.into_iter().chain(inside) {
            match identify(wanted, &path, Some(image)) {
                Ok(found) => return Ok(found),
                Err(error) => strange = strange.or(Some(error)),
            }
        }
    }
    Err(strange.unwrap_or_else(|| EngineError::NotInImage {
        language: spec.name,
        programs: named(wanted),
    }))
}

/// Whether a layer has a program there, or a link to one: links are resolved inside only.
fn stands_in(image: &Image, path: &Path) -> bool {
    let below = path.strip_prefix("/").unwrap_or(path);
    image
        .root
        .layers
        .iter()
        .any(|layer| layer.join(below).symlink_metadata().is_ok())
}

fn missing(spec: &LanguageSpec, wanted: &Wanted) -> EngineError {
    EngineError::NoToolchain {
        id: spec.id,
        language: spec.name,
        programs: named(wanted),
        hint: wanted.hint,
    }
}

/// The programs that could be installed, for people.
fn named(wanted: &Wanted) -> String {
    let names = wanted.programs.iter().copied();
    names
        .filter(|name| *name != SELF && !name.starts_with(VARIABLE))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The running program, the one that a variable says, one on `PATH`, or one that was installed
/// beside this one.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let own = || std::env::current_exe().ok();
    if name == SELF {
        return own();
    }
    if let Some(variable) = name.strip_prefix(VARIABLE) {
        let said = std::env::var_os(variable)?;
        let folder = std::env::current_dir().ok()?;
        let path = Path::new(&said);
        return match path.components().count() {
            1 => on_path(&said),
            _ => Some(folder.join(path)).filter(|path| is_program(path)),
        };
    }
    on_path(name).or_else(|| {
        // Cargo puts tests a folder below programs.
        let own = own()?;
        let folders = own.ancestors().skip(1).take(2);
        let mut beside = folders.map(|folder| folder.join(name));
        beside.find(|file| is_program(file))
    })
}

fn on_path(name: impl AsRef<Path>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(&name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    std::fs::metadata(file)
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn identify(wanted: &Wanted, program: &Path, image: Option<&Image>) -> Result<Found, EngineError> {
    let mut argv: Vec<OsString> = vec![program.into()];
    argv.extend(wanted.identify.iter().map(OsString::from));
    let mut request = Request::new(program, "/");
    request.argv = argv;
    match image {
        Some(image) => {
            request.image = Some(image.root.clone());
            if wanted.programs.contains(&SELF) {
                request.roots.push(program.to_path_buf());
            }
            request.env.clone_from(&image.environment);
            request
                .env
                .push(("PATH".into(), IMAGE_PATH.join(":").into()));
        }
        None => {
            // A version manager's shim needs the user's own environment and folders to find its
            // target.
            request.isolation = Isolation::None;
            request.env = std::env::vars_os().collect();
        }
    }
    request.stdout = Stream::Capture;
    request.stderr = Stream::Capture;
    request.limits = Limits {
        wall: Some(PATIENCE),
        cpu: None,
        memory: None,
        processes: None,
        stack: None,
        ..Limits::default()
    };
    let finished = tracer_sandbox::run(&request)?;
    let said = String::from_utf8_lossy(&finished.stdout);
    (wanted.describe)(&said, program).ok_or_else(|| EngineError::StrangeToolchain {
        program: program.to_path_buf(),
        said: said
            .chars()
            .chain(String::from_utf8_lossy(&finished.stderr).chars())
            .take(400)
            .collect(),
    })
}
