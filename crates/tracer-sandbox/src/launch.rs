//! One run from request to result.

use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{io, thread};

use tracer_model::{Protection, Usage};

use crate::cgroup::Lease;
use crate::changes;
use crate::child;
use crate::copy_in;
use crate::error::SandboxError;
use crate::finished::Finished;
use crate::idmap;
use crate::landlock::{self, Rules};
use crate::layout::{self, Style, c_string};
use crate::meter::{Listing, Meter};
use crate::output::Output;
use crate::plan::{self, Plan, Walls};
use crate::probe::{Privilege, Spaces};
use crate::protections::{Protections, WALLS, namespace_hint, os};
use crate::request::{Access, Isolation, Profile, Request};
use crate::seccomp;
use crate::slot::Slot;
use crate::streams::{clear, pair, streams};
use crate::supervise::{Guest, watch};
use crate::sys;
use crate::terminal::{Reclaim, Session};
use crate::verdict::{Failure, degraded, explain, judge};
use crate::weaken::Wall;

/// Bytes that stand for no limit on the private tmpfs, far from where the kernel's sums overflow.
const ENDLESS: u64 = 1 << 50;

/// Set once an overlay was refused, so that later runs copy at once.
static COPY: AtomicBool = AtomicBool::new(false);

/// Runs the program of `request` to its end.
///
/// May be called from several threads at once. A program that fails, crashes or meets a limit is
/// a result; an error means that it could not be run, or not behind the walls asked for.
pub fn run(request: &Request) -> Result<Finished, SandboxError> {
    // The kernel charges the memory of all threads to the group of the first one, which must not
    // pass through the run's groups while there are others.
    // SAFETY: plain calls.
    let first = unsafe { libc::gettid() == libc::getpid() };
    // A thread is a folder there, and each of those a link beside `.` and `..`.
    let alone = || fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == 3);
    if !first || alone() {
        return attempt_twice(request);
    }
    thread::scope(|scope| {
        thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn_scoped(scope, || attempt_twice(request))
            .map_err(|error| SandboxError::runner("starting a thread", error))?
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn attempt_twice(request: &Request) -> Result<Finished, SandboxError> {
    match attempt(request, COPY.load(Ordering::Relaxed)) {
        Err(Failure::Overlay) => {
            COPY.store(true, Ordering::Relaxed);
            attempt(request, true)
        }
        other => other,
    }
    .map_err(|failure| match failure {
        Failure::Error(error) => error,
        Failure::Overlay => SandboxError::runner("copying a folder", io::Error::other("refused")),
    })
}

fn walls(
    request: &Request,
    spaces: &Spaces,
    id: Option<u32>,
    copy: bool,
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
        let (bytes, entries) = copy_in::room(&layer.folder);
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
        clock: spaces.time && without.stands(Wall::Time),
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
) -> Result<(Option<Walls>, Option<String>), SandboxError> {
    if spaces.privilege != Privilege::Full {
        return Ok((Some(walls(request, spaces, None, copy)?), None));
    }
    if !request.without().stands(Wall::Identity) {
        return Ok((Some(walls(request, spaces, None, copy)?), None));
    }
    match walls(request, spaces, Some(slot.id()), copy) {
        Err(SandboxError::Runner { what, source }) => {
            let reason = format!("{what}: {source}; the program runs as the runner's user");
            Ok((Some(walls(request, spaces, Some(0), copy)?), Some(reason)))
        }
        other => Ok((Some(other?), None)),
    }
}

fn attempt(request: &Request, copy: bool) -> Result<Finished, Failure> {
    if request.argv.is_empty() {
        return Err(SandboxError::request("the arguments are empty", "argv[0] is one").into());
    }
    let native = request.isolation == Isolation::Native;
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
    let mut protections = Protections::default();
    let (walls, unmapped) = if native {
        prepare(request, spaces, &slot, copy)?
    } else {
        (None, None)
    };
    let without = request.without();
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
    let channel = match &request.channel {
        Some(fd) => {
            Some(clear(fd.try_clone().map_err(|error| {
                SandboxError::runner("cloning the channel", error)
            })?)?)
        }
        None => None,
    };
    let session = Session::of(request);
    let stdio = [0, 1, 2].map(|index| streams.child[index].as_ref().map(AsRawFd::as_raw_fd));
    let mut keep: Vec<u32> = stdio
        .into_iter()
        .flatten()
        .chain([child_status.as_raw_fd()])
        .chain(channel.as_ref().map(AsRawFd::as_raw_fd))
        .chain(walls.iter().flat_map(|walls| walls.layout.descriptors()))
        .map(|fd| fd as u32)
        .collect();
    keep.sort_unstable();
    let (arguments, environment) = plan::strings(request)?;
    // The init process counts as one; a cgroup is to refuse first, since it counts refusals.
    let spare = native.then(|| {
        if lease.pids_refusal().is_some() {
            1
        } else {
            64
        }
    });
    let mut plan = Plan {
        walls,
        status: child_status.as_raw_fd(),
        stdio,
        channel: channel.as_ref().map(AsRawFd::as_raw_fd),
        keep,
        program: c_string(request.program.as_os_str().as_bytes())?,
        cwd: c_string(request.cwd.as_os_str().as_bytes())?,
        arguments,
        environment,
        rlimits: without.rlimits(plan::rlimits(&request.limits, spare)),
        session,
        personality: if request.random_addresses {
            0
        } else {
            libc::ADDR_NO_RANDOMIZE as _
        },
        without,
        stack: vec![0; 64 << 10],
    };
    let flags = if native { spaces.flags(without) } else { 0 };
    let start = |group: Option<RawFd>| {
        // SAFETY: the child runs `child::main` alone, which keeps to what a fork may do.
        let cloned = unsafe { sys::clone3(flags, group) }?;
        if cloned.pid == 0 {
            child::main(&mut plan);
        }
        Ok(cloned)
    };
    let cloned = lease
        .around(start)
        .map_err(|errno: i32| SandboxError::Refused {
            what: "starting a process in new namespaces".to_owned(),
            hint: namespace_hint("user namespace", errno),
            source: os(errno),
        })?;
    let reclaim = Reclaim::after(session);
    let mut guest = Guest {
        pid: cloned.pid,
        // SAFETY: the kernel has just made it for us.
        pidfd: unsafe { OwnedFd::from_raw_fd(cloned.pidfd) },
        status,
        pid_namespace: native,
        reaped: false,
    };
    drop((streams.child, child_status, channel));
    let writable = request
        .folders
        .iter()
        .filter(|folder| folder.access == Access::Writable && folder.path != Path::new("/"))
        .map(|folder| folder.path.clone())
        .collect();
    let mut meter = Meter::new(&limits, &lease, writable);
    if !native {
        meter.listing = Listing::Below(guest.pid);
    }
    let mut output = Output::new(streams.runner, limits.output);
    if let Some(walls) = plan
        .walls
        .as_ref()
        .filter(|walls| walls.layout.layers.iter().any(|layer| layer.copied))
    {
        fill_copies(&guest, &mut meter, walls)?;
    }
    guest.go();
    let record = watch(&mut guest, &mut meter, &mut output, limits.wall, &reclaim)?;
    drop(reclaim);
    let layout = plan.walls.as_ref().map(|walls| &walls.layout);
    if let Some(report) = record.failure {
        return Err(explain(&report, layout, request));
    }
    if native {
        spaces.report(&mut protections);
        degraded(&mut protections, &record, layout);
        if request.image.is_some() {
            protections.active(&["image root"]);
        }
        if let Some(reason) = unmapped {
            protections.set("own user", Some(reason.clone()));
            protections.set("unprivileged user", Some(reason));
        }
    } else {
        protections.inactive(WALLS, "isolation was switched off");
        protections.active(&["no new privileges"]);
        if !request.files.is_empty() {
            let reason = "injected files exist only inside walls: they were left out";
            protections.inactive(&["injected files"], reason);
        }
    }
    protections.groups(&lease);
    let outcome = judge(request, &record, &mut meter)?;
    let mut listed = Vec::new();
    if let (Some(layout), Some(tmpfs)) = (layout, &meter.tmpfs) {
        for layer in &layout.layers {
            listed.extend(changes::list(tmpfs, layer).map_err(|error| {
                SandboxError::runner(
                    format!("listing changes in {}", layer.folder.display()),
                    error,
                )
            })?);
        }
    }
    let usage = Usage {
        wall: record.wall,
        cpu: meter.cpu(record.cpu),
        peak_memory: meter.peak(),
    };
    let [stdout, stderr] = output.bytes;
    Ok(Finished {
        outcome,
        stdout,
        stderr,
        output: output.chunks,
        usage,
        protections: protections.finish(),
        changes: listed,
    })
}

/// Copies folders into the private tmpfs once the child has made it, before the program starts.
fn fill_copies(guest: &Guest, meter: &mut Meter<'_>, walls: &Walls) -> Result<(), SandboxError> {
    let Some(tmpfs) = guest.ready(meter) else {
        return Ok(());
    }; // the failure is told later
    for layer in walls.layout.layers.iter().filter(|layer| layer.copied) {
        let target = PathBuf::from(format!("/proc/self/fd/{tmpfs}")).join(&layer.name);
        copy_in::copy(&layer.folder, &target, walls.become_id).map_err(|error| {
            SandboxError::runner(format!("copying {}", layer.folder.display()), error)
        })?;
    }
    Ok(())
}

/// The protections that would be in force for a run with nothing but defaults.
pub(crate) fn trial() -> Result<Vec<Protection>, SandboxError> {
    let mut request = Request::new("/proc/self/exe", "/");
    request.limits.wall = Some(Duration::from_secs(5));
    run(&request).map(|finished| finished.protections)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tracer_model::End;

    use super::*;
    use crate::finished::ChangeKind;
    use crate::request::Folder;

    /// Overlays work on most machines, so the way without them is taken on purpose.
    #[test]
    fn a_copied_folder_gives_the_same_changes_as_an_overlay() {
        let kept = tempfile::tempdir().expect("a folder");
        let path = |name: &str| kept.path().join(name);
        for name in ["modified", "deleted", "same"] {
            fs::write(path(name), "old\n").expect("a file");
            fs::set_permissions(path(name), fs::Permissions::from_mode(0o600)).expect("a mode");
        }
        fs::create_dir(path("tree")).expect("a folder");
        fs::write(path("tree/leaf"), "leaf").expect("a file");
        let mut request = Request::new("/bin/sh", kept.path());
        request.argv = [
            "sh",
            "-c",
            "echo >> modified; rm -r deleted tree; mkdir -p a; > a/b; cat same",
        ]
        .map(Into::into)
        .to_vec();
        request.folders.push(Folder {
            path: kept.path().to_owned(),
            access: Access::Overlay,
        });
        let listed = [false, true].map(|copy| match attempt(&request, copy) {
            Ok(finished) => {
                assert_eq!(
                    finished.outcome.end,
                    End::Exited { code: 0 },
                    "{finished:?}"
                );
                assert_eq!(finished.stdout, b"old\n");
                let copied = finished
                    .protections
                    .iter()
                    .any(|wall| wall.name == "overlay");
                assert_eq!(copied, copy);
                finished
                    .changes
                    .into_iter()
                    .map(|change| (change.path, change.kind))
                    .collect()
            }
            Err(Failure::Error(error)) if error.is_refusal() => Vec::new(),
            Err(Failure::Error(error)) => panic!("{error:?}"),
            Err(Failure::Overlay) => panic!("overlays are refused"),
        });
        assert_eq!(listed[0], listed[1]);
        if !listed[0].is_empty() {
            use ChangeKind::{Created, Deleted, Modified};
            let expected = [
                ("a", Created),
                ("a/b", Created),
                ("deleted", Deleted),
                ("modified", Modified),
                ("tree", Deleted),
            ];
            assert_eq!(
                listed[0],
                expected.map(|(path, kind)| (PathBuf::from(path), kind))
            );
        }
        assert!(path("tree/leaf").exists());
    }
}
