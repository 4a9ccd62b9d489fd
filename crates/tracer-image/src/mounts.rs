//! What the kernel says is mounted, as `proc_pid_mountinfo(5)` lists it. Nothing is mounted here.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::ImageError;

const LIST: &str = "/proc/thread-self/mountinfo";

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Where it is seen.
    pub(crate) at: PathBuf,
    /// The folder of its file system that is seen there.
    root: PathBuf,
    kind: String,
    source: PathBuf,
}

impl Mount {
    /// All at or below a folder; of two in the same place the later one is seen.
    pub(crate) fn below(folder: &Path) -> Result<Vec<Self>, ImageError> {
        let list =
            fs::read(LIST).map_err(|error| ImageError::system(format!("read {LIST}"), error))?;
        Ok(parse(&list, folder))
    }

    /// The one that is seen in a place.
    pub(crate) fn at(place: &Path) -> Result<Option<Self>, ImageError> {
        let mut all = Self::below(place)?;
        all.retain(|mount| mount.at == place);
        Ok(all.pop())
    }

    /// Whether it is a whole erofs file system in `file`, directly or by a loop device.
    pub(crate) fn shows(&self, file: &Path) -> bool {
        let backing = || {
            let device = self.source.file_name()?.to_str()?;
            if !self.source.starts_with("/dev") || !device.starts_with("loop") {
                return None;
            }
            let backing = fs::read(format!("/sys/block/{device}/loop/backing_file")).ok()?;
            let backing = backing.strip_suffix(b"\n").unwrap_or(&backing);
            Some(PathBuf::from(OsString::from_vec(backing.to_vec())))
        };
        self.kind == "erofs"
            && self.root == Path::new("/")
            && (self.source == file || backing().is_some_and(|backing| backing == file))
    }
}

fn parse(list: &[u8], folder: &Path) -> Vec<Mount> {
    list.split(|byte| *byte == b'\n')
        .filter_map(|line| {
            // id parent device root at options (optional fields)* - kind source options
            let mut words = line.split(|byte| *byte == b' ');
            let (root, at) = (words.nth(3)?, words.next()?);
            let at = path(at);
            if !at.starts_with(folder) {
                return None;
            }
            let mut words = words.skip_while(|word| *word != b"-").skip(1);
            Some(Mount {
                at,
                root: path(root),
                kind: String::from_utf8_lossy(words.next()?).into_owned(),
                source: path(words.next()?),
            })
        })
        .collect()
}

/// Spaces and the like are written as a backslash with three octal digits.
fn path(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut left = word;
    while let [first, rest @ ..] = left {
        let code = (*first == b'\\')
            .then(|| rest.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(code.unwrap_or(*first));
        left = if code.is_some() { &rest[3..] } else { rest };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read_as_the_kernel_lists_them() {
        let list = b"27 1 254:0 / / rw,relatime - ext4 /dev/root rw\n\
            50 27 0:41 / /run/tracer/images/a ro,nosuid shared:7 master:1 - erofs \
            /home/a\\040b/layers/a.erofs ro\n\
            51 27 0:42 /sub /run/tracer/images/b ro - erofs /x/b.erofs ro\n\
            52 27 0:43 / /run/tracer/images/c rw - tmpfs /x/c.erofs rw\n\
            garbage\n";
        let mounts = parse(list, Path::new("/run/tracer/images"));
        let ends: Vec<_> = mounts.iter().map(|mount| mount.at.file_name()).collect();
        assert_eq!(ends, ["a", "b", "c"].map(|name| Some(name.as_ref())));
        assert!(mounts[0].shows(Path::new("/home/a b/layers/a.erofs")));
        assert!(!mounts[0].shows(Path::new("/home/a b/layers/b.erofs")));
        // A folder of a file system, and a file system of another kind.
        assert!(!mounts[1].shows(Path::new("/x/b.erofs")));
        assert!(!mounts[2].shows(Path::new("/x/c.erofs")));
    }
}
