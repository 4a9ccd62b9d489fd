//! Mounts on which a folder's owner appears as the program's user.
//!
//! A runner that is root gives the program an unprivileged user of its own; without this the
//! program could not read the owner's private files, nor write where the owner may. The files
//! themselves are not touched. Needs Linux 5.12 and a file system that takes part.

use std::collections::HashMap;
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::sys;

type Key = (u32, u32, u32);

/// Namespaces kept at most: each is a descriptor of the runner's.
const MOST: usize = 64;

static NAMESPACES: Mutex<Option<HashMap<Key, Arc<OwnedFd>>>> = Mutex::new(None);

/// Keeps other threads out while this one forks.
pub(crate) fn still() -> impl Sized {
    NAMESPACES
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Lets go of the namespaces that are in no run's use.
#[cfg(feature = "weaken")]
pub(crate) fn forget() {
    let mut cache = NAMESPACES
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    *cache = None;
}

/// A detached clone of `path` and what is mounted below, whose owner appears as `id`.
pub(crate) fn clone_mapped(path: &Path, id: u32) -> io::Result<OwnedFd> {
    let metadata = fs::metadata(path)?;
    let namespace = namespace((metadata.uid(), metadata.gid(), id))?;
    let name = CString::new(path.as_os_str().as_bytes())?;
    let flags = sys::OPEN_TREE_CLONE | sys::AT_RECURSIVE;
    let tree =
        sys::open_tree(libc::AT_FDCWD, &name, flags).map_err(io::Error::from_raw_os_error)?;
    // SAFETY: the kernel has just made this descriptor for us.
    let tree = unsafe { OwnedFd::from_raw_fd(tree) };
    sys::mount_setattr(
        tree.as_raw_fd(),
        c"",
        sys::AT_EMPTY_PATH | sys::AT_RECURSIVE,
        sys::ATTR_IDMAP,
        Some(namespace.as_raw_fd()),
    )
    .map_err(io::Error::from_raw_os_error)?;
    Ok(tree)
}

/// A user namespace that serves only as the carrier of a mapping.
fn namespace(key: Key) -> io::Result<Arc<OwnedFd>> {
    let mut cache = NAMESPACES
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let cache = cache.get_or_insert_default();
    if let Some(namespace) = cache.get(&key) {
        return Ok(Arc::clone(namespace));
    }
    if cache.len() >= MOST {
        cache.clear(); // those in use stay until their runs let go of them
    }
    let namespace = Arc::new(make(key)?);
    cache.insert(key, Arc::clone(&namespace));
    Ok(namespace)
}

fn make((user, group, id): Key) -> io::Result<OwnedFd> {
    // SAFETY: the child only waits to be killed.
    let child = unsafe { sys::clone3(libc::CLONE_NEWUSER as u64, None) }
        .map_err(io::Error::from_raw_os_error)?;
    if child.pid == 0 {
        let _ = sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong);
        loop {
            // SAFETY: waits for a signal; none is handled.
            unsafe { libc::pause() };
        }
    }
    // SAFETY: the kernel has just made this descriptor for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(child.pidfd) };
    let folder = format!("/proc/{}", child.pid);
    let opened = fs::write(format!("{folder}/uid_map"), format!("{user} {id} 1\n"))
        .and_then(|()| fs::write(format!("{folder}/gid_map"), format!("{group} {id} 1\n")))
        .and_then(|()| fs::File::open(format!("{folder}/ns/user")));
    let _ = sys::pidfd_kill(pidfd.as_raw_fd());
    let _ = sys::wait_pidfd(pidfd.as_raw_fd());
    opened.map(OwnedFd::from)
}
