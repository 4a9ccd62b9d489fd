//! The copy-out over a hostile tree made from any bytes: what is outside of the destination stays
//! as it is, no link is followed or made, and the limits hold.
//!
//! A mistake here or there could write anywhere, so it wants an ordinary user, or a throwaway
//! sandbox as the attack suite makes them.

use std::ffi::{CString, OsStr};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tracer_sandbox::{CopyLimits, copy_out, list_changes};

const MOST: u64 = 1 << 20;

pub fn feed(bytes: &[u8]) {
    // SAFETY: plain call.
    let root = unsafe { libc::geteuid() } == 0;
    assert!(
        !root || std::env::var_os("TRACER_THROWAWAY").is_some(),
        "not as root"
    );
    let folder = tempfile::Builder::new()
        .tempdir_in("/dev/shm")
        .expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for name in ["host", "upper", "destination", "outside"] {
        fs::create_dir(at(name)).expect("a folder");
    }
    fs::write(at("outside/secret"), secret()).expect("a file");
    for place in ["host", "destination"] {
        fs::write(at(place).join("a"), "old").expect("a file");
        fs::create_dir_all(at(place).join("b/c")).expect("a folder");
        symlink(at("outside"), at(place).join("d")).expect("a link");
    }
    let (mut rest, mut steps) = (bytes, 0);
    while let (Some((&kind, more)), true) = (rest.split_first(), steps < 64) {
        let (name, more) = path(more);
        rest = step(kind, &name, folder.path(), more);
        steps += 1;
    }
    let copied = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let links = bytes.get(1).is_some_and(|byte| byte & 0x80 != 0);
    let limits = CopyLimits {
        bytes: MOST,
        entries: 40,
        links,
    };
    if let Ok(changes) = list_changes(&at("host"), folder.path(), "upper", copied) {
        let report = copy_out(&changes, &at("host"), &at("destination"), limits).expect("a folder");
        assert!(report.done.len() <= limits.entries);
        assert!(report.bytes <= MOST);
    }
    let kept = fs::read(at("outside/secret")).expect("the file outside");
    assert_eq!(kept, secret().as_bytes());
    assert_eq!(fs::read_dir(at("outside")).expect("a folder").count(), 1);
    inspect(&at("destination"), links);
    open_up(&at("upper"));
}

/// Lets an ordinary user remove what was closed to him.
fn open_up(folder: &Path) {
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// Longer than any file that is made, so that no input can spell it.
fn secret() -> String {
    "secret of the outside ".repeat(30)
}

/// A path of one or two short names from the bytes.
fn path(bytes: &[u8]) -> (PathBuf, &[u8]) {
    const NAMES: [&[u8]; 8] = [b"a", b"b", b"c", b"d", b"e", b"\xff\n", b"...", b"-rf"];
    let Some((&code, rest)) = bytes.split_first() else {
        return (PathBuf::from("a"), bytes);
    };
    let mut path = PathBuf::from(OsStr::from_bytes(NAMES[usize::from(code & 7)]));
    if code & 0x40 != 0 {
        path.push(OsStr::from_bytes(NAMES[usize::from(code >> 3 & 7)]));
    }
    (path, rest)
}

/// The folder in which `path` is to be made, with no link on the way; `None` if there is one.
fn parent(upper: &Path, path: &Path) -> Option<OwnedFd> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    let mut open = File::open(upper).ok()?;
    if let Some(above) = above {
        let _ = fs::create_dir(upper.join(above));
        let name = CString::new(above.as_os_str().as_bytes()).ok()?;
        let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
        // SAFETY: a valid C string; the descriptor is new and ours.
        open = unsafe {
            let fd = libc::openat(open.as_raw_fd(), name.as_ptr(), flags);
            if fd < 0 {
                return None;
            }
            File::from_raw_fd(fd)
        };
    }
    Some(open.into())
}

/// Makes one thing. Never through a link: what is made may lead anywhere.
fn step<'a>(kind: u8, path: &Path, folder: &Path, bytes: &'a [u8]) -> &'a [u8] {
    let (&code, rest) = bytes.split_first().unwrap_or((&0, bytes));
    let Some(parent) = parent(&folder.join("upper"), path) else {
        return rest;
    };
    let place = PathBuf::from(format!("/proc/self/fd/{}", parent.as_raw_fd()))
        .join(path.file_name().expect("a name"));
    let name = CString::new(place.as_os_str().as_bytes()).expect("no NUL");
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let create = || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).custom_flags(flags);
        options.open(&place)
    };
    let folder_here = fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_dir());
    match kind & 0x0f {
        0 | 1 => {
            let _ = fs::create_dir(&place);
        }
        2 | 3 => {
            let length = usize::from(code).min(rest.len());
            let _ = create().and_then(|mut file| file.write_all(&rest[..length]));
            return &rest[length..];
        }
        4 => {
            let targets = ["outside", "outside/secret", "destination", "upper", "host"];
            let target = folder.join(targets[usize::from(code) % targets.len()]);
            let _ = symlink(target, &place);
        }
        5 => {
            let targets = [
                "../outside/secret",
                "../outside",
                ".",
                "a",
                "/proc/self/fd/0",
            ];
            let _ = symlink(targets[usize::from(code) % targets.len()], &place);
        }
        // SAFETY: a valid C string and plain integers.
        6 => unsafe {
            libc::mkfifo(name.as_ptr(), 0o600);
        },
        // SAFETY: likewise; what stands for a deleted file. Fails for an ordinary user.
        7 => unsafe {
            libc::mknod(name.as_ptr(), libc::S_IFCHR | 0o600, 0);
        },
        8 => {
            let mode = fs::Permissions::from_mode(u32::from(code) << 4);
            if folder_here {
                let _ = fs::set_permissions(&place, mode);
            } else {
                let _ = create().and_then(|file| file.set_permissions(mode));
            }
        }
        // SAFETY: valid C strings, one byte.
        9 => unsafe {
            libc::lsetxattr(
                name.as_ptr(),
                c"user.overlay.opaque".as_ptr(),
                c"y".as_ptr().cast(),
                1,
                0,
            );
        },
        10 => {
            let _ = create().and_then(|file| file.set_len(1 << (code & 0x2f)));
        }
        11 => {
            let _ = fs::hard_link(folder.join("upper/a"), &place);
        }
        12 => {
            let _ = fs::remove_file(&place);
        }
        13 if folder_here => {
            // Seldom as deep as can be: such a tree takes as long as a hundred others.
            let depth = if code == 255 { 255 } else { code % 12 };
            let deep: PathBuf = std::iter::repeat_n("z", usize::from(depth)).collect();
            let _ = fs::create_dir_all(place.join(deep));
        }
        _ => {
            let _ = fs::rename(folder.join("upper/a"), &place);
        }
    }
    rest
}

/// Nothing that nobody asked for is in the destination.
fn inspect(folder: &Path, links: bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let metadata = entry.metadata().expect("it was there");
        let kind = metadata.mode() & libc::S_IFMT;
        assert!(
            [libc::S_IFREG, libc::S_IFDIR, libc::S_IFLNK].contains(&kind),
            "{entry:?}"
        );
        assert_eq!(metadata.mode() & 0o6000, 0, "{entry:?}");
        if kind == libc::S_IFLNK && !links {
            assert_eq!(entry.file_name(), "d", "a new link");
        }
        if metadata.is_dir() {
            let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700));
            inspect(&entry.path(), links);
        } else if metadata.is_file() && metadata.len() < MOST {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            assert!(bytes != secret().as_bytes(), "the outside was copied");
        }
    }
}
