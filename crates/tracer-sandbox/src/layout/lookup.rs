//! What stands at a path of an image, before any of it is mounted.
//!
//! The layers are looked through as the overlay of them would be: upper ones first, whiteouts and
//! opaque folders heeded, links followed within the image. Nothing is opened.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use crate::changes::is_opaque;
use crate::error::SandboxError;

/// Links followed at most, as in the kernel.
const MOST_LINKS: usize = 40;

/// What the layers hold at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    File,
    Link(PathBuf),
    Folder {
        /// The layers it is merged from, as indices, topmost first.
        layers: Vec<usize>,
        mode: u32,
    },
}

/// An image's layers, with what was looked up already.
#[derive(Debug)]
pub(super) struct Image {
    layers: Vec<PathBuf>,
    /// Paths at which something else than the image is seen: nothing is followed from there on.
    covered: Vec<PathBuf>,
    known: BTreeMap<PathBuf, Found>,
}

impl Image {
    /// An image of `layers`, lowest first.
    pub(super) fn new(layers: &[PathBuf], covered: Vec<PathBuf>) -> Result<Self, SandboxError> {
        if layers.is_empty() {
            return Err(SandboxError::request(
                "the image has no layers",
                "give at least one folder",
            ));
        }
        for layer in layers {
            let problem = match fs::metadata(layer) {
                Ok(metadata) if metadata.is_dir() && layer.is_absolute() => continue,
                Ok(_) => "it is not the absolute path of a folder".to_owned(),
                Err(error) => error.to_string(),
            };
            return Err(SandboxError::request(
                format!(
                    "the layer {} of the image cannot be used: {problem}",
                    layer.display()
                ),
                "build the image again",
            ));
        }
        let all = Found::Folder {
            layers: (0..layers.len()).rev().collect(),
            mode: 0o755,
        };
        Ok(Self {
            layers: layers.to_vec(),
            covered,
            known: BTreeMap::from([(PathBuf::from("/"), all)]),
        })
    }

    /// The folder of the host that holds `path` of layer `index`.
    pub(super) fn host(&self, index: usize, path: &Path) -> PathBuf {
        self.layers[index].join(path.strip_prefix("/").unwrap_or(path))
    }

    pub(super) fn layers(&self) -> &[PathBuf] {
        &self.layers
    }

    /// The path without links among its folders; with `leaf` the last name is followed, too.
    pub(super) fn resolve(&mut self, path: &Path, leaf: bool) -> Result<PathBuf, SandboxError> {
        let mut place = PathBuf::from("/");
        let mut left: VecDeque<OsString> = names(path).collect();
        let mut links = 0;
        while let Some(name) = left.pop_front() {
            if name == ".." {
                place.pop();
                continue;
            }
            place.push(name);
            if self.covered.iter().any(|cover| place.starts_with(cover)) {
                continue;
            }
            if left.is_empty() && !leaf {
                break;
            }
            match self.at(&place) {
                Found::Link(target) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(SandboxError::request(
                            format!("the links at {} of the image lead nowhere", path.display()),
                            "",
                        ));
                    }
                    place.pop();
                    if target.is_absolute() {
                        place = PathBuf::from("/");
                    }
                    for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                        left.push_front(name);
                    }
                }
                Found::File if !left.is_empty() => {
                    return Err(SandboxError::request(
                        format!(
                            "{} cannot be shown: {} is a file of the image",
                            path.display(),
                            place.display()
                        ),
                        "",
                    ));
                }
                _ => {}
            }
        }
        Ok(place)
    }

    /// What is at `place`, whose folders are no links.
    pub(super) fn at(&mut self, place: &Path) -> Found {
        if let Some(found) = self.known.get(place) {
            return found.clone();
        }
        let found = match place.parent().map(|parent| self.at(parent)) {
            Some(Found::Folder { layers, .. }) => self.look(place, &layers),
            _ => Found::Nothing,
        };
        self.known.insert(place.to_owned(), found.clone());
        found
    }

    fn look(&self, place: &Path, layers: &[usize]) -> Found {
        let (mut merged, mut top) = (Vec::new(), 0);
        for (position, &index) in layers.iter().enumerate() {
            let path = self.host(index, place);
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            let whiteout = metadata.file_type().is_char_device() && metadata.rdev() == 0;
            if !metadata.is_dir() {
                if whiteout || !merged.is_empty() {
                    break;
                }
                return match fs::read_link(&path) {
                    Ok(target) => Found::Link(target),
                    Err(_) => Found::File,
                };
            }
            if merged.is_empty() {
                top = metadata.mode() & 0o7777;
            }
            merged.push(index);
            if position + 1 < layers.len() && is_opaque(&path) {
                break;
            }
        }
        if merged.is_empty() {
            return Found::Nothing;
        }
        Found::Folder {
            layers: merged,
            mode: top,
        }
    }
}

/// The names of a path, `..` among them.
fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn image() -> (tempfile::TempDir, Image) {
        let kept = tempfile::tempdir().expect("a folder");
        let [low, high] = ["low", "high"].map(|name| kept.path().join(name));
        for folder in ["usr/bin", "usr/lib", "etc", "var"] {
            fs::create_dir_all(low.join(folder)).expect("a folder");
        }
        fs::create_dir_all(high.join("usr/bin")).expect("a folder");
        fs::write(high.join("usr/bin/tool"), "").expect("a file");
        symlink("usr/bin", low.join("bin")).expect("a link");
        symlink("/var/./../usr/lib", low.join("lib")).expect("a link");
        symlink("usr", low.join("given")).expect("a link");
        symlink("b", low.join("a")).expect("a link");
        symlink("a", low.join("b")).expect("a link");
        let image = Image::new(&[low, high], vec![PathBuf::from("/given")]).expect("an image");
        (kept, image)
    }

    #[test]
    fn links_among_the_folders_are_followed_within_the_image() {
        let (_kept, mut image) = image();
        let mut resolved = |path: &str, leaf| image.resolve(Path::new(path), leaf);
        for (path, leaf, expected) in [
            ("/bin/tool", false, "/usr/bin/tool"),
            ("/bin", false, "/bin"),
            ("/bin", true, "/usr/bin"),
            ("/lib/x/y", true, "/usr/lib/x/y"),
            ("/given", true, "/given"),
            ("/nothing/here", true, "/nothing/here"),
            ("/", true, "/"),
        ] {
            let place = resolved(path, leaf).expect("a place");
            assert_eq!(place, Path::new(expected), "{path}");
        }
        for path in ["/a/x", "/usr/bin/tool/x"] {
            assert!(resolved(path, false).is_err(), "{path}");
        }
    }

    #[test]
    fn a_folder_is_merged_from_the_layers_that_have_it() {
        let (_kept, mut image) = image();
        let mut layers = |path: &str| match image.at(Path::new(path)) {
            Found::Folder { layers, .. } => layers,
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(layers("/usr/bin"), [1, 0]);
        assert_eq!(layers("/etc"), [0]);
        assert_eq!(image.at(Path::new("/usr/bin/tool")), Found::File);
        assert_eq!(image.at(Path::new("/usr/bin/none/x")), Found::Nothing);
    }

    /// A layer hides what is below it by a device 0:0, or by marking a folder.
    #[test]
    fn what_a_layer_hides_is_not_found() {
        let (kept, mut image) = image();
        let high = kept.path().join("high");
        for gone in ["var", "bin"] {
            let name = CString::new(high.join(gone).as_os_str().as_bytes()).expect("a name");
            // SAFETY: a valid C string and plain integers. Anyone may make this device.
            let made = unsafe { libc::mknod(name.as_ptr(), libc::S_IFCHR, 0) };
            assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
        }
        fs::write(kept.path().join("low/usr/bin/hidden"), "").expect("a file");
        let folder = CString::new(high.join("usr/bin").as_os_str().as_bytes()).expect("a name");
        // SAFETY: valid C strings, and a value of one byte.
        let marked = unsafe {
            libc::setxattr(
                folder.as_ptr(),
                c"user.overlay.opaque".as_ptr(),
                c"y".as_ptr().cast(),
                1,
                0,
            )
        };
        if marked == 0 {
            assert_eq!(image.at(Path::new("/usr/bin/hidden")), Found::Nothing);
        }
        assert_eq!(image.at(Path::new("/usr/bin/tool")), Found::File);
        for gone in ["/var", "/bin"] {
            assert_eq!(image.at(Path::new(gone)), Found::Nothing);
        }
    }
}
