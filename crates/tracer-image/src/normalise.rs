//! What of a root tree goes into an image, and with what attributes.
//!
//! Decides entry by entry and touches no disk: the same packages must give the same bytes, on any
//! day and any machine, for root and for ordinary users.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Folders that are kept without what is in them.
const EMPTIED: [&str; 24] = [
    "dev",
    "proc",
    "run",
    "sys",
    "tmp",
    // Documentation, save what `copyrighted` keeps.
    "usr/share/doc",
    "usr/share/doc-base",
    "usr/share/gtk-doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "var/backups",
    "var/cache/apt",
    "var/cache/debconf",
    "var/cache/fontconfig",
    "var/cache/ldconfig",
    "var/cache/man",
    "var/lib/apt",
    "var/lib/systemd",
    "var/lib/ucf",
    "var/tmp",
    "etc/apt/sources.list.d",
    "usr/share/bug",
];

/// Files of the machine that the root was made on, or of the work of making it.
const DROPPED: [&str; 15] = [
    "etc/.pwd.lock",
    "etc/apt/sources.list",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/group-",
    "etc/gshadow-",
    "etc/hostname",
    "etc/passwd-",
    "etc/resolv.conf",
    "etc/shadow-",
    "etc/subgid-",
    "etc/subuid-",
    "var/lib/dbus/machine-id",
    "var/lib/dpkg/lock",
    "var/lib/dpkg/lock-frontend",
];

/// What an entry of a root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    File,
    Symlink,
    Hardlink,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    /// Its name stays, its text goes.
    Empty,
    Drop,
}

/// What becomes of the entry at `path`, relative to the root.
pub(crate) fn fate(path: &Path, kind: Kind) -> Fate {
    let bytes = path.as_os_str().as_bytes();
    if let Some(folder) = EMPTIED.iter().find(|folder| path.starts_with(folder)) {
        let itself = path == Path::new(folder);
        // Set-up scripts of packages link manual pages into folders that they expect to be there.
        let shelf = path.parent() == Some(Path::new("usr/share/man"))
            && path
                .as_os_str()
                .as_bytes()
                .starts_with(b"usr/share/man/man");
        return if ((itself || shelf) && kind == Kind::Folder) || copyrighted(path, kind) {
            Fate::Keep
        } else {
            Fate::Drop
        };
    }
    // Logs go, the folders that programs write them to stay.
    let log = path.starts_with("var/log") && kind != Kind::Folder;
    let backup =
        path.starts_with("var/lib/dpkg") && (bytes.ends_with(b"-old") || bytes.ends_with(b"/Lock"));
    if log || backup || DROPPED.iter().any(|dropped| path == Path::new(dropped)) {
        return Fate::Drop;
    }
    if path == Path::new("etc/machine-id") {
        return Fate::Empty;
    }
    Fate::Keep
}

/// Licences come with what they cover. A package may point to the folder of another one for it.
fn copyrighted(path: &Path, kind: Kind) -> bool {
    path.strip_prefix("usr/share/doc").is_ok_and(|below| {
        let depth = below.components().count();
        depth == 2 && below.ends_with("copyright") || depth == 1 && kind == Kind::Symlink
    })
}

/// Permissions of an entry: no set-user-id, all readable by all, since all belongs to root.
pub(crate) fn mode(mode: u32, kind: Kind) -> u32 {
    match kind {
        Kind::Folder => mode & 0o1777 | 0o755,
        Kind::Symlink => 0o777,
        Kind::File | Kind::Hardlink if mode & 0o111 != 0 => mode & 0o777 | 0o555,
        Kind::File | Kind::Hardlink => mode & 0o777 | 0o444,
    }
}

/// Time stamp of an entry. A folder's tells of the work of making it, and no more.
pub(crate) fn time(time: u64, kind: Kind, epoch: u64) -> u64 {
    match kind {
        Kind::Folder => epoch,
        _ => time.min(epoch),
    }
}

/// Makes compiled Python files valid whatever the time stamps of their sources (PEP 552: flags 1 is
/// "by hash, unchecked"). In a file system that cannot change, a check at each start finds nothing.
pub(crate) fn python(path: &Path, bytes: &mut [u8]) {
    if path.extension().is_none_or(|end| end != "pyc")
        || bytes.len() < 16
        || bytes[2..4] != *b"\r\n"
    {
        return;
    }
    if bytes[4..8] == [0; 4] {
        // By time stamp and size: they stand where the hash does.
        bytes[8..16].fill(0);
    }
    bytes[4..8].copy_from_slice(&1u32.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{File, Folder, Symlink};

    #[test]
    fn what_belongs_to_the_machine_goes() {
        for (path, kind, expected) in [
            ("dev", Folder, Fate::Keep),
            ("dev/shm", Folder, Fate::Drop),
            ("tmp/x", File, Fate::Drop),
            ("etc/machine-id", File, Fate::Empty),
            ("etc/passwd", File, Fate::Keep),
            ("etc/passwd-", File, Fate::Drop),
            ("var/log/apt", Folder, Fate::Keep),
            ("var/log/apt/term.log", File, Fate::Drop),
            ("var/lib/dpkg/status", File, Fate::Keep),
            ("var/lib/dpkg/status-old", File, Fate::Drop),
            ("var/lib/dpkg/triggers/Lock", File, Fate::Drop),
            ("usr/share/doc/a", Folder, Fate::Drop),
            ("usr/share/man/man1", Folder, Fate::Keep),
            ("usr/share/man/man1/a.1.gz", Symlink, Fate::Drop),
            ("usr/share/man/de", Folder, Fate::Drop),
            ("usr/share/doc/a/copyright", File, Fate::Keep),
            ("usr/share/doc/b", Symlink, Fate::Keep),
            ("usr/share/doc/a/changelog.gz", File, Fate::Drop),
            ("usr/share/documents/x", File, Fate::Keep),
        ] {
            assert_eq!(fate(Path::new(path), kind), expected, "{path}");
        }
    }

    #[test]
    fn attributes_say_nothing_of_who_made_it_and_when() {
        assert_eq!(mode(0o4755, File), 0o755);
        assert_eq!(mode(0o640, File), 0o644);
        assert_eq!(mode(0o2750, Folder), 0o755);
        assert_eq!(mode(0o1777, Folder), 0o1777);
        assert_eq!(time(5, File, 10), 5);
        assert_eq!(time(15, File, 10), 10);
        assert_eq!(time(5, Folder, 10), 10);
    }

    #[test]
    fn compiled_python_needs_no_check() {
        let name = Path::new("usr/lib/python3/__pycache__/a.cpython-313.pyc");
        let by_time = *b"\xf3\x0d\r\n\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08code";
        let mut bytes = by_time;
        python(name, &mut bytes[..]);
        assert_eq!(bytes, *b"\xf3\x0d\r\n\x01\0\0\0\0\0\0\0\0\0\0\0code");
        // The third and fourth byte of the magic number are a line end in every version.
        let mut by_hash = *b"\xf3\x0d\r\n\x03\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08code";
        python(name, &mut by_hash[..]);
        assert_eq!(
            by_hash[4..16],
            *b"\x01\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08"
        );
        let mut other = by_time;
        python(Path::new("a.txt"), &mut other[..]);
        assert_eq!(other, by_time);
    }
}
