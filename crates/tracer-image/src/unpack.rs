//! Unpacks layers into the store, for machines where they cannot be mounted.
//!
//! The unpacker is that of the base layer, of the same version as the packer, if the base is
//! unpacked already; else the host's.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Cancel, ImageError, Layer, LayerKind, Manifest, Store};

const PROGRAM: &str = "fsck.erofs";

/// Where programs for the superuser are, which is not always on an ordinary user's path.
const FOLDERS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/// How much of what a failed tool said is kept.
const SAID: usize = 2000;

impl Store {
    /// A layer's unpacked tree, made if it is not there.
    pub(crate) fn unpacked(
        &self,
        manifest: &Manifest,
        layer: &Layer,
    ) -> Result<PathBuf, ImageError> {
        let tree = self.tree(&layer.digest);
        if tree.is_dir() {
            return Ok(tree);
        }
        let _held = self.hold("unpack", &(), &Cancel::new())?;
        if tree.is_dir() {
            return Ok(tree); // another process was first
        }
        self.check_layer(layer)?;
        let mut tools = Vec::new();
        if let Some(base) = manifest.layer(LayerKind::Base) {
            tools.extend(of_tree(&self.tree(&base.digest)));
        }
        tools.extend(of_host());
        let mut failure = ImageError::NoTool {
            program: PROGRAM,
            hint: "install erofs-utils, or run as root where layers can be mounted".into(),
        };
        for tool in tools {
            let staging = self.staging()?;
            // Nobody else comes near before the modes are right.
            let closed = staging.path().join("closed");
            DirBuilder::new()
                .mode(0o700)
                .create(&closed)
                .map_err(|error| {
                    ImageError::writing(format!("make {}", closed.display()), &closed, error)
                })?;
            let staged = closed.join("tree");
            match extract(tool, &self.layer(&layer.digest), &staged) {
                Ok(()) => {
                    disarm(&staged).map_err(|error| {
                        ImageError::system(format!("set modes in {}", staged.display()), error)
                    })?;
                    self.keep_tree(&staged, &layer.digest)?;
                    return Ok(tree);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

fn extract(mut tool: Command, layer: &Path, tree: &Path) -> Result<(), ImageError> {
    let what = || format!("unpacking {}", layer.display());
    let mut extract = OsString::from("--extract=");
    extract.push(tree);
    let output = tool
        .arg(extract)
        .arg(layer)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| ImageError::system(format!("start {PROGRAM}"), error))?;
    if output.status.success() && tree.is_dir() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let from = said.len().saturating_sub(SAID);
    let from = (from..=said.len()).find(|at| said.is_char_boundary(*at));
    Err(ImageError::Tool {
        what: what(),
        status: output.status.to_string(),
        said: said[from.unwrap_or(0)..].trim().to_owned(),
    })
}

/// Takes the set-user-ID and set-group-ID bits: in an ordinary user's tree such files would act for
/// that user, whoever on the machine runs them.
fn disarm(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            disarm(&entry.path())?;
        } else if kind.is_file() {
            let mode = entry.metadata()?.mode();
            if mode & 0o6000 != 0 {
                fs::set_permissions(entry.path(), Permissions::from_mode(mode & 0o1777))?;
            }
        }
    }
    Ok(())
}

/// The unpacker in an unpacked base, started by the loader there: its own libraries are not where
/// its file says.
fn of_tree(base: &Path) -> Option<Command> {
    let program = base.join("usr/bin").join(PROGRAM);
    if !program.is_file() {
        return None;
    }
    let below = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let named = |path: &Path, start: &str, part: &str| {
        (path.file_name().and_then(|name| name.to_str()))
            .is_some_and(|name| name.starts_with(start) && name.contains(part))
    };
    let libraries = below(&base.join("usr/lib"))
        .into_iter()
        .find(|path| path.is_dir() && named(path, "", "-linux-gnu"))?;
    let loader = below(&libraries)
        .into_iter()
        .find(|path| named(path, "ld-linux", ".so"))?;
    let mut command = started(&loader);
    command.arg("--library-path").arg(libraries).arg(program);
    Some(command)
}

fn of_host() -> Option<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .chain(FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join(PROGRAM))
        .find(|program| program.is_file())
        .map(|program| started(&program))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a tool of ours on a file of known digest, no program of a user's"
)]
fn started(program: &Path) -> Command {
    Command::new(program)
}
