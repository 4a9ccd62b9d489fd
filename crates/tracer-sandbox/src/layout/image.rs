//! A root made of an image: the skeleton on top of the layers, and the folders the program may
//! write.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::lookup::{Found, Image};
use super::{
    Builder, Op, Origin, Point, READ_ONLY, Style, WRITABLE, absolute, c_string, inside, not_own,
};
use crate::error::SandboxError;
use crate::request::Request;

impl Image {
    /// The image of `request`, if it has one.
    pub(super) fn of(request: &Request) -> Result<Option<Self>, SandboxError> {
        let Some(root) = &request.image else {
            return Ok(None);
        };
        let own = ["/proc", "/tmp", "/dev"].map(PathBuf::from);
        let given = request.folders.iter().map(|folder| &folder.path);
        let covered = request
            .roots
            .iter()
            .chain(given)
            .filter(|path| *path != Path::new("/"))
            .cloned()
            .chain(own)
            .collect();
        Self::new(&root.layers, covered).map(Some)
    }
}

impl Builder {
    /// Where a path of the request lies in the root: links of the image are followed up to the
    /// last name, which is replaced.
    pub(super) fn place(&mut self, path: &Path) -> Result<PathBuf, SandboxError> {
        match &mut self.image {
            Some(image) => image.resolve(path, false),
            None => Ok(path.to_owned()),
        }
    }

    /// Name below the tmpfs of what the root itself has at `path`, before anything is attached.
    pub(super) fn bare(&mut self, path: &Path) -> Result<CString, SandboxError> {
        match &mut self.image {
            Some(image) => skeleton(&image.resolve(path, false)?),
            None => inside(path),
        }
    }

    /// Makes a folder of the root itself; one of the image stays visible through it.
    pub(super) fn bare_folder(&mut self, path: &Path) -> Result<(), SandboxError> {
        let (name, mode) = match &mut self.image {
            None => (inside(path)?, 0o755),
            Some(image) => {
                let place = image.resolve(path, true)?;
                let mode = match image.at(&place) {
                    // What is put below is to be reached, by a path that was root's alone, too.
                    Found::Folder { mode, .. } => mode | 0o555,
                    _ => 0o755,
                };
                (skeleton(&place)?, mode)
            }
        };
        self.folder(name, mode);
        Ok(())
    }

    /// Lays the skeleton on the image's layers.
    pub(super) fn stack(&mut self) -> Result<(), SandboxError> {
        let Some(image) = &self.image else {
            return Ok(());
        };
        let layers = image.layers().to_vec();
        let mut names = vec!["skel".to_owned()];
        for (index, layer) in layers.iter().enumerate().rev() {
            let origin = Origin::Host(c_string(layer.as_os_str().as_bytes())?);
            let tree = self.tree(origin, READ_ONLY, true);
            let name = format!("layer{index}");
            self.lower(&name, tree)?;
            names.push(name);
        }
        self.ops.push(Op::Overlay {
            path: inside(Path::new("/"))?,
            options: c_string(format!("lowerdir={},userxattr", names.join(":")))?,
            image: true,
        });
        Ok(())
    }

    /// Puts a private layer over each folder of the image that the program may write.
    ///
    /// Made of the layers themselves, since overlays cannot be stacked any deeper on layers that
    /// are mounted from files.
    pub(super) fn scratch(&mut self, request: &Request, style: &Style) -> Result<(), SandboxError> {
        let Some(root) = &request.image else {
            return Ok(());
        };
        let given: Vec<&Path> = (request.roots.iter())
            .chain(request.folders.iter().map(|folder| &folder.path))
            .map(PathBuf::as_path)
            .filter(|path| *path != Path::new("/"))
            .collect();
        for (index, folder) in root.scratch.iter().enumerate() {
            absolute(folder, "the scratch folder")?;
            not_own(folder)?;
            if !given.iter().any(|given| folder.starts_with(given)) {
                self.scratch_folder(index, folder, style)?;
            }
        }
        Ok(())
    }

    fn scratch_folder(
        &mut self,
        index: usize,
        folder: &Path,
        style: &Style,
    ) -> Result<(), SandboxError> {
        let Some(image) = &mut self.image else {
            return Ok(());
        };
        let place = image.resolve(folder, true)?;
        let (layers, mode) = match image.at(&place) {
            Found::Folder { layers, mode } if place != Path::new("/") => (layers, mode),
            Found::Nothing => (Vec::new(), 0),
            _ => {
                return Err(SandboxError::request(
                    format!(
                        "{} of the image cannot be made writable: it is not a folder below the root",
                        folder.display()
                    ),
                    "",
                ));
            }
        };
        let hosts: Vec<PathBuf> = layers.iter().map(|&at| image.host(at, &place)).collect();
        let upper = format!("scratch{index}");
        self.upper(&upper, mode | 0o755)?;
        if hosts.is_empty() {
            let tree = self.tree(Origin::Private(c_string(upper)?), WRITABLE, false);
            self.point(place, Point::Tree { tree, folder: true });
            return Ok(());
        }
        let mut lower = Vec::new();
        for (depth, host) in hosts.iter().enumerate() {
            // What the image's owner may write, the program may.
            let tree = self.tree(style.origin(host)?, READ_ONLY, true);
            let name = format!("under{index}.{depth}");
            self.lower(&name, tree)?;
            lower.push(name);
        }
        let work = format!("spare{index}");
        self.folder(c_string(&work)?, 0o755);
        let options = format!(
            "lowerdir={},upperdir={upper},workdir={work},userxattr",
            lower.join(":")
        );
        self.point(
            place,
            Point::Overlay {
                options,
                image: true,
            },
        );
        Ok(())
    }
}

/// Name below the tmpfs of a place in the skeleton.
fn skeleton(place: &Path) -> Result<CString, SandboxError> {
    let mut name = b"skel".to_vec();
    if place != Path::new("/") {
        name.extend_from_slice(place.as_os_str().as_bytes());
    }
    c_string(name)
}
