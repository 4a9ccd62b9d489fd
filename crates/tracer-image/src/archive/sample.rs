//! Archives made by hand, as no honest tool would make them.

use std::io::Write;
use std::path::Path;

use tar::{EntryType, Header};

use crate::{Digest, ImageError};

/// Stands in for mkfs.erofs: the layer is its archive.
pub(crate) fn pack(_root: &Path, work: &Path, names: (&str, &str)) -> Result<(), ImageError> {
    std::fs::copy(work.join(names.0), work.join(names.1))
        .map(drop)
        .map_err(|error| ImageError::system("copy the archive of a layer", error))
}

/// A tar under construction.
#[derive(Default, Clone)]
pub(crate) struct Sample(Vec<u8>);

impl Sample {
    /// An entry with a name of up to 100 bytes, whatever they are.
    pub(crate) fn entry(
        mut self,
        kind: EntryType,
        name: impl AsRef<[u8]>,
        link: impl AsRef<[u8]>,
        mode: u32,
        bytes: &[u8],
    ) -> Self {
        self = self.header(kind, name, link, mode, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// The header of an entry alone.
    pub(crate) fn header(
        mut self,
        kind: EntryType,
        name: impl AsRef<[u8]>,
        link: impl AsRef<[u8]>,
        mode: u32,
        size: u64,
    ) -> Self {
        let mut header = Header::new_gnu();
        let (name, link) = (name.as_ref(), link.as_ref());
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(7);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self
    }

    pub(crate) fn file(self, name: impl AsRef<[u8]>, text: &str) -> Self {
        self.entry(EntryType::Regular, name, "", 0o644, text.as_bytes())
    }

    pub(crate) fn folder(self, name: impl AsRef<[u8]>) -> Self {
        self.entry(EntryType::Directory, name, "", 0o755, b"")
    }

    pub(crate) fn link(self, name: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Self {
        self.entry(EntryType::Symlink, name, text, 0o777, b"")
    }

    pub(crate) fn hard(self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(EntryType::Link, name, target, 0o644, b"")
    }

    /// A pax header for the next entry.
    pub(crate) fn pax(self, key: &str, value: &[u8]) -> Self {
        let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
        let mut length = rest.len() + 1;
        while length != rest.len() + length.to_string().len() {
            length += 1;
        }
        let record = [length.to_string().as_bytes(), &rest].concat();
        self.entry(EntryType::XHeader, "pax", "", 0o644, &record)
    }

    /// The archive.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [&self.0[..], &[0; 1024]].concat()
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// How a layer of a sample is stored.
pub(crate) type Store = fn(&[u8]) -> Vec<u8>;

/// An archive with an OCI image layout.
pub(crate) fn oci(layers: &[(Sample, Store)], architecture: &str) -> Vec<u8> {
    let mut archive = Sample::default();
    let mut blob = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        let name = format!("blobs/sha256/{}", digest.hex());
        archive = std::mem::take(&mut archive).entry(EntryType::Regular, name, "", 0o644, bytes);
        format!(r#""digest":"{digest}","size":{}"#, bytes.len())
    };
    let mut diff_ids = Vec::new();
    let mut listed = Vec::new();
    for (layer, store) in layers {
        diff_ids.push(format!(r#""{}""#, Digest::of(&layer.bytes())));
        listed.push(format!(
            r#"{{"mediaType":"x",{}}}"#,
            blob(&store(&layer.bytes()))
        ));
    }
    let config = format!(
        r#"{{"architecture":"{architecture}","os":"linux","config":{{"Env":["PATH=/opt/bin","A B=x","1=x","LANG=C"],"Cmd":["sh"]}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        diff_ids.join(",")
    );
    let config = blob(config.as_bytes());
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"x",{config}}},"layers":[{}]}}"#,
        listed.join(",")
    );
    let manifest = blob(manifest.as_bytes());
    archive
        .file(
            "index.json",
            &format!(r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"x",{manifest}}}]}}"#),
        )
        .file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
        .bytes()
}
