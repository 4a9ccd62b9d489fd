//! A small image made of the host's own files, to start programs in. What a real image holds is of
//! no matter here: only how many layers it has and how they are seen.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, umount2};
use tempfile::TempDir;
use tracer_sandbox::{Root, mount_erofs};

use crate::process::{command, on_path, output, succeed};

/// An image of three layers. What is mounted is unmounted when it is dropped.
pub(crate) struct Image {
    folder: TempDir,
    layers: Vec<PathBuf>,
    mounted: Vec<PathBuf>,
}

impl Image {
    /// The program with its libraries in the lowest layer, a few files in the others.
    pub(crate) fn of(program: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let layers: Vec<PathBuf> = ["base", "toolchain", "emitter"]
            .map(|name| folder.path().join(name))
            .into();
        for name in ["bin", "lib", "lib64"] {
            fs::create_dir_all(layers[0].join("usr").join(name))?;
            symlink(format!("usr/{name}"), layers[0].join(name))?;
        }
        // `ldd` names the loader and each library by its path.
        let listed = output(command("ldd").arg(program))?;
        let libraries = listed
            .split_whitespace()
            .filter(|word| word.starts_with('/'));
        for file in libraries.map(Path::new).chain([program]) {
            let inside = file.strip_prefix("/").unwrap_or(file);
            let place = layers[0]
                .join("usr")
                .join(inside.strip_prefix("usr").unwrap_or(inside));
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(file, place)?;
        }
        for layer in &layers {
            fs::create_dir_all(layer.join("usr/share/bench"))?;
            fs::write(layer.join("usr/share/bench/file"), "some text\n")?;
            fs::create_dir_all(layer.join("etc"))?;
        }
        Ok(Self {
            folder,
            layers,
            mounted: Vec::new(),
        })
    }

    /// The same, each layer mounted from a compressed file; else why not.
    pub(crate) fn mount(mut self) -> Result<Self, String> {
        let packer = on_path("mkfs.erofs").ok_or("mkfs.erofs is not installed")?;
        for layer in self.layers.clone() {
            let (file, at) = (layer.with_extension("erofs"), layer.with_extension("at"));
            succeed(command(&packer).arg("-zlz4hc").args([&file, &layer]))
                .and_then(|()| Ok(fs::create_dir(&at)?))
                .and_then(|()| Ok(mount_erofs(&file, &at)?))
                .map_err(|error| format!("mounting a layer: {error}"))?;
            self.mounted.push(at);
        }
        Ok(self)
    }

    /// For a request.
    pub(crate) fn root(&self) -> Root {
        let seen = if self.mounted.is_empty() {
            &self.layers
        } else {
            &self.mounted
        };
        Root {
            layers: seen.clone(),
            scratch: Vec::new(),
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        for at in &self.mounted {
            if umount2(at, MntFlags::MNT_DETACH).is_err() {
                // Its folder cannot be removed then.
                self.folder.disable_cleanup(true);
            }
        }
    }
}
