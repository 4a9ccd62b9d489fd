//! Folders of the host: what may be changed, what is listed, and what is brought out.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // tests start helpers and say why they skip

mod common;

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use common::{exited, folder, outcome, shell, text};
use tracer_sandbox::{
    Access, Body,
    ChangeKind::{self, Created, Deleted, Modified},
    CopyLimits, FileType, Finished, Inject, Request, copy_out, run,
};

fn in_folder(script: &str, access: Access) -> (tempfile::TempDir, Request) {
    let (kept, given) = folder(access);
    let mut request = shell(script);
    request.cwd.clone_from(&given.path);
    request.folders.push(given);
    (kept, request)
}

fn listed(finished: &Finished) -> Vec<(String, ChangeKind)> {
    finished
        .changes
        .iter()
        .map(|change| (change.path.to_str().unwrap().to_owned(), change.kind))
        .collect()
}

#[test]
fn overlay_changes_are_listed_and_the_host_is_untouched() {
    let (kept, request) = in_folder(
        "echo new > created; echo more >> modified; rm deleted; mkdir -p a/b; echo x > a/b/c; \
         touch touched; rm -r tree; ln -s created link; cat same > copy; mv copy same",
        Access::Overlay,
    );
    for name in ["modified", "deleted", "touched", "same"] {
        fs::write(kept.path().join(name), "old\n").unwrap();
    }
    fs::create_dir(kept.path().join("tree")).unwrap();
    fs::write(kept.path().join("tree/leaf"), "leaf").unwrap();
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(
        listed(&finished),
        [
            ("a", Created),
            ("a/b", Created),
            ("a/b/c", Created),
            ("created", Created),
            ("deleted", Deleted),
            ("link", Created),
            ("modified", Modified),
            ("tree", Deleted),
        ]
        .map(|(path, kind)| (path.to_owned(), kind))
    );
    let mut contents = String::new();
    let modified = finished
        .changes
        .iter()
        .find(|change| change.path == Path::new("modified"));
    modified
        .unwrap()
        .open()
        .unwrap()
        .read_to_string(&mut contents)
        .unwrap();
    assert_eq!(contents, "old\nmore\n");
    assert_eq!(
        fs::read_to_string(kept.path().join("modified")).unwrap(),
        "old\n"
    );
    assert!(kept.path().join("deleted").exists() && !kept.path().join("created").exists());
}

#[test]
fn changes_are_copied_out() {
    let (kept, request) = in_folder(
        "echo new > created; chmod 750 created; echo more >> modified; rm -r tree; mkdir -p a/b; \
         echo x > a/b/c; ln -s created link",
        Access::Overlay,
    );
    fs::write(kept.path().join("modified"), "old\n").unwrap();
    fs::create_dir(kept.path().join("tree")).unwrap();
    fs::write(kept.path().join("tree/leaf"), "leaf").unwrap();
    let Some(finished) = outcome(&request) else {
        return;
    };
    let limits = CopyLimits {
        links: true,
        ..CopyLimits::default()
    };
    let report = copy_out(&finished.changes, kept.path(), kept.path(), limits).unwrap();
    assert_eq!(report.skipped, []);
    assert_eq!(report.bytes, 15);
    let read = |name: &str| fs::read_to_string(kept.path().join(name)).unwrap();
    assert_eq!(read("created"), "new\n");
    assert_eq!(read("modified"), "old\nmore\n");
    assert_eq!(read("a/b/c"), "x\n");
    assert_eq!(
        fs::read_link(kept.path().join("link")).unwrap(),
        Path::new("created")
    );
    assert!(!kept.path().join("tree").exists());
    let mode = fs::metadata(kept.path().join("created"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o750);
}

#[test]
fn a_folder_made_anew_hides_the_old_one() {
    let (kept, request) = in_folder("rm -r tree; mkdir tree; echo x > tree/new", Access::Overlay);
    fs::create_dir(kept.path().join("tree")).unwrap();
    fs::write(kept.path().join("tree/old"), "old").unwrap();
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(
        listed(&finished),
        [
            ("tree/new".to_owned(), ChangeKind::Created),
            ("tree/old".to_owned(), ChangeKind::Deleted)
        ]
    );
}

#[test]
fn hostile_changes_are_not_followed() {
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("secret"), "secret").unwrap();
    let target = secret.path().display();
    let (kept, request) = in_folder(
        &format!(
            "ln -s {target}/secret file; ln -s {target} folder; mkfifo pipe; truncate -s 1T sparse; \
             printf '#!/bin/sh' > suid; chmod 4755 suid; rm -r real; ln -s {target} real"
        ),
        Access::Overlay,
    );
    fs::create_dir(kept.path().join("real")).unwrap();
    let mut request = request;
    request.limits.file_size = None;
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    for change in &finished.changes {
        let refused = change.open().is_err();
        let regular = matches!(change.file, FileType::Regular(_));
        assert_eq!(refused, !regular, "{change:?}");
    }
    let destination = tempfile::tempdir().unwrap();
    // The host's side is hostile as well: links stand where files are to be written.
    symlink(secret.path(), destination.path().join("real")).unwrap();
    symlink(
        secret.path().join("secret"),
        destination.path().join("suid"),
    )
    .unwrap();
    let limits = CopyLimits {
        bytes: 1 << 20,
        ..CopyLimits::default()
    };
    let report = copy_out(&finished.changes, kept.path(), destination.path(), limits).unwrap();
    assert_eq!(report.done, [PathBuf::from("suid")]);
    let skipped: Vec<_> = report
        .skipped
        .iter()
        .map(|(path, _)| path.to_str().unwrap())
        .collect();
    assert_eq!(skipped, ["file", "folder", "pipe", "real", "sparse"]);
    let copied = fs::symlink_metadata(destination.path().join("suid")).unwrap();
    assert!(copied.is_file());
    assert_eq!(copied.permissions().mode() & 0o7777, 0o755);
    assert_eq!(
        fs::read_to_string(secret.path().join("secret")).unwrap(),
        "secret"
    );
}

#[test]
fn a_parent_that_became_a_link_is_not_followed() {
    let (kept, request) = in_folder("mkdir sub; echo x > sub/file", Access::Overlay);
    let Some(finished) = outcome(&request) else {
        return;
    };
    let (outside, destination) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    symlink(outside.path(), destination.path().join("sub")).unwrap();
    let file: Vec<_> = finished
        .changes
        .into_iter()
        .filter(|change| change.path.ends_with("file"))
        .collect();
    let report = copy_out(
        &file,
        kept.path(),
        destination.path(),
        CopyLimits::default(),
    )
    .unwrap();
    assert_eq!(report.done, Vec::<PathBuf>::new());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_read_only_folder_stays_as_it_is() {
    let (kept, request) = in_folder(
        "cat file; echo x > file; rm file; mkdir y",
        Access::ReadOnly,
    );
    fs::write(kept.path().join("file"), "kept\n").unwrap();
    let Some(finished) = outcome(&request) else {
        return;
    };
    assert_eq!(text(&finished.stdout), "kept\n");
    assert_eq!(
        fs::read_to_string(kept.path().join("file")).unwrap(),
        "kept\n"
    );
    assert_eq!(fs::read_dir(kept.path()).unwrap().count(), 1);
}

#[test]
fn a_writable_folder_is_the_hosts_own() {
    let (kept, request) = in_folder("cat file; echo new > file; mkdir made", Access::Writable);
    fs::write(kept.path().join("file"), "old\n").unwrap();
    // Private to its owner, whom the program acts for.
    fs::set_permissions(kept.path().join("file"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(kept.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(text(&finished.stdout), "old\n");
    assert_eq!(
        fs::read_to_string(kept.path().join("file")).unwrap(),
        "new\n"
    );
    let metadata = fs::metadata(kept.path().join("made")).unwrap();
    assert_eq!(metadata.uid(), nix::unistd::geteuid().as_raw());
}

#[test]
fn a_writable_folder_gets_no_set_user_id_file() {
    let (kept, request) = in_folder(
        "cp /bin/true tool; chmod 4755 tool; chmod u+s tool; chmod 755 tool; install -m 6755 tool other; stat -c %a tool",
        Access::Writable,
    );
    let Some(finished) = outcome(&request) else {
        return;
    };
    assert_eq!(
        text(&finished.stdout),
        "755\n",
        "{}",
        text(&finished.stderr)
    );
    for entry in fs::read_dir(kept.path()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o6000, 0);
    }
}

#[test]
fn private_files_of_the_owner_can_be_read_in_an_overlay() {
    let (kept, request) = in_folder("cat file; echo more >> file; cat file", Access::Overlay);
    fs::write(kept.path().join("file"), "old\n").unwrap();
    fs::set_permissions(kept.path().join("file"), fs::Permissions::from_mode(0o600)).unwrap();
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(text(&finished.stdout), "old\nold\nmore\n");
}

#[test]
fn an_injected_file_stands_in_for_one_that_exists() {
    let (kept, mut request) = in_folder("cat file; ls", Access::Overlay);
    fs::write(kept.path().join("file"), "original\n").unwrap();
    request.files.push(Inject {
        path: kept.path().join("file"),
        body: Body::Bytes(b"stand-in\n"[..].into()),
        executable: false,
    });
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(text(&finished.stdout), "stand-in\nfile\n");
    assert_eq!(listed(&finished), []);
}

#[test]
fn a_host_file_can_be_injected() {
    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("data"), "from the host\n").unwrap();
    let mut request = shell("cat /run/tracer/data");
    request.files.push(Inject {
        path: "/run/tracer/data".into(),
        body: Body::Host(source.path().join("data")),
        executable: false,
    });
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    assert_eq!(text(&finished.stdout), "from the host\n");
}

#[test]
fn a_working_folder_that_is_not_given_is_an_error() {
    let hidden = tempfile::tempdir().unwrap();
    let mut request = shell("true");
    request.cwd = hidden.path().to_owned();
    let error = run(&request).unwrap_err();
    assert!(
        error.is_refusal() || error.hint().unwrap().contains("folder above"),
        "{error}"
    );
}

#[test]
fn the_root_is_never_the_hosts() {
    let mut request = shell("pwd; ls -d /work /var /root /home 2>/dev/null; echo x > /x");
    request.cwd = "/".into();
    request.folders.push(tracer_sandbox::Folder {
        path: "/".into(),
        access: Access::Writable,
    });
    let Some(finished) = outcome(&request) else {
        return;
    };
    assert_eq!(text(&finished.stdout), "/\n");
    assert!(!Path::new("/x").exists());
}

#[test]
fn devices_cannot_be_given() {
    let mut request = shell("true");
    request.folders.push(tracer_sandbox::Folder {
        path: "/dev".into(),
        access: Access::Overlay,
    });
    let error = run(&request).unwrap_err();
    assert!(matches!(error, tracer_sandbox::SandboxError::Request { .. }) || error.is_refusal());
}

#[test]
fn shared_folders_can_be_given() {
    for shared in ["/tmp", "/usr/local"] {
        let mut request = shell("echo x > tracer-overlay-test; cat tracer-overlay-test");
        request.cwd = shared.into();
        request.folders.push(tracer_sandbox::Folder {
            path: shared.into(),
            access: Access::Overlay,
        });
        let Some(finished) = outcome(&request) else {
            return;
        };
        if text(&finished.stderr).contains("Permission denied") {
            continue; // an ordinary user may not write there
        }
        assert_eq!(
            text(&finished.stdout),
            "x\n",
            "{shared}: {}",
            text(&finished.stderr)
        );
        assert_eq!(
            listed(&finished),
            [("tracer-overlay-test".to_owned(), ChangeKind::Created)]
        );
        assert!(!Path::new(shared).join("tracer-overlay-test").exists());
    }
}

#[test]
fn names_that_are_not_text_are_copied_out() {
    let (kept, request) = in_folder("printf x > \"$(printf 'a\\nb\\377')\"", Access::Overlay);
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    let report = copy_out(
        &finished.changes,
        kept.path(),
        kept.path(),
        CopyLimits::default(),
    )
    .unwrap();
    assert_eq!((report.done.len(), report.skipped.len()), (1, 0));
    assert_eq!(fs::read_dir(kept.path()).unwrap().count(), 1);
}

#[test]
fn what_is_too_large_to_copy_replaces_nothing() {
    let (kept, mut request) = in_folder(
        "rm -r tree; head -c 100000 /dev/zero > tree; head -c 100000 /dev/zero > file; \
         head -c 100000 /dev/zero > new",
        Access::Overlay,
    );
    request.limits.disk = Some(8 << 20);
    let destination = tempfile::tempdir().unwrap();
    for folder in [kept.path(), destination.path()] {
        fs::create_dir(folder.join("tree")).unwrap();
        fs::write(folder.join("tree/leaf"), "leaf").unwrap();
        fs::write(folder.join("file"), "old").unwrap();
    }
    let Some(finished) = outcome(&request) else {
        return;
    };
    exited(&finished, 0);
    let limits = CopyLimits {
        bytes: 1000,
        ..CopyLimits::default()
    };
    let report = copy_out(&finished.changes, kept.path(), destination.path(), limits).unwrap();
    assert_eq!(report.done, [""; 0].map(std::path::PathBuf::from));
    assert!(destination.path().join("tree/leaf").exists());
    assert_eq!(fs::read(destination.path().join("file")).unwrap(), b"old");
    assert!(!destination.path().join("new").exists());
}
