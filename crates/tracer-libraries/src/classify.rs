//! Tells where imports come from: the standard library, the project, or somebody else.
//!
//! It reads nothing itself: the caller says what stands beside the file.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tracer_instrument::{Imports, LanguageSpec, StandardBy, normal};

use crate::hints::{self, Hint, Manifest};
use crate::imports::{Form, Found, begins};
use crate::{Import, Kind, LibrariesError, imports};

/// How many folders above a file may hold its project.
const ABOVE: usize = 10;

/// A file's surroundings, as far as the caller lets them be seen.
pub struct Around<'a> {
    /// Absolute path of the file.
    pub path: &'a Path,
    /// Whether a path exists.
    pub exists: &'a dyn Fn(&Path) -> bool,
    /// A file's text.
    pub read: &'a dyn Fn(&Path) -> Option<Vec<u8>>,
}

/// Where an import comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It comes with the language.
    Standard,
    /// It is the project's own, there or not.
    Local,
    /// Somebody else's library.
    ThirdParty,
    /// Only the run can tell.
    Unknown,
}

/// An import, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// The import.
    pub import: Import,
    /// Where from.
    pub origin: Origin,
    /// The project's file, where one was found.
    pub file: Option<PathBuf>,
}

/// All that a file imports, and which versions its project asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// In the order of the file.
    pub imports: Vec<Resolved>,
    /// What the files beside it say.
    pub hints: Vec<Hint>,
}

impl Needs {
    /// Names of third-party imports, in the order of the file, each once. Dynamic ones with a
    /// literal name are among them.
    pub fn third_party(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for each in &self.imports {
            if each.origin == Origin::ThirdParty && !names.contains(&each.import.name.as_str()) {
                names.push(&each.import.name);
            }
        }
        names
    }
}

/// Finds and classifies the imports of a file.
pub fn classify(
    spec: &'static LanguageSpec,
    source: &[u8],
    around: &Around<'_>,
) -> Result<Needs, LibrariesError> {
    let found = imports(spec, around.path, source)?;
    let data = &spec.imports;
    let manifests = manifests(data, around);
    let mut needs = Needs::default();
    for import in &found.imports {
        let (origin, file) = origin(data, import, &found, &manifests, around);
        needs.imports.push(Resolved {
            import: import.clone(),
            origin,
            file,
        });
    }
    needs.hints = manifests.into_iter().flat_map(|each| each.hints).collect();
    Ok(needs)
}

/// What files beside the program, or the nearest above it, say.
fn manifests(data: &Imports, around: &Around<'_>) -> Vec<Manifest> {
    let mut all = Vec::new();
    for (name, form) in data.hints {
        let folders = around.path.ancestors().skip(1).take(ABOVE);
        let nearest = folders
            .map(|folder| folder.join(name))
            .find_map(|path| (around.read)(&path));
        if let Some(text) = nearest {
            all.push(hints::read(*form, name, &String::from_utf8_lossy(&text)));
        }
    }
    all
}

fn origin(
    data: &Imports,
    import: &Import,
    found: &Found,
    manifests: &[Manifest],
    around: &Around<'_>,
) -> (Origin, Option<PathBuf>) {
    let name = import.name.as_str();
    if import.form == Form::Expression {
        return (Origin::Unknown, None);
    }
    if import.kind == Kind::Relative || begins(name, data.relative) {
        return (Origin::Local, beside(data, name, around, 1));
    }
    // What is written in quotes means the project's file first.
    if import.form == Form::Quoted
        && let Some(file) = beside(data, name, around, ABOVE)
    {
        return (Origin::Local, Some(file));
    }
    if is_standard(data, import) {
        return (Origin::Standard, None);
    }
    if let Some(file) = beside(data, name, around, ABOVE) {
        return (Origin::Local, Some(file));
    }
    let own = manifests.iter().flat_map(|manifest| &manifest.own);
    let first = parts(data, name).next().unwrap_or(name);
    let local = own.into_iter().any(|own| is_below(data, name, own))
        || found.defined.iter().any(|defined| defined == first)
        || found.own.iter().any(|own| shares(data, name, own));
    let local = local || import.form == Form::Quoted && !name.contains('/');
    if local {
        (Origin::Local, None)
    } else {
        (Origin::ThirdParty, None)
    }
}

fn parts<'a>(data: &Imports, name: &'a str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    if data.separator.is_empty() {
        Box::new(std::iter::once(name))
    } else {
        Box::new(name.split(data.separator))
    }
}

/// Whether a name is `above` or something in it.
pub(crate) fn is_below(data: &Imports, name: &str, above: &str) -> bool {
    name.strip_prefix(above).is_some_and(|rest| {
        rest.is_empty() || !data.separator.is_empty() && rest.starts_with(data.separator)
    })
}

/// Whether a name begins like the package that the file belongs to.
fn shares(data: &Imports, name: &str, own: &str) -> bool {
    if data.own_parts == 0 {
        return false;
    }
    let of_own: Vec<&str> = parts(data, own).take(data.own_parts).collect();
    let of_name: Vec<&str> = parts(data, name).take(of_own.len()).collect();
    of_name == of_own
}

fn is_standard(data: &Imports, import: &Import) -> bool {
    let name = import.name.as_str();
    let known = |name: &str| {
        let mut lines = data.standard.lines();
        lines.any(|line| line == name && !line.starts_with('#'))
    };
    if begins(name, data.standard_prefixes) {
        return true;
    }
    match data.standard_by {
        StandardBy::FirstPart => parts(data, name).next().is_some_and(known),
        StandardBy::Whole => {
            known(name)
                || import.form == Form::Member
                    && (name.rsplit_once(data.separator)).is_some_and(|(above, _)| known(above))
        }
        StandardBy::AnyPrefix => {
            let mut name = name;
            loop {
                if known(name) {
                    return true;
                }
                match name.rsplit_once(data.separator) {
                    Some((above, _)) => name = above,
                    None => return false,
                }
            }
        }
    }
}

/// The project's file of this name: beside the importing one or in up to `above` folders over it.
fn beside(data: &Imports, name: &str, around: &Around<'_>, above: usize) -> Option<PathBuf> {
    // Leading dots of a dotted name are steps up, not parts.
    let dotted = data.separator == "." && name.starts_with('.');
    let (skip, name) = if dotted {
        let rest = name.trim_start_matches('.');
        (name.len() - rest.len() - 1, rest)
    } else {
        (0, name)
    };
    let as_path = if data.separator.is_empty() || data.separator == "/" {
        name.to_owned()
    } else {
        name.replace(data.separator, "/")
    };
    let as_path = as_path.trim_start_matches('/');
    let mut names = vec![as_path];
    // The last part may be something inside the file.
    if data.separator != "/"
        && let Some((folder, _)) = as_path.rsplit_once('/')
        && !data.separator.is_empty()
    {
        names.push(folder);
    }
    let folders = around.path.ancestors().skip(1 + skip).take(above.max(1));
    for folder in folders {
        for name in names.iter().filter(|name| !name.is_empty()) {
            for form in data.files {
                let path = normal(&folder.join(form.replace("{}", name)));
                if path != around.path && (around.exists)(&path) {
                    return Some(path);
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(
        language: &str,
        path: &str,
        source: &str,
        files: &[(&str, &str)],
    ) -> (Vec<String>, Vec<Hint>) {
        let spec = tracer_languages::by_name(language).unwrap();
        let text = |path: &Path| {
            let mut known = files.iter().filter(|(name, _)| Path::new(name) == path);
            known.next().map(|(_, text)| text.as_bytes().to_vec())
        };
        let around = Around {
            path: Path::new(path),
            exists: &|path| text(path).is_some(),
            read: &text,
        };
        let needs = classify(spec, source.as_bytes(), &around).unwrap();
        let lines = needs.imports.iter();
        let lines = lines.map(|each| format!("{} {:?}", each.import.name, each.origin));
        (lines.collect(), needs.hints)
    }

    #[test]
    fn python() {
        let source = "from __future__ import x\nimport os.path\nimport numpy\nimport helper\n\
            from pkg.deep import y\nfrom .z import w\nimport requests\n";
        let files = [
            ("/p/a/helper.py", ""),
            ("/p/pkg/__init__.py", ""),
            ("/p/a/z.py", ""),
            ("/p/requirements.txt", "numpy>=1.2 # why\n-r other\n"),
        ];
        let (lines, hints) = resolved("python", "/p/a/main.py", source, &files);
        assert_eq!(
            lines,
            [
                "os.path Standard",
                "numpy ThirdParty",
                "helper Local",
                "pkg.deep Local",
                ".z Local",
                "requests ThirdParty"
            ]
        );
        assert_eq!(hints.len(), 1);
        assert_eq!((&*hints[0].package, &*hints[0].wanted), ("numpy", ">=1.2"));
    }

    #[test]
    fn names_with_other_separators() {
        let source = "const a = require('fs'), b = require('node:test'), c = require('fs-extra'), \
            d = require('punycode/'), e = require('./e');";
        let (lines, _) = resolved("javascript", "/p/a.js", source, &[("/p/e.js", "")]);
        assert_eq!(
            lines,
            [
                "./e Local",
                "fs Standard",
                "fs-extra ThirdParty",
                "node:test Standard",
                "punycode/ ThirdParty"
            ]
        );
        let source =
            "package m\nimport (\n\"net/http\"\n\"example.org/m/x\"\n\"github.com/a/b\"\n)";
        let module = [(
            "/p/go.mod",
            "module example.org/m\nrequire github.com/a/b v1.2.0\n",
        )];
        let (lines, hints) = resolved("go", "/p/m/a.go", source, &module);
        assert_eq!(
            lines,
            [
                "net/http Standard",
                "example.org/m/x Local",
                "github.com/a/b ThirdParty"
            ]
        );
        assert_eq!(&*hints[0].wanted, "v1.2.0");
        let source = "mod util;\nuse util::x;\nuse std::io;\nuse rand::Rng;\nuse super::y;\n";
        let (lines, _) = resolved("rust", "/p/src/a.rs", source, &[]);
        assert_eq!(
            lines,
            [
                "util::x Local",
                "std::io Standard",
                "rand::Rng ThirdParty",
                "super::y Local"
            ]
        );
        let source = "package org.me.app;\nimport java.util.List;\nimport org.me.lib.X;\n\
            import org.junit.Test;\nimport static java.lang.Math.abs;\n";
        let (lines, _) = resolved("java", "/p/A.java", source, &[]);
        assert_eq!(
            lines,
            [
                "java.util.List Standard",
                "org.me.lib.X Local",
                "org.junit.Test ThirdParty",
                "java.lang.Math.abs Standard"
            ]
        );
        let source = "#include <stdio.h>\n#include \"a.h\"\n#include \"b.h\"\n#include <curl/curl.h>\n\
            #include \"gtest/gtest.h\"\n#include \"math.h\"\n";
        let (lines, _) = resolved("c", "/p/src/a.c", source, &[("/p/include/a.h", "")]);
        assert_eq!(
            lines,
            [
                "stdio.h Standard",
                "a.h Local",
                "b.h Local",
                "curl/curl.h ThirdParty",
                "gtest/gtest.h ThirdParty",
                "math.h Standard"
            ]
        );
    }
}
