//! The first half of a run: walls, groups and the first process, up to where it waits for its
//! program. The second half, in `launch`, may come at once or much later.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::cgroup::Lease;
use crate::child;
use crate::copy_in;
use crate::error::SandboxError;
use crate::idmap;
use crate::landlock::{self, Rules};
use crate::layout::{self, Filled, Style, c_string};
use crate::network::{self, Network};
use crate::nursery;
use crate::plan::{self, Plan, Walls};
use crate::probe::{Privilege, Spaces};
use crate::protections::{namespace_hint, os};
use crate::request::{Access, Isolation, Profile, Request};
use crate::seccomp;
use crate::slot::Slot;
use crate::streams::{channel, pair, streams};
use crate::supervise::Guest;
use crate::sys;
use crate::terminal::Session;
use crate::verdict::Failure;
use crate::weaken::Wall;

/// Bytes that stand for no limit on the private tmpfs, far from where the kernel's sums overflow.
const ENDLESS: u64 = 1 << 50;

/// What a sandbox that is made ahead has room for, in bytes and files, beside what its program may
/// write: what its folders will hold is not known yet.
pub(crate) const ROOM: (u64, u64) = (8 << 20, 1024);

/// A sandbox whose first process is there. Dropping it ends it.
pub(crate) struct Started {
    pub(crate) plan: Box<Plan>,
    /// Before the groups and the user, so that they are given back when it has ended.
    pub(crate) guest: Guest,
    /// The runner's ends of the program's output.
    pub(crate) output: [Option<File>; 2],
    pub(crate) lease: Lease,
    /// Why the program has no user of its own, if it has none.
    pub(crate) unmapped: Option<String>,
    _slot: Slot,
}

/// Works out the walls of `request` around a program with the user `id`.
pub(crate) fn walls(
    request: &Request,
    spaces: &Spaces,
    id: Option<u32>,
    copy: bool,
    ahead: bool,
    network: Network,
) -> Result<Walls, SandboxError> {
    let style = Style {
        clone_mapped: id.filter(|id| *id != 0).map(
            |id| -> Box<dyn Fn(&Path) -> Result<OwnedFd, SandboxError>> {
                Box::new(move |path| {
                    idmap::clone_mapped(path, id).map_err(|error| {
                        SandboxError::runner(format!("mapping {}", path.display()), error)
                    })
                })
            },
        ),
        copy,
        hide_proc: spaces.privilege == Privilege::BareRoot || id == Some(0),
    };
    let without = request.without();
    let mut layout = layout::build(request, &style)?;
    for tree in &mut layout.trees {
        tree.attributes = without.attributes(tree.attributes);
    }
    for layer in layout.layers.iter().filter(|layer| layer.copied) {
        let (bytes, entries) = match layer.filled {
            _ if ahead => ROOM,
            Some(Filled::Files(index)) => copy_in::room_for(&request.placed[index].files),
            _ => copy_in::room(&layer.folder),
        };
        layout.own_bytes += bytes;
        layout.own_files += entries;
    }
    let disk = request
        .limits
        .disk
        .map_or(ENDLESS, |disk| disk.min(ENDLESS));
    let files = (disk / 4096).clamp(4096, 1 << 20);
    let endless = |wall, bytes| if without.stands(wall) { bytes } else { ENDLESS };
    let (disk, files) = (
        endless(Wall::DiskSize, disk),
        endless(Wall::DiskFiles, files),
    );
    let size = disk
        .saturating_add(layout.own_bytes)
        .saturating_add(1 << 20);
    let base = ["/tmp", "/var", "/usr", "/etc"]
        .into_iter()
        .find(|path| Path::new(path).is_dir());
    // SAFETY: plain calls.
    let (own, own_group) = unsafe { (libc::geteuid(), libc::getegid()) };
    let maps = (spaces.user && without.stands(Wall::Identity)).then(|| {
        (
            plan::id_map(id.unwrap_or(own)),
            plan::id_map(id.unwrap_or(own_group)),
        )
    });
    let trusted = request.profile == Profile::Trusted;
    let landlock = spaces
        .landlock
        .ok()
        .filter(|version| landlock::refusal(Ok(*version)).is_none())
        .map(|version| Rules::of(&layout.ops, &layout.trees, version, trusted));
    Ok(Walls {
        arguments: plan::own_arguments(),
        base: c_string(base.unwrap_or("/tmp"))?,
        size: c_string(size.to_string())?,
        inodes: c_string((files + layout.own_files + 64).to_string())?,
        layout,
        hostname: request.hostname.clone().into_bytes(),
        become_id: id.filter(|_| without.stands(Wall::Identity)),
        maps,
        cgroup_namespace: spaces.cgroup && without.stands(Wall::Cgroups),
        uts: spaces.uts && without.stands(Wall::Uts),
        network,
        clock: (spaces.time && without.stands(Wall::Time)).then_some(request.uptime),
        landlock: landlock.filter(|_| without.stands(Wall::Landlock)),
        strict: trusted,
        filter: seccomp::filter(
            request
                .folders
                .iter()
                .any(|folder| folder.access == Access::Writable),
            trusted,
            without,
        ),
        without,
    })
}

/// The walls, and why the program is not given a user of its own, if it is not.
fn prepare(
    request: &Request,
    spaces: &Spaces,
    slot: &Slot,
    copy: bool,
    ahead: bool,
) -> Result<(Option<Walls>, Option<String>), SandboxError> {
    let without = request.without();
    let walls = |id| walls(request, spaces, id, copy, ahead, Network::Cloned);
    if spaces.privilege != Privilege::Full || !without.stands(Wall::Identity) {
        return Ok((Some(walls(None)?), None));
    }
    match walls(Some(slot.id())) {
        Err(SandboxError::Runner { what, source }) => {
            let reason = format!("{what}: {source}; the program runs as the runner's user");
            Ok((Some(walls(Some(0))?), Some(reason)))
        }
        other => Ok((Some(other?), None)),
    }
}

/// Starts a sandbox for `request`. With `copy` folders are copied where an overlay would do; `ahead`
/// leaves out what only the run itself knows: program, arguments, environment, streams, and what is
/// in copied folders.
pub(crate) fn start(request: &Request, copy: bool, ahead: bool) -> Result<Started, Failure> {
    let native = request.isolation != Isolation::None;
    if request.image.is_some() && !native {
        return Err(SandboxError::request(
            "a program cannot be run in an image without isolation",
            "isolate it, or use the host's toolchain",
        )
        .into());
    }
    let spaces = Spaces::detected();
    if native {
        spaces.require()?;
    }
    let trusted = request.profile == Profile::Trusted;
    if trusted && !native {
        let reason = "isolation was switched off";
        return Err(SandboxError::untrusted("isolation", reason).into());
    } else if trusted {
        spaces.require_all()?;
    }
    let slot = Slot::take();
    let (mut walls, unmapped) = if native {
        prepare(request, spaces, &slot, copy, ahead)?
    } else {
        (None, None)
    };
    let without = request.without();
    let again = spaces.privilege == Privilege::Full
        && without.stands(Wall::Network)
        && without.stands(Wall::Pids);
    // Where nothing less than all is accepted, nothing is used twice.
    if let Some(walls) = walls.as_mut().filter(|_| again && !trusted) {
        walls.network = Network::take();
    }
    let limits = without.watched(&request.limits);
    let mut lease = Lease::take(&limits);
    if trusted {
        if let Some(reason) = &unmapped {
            return Err(SandboxError::untrusted("own user", reason).into());
        }
        for (wall, refusal) in [
            ("memory cgroup", lease.memory_refusal()),
            ("process cgroup", lease.pids_refusal()),
            ("cpu cgroup", lease.cpu_refusal()),
        ] {
            if let Some(reason) = refusal {
                return Err(SandboxError::untrusted(wall, reason).into());
            }
        }
    }
    let streams = streams(request)?;
    let flags = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    let [status, child_status] = pair("socket pair", |fds| {
        // SAFETY: the array holds two.
        unsafe { libc::socketpair(libc::AF_UNIX, flags, 0, fds.as_mut_ptr()) }
    })?;
    let channel = channel(request)?;
    let session = if ahead {
        Session::New
    } else {
        Session::of(request)
    };
    let stdio = [0, 1, 2].map(|index| streams.child[index].as_ref().map(AsRawFd::as_raw_fd));
    let ends = Ends {
        status: child_status.as_raw_fd(),
        stdio,
        channel: channel.as_ref().map(AsRawFd::as_raw_fd),
    };
    let rlimits = rlimits(request, &lease);
    let mut plan = plan(request, walls, &ends, rlimits, session, ahead)?;
    let flags = plan
        .walls
        .as_ref()
        .map_or(0, |walls| spaces.flags(without, &walls.network));
    let nursed = nursery::make(request, &plan, copy, &mut lease);
    let own = |group: Option<RawFd>| {
        // SAFETY: the child runs `child::main` alone, which keeps to what a fork may do.
        let cloned = unsafe { sys::clone3(flags, group) }?;
        if cloned.pid == 0 {
            child::main(&mut plan);
        }
        Ok(cloned)
    };
    let by_another = nursed.is_some();
    let cloned = nursed
        .unwrap_or_else(|| lease.around(own))
        .map_err(|errno: i32| SandboxError::Refused {
            what: "starting a process in new namespaces".to_owned(),
            hint: namespace_hint("user namespace", errno),
            source: os(errno),
        })?;
    let guest = Guest {
        pid: cloned.pid,
        // SAFETY: the kernel has just made it for us.
        pidfd: unsafe { OwnedFd::from_raw_fd(cloned.pidfd) },
        status,
        pid_namespace: native,
        reaped: false,
        nursed: by_another,
        early: Vec::new(),
    };
    Ok(Started {
        plan,
        guest,
        output: streams.runner,
        lease,
        unmapped,
        _slot: slot,
    })
}

/// The child's ends of what leads to the runner.
pub(crate) struct Ends {
    pub(crate) status: RawFd,
    pub(crate) stdio: [Option<RawFd>; 3],
    pub(crate) channel: Option<RawFd>,
}

/// Lays out all that the child needs.
pub(crate) fn plan(
    request: &Request,
    walls: Option<Walls>,
    ends: &Ends,
    rlimits: Vec<plan::Rlimit>,
    session: Session,
    ahead: bool,
) -> Result<Box<Plan>, SandboxError> {
    let mut keep: Vec<u32> = ends
        .stdio
        .into_iter()
        .flatten()
        .chain([ends.status])
        .chain(ends.channel)
        .chain(walls.iter().flat_map(|walls| walls.layout.descriptors()))
        .chain(walls.iter().filter_map(|walls| walls.network.descriptor()))
        .map(|fd| fd as u32)
        .collect();
    keep.sort_unstable();
    let (arguments, environment) = plan::strings(request)?;
    Ok(Box::new(Plan {
        walls,
        status: ends.status,
        stdio: ends.stdio,
        channel: ends.channel,
        keep,
        program: c_string(request.program.as_os_str().as_bytes())?,
        cwd: c_string(request.cwd.as_os_str().as_bytes())?,
        arguments,
        environment,
        rlimits,
        session,
        earlier: request.earlier,
        personality: if request.random_addresses {
            0
        } else {
            libc::ADDR_NO_RANDOMIZE as _
        },
        ahead,
        without: request.without(),
        stack: vec![0; 64 << 10],
    }))
}

/// Finds out all that is found out once.
pub(crate) fn rehearse() -> Result<(), SandboxError> {
    let spaces = Spaces::detected();
    spaces.require()?;
    let request = Request::new("/", "/");
    drop(Lease::take(&request.limits));
    for profile in [Profile::Compat, Profile::Trusted] {
        let request = Request {
            profile,
            ..Request::new("/", "/")
        };
        walls(&request, spaces, None, false, true, Network::Cloned)?;
    }
    if spaces.privilege == Privilege::Full {
        network::pristine();
    }
    Ok(())
}

/// The limits of the program's own process.
pub(crate) fn rlimits(request: &Request, lease: &Lease) -> Vec<plan::Rlimit> {
    // The init process counts as one; a cgroup is to refuse first, since it counts refusals.
    let spare = (request.isolation != Isolation::None).then(|| {
        if lease.pids_refusal().is_some() {
            1
        } else {
            64
        }
    });
    let limits = plan::rlimits(&request.limits, spare);
    request.without().rlimits(limits)
}
