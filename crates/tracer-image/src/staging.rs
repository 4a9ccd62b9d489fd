//! Where the store's writers work, how they keep out of each other's way, and what a killed one
//! leaves.
//!
//! A staging folder is locked (`flock`) by its maker for as long as the maker lives; the kernel lets
//! go of the lock however it ends. A folder nobody holds is rubbish. Nothing here knows what is made
//! in a staging folder.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::{Cancel, Digest, ImageError, Progress, Store, tool};

/// Names of what a maker has put into the store and no image refers to yet.
const KEPT: &str = ".kept";

/// A folder for work in progress, on the store's own file system. Removed when dropped.
#[derive(Debug)]
pub struct Staging {
    path: PathBuf,
    _lock: Flock<File>,
}

impl Staging {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next writer.
        let _ = remove_all(&self.path);
    }
}

/// A lock on the store, or on one piece of work in it; let go of when dropped.
#[derive(Debug)]
pub struct Held {
    _lock: Flock<File>,
}

impl Store {
    /// Makes a staging folder. Folders of makers that are gone are removed first.
    pub fn staging(&self) -> Result<Staging, ImageError> {
        let parent = self.folder("staging")?;
        self.sweep();
        loop {
            // Open to others as any folder is: packages are laid out by users of other numbers.
            let made = tempfile::Builder::new()
                .prefix("")
                .rand_bytes(12)
                .permissions(fs::Permissions::from_mode(0o755))
                .tempdir_in(&parent)
                .map_err(|error| {
                    let what = format!("make a folder in {}", parent.display());
                    ImageError::writing(what, &parent, error)
                })?
                .keep();
            // A sweeper may have come between; then the folder is its, and the next name is tried.
            if let Some(lock) = try_lock(&made)
                && made.exists()
            {
                return Ok(Staging {
                    path: made,
                    _lock: lock,
                });
            }
        }
    }

    /// Removes the staging folders that nobody holds; what was removed, with its bytes.
    pub(crate) fn sweep(&self) -> Vec<(u64, PathBuf)> {
        let mut swept = Vec::new();
        for path in self.unheld() {
            if let Some(_lock) = try_lock(&path) {
                let bytes = bytes_below(&path);
                // What cannot be removed (another user's) stays for its owner to sweep.
                if remove_all(&path).is_ok() {
                    swept.push((bytes, path));
                }
            }
        }
        swept
    }

    /// Staging folders that nobody holds at this moment.
    pub(crate) fn unheld(&self) -> Vec<PathBuf> {
        let mut paths = children(&self.root().join("staging"));
        paths.retain(|path| try_lock(path).is_some());
        paths
    }

    /// Waits until no other process does the work called `name`, and keeps others out of it.
    pub fn hold(
        &self,
        name: &str,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Held, ImageError> {
        let folder = self.folder("locks")?;
        let path = folder.join(name);
        let what = || format!("lock {}", path.display());
        let mut file =
            File::create(&path).map_err(|error| ImageError::writing(what(), &folder, error))?;
        let mut told = false;
        loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(Held { _lock: lock }),
                Err((back, Errno::EWOULDBLOCK | Errno::EINTR)) => file = back,
                Err((_, error)) => return Err(ImageError::system(what(), error.into())),
            }
            if !told {
                progress.note(&format!("waiting for another process that holds {name}"));
                told = true;
            }
            cancel.check()?;
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The lock that everything takes which changes what stands in the store; held for moments.
    pub(crate) fn writer(&self) -> Result<Held, ImageError> {
        self.hold("store", &(), &Cancel::new())
    }

    /// Makes a folder of the store, if need be.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, ImageError> {
        let path = self.root().join(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&path)
            .map_err(|error| {
                ImageError::writing(format!("make {}", path.display()), self.root(), error)
            })?;
        Ok(path)
    }

    /// Notes in the staging folder that `staged` stands in that its maker needs `digest`.
    pub(crate) fn note_kept(&self, staged: &Path, digest: &Digest) -> Result<(), ImageError> {
        let Some(random) = staged
            .strip_prefix(self.root().join("staging"))
            .ok()
            .and_then(|below| below.components().next())
        else {
            return Ok(());
        };
        let folder = self.root().join("staging").join(random).join(KEPT);
        let note = folder.join(digest.hex());
        fs::create_dir_all(&folder)
            .and_then(|()| File::create(&note))
            .map(drop)
            .map_err(|error| {
                ImageError::writing(format!("write {}", note.display()), &folder, error)
            })
    }

    /// What living makers have put into the store.
    pub(crate) fn kept(&self) -> Vec<Digest> {
        children(&self.root().join("staging"))
            .iter()
            .flat_map(|staging| children(&staging.join(KEPT)))
            .filter_map(|note| note.file_name()?.to_str()?.parse().ok())
            .collect()
    }
}

/// What stands in a folder, sorted; nothing if it cannot be read.
pub(crate) fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn try_lock(path: &Path) -> Option<Flock<File>> {
    Flock::lock(File::open(path).ok()?, FlockArg::LockExclusiveNonblock).ok()
}

/// Bytes on disk of a file or of all below a folder; no link is followed, no mount entered.
pub(crate) fn bytes_below(path: &Path) -> u64 {
    let Ok(metadata) = path.symlink_metadata() else {
        return 0;
    };
    let mut total = metadata.blocks() * 512;
    if metadata.is_dir() {
        for child in children(path) {
            let same = child
                .symlink_metadata()
                .is_ok_and(|child| child.dev() == metadata.dev());
            if same {
                total += bytes_below(&child);
            }
        }
    }
    total
}

/// Removes a file or a folder with all below it, folders without write permission included.
///
/// Refuses where something is mounted inside: a build that was killed may have left one, and what
/// it shows is not ours.
pub(crate) fn remove_all(path: &Path) -> io::Result<()> {
    let metadata = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    if !metadata.is_dir() {
        return fs::remove_file(path);
    }
    if let Some(inside) = mounted_in(&path.canonicalize()?) {
        return Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!("{} is mounted", inside.display()),
        ));
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            match open_folders(path).and_then(|()| fs::remove_dir_all(path)) {
                // A root laid out by an ordinary user holds folders of the user's further numbers.
                Err(error) if !tool::is_root() => tool::remove(path).map_err(|_| error),
                other => other,
            }
        }
        other => other,
    }
}

fn open_folders(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_folders(&entry.path())?;
        }
    }
    Ok(())
}

/// A mount point at or below a folder of this mount namespace.
fn mounted_in(folder: &Path) -> Option<PathBuf> {
    let table = fs::read("/proc/self/mountinfo").ok()?;
    table
        .split(|&byte| byte == b'\n')
        .filter_map(|line| line.split(|&byte| byte == b' ').nth(4))
        .map(|point| PathBuf::from(std::ffi::OsStr::from_bytes(&unescape(point))))
        .find(|point| point.starts_with(folder))
}

/// `\040` and its like, as proc(5) writes blanks.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(octal.unwrap_or(first));
        rest = if octal.is_some() { &after[3..] } else { after };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("images"));
        (folder, store)
    }

    #[test]
    fn a_staging_folder_goes_with_its_holder() {
        let (_folder, store) = store();
        let staging = store.staging().unwrap();
        let path = staging.path().to_owned();
        let closed = path.join("closed");
        fs::create_dir(&closed).unwrap();
        fs::write(closed.join("file"), "x").unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
        drop(staging);
        assert!(!path.exists());
    }

    #[test]
    fn sweeping_takes_what_nobody_holds_and_leaves_the_rest() {
        let (_folder, store) = store();
        let held = store.staging().unwrap();
        let dead = store.root().join("staging").join("dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("half.erofs"), [1; 5000]).unwrap();
        let other = store.staging().unwrap();
        assert!(!dead.exists());
        assert!(held.path().exists() && other.path().exists());
        assert_ne!(held.path(), other.path());
    }

    #[test]
    fn makers_and_sweepers_at_once_lose_nothing() {
        let (_folder, store) = store();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let staging = store.staging().unwrap();
                        let file = staging.path().join("file");
                        fs::write(&file, "mine").unwrap();
                        store.sweep();
                        assert_eq!(fs::read(&file).unwrap(), b"mine");
                    }
                });
            }
        });
        assert!(children(&store.root().join("staging")).is_empty());
    }

    /// Set for the process that is killed.
    const VICTIM: &str = "TRACER_TEST_STORE";

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "this very test, as another process"
    )]
    fn what_a_killed_process_staged_is_swept() {
        if let Some(root) = std::env::var_os(VICTIM) {
            let staging = Store::at(root).staging().unwrap();
            fs::write(staging.path().join("half.erofs"), "half").unwrap();
            let path = staging.path().to_str().unwrap();
            // Past the capture of the test's output.
            std::io::Write::write_all(&mut io::stdout(), format!("\n{path}\n").as_bytes()).unwrap();
            std::io::stdin().read_line(&mut String::new()).unwrap();
            return;
        }
        let (_folder, store) = store();
        let name = "staging::tests::what_a_killed_process_staged_is_swept";
        let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(VICTIM, store.root())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let root = store.root().to_str().unwrap();
        let path = io::BufRead::lines(io::BufReader::new(victim.stdout.take().unwrap()))
            .map(Result::unwrap)
            .find(|line| line.starts_with(root))
            .unwrap();
        let path = PathBuf::from(path);
        drop(store.staging().unwrap());
        assert!(path.join("half.erofs").exists());
        victim.kill().unwrap();
        victim.wait().unwrap();
        drop(store.staging().unwrap());
        assert!(!path.exists());
    }

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Progress for Notes {
        fn step(&self, _subject: &str, _what: &str) {}
        fn bytes(&self, _done: u64, _total: u64) {}
        fn note(&self, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }

    #[test]
    fn a_second_holder_waits_says_so_and_can_be_stopped() {
        let (_folder, store) = store();
        let first = store.hold("base", &(), &Cancel::new()).unwrap();
        let notes = Notes::default();
        let cancel = Cancel::new();
        cancel.cancel();
        let refused = store.hold("base", &notes, &cancel);
        assert!(matches!(refused, Err(ImageError::Cancelled)));
        assert!(notes.0.lock().unwrap()[0].contains("base"));
        store.hold("ruby", &notes, &cancel).unwrap();
        drop(first);
        store.hold("base", &notes, &cancel).unwrap();
        assert_eq!(notes.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn mount_points_are_read_as_the_kernel_writes_them() {
        assert_eq!(unescape(br"/a\040b\134c"), br"/a b\c");
        assert!(mounted_in(Path::new("/proc")).is_some());
    }
}
