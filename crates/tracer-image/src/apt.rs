//! The system's apt, in a private root: resolves packages and downloads them.
//!
//! The system's package state is not read and not changed; its proxies, credentials and keys hold.
//! Nothing is installed here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::index::Index;
use crate::lock::Package;
use crate::sources::{self, Source, fields, paragraphs};
use crate::staging::children;
use crate::tool::{Isolation, Tool};
use crate::{Cancel, Digest, ImageError, Progress, Store};

/// Packages of one call of apt: what it has downloaded stays when a later call is interrupted.
const BATCH: usize = 64;

/// An apt root with fresh indices.
pub(crate) struct Apt<'a> {
    folder: PathBuf,
    index: Index,
    cancel: &'a Cancel,
}

impl<'a> Apt<'a> {
    /// Sets up `folder` and downloads the indices of `sources`. Sources that serve nothing of
    /// Debian's are left out; without one for `suite` it fails.
    pub(crate) fn prepare(
        folder: PathBuf,
        architecture: &str,
        suite: &str,
        sources: &[Source],
        progress: &dyn Progress,
        cancel: &'a Cancel,
    ) -> Result<Self, ImageError> {
        for name in ["lists/partial", "archives/partial", "parts", "empty"] {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(|error| ImageError::of_file("make", &path, error))?;
        }
        write(&folder.join("status"), "")?;
        write(&folder.join("preferences"), "")?;
        write(
            &folder.join("apt.conf"),
            &configuration(&folder, architecture),
        )?;
        let mut apt = Self {
            folder,
            index: Index::default(),
            cancel,
        };
        apt.tell(sources)?;
        let updated = apt.get("reading the package indices", &["update"]);
        if let Err(error @ (ImageError::Cancelled | ImageError::Full { .. })) = updated {
            return Err(error);
        }
        let targets = apt.get("listing the package indices", &["indextargets"])?;
        let targets: Vec<Target> = paragraphs(&targets).filter_map(target).collect();
        let (served, lacking): (Vec<_>, Vec<_>) = sources
            .iter()
            .cloned()
            .partition(|source| targets.iter().any(|target| target.is_of(source)));
        if !served.iter().any(|source| source.suite == suite) {
            // Some reason is given: apt has failed, or what it found is not Debian's.
            updated?;
            return Err(ImageError::NoMirror);
        }
        for source in lacking {
            progress.note(&format!("{} does not serve {}", source.uri, source.suite));
        }
        apt.tell(&served)?;
        for target in targets {
            let path = &target.file;
            // apt keeps no file of an index without packages.
            if path.is_file() && served.iter().any(|source| target.is_of(source)) {
                let text = fs::read_to_string(path)
                    .map_err(|error| ImageError::of_file("read", path, error))?;
                apt.index.add(&text);
            }
        }
        Ok(apt)
    }

    /// What the mirrors serve.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// The packages that `wanted` needs on an empty system, the essential ones included, or what it
    /// needs besides on the system that the file `status` describes; those in `pins` at these
    /// versions, where they are served.
    pub(crate) fn resolve(
        &self,
        wanted: &[String],
        pins: &[Package],
        status: Option<&Path>,
    ) -> Result<Vec<Package>, ImageError> {
        let mut preferences = String::new();
        for pin in pins.iter().filter(|pin| self.index.serves(pin)) {
            preferences.push_str(&format!(
                "Package: {}\nPin: version {}\nPin-Priority: 1001\n\n",
                pin.name, pin.version
            ));
        }
        write(&self.folder.join("preferences"), &preferences)?;
        let mut args = vec!["install".to_owned(), "--simulate".into(), "--yes".into()];
        match status {
            Some(status) => args.push(format!("--option=Dir::State::status={}", status.display())),
            None => args.extend(self.index.essential()),
        }
        args.extend(wanted.iter().cloned());
        let what = format!("resolving {}", wanted.join(" "));
        let said = self.get(&what, &args)?;
        let mut packages = Vec::new();
        for (name, version) in said.lines().filter_map(installed) {
            let package = self
                .index
                .find(name, version)
                .ok_or_else(|| ImageError::Tool {
                    what: what.clone(),
                    status: String::new(),
                    said: format!("apt chose {name} {version}, which no index lists"),
                })?;
            packages.push(package.clone());
        }
        packages.sort();
        packages.dedup();
        Ok(packages)
    }

    /// Downloads packages into the store.
    pub(crate) fn download(
        &self,
        store: &Store,
        packages: &[Package],
        progress: &dyn Progress,
    ) -> Result<(), ImageError> {
        let place = store.folder("packages")?;
        let folder = self.folder.join("downloads");
        fs::create_dir_all(&folder).map_err(|error| ImageError::of_file("make", &folder, error))?;
        let total: u64 = packages.iter().map(|package| package.size).sum();
        let mut done = 0;
        for batch in packages.chunks(BATCH) {
            progress.bytes(done, total);
            let mut args = vec!["download".to_owned()];
            args.extend(
                batch
                    .iter()
                    .map(|package| format!("{}={}", package.name, package.version)),
            );
            let fetched = self
                .tool("downloading packages", &args)
                .folder(&folder)
                .watched(Isolation::None, self.cancel, &mut || {
                    progress.bytes((done + bytes_in(&folder)).min(total), total);
                });
            // Whole files stay, even if the rest did not come.
            let kept = keep(&folder, &place, batch)?;
            fetched?;
            if let Some(lacking) = batch.iter().find(|package| !kept.contains(&package.digest)) {
                return Err(ImageError::Damaged {
                    what: format!("{} {}", lacking.name, lacking.version),
                    expected: lacking.digest.to_string(),
                    found: "other bytes from the mirror".into(),
                });
            }
            done += batch.iter().map(|package| package.size).sum::<u64>();
        }
        progress.bytes(total, total);
        Ok(())
    }

    fn tell(&self, sources: &[Source]) -> Result<(), ImageError> {
        let path = self.folder.join("parts").join("tracer.sources");
        write(&path, &sources::text(sources))
    }

    fn get<A: AsRef<str>>(&self, what: &str, args: &[A]) -> Result<String, ImageError> {
        self.tool(what, args).output(Isolation::None, self.cancel)
    }

    fn tool<A: AsRef<str>>(&self, what: &str, args: &[A]) -> Tool {
        Tool::new(what, &self.folder, "apt-get")
            .args([Path::new("--config-file"), &self.folder.join("apt.conf")])
            .args(args.iter().map(AsRef::as_ref))
    }
}

/// Hooks and paths of the system's configuration would reach outside the private root.
fn configuration(folder: &Path, architecture: &str) -> String {
    let mut text = String::new();
    for hooks in ["APT::Update", "DPkg"] {
        for time in ["Pre-Invoke", "Post-Invoke", "Post-Invoke-Success"] {
            text.push_str(&format!("#clear {hooks}::{time};\n"));
        }
    }
    text.push_str("#clear APT::Architectures;\n#clear APT::Default-Release;\n");
    let path = |name: &str| folder.join(name).display().to_string();
    let settings = [
        ("APT::Architecture", architecture.to_owned()),
        ("APT::Architectures::", architecture.to_owned()),
        // The private root is in the user's own folder, where apt's own user cannot go.
        ("APT::Sandbox::User", "root".into()),
        ("APT::Install-Recommends", "false".into()),
        ("APT::Install-Suggests", "false".into()),
        ("Acquire::GzipIndexes", "false".into()),
        ("Acquire::Languages", "none".into()),
        ("Acquire::Retries", "3".into()),
        ("Dir::State", path("")),
        ("Dir::State::status", path("status")),
        ("Dir::State::lists", path("lists")),
        ("Dir::Cache", path("")),
        ("Dir::Cache::archives", path("archives")),
        ("Dir::Cache::pkgcache", String::new()),
        ("Dir::Cache::srcpkgcache", String::new()),
        ("Dir::Etc::sourcelist", "/dev/null".into()),
        ("Dir::Etc::sourceparts", path("parts")),
        ("Dir::Etc::preferences", path("preferences")),
        ("Dir::Etc::preferencesparts", path("empty")),
    ];
    for (name, value) in settings {
        text.push_str(&format!("{name} \"{value}\";\n"));
    }
    text
}

/// `Inst name (version archive [architecture])`: name and version.
fn installed(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
    let (_, rest) = rest.split_once('(')?;
    Some((name.split(':').next()?, rest.split(' ').next()?))
}

/// An index that apt has.
struct Target {
    uri: String,
    suite: String,
    file: PathBuf,
}

impl Target {
    fn is_of(&self, source: &Source) -> bool {
        // apt says `file:/…` for `file:///…`.
        let plain = |uri: &str| uri.trim_end_matches('/').replace(":///", ":/");
        plain(&self.uri) == plain(&source.uri) && self.suite == source.suite
    }
}

/// Reads what apt says of an index; `None` unless it lists packages of Debian's.
fn target(stanza: &str) -> Option<Target> {
    let fields = fields(stanza);
    let value = |name: &str| {
        let (_, value) = fields.iter().find(|(field, _)| *field == name)?;
        Some(value.clone())
    };
    let ours = value("Created-By")? == "Packages" && value("Origin")? == "Debian";
    ours.then_some(Target {
        uri: value("Repo-URI")?,
        suite: value("Release")?,
        file: value("Filename")?.into(),
    })
}

/// Moves whole downloads to their places in the store; which.
fn keep(folder: &Path, place: &Path, wanted: &[Package]) -> Result<Vec<Digest>, ImageError> {
    let mut kept = Vec::new();
    for path in children(folder).into_iter().filter(|path| path.is_file()) {
        let digest =
            Digest::of_file(&path).map_err(|error| ImageError::of_file("read", &path, error))?;
        if wanted.iter().any(|package| package.digest == digest) {
            let to = package_file(place, &digest);
            fs::File::open(&path)
                .and_then(|file| file.sync_all())
                .and_then(|()| fs::rename(&path, &to))
                .map_err(|error| {
                    ImageError::writing(
                        format!("move {} to {}", path.display(), to.display()),
                        place,
                        error,
                    )
                })?;
            kept.push(digest);
        } else {
            fs::remove_file(&path).map_err(|error| ImageError::of_file("remove", &path, error))?;
        }
    }
    Ok(kept)
}

/// Where a package stands in the store's folder of packages.
pub(crate) fn package_file(place: &Path, digest: &Digest) -> PathBuf {
    place.join(format!("{}.deb", digest.hex()))
}

fn bytes_in(folder: &Path) -> u64 {
    children(folder)
        .iter()
        .filter_map(|path| Some(path.metadata().ok()?.len()))
        .sum()
}

fn write(path: &Path, text: &str) -> Result<(), ImageError> {
    fs::write(path, text).map_err(|error| ImageError::of_file("write", path, error))
}

#[cfg(test)]
#[expect(clippy::print_stderr, reason = "a test that cannot run says why")]
mod tests {
    use super::*;
    use crate::lock::Lock;
    use crate::tool::find;

    /// A mirror in a folder, of packages that need no compiler.
    struct Mirror {
        folder: tempfile::TempDir,
    }

    const STANZAS: [(&str, &str); 4] = [
        ("init", "Essential: yes\n"),
        ("libgem", ""),
        ("gem", "Depends: libgem (= 1)\nRecommends: docs\n"),
        ("docs", ""),
    ];

    impl Mirror {
        fn new() -> Option<Self> {
            for program in ["setpriv", "apt-get", "dpkg-deb"] {
                if find(program).is_none() {
                    eprintln!("skipped: there is no {program}");
                    return None;
                }
            }
            let mirror = Self {
                folder: tempfile::tempdir().unwrap(),
            };
            mirror.serve("1");
            Some(mirror)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// Serves all packages at this version, and no other.
        fn serve(&self, version: &str) {
            let mut index = String::new();
            for (name, more) in STANZAS {
                let more = more.replace("= 1", &format!("= {version}"));
                let control = format!(
                    "Package: {name}\nVersion: {version}\nArchitecture: all\n{more}\
                     Maintainer: Nobody <nobody@example.org>\nDescription: {name}\n"
                );
                let tree = self.path("tree");
                fs::create_dir_all(tree.join("DEBIAN")).unwrap();
                fs::write(tree.join("DEBIAN/control"), &control).unwrap();
                let file = self.path(&format!("{name}.deb"));
                Tool::new("making a package", self.folder.path(), "dpkg-deb")
                    .args([Path::new("--build"), &tree, &file])
                    .output(Isolation::None, &Cancel::new())
                    .unwrap();
                let bytes = fs::read(&file).unwrap();
                index.push_str(&format!(
                    "{control}Filename: {name}.deb\nSize: {}\nSHA256: {}\n\n",
                    bytes.len(),
                    Digest::of(&bytes).hex()
                ));
            }
            let folder = self.path("dists/testing");
            let packages = "main/binary-amd64/Packages";
            fs::create_dir_all(folder.join("main/binary-amd64")).unwrap();
            fs::write(folder.join(packages), &index).unwrap();
            let release = format!(
                "Origin: Debian\nSuite: testing\nCodename: testing\nArchitectures: amd64\n\
                 Components: main\nDate: Sat, 16 Aug 2025 00:00:00 UTC\nSHA256:\n {} {} {packages}\n",
                Digest::of(index.as_bytes()).hex(),
                index.len()
            );
            fs::write(folder.join("Release"), release).unwrap();
        }

        fn source(&self, suite: &str) -> Source {
            Source {
                uri: format!("file://{}", self.folder.path().display()),
                suite: suite.into(),
                signed_by: None,
                trusted: true,
            }
        }

        fn apt<'a>(&self, name: &str, cancel: &'a Cancel) -> Result<Apt<'a>, ImageError> {
            let sources = [self.source("testing"), self.source("testing-updates")];
            Apt::prepare(self.path(name), "amd64", "testing", &sources, &(), cancel)
        }
    }

    fn names(packages: &[Package]) -> Vec<String> {
        let name = |package: &Package| format!("{} {}", package.name, package.version);
        packages.iter().map(name).collect()
    }

    #[test]
    fn packages_are_resolved_pinned_and_downloaded() {
        let Some(mirror) = Mirror::new() else { return };
        let cancel = Cancel::new();
        let apt = mirror.apt("first", &cancel).unwrap();
        let packages = apt.resolve(&["gem".into()], &[], None).unwrap();
        assert_eq!(names(&packages), ["gem 1", "init 1", "libgem 1"]);

        let store = Store::at(mirror.path("store"));
        apt.download(&store, &packages, &()).unwrap();
        let place = store.folder("packages").unwrap();
        for package in &packages {
            let file = package_file(&place, &package.digest);
            assert_eq!(Digest::of_file(&file).unwrap(), package.digest);
        }

        // On a system that has some already, only what lacks is named.
        let status = mirror.path("status");
        let stanza = "Package: libgem\nVersion: 1\nArchitecture: all\nStatus: install ok installed\n\
            Maintainer: Nobody <nobody@example.org>\nDescription: libgem\n";
        fs::write(&status, stanza).unwrap();
        let more = apt.resolve(&["gem".into()], &[], Some(&status)).unwrap();
        assert_eq!(names(&more), ["gem 1"]);

        // The mirror moves on: what was locked is no longer served, and is told by name.
        let lock = Lock { packages };
        mirror.serve("2");
        let apt = mirror.apt("second", &cancel).unwrap();
        assert!(
            lock.packages
                .iter()
                .all(|package| !apt.index().serves(package))
        );
        let now = apt.resolve(&["gem".into()], &lock.packages, None).unwrap();
        let drifted = crate::index::drift(&lock, &now);
        assert_eq!(drifted, ["gem 1 -> 2", "init 1 -> 2", "libgem 1 -> 2"]);
    }

    #[test]
    fn what_is_not_what_the_index_says_does_not_come_in() {
        let Some(mirror) = Mirror::new() else { return };
        let cancel = Cancel::new();
        let apt = mirror.apt("apt", &cancel).unwrap();
        let packages = apt.resolve(&["docs".into()], &[], None).unwrap();
        fs::copy(mirror.path("gem.deb"), mirror.path("docs.deb")).unwrap();
        let store = Store::at(mirror.path("store"));
        assert!(apt.download(&store, &packages, &()).is_err());
        let docs = packages
            .iter()
            .find(|package| package.name == "docs")
            .unwrap();
        let place = store.folder("packages").unwrap();
        assert!(!package_file(&place, &docs.digest).exists());
    }

    #[test]
    fn an_archive_of_another_origin_is_no_mirror() {
        let Some(mirror) = Mirror::new() else { return };
        let release = mirror.path("dists/testing/Release");
        let text = fs::read_to_string(&release).unwrap();
        fs::write(&release, text.replace("Origin: Debian", "Origin: Other")).unwrap();
        let cancel = Cancel::new();
        let refused = mirror.apt("apt", &cancel).err().unwrap();
        assert!(refused.hint().is_some(), "{refused}");
    }
}
