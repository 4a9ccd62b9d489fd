//! Runs in an image: what is seen of it, of the host, and what may be written.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // the tiny image is found out with `ldd`

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{exited, folder, outcome, shell, text};
use tempfile::TempDir;
use tracer_model::Limit;
use tracer_sandbox::{
    Access, Body, ChangeKind, Finished, Inject, Isolation, Request, Root, SandboxError, run,
};

/// The host's programs that the image has.
const PROGRAMS: [&str; 5] = ["/bin/sh", "/bin/cat", "/bin/ls", "/bin/mkdir", "/bin/rm"];

/// Two layers: a shell with its libraries, and a second one over it.
fn image() -> (TempDir, Root) {
    let kept = tempfile::tempdir().unwrap();
    let [low, high] = ["low", "high"].map(|name| kept.path().join(name));
    for name in ["bin", "lib", "lib64"] {
        fs::create_dir_all(low.join("usr").join(name)).unwrap();
        symlink(format!("usr/{name}"), low.join(name)).unwrap();
    }
    let mut libraries = BTreeSet::new();
    for program in PROGRAMS {
        let name = Path::new(program).file_name().unwrap();
        fs::copy(program, low.join("usr/bin").join(name)).unwrap();
        let listed = Command::new("ldd").arg(program).output().unwrap();
        libraries.extend(
            text(&listed.stdout)
                .split_whitespace()
                .filter(|word| word.starts_with('/'))
                .map(PathBuf::from),
        );
    }
    assert!(!libraries.is_empty());
    for library in libraries {
        let inside = library.strip_prefix("/").unwrap();
        let inside = inside.strip_prefix("usr").unwrap_or(inside);
        let place = low.join("usr").join(inside);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(&library, place).unwrap();
    }
    for (layer, name) in [(&low, "low"), (&high, "high")] {
        for folder in ["etc", "usr/share/test", "var/scratch/tree", "root"] {
            fs::create_dir_all(layer.join(folder)).unwrap();
        }
        fs::write(layer.join("usr/share/test/both"), format!("{name}\n")).unwrap();
        fs::write(layer.join("usr/share/test").join(name), "there\n").unwrap();
        fs::write(layer.join("var/scratch/tree").join(name), "old\n").unwrap();
    }
    fs::write(low.join("etc/passwd"), "the image's own\n").unwrap();
    fs::write(low.join("etc/issue"), "an image\n").unwrap();
    fs::set_permissions(low.join("root"), fs::Permissions::from_mode(0o700)).unwrap();
    let root = Root {
        layers: vec![low, high],
        scratch: vec!["/var/scratch".into(), "/srv/new".into()],
    };
    (kept, root)
}

fn in_image(script: &str) -> (TempDir, Request) {
    let (kept, root) = image();
    let mut request = shell(script);
    request.image = Some(root);
    (kept, request)
}

fn printed(request: &Request) -> Option<String> {
    let finished = outcome(request)?;
    assert_eq!(text(&finished.stderr), "");
    exited(&finished, 0);
    Some(text(&finished.stdout))
}

fn says(finished: &Finished, wall: &str) -> Option<bool> {
    let mut all = finished.protections.iter();
    all.find(|one| one.name == wall).map(|one| one.active)
}

#[test]
fn the_image_alone_is_seen() {
    let (_kept, request) = in_image(
        "for at in / /usr /usr/bin /etc /dev /dev/pts; do ls -A $at; echo -; done; \
         cat /usr/share/test/both /usr/share/test/low /usr/share/test/high",
    );
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    let listed = text(&finished.stdout);
    let mut parts = listed.split("-\n").map(|part| part.split_whitespace());
    let mut next = || parts.next().unwrap().collect::<Vec<_>>();
    assert_eq!(
        next(),
        [
            "bin", "dev", "etc", "lib", "lib64", "proc", "root", "srv", "tmp", "usr", "var"
        ]
    );
    assert_eq!(next(), ["bin", "lib", "lib64", "share"]);
    assert_eq!(next(), ["cat", "ls", "mkdir", "rm", "sh"]);
    let own = ["group", "hostname", "hosts", "issue", "localtime", "mtab"];
    assert_eq!(next(), [&own[..], &["nsswitch.conf", "passwd"]].concat());
    let devices = next();
    for name in ["fd", "null", "ptmx", "pts", "shm", "stdin", "urandom"] {
        assert!(devices.contains(&name), "{name}: {devices:?}");
    }
    assert_eq!(next(), ["ptmx"]);
    assert_eq!(next(), ["high", "there", "there"]);
    assert_eq!(says(&finished, "image root"), Some(true));
    assert_eq!(says(&finished, "read-only root"), Some(true));
    assert_eq!(says(&finished, "seccomp"), Some(true));
}

#[test]
fn the_identity_files_are_the_sandboxs_own() {
    let (_kept, request) = in_image(
        "read -r first < /etc/passwd; echo $first; cat /etc/hostname /etc/issue; \
         read -r line < /etc/mtab; echo x > /dev/null; echo x > /tmp/y; echo x > /dev/shm/y",
    );
    let Some(printed) = printed(&request) else {
        return;
    };
    assert_eq!(printed, "root:x:0:0:root:/:/bin/sh\ntracer\nan image\n");
}

#[test]
fn the_root_is_read_only() {
    let (kept, request) = in_image(
        "for at in /x /usr/bin/x /etc/passwd /etc/issue /etc/x /root/x /usr/share/test/both; do \
         (echo x > $at) 2>/dev/null && echo wrote $at; done; rm -f /etc/issue 2>/dev/null && \
         echo removed; true",
    );
    let Some(printed) = printed(&request) else {
        return;
    };
    assert_eq!(printed, "");
    assert!(kept.path().join("low/etc/issue").exists());
}

#[test]
fn scratch_folders_are_writable_and_private_to_a_run() {
    let (kept, request) = in_image(
        "cd /var/scratch; cat tree/low tree/high; ls; echo new > made; echo more >> tree/low; \
         rm tree/high; mkdir tree/sub; echo x > tree/sub/x; cat tree/low; echo y > /srv/new/y; \
         ls tree /srv/new",
    );
    for _ in 0..2 {
        let Some(finished) = outcome(&request) else {
            return;
        };
        assert_eq!(text(&finished.stderr), "");
        exited(&finished, 0);
        assert_eq!(
            text(&finished.stdout),
            "old\nold\ntree\nold\nmore\n/srv/new:\ny\n\ntree:\nlow\nsub\n"
        );
        assert_eq!(finished.changes.len(), 0);
    }
    for layer in ["low", "high"] {
        let file = kept.path().join(layer).join("var/scratch/tree").join(layer);
        assert_eq!(fs::read_to_string(file).unwrap(), "old\n");
    }
}

#[test]
fn scratch_folders_count_against_the_disk_limit() {
    let (_kept, mut request) =
        in_image("line=0123456789abcdef; while echo $line$line$line$line; do :; done > /srv/new/x");
    request.limits.disk = Some(1 << 20);
    let Some(finished) = outcome(&request) else {
        return;
    };
    assert_eq!(finished.outcome.limits_hit, [Limit::Disk]);
}

#[test]
fn a_folder_of_the_host_works_in_an_image() {
    let (given, access) = folder(Access::Overlay);
    fs::write(given.path().join("file"), "old\n").unwrap();
    let (_kept, mut request) = in_image("cat file; echo new > file; echo x > made; ls");
    request.cwd.clone_from(&access.path);
    request.folders.push(access);
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(text(&finished.stdout), "old\nfile\nmade\n");
    let changes: Vec<_> = finished
        .changes
        .iter()
        .map(|change| (change.path.to_str().unwrap(), change.kind))
        .collect();
    assert_eq!(
        changes,
        [
            ("file", ChangeKind::Modified),
            ("made", ChangeKind::Created)
        ]
    );
    assert_eq!(
        fs::read_to_string(given.path().join("file")).unwrap(),
        "old\n"
    );
}

#[test]
fn roots_are_the_hosts_and_lie_over_the_image() {
    let kept = tempfile::tempdir().unwrap();
    fs::write(kept.path().join("data"), "the host's\n").unwrap();
    fs::set_permissions(kept.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (_image, mut request) = in_image("");
    request.roots.push(kept.path().to_owned());
    let at = kept.path().display();
    request.argv[2] = format!("cat {at}/data; (echo x > {at}/x) 2>/dev/null || echo no").into();
    let Some(printed) = printed(&request) else {
        return;
    };
    assert_eq!(printed, "the host's\nno\n");
}

/// A new file, one over the image's, one through the link `/bin`, one in a folder that was root's
/// alone, one over an identity file, one below `/tmp`; from memory and from the host.
#[test]
fn files_can_be_injected_over_the_image() {
    let source = tempfile::tempdir().unwrap();
    fs::write(
        source.path().join("data"),
        "#!/bin/sh\necho from the host\n",
    )
    .unwrap();
    fs::set_permissions(
        source.path().join("data"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    let (_kept, mut request) = in_image(
        "cat /run/tracer/new /usr/share/test/both /usr/share/test/low /root/kept /tmp/below \
         /etc/hosts; /bin/mine; ls /usr/bin; (echo x > /usr/share/test/both) 2>/dev/null || true",
    );
    for path in [
        "/run/tracer/new",
        "/usr/share/test/both",
        "/root/kept",
        "/tmp/below",
        "/etc/hosts",
    ] {
        request.files.push(Inject {
            path: path.into(),
            body: Body::Bytes(format!("injected at {path}\n").into_bytes().into()),
            executable: false,
        });
    }
    request.files.push(Inject {
        path: "/bin/mine".into(),
        body: Body::Host(source.path().join("data")),
        executable: true,
    });
    let Some(printed) = printed(&request) else {
        return;
    };
    assert_eq!(
        printed,
        "injected at /run/tracer/new\ninjected at /usr/share/test/both\nthere\n\
         injected at /root/kept\ninjected at /tmp/below\ninjected at /etc/hosts\nfrom the host\n\
         cat\nls\nmine\nmkdir\nrm\nsh\n"
    );
}

/// An image may come from anyone: its links must not lead the set-up out of it.
#[test]
fn links_of_a_hostile_image_lead_nowhere() {
    let (kept, mut request) = in_image("echo x > /tmp/x; echo x > /srv/new/x; ls /dev/shm");
    let outside = tempfile::tempdir().unwrap();
    let low = kept.path().join("low");
    fs::create_dir(low.join("run")).unwrap();
    for name in ["tmp", "proc", "dev", "srv", "run/tracer"] {
        symlink(outside.path(), low.join(name)).unwrap();
    }
    request.files.push(Inject {
        path: "/run/tracer/file".into(),
        body: Body::Bytes(b"x"[..].into()),
        executable: false,
    });
    if printed(&request).is_some() {
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}

#[test]
fn one_layer_is_enough() {
    let (_kept, mut request) = in_image("cat /usr/share/test/both");
    request.image.as_mut().unwrap().layers.truncate(1);
    let Some(printed) = printed(&request) else {
        return;
    };
    assert_eq!(printed, "low\n");
}

#[test]
fn what_the_image_has_not_cannot_be_executed() {
    let (_kept, mut request) = in_image("");
    request.program = "/usr/bin/env".into();
    match run(&request) {
        Err(SandboxError::Exec { program, .. }) => assert_eq!(program, Path::new("/usr/bin/env")),
        Err(error) if error.is_refusal() => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn impossible_images_are_refused() {
    let (kept, request) = in_image("true");
    let whole = request.image.clone().unwrap();
    let missing = kept.path().join("missing");
    let with = |layers: &[&Path], scratch: &str| Root {
        layers: layers.iter().map(|layer| (*layer).to_owned()).collect(),
        scratch: vec![scratch.into()],
    };
    let low = whole.layers[0].as_path();
    for (root, reason) in [
        (with(&[], "/x"), "no layers"),
        (with(&[low, &missing], "/x"), "missing of the image cannot"),
        (with(&[&low.join("etc/issue")], "/x"), "path of a folder"),
        (with(&[low], "x"), "not an absolute path"),
        (with(&[low], "/"), "below the root"),
        (with(&[low], "/dev"), "cannot be given"),
        (with(&[low], "/etc/issue"), "cannot be made writable"),
    ] {
        let (_kept, mut request) = in_image("true");
        request.image = Some(root);
        match run(&request) {
            Err(SandboxError::Request { reason: given, .. }) => {
                assert!(given.contains(reason), "{given}");
            }
            Err(error) if error.is_refusal() => return,
            other => panic!("{reason}: {other:?}"),
        }
    }
    let mut request = request;
    request.isolation = Isolation::None;
    let error = run(&request).unwrap_err();
    assert!(error.to_string().contains("without isolation"), "{error}");
    assert!(error.hint().is_some());
}
