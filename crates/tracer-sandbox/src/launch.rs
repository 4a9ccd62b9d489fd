//! One run from request to result.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tracer_model::Usage;

use crate::cgroup::Lease;
use crate::changes;
use crate::copy_in;
use crate::error::SandboxError;
use crate::finished::{Beginning, Finished};
use crate::layout::Filled;
use crate::meter::{Listing, Meter};
use crate::network::Network;
use crate::output::Output;
use crate::plan::{Plan, Walls};
use crate::probe::Spaces;
use crate::protections::{Protections, WALLS, os};
use crate::request::{Access, Isolation, Request};
use crate::start::{Started, start};
use crate::supervise::{Guest, watch};
use crate::terminal::Reclaim;
use crate::verdict::{Failure, degraded, explain, judge};

/// Set once an overlay was refused for good, so that later runs copy at once.
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

/// Forgets what runs leave for later ones to use: groups, mappings, what was found out of overlays.
#[cfg(feature = "weaken")]
pub fn forget() {
    COPY.store(false, Ordering::Relaxed);
    crate::cgroup::forget();
    crate::idmap::forget();
    crate::network::forget();
}

fn attempt_twice(request: &Request) -> Result<Finished, SandboxError> {
    match attempt(request, COPY.load(Ordering::Relaxed)) {
        Err(Failure::Overlay(errno)) => {
            let for_now = [libc::ENOMEM, libc::ENOSPC, libc::EMFILE, libc::ENFILE];
            if !for_now.contains(&errno) {
                COPY.store(true, Ordering::Relaxed);
            }
            attempt(request, true)
        }
        other => other,
    }
    .map_err(|failure| match failure {
        Failure::Error(error) => error,
        Failure::Overlay(errno) => SandboxError::runner("copying a folder", os(errno)),
    })
}

fn attempt(request: &Request, copy: bool) -> Result<Finished, Failure> {
    let started = start(request, copy, false)?;
    finish(started, request, |guest, _| {
        guest.go();
        Ok(())
    })
}

/// The second half: fills copied folders, sets the program going with `go`, watches it to its end
/// and judges.
pub(crate) fn finish(
    started: Started,
    request: &Request,
    go: impl FnOnce(&mut Guest, &Lease) -> Result<(), SandboxError>,
) -> Result<Finished, Failure> {
    // In this order, so that on the way out the guest ends before its groups are given back.
    let Started {
        lease,
        mut plan,
        mut guest,
        output,
        unmapped,
        ..
    } = started;
    let limits = request.without().watched(&request.limits);
    let native = request.isolation != Isolation::None;
    let reclaim = Reclaim::after(plan.session);
    name_copies(&mut plan, request);
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
    let mut output = Output::new(output, limits.output);
    if let Some(walls) = plan
        .walls
        .as_ref()
        .filter(|walls| walls.layout.layers.iter().any(|layer| layer.copied))
    {
        fill_copies(&mut guest, &mut meter, walls, request)?;
    }
    go(&mut guest, &lease)?;
    let mut record = watch(
        &mut guest,
        &mut meter,
        &mut output,
        limits.wall,
        &request.cancel,
        &reclaim,
    )?;
    drop(reclaim);
    if let Some(report) = record.failure {
        let layout = plan.walls.as_ref().map(|walls| &walls.layout);
        return Err(explain(&report, layout, request));
    }
    // It began, and its processes have all ended.
    if let Some(walls) = &mut plan.walls {
        let network = std::mem::replace(&mut walls.network, Network::Cloned);
        network.give_back(record.network.take());
    }
    let layout = plan.walls.as_ref().map(|walls| &walls.layout);
    let mut protections = Protections::default();
    if native {
        Spaces::detected().report(&mut protections);
        degraded(&mut protections, &record, layout);
        if request.image.is_some() {
            protections.active(&["image root"]);
        }
        if request.isolation == Isolation::Wasm {
            protections.active(&["virtual machine"]);
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
        for layer in layout.layers.iter().filter(|layer| layer.listed) {
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
        beginning: Beginning::Cold,
    })
}

/// Gives the layers that are filled for each run the folders of this one.
pub(crate) fn name_copies(plan: &mut Plan, request: &Request) {
    let walls = plan.walls.iter_mut();
    for layer in walls.flat_map(|walls| &mut walls.layout.layers) {
        if let Some(Filled::Copy(index)) = layer.filled {
            layer.folder.clone_from(&request.copies[index].from);
        }
    }
}

/// Fills folders of the private tmpfs once the child has made it, before the program starts.
pub(crate) fn fill_copies(
    guest: &mut Guest,
    meter: &mut Meter<'_>,
    walls: &Walls,
    request: &Request,
) -> Result<(), SandboxError> {
    let Some(tmpfs) = guest.ready(meter) else {
        return Ok(());
    }; // the failure is told later
    for layer in walls.layout.layers.iter().filter(|layer| layer.copied) {
        let target = PathBuf::from(format!("/proc/self/fd/{tmpfs}")).join(&layer.name);
        match layer.filled {
            Some(Filled::Files(index)) => copy_in::write(&request.placed[index].files, &target),
            _ => copy_in::copy(&layer.folder, &target, walls.become_id),
        }
        .map_err(|error| {
            SandboxError::runner(format!("copying {}", layer.folder.display()), error)
        })?;
    }
    Ok(())
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
            Err(Failure::Overlay(_)) => panic!("overlays are refused"),
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
