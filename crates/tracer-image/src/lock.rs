//! `packages.lock`: the exact packages of an image.
//!
//! One line a package, sorted: name, version, architecture, SHA-256 of the `.deb`, its size in
//! bytes. Lines that start with `#` say what it was resolved from.

use crate::{Digest, ImageError};

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Debian name.
    pub name: String,
    /// Full Debian version, epoch included.
    pub version: String,
    /// `amd64`, `arm64` or `all`.
    pub architecture: String,
    /// Of the `.deb`.
    pub digest: Digest,
    /// Of the `.deb`, bytes.
    pub size: u64,
}

/// The packages of one image, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// All of them, those of the base included.
    pub packages: Vec<Package>,
}

impl Lock {
    /// Reads a lock file; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, ImageError> {
        let mut packages = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            packages.push(package(line).ok_or_else(|| ImageError::Declaration {
                file: file.to_owned(),
                problem: format!(
                    "line {} is not `name version architecture sha256 bytes`",
                    index + 1
                ),
            })?);
        }
        packages.sort();
        Ok(Self { packages })
    }

    /// The text of the file. The same packages give the same bytes.
    pub fn text(&self) -> String {
        let mut text = String::from("# name version architecture sha256 bytes\n");
        for package in &self.packages {
            text.push_str(&format!(
                "{} {} {} {} {}\n",
                package.name,
                package.version,
                package.architecture,
                package.digest.hex(),
                package.size
            ));
        }
        text
    }
}

fn package(line: &str) -> Option<Package> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, version, architecture, digest, size] = words[..] else {
        return None;
    };
    Some(Package {
        name: name.into(),
        version: version.into(),
        architecture: architecture.into(),
        digest: digest.parse().ok()?,
        size: size.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_as_it_is_written() {
        let digest = Digest::of(b"");
        let text = format!(
            "# name version architecture sha256 bytes\na 1:2.0-1+deb13u1 all {} 7\n",
            digest.hex()
        );
        let lock = Lock::parse("a/packages.lock", &text).unwrap();
        assert_eq!(lock.packages[0].version, "1:2.0-1+deb13u1");
        assert_eq!(lock.text(), text);
        let error = Lock::parse("a/packages.lock", "a 1 all\n").unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
