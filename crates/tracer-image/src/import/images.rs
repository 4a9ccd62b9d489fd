//! Which images a container archive holds, by its own account.
//!
//! Each text is compared with its digest; layers are not opened here.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::archive::Reading;
use crate::archive::parts::Parts;
use crate::oci::{self, Config, Descriptor, DockerImage, Index, OciManifest, architecture, native};
use crate::{Digest, ImageError, Manifest};

/// A layer in an archive.
pub(super) struct Source {
    pub(super) part: PathBuf,
    /// Of the part; Docker's are not named by it.
    pub(super) blob: Option<Digest>,
    /// Of what it decompresses to.
    pub(super) diff_id: Digest,
}

/// A container image in an archive.
pub(super) struct Found {
    /// For people, where there are several.
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) config: Config,
    pub(super) layers: Vec<Source>,
    /// The image it was exported from.
    pub(super) ours: Option<Manifest>,
}

/// All images of a container archive that this machine could run.
pub(super) fn images(parts: &Parts, reading: &Reading<'_>) -> Result<Vec<Found>, ImageError> {
    let mut found = Vec::new();
    if parts.has("index.json") {
        let text = parts.text(reading, Path::new("index.json"), None)?;
        let index: Index = parse(reading, "index.json", &text)?;
        from_index(parts, reading, &index, 0, &mut found)?;
        return Ok(found);
    }
    let text = parts.text(reading, Path::new("manifest.json"), None)?;
    let listed: Vec<DockerImage> = parse(reading, "manifest.json", &text)?;
    for image in listed {
        let part = PathBuf::from(&image.config);
        // It is named by its digest: `<digest>.json`, or a blob.
        let named = part.file_stem().and_then(|stem| stem.to_str());
        let digest: Option<Digest> = named.and_then(|named| named.parse().ok());
        let text = parts.text(reading, &part, digest.as_ref())?;
        let layers = image
            .layers
            .iter()
            .map(|layer| (PathBuf::from(layer), None));
        found.extend(found_image(
            reading,
            image.repo_tags.join(" "),
            Digest::of(&text),
            parse(reading, &image.config, &text)?,
            layers.collect(),
            None,
        )?);
    }
    Ok(found)
}

fn from_index(
    parts: &Parts,
    reading: &Reading<'_>,
    index: &Index,
    depth: u32,
    found: &mut Vec<Found>,
) -> Result<(), ImageError> {
    if depth > 3 {
        return Err(reading.bad("its indexes stand too deep in each other"));
    }
    for entry in &index.manifests {
        reading.entry()?;
        let ran = |platform: &oci::Platform| {
            platform.os == "linux" && platform.architecture == architecture(native())
        };
        if !entry.platform.as_ref().is_none_or(ran) {
            continue;
        }
        let part = blob(&entry.digest);
        let text = parts.text(reading, &part, Some(&entry.digest))?;
        let name = part.display().to_string();
        if entry.media_type == oci::INDEX || entry.media_type == oci::DOCKER_INDEX {
            from_index(
                parts,
                reading,
                &parse(reading, &name, &text)?,
                depth + 1,
                found,
            )?;
            continue;
        }
        let manifest: OciManifest = parse(reading, &name, &text)?;
        let config = blob(&manifest.config.digest);
        let text = parts.text(reading, &config, Some(&manifest.config.digest))?;
        let ours = manifest.annotations.get(oci::OURS);
        let ours = ours
            .map(|text| parse(reading, oci::OURS, text.as_bytes()))
            .transpose()?;
        let layer = |layer: &Descriptor| (blob(&layer.digest), Some(layer.digest.clone()));
        found.extend(found_image(
            reading,
            entry
                .annotations
                .get(oci::REFERENCE)
                .cloned()
                .unwrap_or_default(),
            entry.digest.clone(),
            parse(reading, &config.display().to_string(), &text)?,
            manifest.layers.iter().map(layer).collect(),
            ours,
        )?);
    }
    Ok(())
}

/// An image, unless it is for another machine.
fn found_image(
    reading: &Reading<'_>,
    name: String,
    digest: Digest,
    config: Config,
    layers: Vec<(PathBuf, Option<Digest>)>,
    ours: Option<Manifest>,
) -> Result<Option<Found>, ImageError> {
    let os = matches!(&config.os[..], "" | "linux");
    if !os || !(config.architecture.is_empty() || config.architecture == architecture(native())) {
        return Ok(None);
    }
    if config.rootfs.diff_ids.len() != layers.len() {
        return Err(reading.bad("its configuration has other layers than it has itself"));
    }
    let layers = layers
        .into_iter()
        .zip(&config.rootfs.diff_ids)
        .map(|((part, blob), diff_id)| Source {
            part,
            blob,
            diff_id: diff_id.clone(),
        })
        .collect();
    Ok(Some(Found {
        name,
        digest,
        config,
        layers,
        ours,
    }))
}

/// The image of this language, or the only one.
pub(super) fn choose(
    images: &mut Vec<Found>,
    language: &str,
    reading: &Reading<'_>,
) -> Result<Found, ImageError> {
    let ours = |image: &Found| {
        let ours = image.ours.as_ref();
        ours.is_some_and(|ours| ours.language == language)
    };
    if let Some(index) = images.iter().position(ours) {
        return Ok(images.swap_remove(index));
    }
    if images.len() > 1 {
        let names: Vec<_> = images.iter().map(|image| &image.name[..]).collect();
        return Err(reading.bad(format!(
            "it holds several images ({}), none of them for {language}",
            names.join(", ")
        )));
    }
    images
        .pop()
        .ok_or_else(|| reading.bad(format!("it holds no image for linux on {}", native())))
}

fn blob(digest: &Digest) -> PathBuf {
    Path::new("blobs/sha256").join(digest.hex())
}

fn parse<T: DeserializeOwned>(
    reading: &Reading<'_>,
    name: &str,
    text: &[u8],
) -> Result<T, ImageError> {
    serde_json::from_slice(text).map_err(|error| reading.bad(format!("{name}: {error}")))
}
