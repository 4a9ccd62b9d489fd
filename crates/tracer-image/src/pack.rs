//! Packs the archive of a layer into one compressed file.
//!
//! The packer is the one in the base layer, so that every machine packs with the same version; the
//! same archive gives the same bytes.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use crate::archive::pack_tar;
use crate::build::release;
use crate::declaration::BASE;
use crate::layer::LayerPlan;
use crate::tool::{Isolation, Tool};
use crate::{Cancel, Digest, ImageError, Layer, LayerKind, Manifest, Staging, Store};

/// The layers differ in what is in them, and are named by that.
const UUID: &str = "00000000-0000-0000-0000-000000000000";

/// How files are compressed. lz4 is read by every kernel that has erofs, and a program in it starts
/// faster than one under zstd; larger clusters save little more and cost every small read.
const COMPRESSION: [&str; 2] = ["-zlz4hc,9", "-C65536"];

/// Packs `input` into `output`, both in the folder `staging`, with the packer of the root `base`.
pub(crate) fn pack(
    base: &Path,
    staging: &Path,
    (input, output): (&str, &str),
    epoch: u64,
    cancel: &Cancel,
) -> Result<(), ImageError> {
    // In a mount namespace of its own: the staging folder appears in the root for this call alone.
    let script = "mount --bind \"$1\" \"$2/mnt\" && cd \"$2\" && shift 2 && exec chroot . \"$@\"";
    Tool::new(format!("packing {input}"), staging, "sh")
        .args(["-c", script, "sh"])
        .args([staging, base])
        .args([
            "mkfs.erofs",
            "--quiet",
            "--tar=f",
            "--all-root",
            "-x-1",
            "-U",
            UUID,
        ])
        .args(COMPRESSION)
        .args([format!("-T{epoch}"), "--mkfs-time".into()])
        .args([format!("/mnt/{output}"), format!("/mnt/{input}")])
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output(Isolation::Alone, cancel)
        .map(drop)
}

/// Makes a layer of a folder, for an image of `manifest`, and puts it into the store. What is in it
/// is normalised as all layers are; `source` names what it was made from. Nobody prunes it while
/// `staging` is held.
pub fn layer(
    store: &Store,
    staging: &Staging,
    manifest: &Manifest,
    tree: &Path,
    (kind, source): (LayerKind, Digest),
    cancel: &Cancel,
) -> Result<Layer, ImageError> {
    let (_, epoch) = release()?;
    let base = if manifest.layer(LayerKind::Base).is_some() {
        manifest.clone()
    } else {
        let none = || ImageError::NotBuilt {
            language: BASE.to_owned(),
        };
        store.manifest(BASE).ok_or_else(none)?
    };
    let attached = store.attach(&base)?;
    let packer = attached.layers.first().expect("it has a base");
    let work = staging.path();
    let (all, archive, packed) = (
        work.join("all.tar"),
        work.join("layer.tar"),
        work.join("layer"),
    );
    let failed = |error| ImageError::writing(format!("write {}", all.display()), work, error);
    let file = BufWriter::new(File::create(&all).map_err(failed)?);
    let written = pack_tar::write(tree, file, &failed, &(), cancel)?;
    written.into_inner().map_err(|error| failed(error.into()))?;
    LayerPlan {
        language: &manifest.language,
        base: None,
        epoch,
        added: &[],
    }
    .write(&all, &archive, cancel)?;
    pack(packer, work, ("layer.tar", "layer"), epoch, cancel)?;
    let digest = Digest::of_file(&packed)
        .map_err(|error| ImageError::system(format!("read {}", packed.display()), error))?;
    let size = store.keep_layer(&packed, &digest)?;
    Ok(Layer {
        kind,
        digest,
        size,
        source,
    })
}
