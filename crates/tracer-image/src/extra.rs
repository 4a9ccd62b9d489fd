//! A layer from a folder that somebody else filled, such as a compiled emitter.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::archive::pack_tar;
use crate::build::release;
use crate::declaration::BASE;
use crate::staging::{Staging, children};
use crate::{Cancel, Digest, ImageError, Layer, LayerKind, Progress, Store, pack};

const ARCHIVE: &str = "extra.tar";
const PACKED: &str = "extra.erofs";

impl Store {
    /// Packs the folder `tree`, which is rubbish afterwards, as a layer. The same names and contents
    /// give the same layer: times and owners do not count.
    pub fn pack(
        &self,
        staging: &Staging,
        tree: &Path,
        (kind, source): (LayerKind, Digest),
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Layer, ImageError> {
        let base = self.manifest(BASE).ok_or_else(|| ImageError::NotBuilt {
            language: BASE.into(),
        })?;
        let packer = self.attach(&base)?.layers.swap_remove(0);
        let (_, epoch) = release()?;
        even(tree, UNIX_EPOCH + Duration::from_secs(epoch))
            .map_err(|error| ImageError::system(format!("change {}", tree.display()), error))?;
        let folder = staging.path();
        let archive = folder.join(ARCHIVE);
        let failed =
            |error| ImageError::writing(format!("write {}", archive.display()), folder, error);
        let file = BufWriter::new(File::create(&archive).map_err(failed)?);
        let mut file = pack_tar::write(tree, file, &failed, progress, cancel)?;
        file.flush().map_err(failed)?;
        pack::pack(&packer, folder, (ARCHIVE, PACKED), epoch, cancel)?;
        let packed = folder.join(PACKED);
        let digest = Digest::of_file(&packed)
            .map_err(|error| ImageError::system(format!("read {}", packed.display()), error))?;
        let size = self.keep_layer(&packed, &digest)?;
        Ok(Layer {
            kind,
            digest,
            size,
            source,
        })
    }
}

/// Gives everything below `path` the same time, and permissions for all to read.
fn even(path: &Path, time: SystemTime) -> std::io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let runs = metadata.is_dir() || metadata.permissions().mode() & 0o100 != 0;
    let mode = if runs { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    if metadata.is_dir() {
        for child in children(path) {
            even(&child, time)?;
        }
    }
    File::open(path)?.set_modified(time)
}
