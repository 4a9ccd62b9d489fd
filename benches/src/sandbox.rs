//! Starting a sandbox, against `bwrap` with the same namespaces and against no sandbox at all; and
//! in an image against the host's own system.

use std::path::{Path, PathBuf};
use std::process::Command;

use tracer_model::End;
use tracer_sandbox::{Isolation, Pool, Request, run};

use crate::image::Image;
use crate::process::{command, on_path, succeed};
use crate::report::{Report, ratio, time};
use crate::sample::{Variant, interleave, timed};
use crate::settings::Settings;

/// The smallest program: what is timed is its start and end.
const PROGRAM: &str = "/bin/true";

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    report.say(
        "From the request to the reaped `/bin/true`, in turns. `bwrap` gets the same namespaces \
         and the same view of the host; it sets up no seccomp filter, limits, cgroup or \
         collection of output. The image has three layers.",
    );
    let first = run(&Request::new(PROGRAM, "/"))?;
    let inactive: Vec<&str> = first
        .protections
        .iter()
        .filter(|one| !one.active)
        .map(|one| one.name.as_str())
        .collect();
    if !inactive.is_empty() {
        report.say(&format!(
            "Not in force on this machine: {}.",
            inactive.join(", ")
        ));
    }
    let sandboxed = |isolation: Isolation| {
        move || {
            let mut request = Request::new(PROGRAM, "/");
            request.isolation = isolation;
            run(&request)?;
            Ok(())
        }
    };
    let mut variants = vec![
        Variant::new("fork and exec", || succeed(&mut command(PROGRAM))),
        Variant::new("sandbox, native", sandboxed(Isolation::Native)),
        Variant::new("sandbox, no isolation", sandboxed(Isolation::None)),
    ];
    let pool = Pool::new(&Request::new(PROGRAM, "/"), 2)?;
    variants.push(Variant::timing_itself(
        "sandbox, made ahead (pool)",
        move || {
            anyhow::ensure!(pool.wait_ready(), "the pool is empty");
            timed(&mut || {
                pool.run(&Request::new(PROGRAM, "/"))?;
                Ok(())
            })
        },
    ));
    let unpacked = Image::of(Path::new(PROGRAM))?;
    variants.push(Variant::new(
        "sandbox, in an unpacked image",
        in_image(&unpacked),
    ));
    let mounted = Image::of(Path::new(PROGRAM))?.mount();
    match &mounted {
        Ok(image) => variants.push(Variant::new("sandbox, in a mounted image", in_image(image))),
        Err(reason) => report.skip("a mounted image", reason),
    }
    match on_path("bwrap") {
        Some(bwrap) => {
            variants.push(Variant::new("bwrap", move || succeed(&mut peer(&bwrap))));
        }
        None => report.skip("bwrap", "not installed; `cargo xtask peers` brings it"),
    }
    let samples = interleave(settings.rounds(300), variants)?;
    let base = &samples[1];
    let rows: Vec<Vec<String>> = samples
        .iter()
        .map(|sample| {
            vec![
                sample.name.clone(),
                time(sample.median()),
                time(sample.least()),
                ratio(sample.median(), base.median()),
                ratio(sample.least(), base.least()),
            ]
        })
        .collect();
    let head = [
        "",
        "median",
        "least",
        "median over the sandbox's",
        "least over the sandbox's",
    ];
    report.table(&head, &rows);
    Ok(())
}

fn in_image(image: &Image) -> impl FnMut() -> anyhow::Result<()> + use<> {
    let root = image.root();
    move || {
        let mut request = Request::new(PROGRAM, "/");
        request.image = Some(root.clone());
        let end = run(&request)?.outcome.end;
        anyhow::ensure!(end == End::Exited { code: 0 }, "in an image: {end:?}");
        Ok(())
    }
}

fn peer(bwrap: &PathBuf) -> Command {
    let mut command = command(bwrap);
    command
        .args(["--unshare-all", "--die-with-parent", "--hostname", "tracer"])
        .args(["--ro-bind", "/usr", "/usr", "--ro-bind", "/opt", "/opt"])
        .args([
            "--symlink",
            "usr/bin",
            "/bin",
            "--symlink",
            "usr/lib",
            "/lib",
        ])
        .args(["--symlink", "usr/lib64", "/lib64"])
        .args(["--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache"])
        .args([
            "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/dev/shm",
        ])
        .arg(PROGRAM);
    command
}
