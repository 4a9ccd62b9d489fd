//! Makes a whole root from packages that are all there, with mmdebstrap and without a network.
//!
//! What comes out still has time stamps, caches and documentation in it; see `normalise`.

use std::fs::{self, File};
use std::path::Path;

use crate::lock::Package;
use crate::tool::{self, Isolation, Tool};
use crate::{Cancel, ImageError, Progress, apt};

/// What to make a root of.
pub(crate) struct Bootstrap<'a> {
    /// Language id, for messages.
    pub(crate) language: &'a str,
    /// All packages of the root.
    pub(crate) packages: &'a [Package],
    /// The root of the base and its packages, to start from; nothing for the base itself.
    pub(crate) base: Option<(&'a Path, &'a [Package])>,
    /// Shell script that runs in the finished root.
    pub(crate) setup: Option<&'a [u8]>,
    /// Seconds since 1970 that stand for now.
    pub(crate) epoch: u64,
}

impl Bootstrap<'_> {
    /// Makes the root as a tar archive `output`, working in the folder `staging`; the packages are
    /// in the folder `downloads`.
    pub(crate) fn run(
        &self,
        downloads: &Path,
        staging: &Path,
        output: &Path,
        cancel: &Cancel,
    ) -> Result<(), ImageError> {
        let below = self.base.map_or(&[][..], |(_, packages)| packages);
        let packages: Vec<&Package> = self
            .packages
            .iter()
            .filter(|package| !below.contains(package))
            .collect();
        let repository = staging.join("repository");
        self.repository(&repository, downloads, &packages, cancel)?;
        let names: Vec<&str> = packages.iter().map(|package| &package.name[..]).collect();
        let temporary = staging.join("root");
        create(&temporary)?;
        let mut args = vec![
            "--mode=root".to_owned(),
            "--format=tar".into(),
            format!("--include={}", names.join(",")),
            "--aptopt=Dpkg::Use-Pty \"false\"".into(),
            "--aptopt=APT::Sandbox::User \"root\"".into(),
            // A root that a crash leaves half-made is never used.
            "--dpkgopt=force-unsafe-io".into(),
        ];
        match self.base {
            None => args.push("--variant=essential".into()),
            Some((tree, _)) => {
                args.push("--variant=custom".into());
                args.push(format!("--setup-hook=cp -a {}/. \"$1\"", quoted(tree)));
            }
        }
        if let Some(script) = self.setup {
            let path = staging.join("setup");
            write(&path, script)?;
            args.push(format!(
                "--customize-hook=chroot \"$1\" /bin/sh -eu < {}",
                quoted(&path)
            ));
        }
        args.extend([
            String::new(),
            "-".into(),
            format!("deb [trusted=yes] copy://{} ./", encoded(&repository)),
        ]);
        let file =
            File::create(output).map_err(|error| ImageError::of_file("write", output, error))?;
        let done = Tool::new(
            format!("unpacking the packages of {}", self.language),
            staging,
            "mmdebstrap",
        )
        .args(args)
        .env("SOURCE_DATE_EPOCH", self.epoch.to_string())
        .env("TMPDIR", &temporary)
        .into_file(Isolation::Users, file, cancel);
        for folder in [&repository, &temporary] {
            // Only to free room early; the staging folder goes as a whole.
            let _ = fs::remove_dir_all(folder);
        }
        done
    }

    /// A folder that apt takes for a mirror of just these packages.
    fn repository(
        &self,
        folder: &Path,
        downloads: &Path,
        packages: &[&Package],
        cancel: &Cancel,
    ) -> Result<(), ImageError> {
        create(folder)?;
        let mut index = String::new();
        for package in packages {
            let from = apt::package_file(downloads, &package.digest);
            let name = format!("{}.deb", package.digest.hex());
            let to = folder.join(&name);
            fs::hard_link(&from, &to)
                .or_else(|_| fs::copy(&from, &to).map(drop))
                .map_err(|error| ImageError::of_file("take", &from, error))?;
            let found = crate::Digest::of_file(&to)
                .map_err(|error| ImageError::of_file("read", &to, error))?;
            if found != package.digest {
                // The next build downloads it anew.
                let _ = fs::remove_file(&from);
                return Err(ImageError::Damaged {
                    what: from.display().to_string(),
                    expected: package.digest.to_string(),
                    found: found.to_string(),
                });
            }
            let what = format!("reading {} of {}", package.name, self.language);
            let control = Tool::new(what, folder, "dpkg-deb")
                .args([Path::new("--field"), &to])
                .output(Isolation::None, cancel)?;
            index.push_str(&format!(
                "{}\nFilename: ./{name}\nSize: {}\nSHA256: {}\n\n",
                control.trim_end(),
                package.size,
                package.digest.hex()
            ));
        }
        write(&folder.join("Packages"), index.as_bytes())
    }
}

/// Sees that what building needs is installed; root installs it where there is apt.
pub(crate) fn ensure_tools(
    progress: &dyn Progress,
    staging: &Path,
    cancel: &Cancel,
) -> Result<(), ImageError> {
    for (program, package) in [
        ("setpriv", "util-linux"),
        ("unshare", "util-linux"),
        ("apt-get", "apt"),
        ("dpkg-deb", "dpkg"),
        ("mmdebstrap", "mmdebstrap"),
    ] {
        if tool::find(program).is_some() {
            continue;
        }
        if tool::is_root() && tool::find("apt-get").is_some() {
            progress.note(&format!(
                "installing {package}, which building images needs"
            ));
            let installed = ["update", "install"].iter().try_for_each(|verb| {
                let mut args = vec!["--yes", "--no-install-recommends", verb];
                if *verb == "install" {
                    args.push(package);
                }
                Tool::new(format!("installing {package}"), staging, "apt-get")
                    .args(args)
                    .output(Isolation::None, cancel)
                    .map(drop)
            });
            if tool::find(program).is_some() {
                continue;
            }
            installed?;
        }
        return Err(ImageError::NoTool {
            program,
            hint: format!(
                "install the package {package} (`apt-get install {package}`, `dnf install {package}`), \
                 or `tracer image import` an archive built elsewhere"
            ),
        });
    }
    if !tool::is_root() && tool::find("newuidmap").is_none() {
        return Err(ImageError::NoTool {
            program: "newuidmap",
            hint: "`apt-get install uidmap`, and a range for this user in /etc/subuid and /etc/subgid; \
                   or build as root"
                .into(),
        });
    }
    Ok(())
}

/// For a line of apt's sources, whose words end at blanks.
fn encoded(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                text.push(char::from(*byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// For a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn create(folder: &Path) -> Result<(), ImageError> {
    fs::create_dir_all(folder).map_err(|error| ImageError::of_file("make", folder, error))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    fs::write(path, bytes).map_err(|error| ImageError::of_file("write", path, error))
}
