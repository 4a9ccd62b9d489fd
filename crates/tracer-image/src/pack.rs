//! Packs the archive of a layer into one compressed file.
//!
//! The packer is the one in the base layer, so that every machine packs with the same version; the
//! same archive gives the same bytes.

use std::path::Path;

use crate::tool::{Isolation, Tool};
use crate::{Cancel, ImageError};

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
