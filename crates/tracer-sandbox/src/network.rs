//! Network namespaces, and which of them may be used again.
//!
//! Making and ending one takes the kernel longer than most of the other walls together. A runner
//! with full privilege keeps that of a run that is over, and a later child enters it, but only if
//! nothing in it tells that it was ever used: what the kernel counts there (packets, and what never
//! became one) is to the byte what it counts in a new one. Most programs never open a socket. The
//! child looks itself, before anything else of the run is there; where it finds a difference it
//! makes a namespace of its own and sends that to the runner instead.

use std::ffi::CStr;
use std::io::{self, Read};
use std::mem::zeroed;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::probe;
use crate::sys::{self, Errno, SysResult};

/// What changes in `/proc/self/net` once a namespace is used: every packet counts in `dev`, and what
/// never became one in the others. Files that say no more are left out, since each takes the kernel a
/// while (`tcp` milliseconds); `sockstat` also counts what is the whole machine's.
const TOLD: [&CStr; 3] = [c"dev", c"snmp", c"snmp6"];

/// Namespaces that wait for a run, at most.
const MOST: usize = 16;

static FREE: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

/// How a child comes by its network.
#[derive(Debug)]
pub(crate) enum Network {
    /// With the process, or not at all.
    Cloned,
    /// A new one, told to the runner.
    New,
    /// This one, if it still counts what a new one does.
    Again(OwnedFd, &'static [u8]),
}

impl Network {
    /// The network of the next run of a runner that may enter namespaces.
    pub(crate) fn take() -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or(Self::New, Self::again)
    }

    /// A network that waited, for a child that is to look at it itself.
    pub(crate) fn again(namespace: OwnedFd) -> Self {
        pristine().map_or(Self::New, |pristine| Self::Again(namespace, pristine))
    }

    /// Keeps the network of a run whose processes have all ended; `new` is what its child sent.
    pub(crate) fn give_back(self, new: Option<OwnedFd>) {
        let namespace = match (new, self) {
            (Some(new), _) => new,
            (None, Self::Again(namespace, _)) => namespace,
            (None, _) => return,
        };
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < MOST {
            free.push(namespace);
        }
    }

    pub(crate) fn descriptor(&self) -> Option<RawFd> {
        match self {
            Self::Again(namespace, _) => Some(namespace.as_raw_fd()),
            _ => None,
        }
    }
}

/// Ends the namespaces that wait.
#[cfg(feature = "weaken")]
pub(crate) fn forget() {
    FREE.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// In the child: enters `namespace` if nothing in it tells of a use. `proc` is the host's.
pub(crate) fn enter(proc: RawFd, namespace: RawFd, pristine: &[u8]) -> SysResult<bool> {
    sys::setns(namespace, libc::CLONE_NEWNET)?;
    let mut rest = pristine;
    let same = tell(proc, |bytes| {
        let same = rest.starts_with(bytes);
        if same {
            rest = &rest[bytes.len()..];
        }
        same
    })?;
    Ok(same && rest.is_empty())
}

/// In the child: makes a namespace, and gives it for the runner to keep.
pub(crate) fn make(proc: RawFd) -> SysResult<RawFd> {
    sys::unshare(libc::CLONE_NEWNET)?;
    sys::open(proc, c"self/ns/net", libc::O_RDONLY, 0)
}

/// Hands over what the kernel tells of this process's network, piece by piece, for as long as
/// `take` wants more. Gives whether it wanted all.
fn tell(proc: RawFd, mut take: impl FnMut(&[u8]) -> bool) -> SysResult<bool> {
    let flags = libc::O_PATH | libc::O_DIRECTORY;
    let folder = sys::open(proc, c"self/net", flags, 0)?;
    let mut result = Ok(true);
    for name in TOLD {
        if result == Ok(true) {
            result = tell_one(folder, name, &mut take);
        }
    }
    sys::close(folder);
    result
}

fn tell_one(folder: RawFd, name: &CStr, take: &mut impl FnMut(&[u8]) -> bool) -> SysResult<bool> {
    let mut piece = [0; 4096];
    let file = match sys::open(folder, name, libc::O_RDONLY, 0) {
        Ok(file) => file,
        // A kernel without that protocol has no counters of it.
        Err(libc::ENOENT) => return Ok(true),
        Err(errno) => return Err(errno),
    };
    let result = loop {
        match sys::read(file, &mut piece) {
            Ok(0) => break Ok(take(b"\0")),
            Ok(length) if take(&piece[..length]) => {}
            Ok(_) => break Ok(false),
            Err(errno) => break Err(errno),
        }
    };
    sys::close(file);
    result
}

/// What a namespace tells that nobody has used, found out once in a new one.
pub(crate) fn pristine() -> Option<&'static [u8]> {
    static PRISTINE: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    PRISTINE
        .get_or_init(|| look().ok().filter(|told| !told.is_empty()))
        .as_deref()
}

fn look() -> io::Result<Vec<u8>> {
    let os = io::Error::from_raw_os_error;
    let (mut read, write) = io::pipe()?;
    // A pipe has room for all of it.
    probe::within(libc::CLONE_NEWNET, || tell_all(write.as_raw_fd()))
        .and_then(|told| told)
        .map_err(os)?;
    drop(write);
    let mut told = Vec::new();
    read.read_to_end(&mut told).map(|_| told)
}

fn tell_all(pipe: RawFd) -> Result<(), Errno> {
    loopback()?;
    let flags = libc::O_PATH | libc::O_DIRECTORY;
    let proc = sys::open(libc::AT_FDCWD, c"/proc", flags, 0)?;
    let mut result = Ok(());
    tell(proc, |bytes| {
        result = sys::write_all(pipe, bytes);
        result.is_ok()
    })?;
    result
}

/// Brings the loopback device of a new network up, as programs that talk to themselves expect.
pub(crate) fn loopback() -> Result<(), Errno> {
    // SAFETY: a plain socket and a zeroed, then filled request.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if socket < 0 {
            return Err(sys::errno());
        }
        let mut request: libc::ifreq = zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
        let result = libc::ioctl(socket, libc::SIOCSIFFLAGS, &request);
        let errno = sys::errno();
        sys::close(socket);
        if result < 0 { Err(errno) } else { Ok(()) }
    }
}
