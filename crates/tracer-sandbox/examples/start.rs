//! Times the start of a sandbox for `/bin/true` against `bwrap` with the same namespaces, in
//! turns, and prints both. Arguments: the number of rounds (300).
#![allow(clippy::disallowed_methods, clippy::print_stdout)] // it measures a peer and prints

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tracer_sandbox::{Request, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::args()
        .nth(1)
        .map_or(Ok(300), |text| text.parse())?;
    let request = Request::new("/bin/true", "/");
    let (mut own, mut peer) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let start = Instant::now();
        let finished = run(&request)?;
        own.push(start.elapsed());
        if round == 0 {
            println!("{:?} {:?}", finished.outcome, finished.usage);
            for protection in finished.protections {
                println!(
                    "{:<22} {:<5} {}",
                    protection.name,
                    protection.active,
                    protection.reason.unwrap_or_default()
                );
            }
        }
        let start = Instant::now();
        let status = bwrap().status();
        if status.is_ok_and(|status| status.success()) {
            peer.push(start.elapsed());
        }
    }
    for (name, times) in [("tracer-sandbox", &mut own), ("bwrap", &mut peer)] {
        times.sort_unstable();
        let at = |share: usize| {
            times
                .get(times.len() * share / 100)
                .copied()
                .unwrap_or(Duration::ZERO)
        };
        println!(
            "{name:<16} min {:?}  p50 {:?}  p90 {:?}  p99 {:?}  n {}",
            at(0),
            at(50),
            at(90),
            at(99),
            times.len()
        );
    }
    Ok(())
}

fn bwrap() -> Command {
    let mut command = Command::new("bwrap");
    command
        .args([
            "--unshare-all",
            "--die-with-parent",
            "--ro-bind",
            "/usr",
            "/usr",
            "--ro-bind",
            "/opt",
            "/opt",
        ])
        .args([
            "--symlink",
            "usr/bin",
            "/bin",
            "--symlink",
            "usr/lib",
            "/lib",
        ])
        .args([
            "--symlink",
            "usr/lib64",
            "/lib64",
            "--ro-bind",
            "/etc/alternatives",
            "/etc/alternatives",
        ])
        .args([
            "--ro-bind",
            "/etc/ld.so.cache",
            "/etc/ld.so.cache",
            "--dev",
            "/dev",
            "--proc",
            "/proc",
        ])
        .args([
            "--tmpfs",
            "/tmp",
            "--tmpfs",
            "/dev/shm",
            "--hostname",
            "tracer",
            "/bin/true",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
