//! Packages of `PyPI`: wheels alone, so that installing runs no code of theirs. Nothing is resolved.

use std::fs;
use std::path::Path;

use super::{Libraries, Locked};
use crate::tool::{Isolation, Tool};
use crate::{Cancel, ImageError, Progress};

/// One installation.
pub(super) struct Wheels<'a> {
    pub(super) whole: &'a str,
    pub(super) libraries: &'a Libraries,
    pub(super) folder: &'a Path,
    pub(super) place: &'a Path,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a Cancel,
}

impl Wheels<'_> {
    pub(super) fn install(&self, packages: &[Locked]) -> Result<(), ImageError> {
        let list = self.folder.join("requirements.txt");
        let lines = packages.iter().map(|package| {
            let (name, version, hash) = (&package.name, &package.version, &package.sha256);
            format!("{name}=={version} --hash=sha256:{hash}\n")
        });
        fs::write(&list, lines.collect::<String>())
            .map_err(|error| ImageError::writing("write the list", self.folder, error))?;
        let wheels = self.folder.join("wheels");
        self.progress.step(self.whole, "downloading packages");
        self.pip("downloading packages", "download")
            .args(["--require-hashes", "--dest"])
            .args([&wheels])
            .args([Path::new("--requirement"), &list])
            .output(Isolation::None, self.cancel)?;
        self.progress.step(self.whole, "installing packages");
        self.pip("installing packages", "install")
            .args([
                "--require-hashes",
                // It would ask about the interpreter that runs it; the download asked the right one.
                "--ignore-requires-python",
                "--no-index",
                "--no-compile",
                "--find-links",
            ])
            .args([&wheels])
            .args([Path::new("--target"), self.place])
            .args([Path::new("--requirement"), &list])
            .env("PIP_FIND_LINKS", "")
            .output(Isolation::Alone, self.cancel)?;
        // Room for what is packed.
        let removed = fs::remove_dir_all(&wheels);
        removed.map_err(|error| ImageError::writing("remove wheels", self.folder, error))?;
        // Programs that the packages bring would start the interpreter that installed them.
        let scripts = self.place.join("bin");
        if scripts.is_dir() {
            fs::remove_dir_all(&scripts)
                .map_err(|error| ImageError::writing("remove scripts", self.folder, error))?;
        }
        Ok(())
    }

    /// For the image's interpreter, whichever this machine's is.
    fn pip(&self, what: &str, command: &str) -> Tool {
        let python = &self.libraries.platform;
        let tag = format!("cp{}", python.replace('.', ""));
        let mut platforms: Vec<String> = (5..=40)
            .map(|minor| format!("manylinux_2_{minor}_x86_64"))
            .collect();
        platforms.extend(["2014", "2010", "1"].map(|name| format!("manylinux{name}_x86_64")));
        let tool = Tool::new(what, self.folder, "python3").args(["-m", "pip", command]);
        let tool = tool
            .args([
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
                "--no-cache-dir",
            ])
            .args(["--implementation", "cp", "--python-version", python])
            .args(["--abi", tag.as_str(), "--abi", "abi3", "--abi", "none"]);
        platforms.iter().fold(tool, |tool, platform| {
            tool.args(["--platform", platform.as_str()])
        })
    }
}
