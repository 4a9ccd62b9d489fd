//! The parts of the host that every program sees: its toolchain and what that reads. Looked for
//! once, since nothing of it depends on the program.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::layout::{DEVICE, READ_ONLY};

/// Of `/etc`, what loaders, toolchains and interpreters read. Never the whole: it holds secrets
/// that only permissions guard.
const ETC: &[&str] = &[
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "ssl",
    "pki",
    "mime.types",
    "services",
    "protocols",
    "terminfo",
    "python3",
    "perl",
    "php",
    "dotnet",
    "mono",
    // Links of a JDK's own configuration lead here.
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "java-25-openjdk",
];

/// A part of the host that every program sees.
pub(crate) enum System {
    Link {
        path: String,
        target: PathBuf,
    },
    Tree {
        path: PathBuf,
        folder: bool,
        attributes: u64,
    },
    /// Small enough that writing it costs less than mounting it.
    Copy {
        path: PathBuf,
        bytes: Vec<u8>,
    },
}

impl System {
    /// Whether it is not the host's software, so that a program in an image needs it, too.
    pub(crate) fn is_device(&self) -> bool {
        matches!(self, Self::Tree { attributes, .. } if *attributes == DEVICE)
    }
}

/// What there is of it on this host, looked for once.
pub(crate) fn system() -> &'static [System] {
    static SYSTEM: OnceLock<Vec<System>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let mut paths = vec![PathBuf::from("/usr"), PathBuf::from("/opt")];
        let mut all = Vec::new();
        for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
            let path = format!("/{name}");
            match fs::read_link(&path) {
                Ok(target) => all.push(System::Link { path, target }),
                Err(_) => paths.push(path.into()),
            }
        }
        paths.extend(ETC.iter().map(|name| Path::new("/etc").join(name)));
        // Java keeps its configuration in /etc/java-<version>-openjdk.
        let etc = fs::read_dir("/etc").into_iter().flatten().flatten();
        paths.extend(
            etc.filter(|entry| entry.file_name().as_bytes().starts_with(b"java-"))
                .map(|entry| entry.path()),
        );
        for path in paths {
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            let small = metadata.is_file() && metadata.len() <= 16 << 10;
            match small.then(|| fs::read(&path)) {
                Some(Ok(bytes)) => all.push(System::Copy { path, bytes }),
                _ => all.push(System::Tree {
                    path,
                    folder: metadata.is_dir(),
                    attributes: READ_ONLY,
                }),
            }
        }
        for name in ["null", "zero", "full", "random", "urandom", "tty"] {
            let path = Path::new("/dev").join(name);
            if fs::metadata(&path).is_ok_and(|metadata| metadata.file_type().is_char_device()) {
                all.push(System::Tree {
                    path,
                    folder: false,
                    attributes: DEVICE,
                });
            }
        }
        all
    })
}
