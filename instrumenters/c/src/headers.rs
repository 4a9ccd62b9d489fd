//! Where a program's own headers stand, and what implements them. C++ finds its own by it, too.
//!
//! A build file would say it; programs are read without one. A header is looked for beside the file
//! that includes it, then in the folders above and in those that projects keep headers in. Names of
//! the standard library are never looked for: they are the compiler's.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use tracer_instrument::{Plan, PlanRequest, PlanSource};
use tree_sitter::{Node, Tree};

/// How a language names its files.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// Extensions of the files that a compiler is given, headers not among them.
    pub units: &'static [&'static str],
    /// The standard library's headers, one a line.
    pub standard: &'static str,
}

/// Places of a header below a folder; `{}` is its name.
pub(crate) const PLACES: &[&str] = &["{}", "include/{}", "src/{}", "inc/{}", "lib/{}"];
/// Folders above the file's own in which they are looked for: a project is rarely deeper.
const ABOVE: usize = 4;
/// Places of what implements a header, from the header's folder.
const UNIT_FOLDERS: &[&str] = &["", "../src", "../lib", "..", "src"];

impl Names {
    /// Files of the program that a file includes, and the units that implement the headers among
    /// them.
    pub fn local_modules(
        &self,
        tree: &Tree,
        source: &[u8],
        path: &Path,
        exists: &dyn Fn(&Path) -> bool,
    ) -> Vec<PathBuf> {
        let mut found = Vec::new();
        includes(tree.root_node(), source, &mut |name, quoted| {
            let Some(file) = self.header(name, quoted, path, exists) else {
                return;
            };
            if found.contains(&file) {
                return;
            }
            let unit = self.unit(&file, path, exists);
            found.push(file);
            found.extend(unit);
        });
        found
    }

    fn header(
        &self,
        name: &str,
        quoted: bool,
        path: &Path,
        exists: &dyn Fn(&Path) -> bool,
    ) -> Option<PathBuf> {
        let folder = path.parent()?;
        if quoted {
            let beside = folder.join(name);
            if exists(&beside) {
                return Some(straight(&beside));
            }
        }
        if name.starts_with(['/', '.']) || self.standard.lines().any(|known| known == name) {
            return None;
        }
        for folder in folder.ancestors().take(ABOVE + 1) {
            if folder.parent().is_none() {
                break;
            }
            for place in PLACES {
                let file = folder.join(place.replace("{}", name));
                if file != path && exists(&file) {
                    return Some(file);
                }
            }
            if exists(&folder.join(".git/HEAD")) {
                break;
            }
        }
        None
    }

    fn unit(&self, header: &Path, path: &Path, exists: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
        if self.is_unit(header) {
            return None;
        }
        let folder = header.parent()?;
        let places = UNIT_FOLDERS.iter().flat_map(|place| {
            let file = straight(&folder.join(place)).join(header.file_name().unwrap_or_default());
            self.units.iter().map(move |unit| file.with_extension(unit))
        });
        places.into_iter().find(|unit| unit != path && exists(unit))
    }

    fn is_unit(&self, path: &Path) -> bool {
        path.extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| self.units.contains(&extension))
    }

    /// What the compiler is to be told beside the main file: the units that implement its headers,
    /// and the folders of headers that do not stand beside those who include them. Folders that the
    /// build must see are added to the plan.
    pub fn arguments(&self, request: &PlanRequest<'_>, plan: &mut Plan) -> Vec<OsString> {
        let files = || request.sources.iter().chain(request.companions);
        let main = request.sources.first().and_then(|main| main.path.parent());
        for folder in files().filter_map(|file| file.path.parent()) {
            if Some(folder) != main && !plan.folders.iter().any(|known| folder.starts_with(known)) {
                plan.folders.push(folder.to_path_buf());
            }
        }
        let mut folders = Vec::new();
        for file in files() {
            for (name, quoted) in named(file.original) {
                let beside = file
                    .path
                    .parent()
                    .map(|folder| straight(&folder.join(&name)));
                if quoted && files().any(|other| beside.as_deref() == Some(other.path)) {
                    continue;
                }
                let folder = files().find_map(|other| without(other.path, &name));
                folders.extend(folder.filter(|folder| !folders.contains(folder)));
            }
        }
        let units = files().skip(1).filter(|file| {
            self.is_unit(file.path) && !is_included(files(), file.path) && !has_main(file.original)
        });
        let units = units.map(|file| file.path.as_os_str().to_owned());
        // Behind the compiler's own folders: nothing of the standard library is hidden by it.
        let folders = folders
            .into_iter()
            .flat_map(|folder| ["-idirafter".into(), folder.into_os_string()]);
        units.chain(folders).collect()
    }
}

/// The same path without `..`, as far as it can be told from the path alone.
fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            straight.pop();
        } else {
            straight.push(part);
        }
    }
    straight
}

/// The folder from which a file has this name.
fn without(file: &Path, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    let steps = name.components().count();
    file.ends_with(name)
        .then(|| file.ancestors().nth(steps).map(Path::to_path_buf))?
}

/// Whether a unit is pulled in by another file's text, as some headers and tests do.
fn is_included<'a>(mut files: impl Iterator<Item = &'a PlanSource<'a>>, unit: &Path) -> bool {
    let name = unit.file_name();
    files.any(|file| {
        named(file.original)
            .iter()
            .any(|(given, _)| Path::new(given).file_name() == name)
    })
}

/// The names that a text includes, and whether they stand in quotes. Those in code that is switched off
/// count as well.
fn named(text: &[u8]) -> Vec<(String, bool)> {
    let text = String::from_utf8_lossy(text);
    let names = text.lines().filter_map(|line| {
        let line = line.trim_start().strip_prefix('#')?.trim_start();
        let given = line.strip_prefix("include")?.trim_start();
        let (close, quoted) = match given.chars().next()? {
            '"' => ('"', true),
            '<' => ('>', false),
            _ => return None,
        };
        let (name, _) = given[1..].split_once(close)?;
        Some((name.to_owned(), quoted))
    });
    names.collect()
}

/// Whether a unit is a program of its own, as the test of a header often is.
fn has_main(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.lines().any(|line| {
        let words = line.split_once("main").filter(|(before, after)| {
            let types = ["int", "void", "auto"];
            let kind = before.trim();
            (kind.is_empty() || types.iter().any(|name| kind.ends_with(name)))
                && after.trim_start().starts_with('(')
        });
        words.is_some()
    })
}

fn includes(node: Node<'_>, source: &[u8], report: &mut dyn FnMut(&str, bool)) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if child.kind() == "preproc_include" {
            let path = child.child_by_field_name("path");
            let text = path.and_then(|path| path.utf8_text(source).ok());
            let text = text.unwrap_or_default().trim();
            let inside = |open: char, close: char| text.strip_prefix(open)?.strip_suffix(close);
            if let Some(name) = inside('"', '"') {
                report(name, true);
            } else if let Some(name) = inside('<', '>') {
                report(name, false);
            }
        } else if child.kind().starts_with("preproc_") || child.kind() == "ERROR" {
            includes(child, source, report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names = Names {
        units: &["c"],
        standard: "stdio.h\nlist.h\n",
    };

    fn found(path: &str, source: &str, files: &[&str]) -> Vec<String> {
        let tree = tracer_instrument::engine::parse(&crate::SPEC, source.as_bytes()).unwrap();
        let exists = |path: &Path| files.iter().any(|file| Path::new(file) == path);
        let found = NAMES.local_modules(&tree, source.as_bytes(), Path::new(path), &exists);
        let names = found.iter().map(|path| path.to_string_lossy().into_owned());
        names.collect()
    }

    #[test]
    fn headers_are_looked_for_in_the_folders_above() {
        let source = "#include \"queue.h\"\n#include <stack.h>\n#include \"near.h\"\n";
        let files = [
            "/p/include/queue.h",
            "/p/src/queue.c",
            "/p/a/stack.h",
            "/p/a/b/near.h",
            "/p/a/b/near.c",
            "/p/near.h",
        ];
        assert_eq!(
            found("/p/a/b/main.c", source, &files),
            [
                "/p/include/queue.h",
                "/p/src/queue.c",
                "/p/a/stack.h",
                "/p/a/b/near.h",
                "/p/a/b/near.c"
            ]
        );
    }

    #[test]
    fn headers_of_the_compiler_and_of_other_projects_are_not() {
        let source =
            "#include <stdio.h>\n#include \"list.h\"\n#include <near.h>\n#include \"far.h\"\n";
        let files = [
            "/p/include/stdio.h",
            "/p/include/list.h",
            "/p/a/near.h",
            "/p/a/.git/HEAD",
            "/p/far.h",
        ];
        assert_eq!(found("/p/a/main.c", source, &files), ["/p/a/near.h"]);
    }

    #[test]
    fn units_that_are_programs_are_not_linked() {
        assert!(has_main(b"int x;\nint main(void) {\n"));
        assert!(has_main(b"main ()\n{\n"));
        assert!(!has_main(
            b"int domain(int x);\nint y = main_part(3);\n// the main (one)\n"
        ));
    }
}
