//! Bringing an archive into the store: our own exports, other container images, plain roots.
//!
//! An archive of ours gives back the same image, layer by layer, each compared with its digest. Any
//! other becomes one layer. Nothing that an archive says is trusted, and nothing of it is run unless
//! the caller says that it may be.

mod images;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use self::images::{Found, Source, choose, images};
use crate::archive::extract::{Tree, Whiteouts};
use crate::archive::parts::{Parts, Told, damaged};
use crate::archive::rewrite::rewrite;
use crate::archive::{Hashed, ImportLimits, Reading, compression, pack_tar};
use crate::declaration::BASE;
use crate::manifest::MANIFEST_VERSION;
use crate::oci::native;
use crate::staging::children;
use crate::tool::is_root;
use crate::{
    Cancel, Digest, ImageError, Layer, LayerKind, Manifest, Origin, Progress, Store, pack,
};

/// Packs the archive of a layer, with the packer of the root that comes first; the folder, the
/// archive's name in it, the layer's name in it.
pub(crate) type Pack<'a> = &'a dyn Fn(&Path, &Path, (&str, &str)) -> Result<(), ImageError>;

/// How to import.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// How much the archive may unpack to.
    pub limits: ImportLimits,
    /// Whether a program of the archive may be run outside the sandbox: the packer in the base of an
    /// export, where this store has no base.
    pub trusted: bool,
}

/// One import under way.
pub(crate) struct Import<'a> {
    pub(crate) store: &'a Store,
    pub(crate) language: &'a str,
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) pack: Pack<'a>,
    /// Whether a base of the archive may serve as the packer's root.
    pub(crate) trusted: bool,
    /// The root of the packer, if this store has one.
    pub(crate) packer: Option<PathBuf>,
}

/// Where programs are in a root that does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const ARCHIVE: &str = "layer.tar";
const PACKED: &str = "layer.erofs";

/// The languages of an archive that `export` wrote; none if it is another's.
pub fn languages(archive: &Path, cancel: &Cancel) -> Result<Vec<String>, ImageError> {
    let reading = Reading::new(archive, ImportLimits::default(), &(), cancel);
    let folder = tempfile::tempdir()
        .map_err(|error| ImageError::system("make a temporary folder", error))?;
    let Some(parts) = Parts::open(&reading, &folder.path().join("spool"))? else {
        return Ok(Vec::new());
    };
    let images = images(&parts, &reading)?;
    let ours = images.into_iter().filter_map(|image| image.ours);
    Ok(ours.map(|image| image.language).collect())
}

/// Makes what is in an archive the image of `language`.
///
/// Packing takes the packer of this store's base; without one this is an error, unless the archive is
/// an export that brings a base and is trusted.
pub fn import(
    store: &Store,
    archive: &Path,
    language: &str,
    options: &ImportOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Manifest, ImageError> {
    let (_, epoch) = crate::build::release()?;
    let packer = match store.manifest(BASE) {
        Some(base) => store.attach(&base)?.layers.into_iter().next(),
        None => None,
    };
    Import {
        store,
        language,
        reading: &Reading::new(archive, options.limits, progress, cancel),
        pack: &|base, work, names| pack::pack(base, work, names, epoch, cancel),
        trusted: options.trusted,
        packer,
    }
    .run()
}

/// Unpacks a plain archive into `folder` without making an image of it. Only for trying the reader
/// on hostile archives: packing needs a base, reading does not.
#[doc(hidden)]
pub fn extract(
    archive: &Path,
    folder: &Path,
    limits: ImportLimits,
    cancel: &Cancel,
) -> Result<(), ImageError> {
    let reading = Reading::new(archive, limits, &(), cancel);
    let unread = |error| ImageError::system(format!("read {}", archive.display()), error);
    let file = File::open(archive).map_err(unread)?;
    let (_, stream) = compression::open(BufReader::new(file)).map_err(unread)?;
    let mut unpacked = Tree::new(&reading, folder)?;
    unpacked.layer(reading.metered(stream), Whiteouts::Apply)?;
    unpacked.finish()
}

impl Import<'_> {
    /// Reads the archive, puts its layers into the store and saves the image.
    pub(crate) fn run(mut self) -> Result<Manifest, ImageError> {
        let progress = self.reading.progress;
        // While it is held, nobody prunes the layers.
        let staging = self.store.staging()?;
        progress.step(self.language, "reading the archive");
        let Some(parts) = Parts::open(self.reading, &staging.path().join("spool"))? else {
            let manifest = self.root(staging.path())?;
            self.store.save(&manifest)?;
            return Ok(manifest);
        };
        let mut images = images(&parts, self.reading)?;
        let base = images
            .iter()
            .find_map(|image| image.ours.clone().filter(|ours| ours.language == BASE));
        let image = choose(&mut images, self.language, self.reading)?;
        let Some(ours) = &image.ours else {
            let manifest = self.foreign(&parts, &image, staging.path())?;
            self.store.save(&manifest)?;
            return Ok(manifest);
        };
        let manifest = self.ours(&parts, &image, ours, staging.path())?;
        self.store.save(&manifest)?;
        // The base that has just come along is this store's from now on.
        if let Some(base) = base
            && self.store.manifest(BASE).is_none()
            && base
                .layers
                .iter()
                .all(|layer| manifest.layers.contains(layer))
        {
            self.store.save(&self.checked(&base)?)?;
        }
        Ok(manifest)
    }

    /// An image of ours: its layers as they were.
    fn ours(
        &mut self,
        parts: &Parts,
        image: &Found,
        ours: &Manifest,
        staging: &Path,
    ) -> Result<Manifest, ImageError> {
        let mut manifest = self.checked(ours)?;
        self.language.clone_into(&mut manifest.language);
        if ours.layers.len() != image.layers.len() {
            let problem = "its description has other layers than it has itself";
            return Err(self.reading.bad(problem));
        }
        let count = image.layers.len();
        for (index, (layer, source)) in ours.layers.iter().zip(&image.layers).enumerate() {
            if self.store.check_layer(layer).is_ok() {
                continue;
            }
            // Known before the work, not after it.
            if !(self.trusted && layer.kind == LayerKind::Base) {
                self.packer()?;
            }
            let step = format!("unpacking layer {} of {count}", index + 1);
            self.reading.progress.step(self.language, &step);
            let work = new_folder(staging, &format!("layer-{index}"))?;
            let archive = work.join(ARCHIVE);
            let failed = |error| writing(&archive, error);
            self.layer(parts, source, &mut |stream| {
                let file = BufWriter::new(File::create(&archive).map_err(failed)?);
                let mut file = rewrite(self.reading, stream, file, &failed)?;
                file.flush().map_err(failed)
            })?;
            // As a build leaves it: who may not mount has the base unpacked.
            let keep = layer.kind == LayerKind::Base && !is_root();
            let packs = layer.kind == LayerKind::Base && self.packer.is_none() && self.trusted;
            let tree = if keep || packs {
                Some(self.unpacked(&archive, &work)?)
            } else {
                None
            };
            if packs {
                self.packer.clone_from(&tree);
            }
            let digest = self.packed(&work)?;
            if digest != layer.digest {
                let what = format!("layer {} of {}", index + 1, self.language);
                return Err(damaged(Path::new(&what), &layer.digest, &digest));
            }
            self.store.keep_layer(&work.join(PACKED), &digest)?;
            if let Some(tree) = tree.filter(|_| keep) {
                self.store.keep_tree(&tree, &digest)?;
                if packs {
                    self.packer = Some(self.store.tree(&digest));
                }
            }
            // Only to free room early; the staging folder goes as a whole.
            let _ = fs::remove_file(&archive);
        }
        Ok(manifest)
    }

    /// A description of ours as far as it can be taken from a stranger.
    fn checked(&self, ours: &Manifest) -> Result<Manifest, ImageError> {
        if ours.version != MANIFEST_VERSION {
            let problem = "it was exported by another version of this program";
            return Err(self.reading.bad(problem));
        }
        for folder in &ours.scratch {
            let mut parts = folder.components();
            let rooted = parts.next() == Some(Component::RootDir);
            if !rooted || !parts.all(|part| matches!(part, Component::Normal(_))) {
                return Err(self.reading.bad("it names a folder that no image can have"));
            }
        }
        let mut manifest = ours.clone();
        manifest.environment.retain(|name, value| sane(name, value));
        Ok(manifest)
    }

    /// Unpacks the archive of a layer, which `rewrite` has made.
    fn unpacked(&self, archive: &Path, work: &Path) -> Result<PathBuf, ImageError> {
        let tree = new_folder(work, "tree")?;
        let again = self.reading.again();
        let mut unpacked = Tree::new(&again, &tree)?;
        let file = File::open(archive)
            .map_err(|error| ImageError::system(format!("read {}", archive.display()), error))?;
        unpacked.layer(BufReader::new(file), Whiteouts::Plain)?;
        unpacked.finish()?;
        Ok(tree)
    }

    /// An image of somebody else: one layer of all.
    fn foreign(
        &self,
        parts: &Parts,
        image: &Found,
        staging: &Path,
    ) -> Result<Manifest, ImageError> {
        self.packer()?;
        let tree = new_folder(staging, "tree")?;
        let mut unpacked = Tree::new(self.reading, &tree)?;
        let count = image.layers.len();
        for (index, source) in image.layers.iter().enumerate() {
            let step = format!("unpacking layer {} of {count}", index + 1);
            self.reading.progress.step(self.language, &step);
            self.layer(parts, source, &mut |stream| {
                unpacked.layer(stream, Whiteouts::Apply)
            })?;
        }
        unpacked.finish()?;
        let environment = image
            .config
            .run
            .env
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .filter(|(name, value)| sane(name, value))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        self.imported(staging, image.digest.clone(), environment)
    }

    /// A plain root.
    fn root(&self, staging: &Path) -> Result<Manifest, ImageError> {
        let path = self.reading.archive;
        let unread = |error| ImageError::system(format!("read {}", path.display()), error);
        let file = File::open(path).map_err(unread)?;
        let total = file.metadata().map_err(unread)?.len();
        let (_, stream) = compression::open(Told {
            inner: file,
            progress: self.reading.progress,
            done: 0,
            total,
        })
        .map_err(unread)?;
        self.reading.progress.step(self.language, "unpacking");
        self.packer()?;
        let tree = new_folder(staging, "tree")?;
        let mut unpacked = Tree::new(self.reading, &tree)?;
        let mut stream = Hashed::new(self.reading.metered(stream));
        unpacked.layer(&mut stream, Whiteouts::Plain)?;
        unpacked.finish()?;
        let (_, source, _) = stream.finish();
        self.imported(
            staging,
            source,
            [("PATH".to_owned(), PATH.to_owned())].into(),
        )
    }

    /// Makes one layer of the folder `tree`.
    fn imported(
        &self,
        staging: &Path,
        source: Digest,
        environment: BTreeMap<String, String>,
    ) -> Result<Manifest, ImageError> {
        let tree = staging.join("tree");
        if children(&tree).is_empty() {
            return Err(self.reading.bad("it holds no files"));
        }
        let archive = staging.join(ARCHIVE);
        let failed = |error| writing(&archive, error);
        let file = BufWriter::new(File::create(&archive).map_err(failed)?);
        let reading = self.reading;
        let mut file = pack_tar::write(&tree, file, &failed, reading.progress, reading.cancel)?;
        file.flush().map_err(failed)?;
        let digest = self.packed(staging)?;
        let size = self.store.keep_layer(&staging.join(PACKED), &digest)?;
        let name = self.reading.archive.file_name().unwrap_or_default();
        let origin = Origin::Imported {
            name: name.to_string_lossy().into_owned(),
        };
        Ok(Manifest {
            layers: vec![Layer {
                kind: LayerKind::Imported,
                digest,
                size,
                source,
            }],
            environment,
            ..Manifest::new(self.language, native(), origin)
        })
    }

    /// Hands one layer to `take`, decompressed, and compares it with its digests.
    fn layer(
        &self,
        parts: &Parts,
        source: &Source,
        take: &mut dyn FnMut(&mut dyn Read) -> Result<(), ImageError>,
    ) -> Result<(), ImageError> {
        let bad = |error: io::Error| self.reading.bad(error);
        let (inner, total) = parts.part(self.reading, &source.part)?;
        let mut blob = Hashed::new(Told {
            inner,
            progress: self.reading.progress,
            done: 0,
            total,
        });
        let (_, plain) = compression::open(&mut blob).map_err(bad)?;
        let mut plain = Hashed::new(self.reading.metered(plain));
        take(&mut plain)?;
        // What follows the last entry counts too.
        drain(&mut plain).map_err(bad)?;
        let (rest, diff_id, _) = plain.finish();
        drop(rest);
        drain(&mut blob).map_err(bad)?;
        let (_, found, _) = blob.finish();
        if let Some(digest) = source.blob.as_ref().filter(|digest| **digest != found) {
            return Err(damaged(&source.part, digest, &found));
        }
        if source.diff_id != diff_id {
            return Err(damaged(&source.part, &source.diff_id, &diff_id));
        }
        Ok(())
    }

    fn packer(&self) -> Result<&Path, ImageError> {
        self.packer.as_deref().ok_or_else(|| ImageError::NotBuilt {
            language: BASE.to_owned(),
        })
    }

    /// Packs the archive in a folder.
    fn packed(&self, work: &Path) -> Result<Digest, ImageError> {
        self.reading.cancel.check()?;
        self.reading.progress.step(self.language, "packing");
        (self.pack)(self.packer()?, work, (ARCHIVE, PACKED))?;
        let file = work.join(PACKED);
        Digest::of_file(&file)
            .map_err(|error| ImageError::system(format!("read {}", file.display()), error))
    }
}

fn writing(path: &Path, error: io::Error) -> ImageError {
    let folder = path.parent().unwrap_or(path);
    ImageError::writing(format!("write {}", path.display()), folder, error)
}

fn new_folder(staging: &Path, name: &str) -> Result<PathBuf, ImageError> {
    let path = staging.join(name);
    fs::create_dir(&path)
        .map_err(|error| ImageError::writing(format!("make {}", path.display()), staging, error))?;
    Ok(path)
}

fn drain(stream: &mut impl Read) -> io::Result<u64> {
    io::copy(stream, &mut io::sink())
}

/// Whether a variable is one that a shell could have set.
fn sane(name: &str, value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(plain)
        && !value.contains('\0')
        && value.len() < 1 << 15
}
