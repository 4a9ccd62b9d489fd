//! Which files make up a program: the others of its package, and the packages of its module that
//! it imports. Compiles nothing; what is found is only what the names in the text lead to.
//!
//! A folder may hold several programs of one file each: then only what the main file needs of the
//! others is taken.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tracer_instrument::normal;
use tree_sitter::Tree;

use crate::source::{Source, words};

/// How a file or a folder is read: a folder as the names of its entries, one a line.
type Read<'r> = &'r dyn Fn(&Path) -> Option<Vec<u8>>;

/// What is known of a program beside its main file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The module's `go.mod` and its text.
    pub(crate) module: Option<(PathBuf, String)>,
    /// The `go.work` above it and its text.
    pub(crate) workspace: Option<(PathBuf, String)>,
    /// Files of the main package beside the main file.
    pub(crate) package: Vec<PathBuf>,
    /// Files of other packages.
    pub(crate) others: Vec<PathBuf>,
    /// Folders of the module and of local ones in place of others: their `go.mod` must be seen.
    pub(crate) folders: Vec<PathBuf>,
    /// Whether the module needs others, from the cache of modules.
    pub(crate) requires: bool,
}

impl Settings {
    fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        for path in &self.package {
            text.push_str(&format!("package {}\n", path.display()));
        }
        for path in &self.others {
            text.push_str(&format!("other {}\n", path.display()));
        }
        for path in &self.folders {
            text.push_str(&format!("folder {}\n", path.display()));
        }
        if self.requires {
            text.push_str("requires -\n");
        }
        if let Some((path, contents)) = &self.workspace {
            text.push_str(&format!("workspace {}\n", path.display()));
            for line in contents.lines() {
                text.push_str(&format!("member {line}\n"));
            }
        }
        if let Some((path, contents)) = &self.module {
            text.push_str(&format!("module {}\n{contents}", path.display()));
        }
        text.into_bytes()
    }

    /// The name of the module if its `go.mod` asks for a language before Go 1.18.
    pub(crate) fn old_module(&self) -> Option<&str> {
        let (_, text) = self.module.as_ref()?;
        let directive = |word: &str| {
            let mut lines = text
                .lines()
                .map(|line| line.split("//").next().unwrap_or(line));
            lines.find_map(|line| line.trim().strip_prefix(word)?.strip_prefix([' ', '\t']))
        };
        // Without the directive it is Go 1.16.
        let version = directive("go").map_or("1.16", str::trim);
        let mut numbers = version.split(|c: char| !c.is_ascii_digit());
        let mut number = || numbers.next().and_then(|number| number.parse::<u32>().ok());
        let old = (number()?, number().unwrap_or(0)) < (1, 18);
        directive("module")
            .filter(|_| old)
            .map(|name| name.trim().trim_matches('"'))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut settings = Self::default();
        let mut rest = &*text;
        while let Some((line, after)) = rest.split_once('\n') {
            match line.split_once(' ') {
                Some(("package", path)) => settings.package.push(path.into()),
                Some(("other", path)) => settings.others.push(path.into()),
                Some(("folder", path)) => settings.folders.push(path.into()),
                Some(("requires", _)) => settings.requires = true,
                Some(("workspace", path)) => {
                    settings.workspace = Some((path.into(), String::new()));
                }
                Some(("member", line)) => {
                    if let Some((_, text)) = &mut settings.workspace {
                        text.push_str(line);
                        text.push('\n');
                    }
                }
                Some(("module", path)) => {
                    settings.module = Some((path.into(), after.to_owned()));
                    break;
                }
                _ => {}
            }
            rest = after;
        }
        settings
    }
}

/// The Go files of a folder that are no tests, parsed.
fn files(folder: &Path, read: Read<'_>) -> Vec<Source> {
    let Some(names) = read(folder) else {
        return Vec::new();
    };
    let names = String::from_utf8_lossy(&names).into_owned();
    let mut names: Vec<&str> = names
        .lines()
        .filter(|name| {
            let stem = name.strip_suffix(".go");
            stem.is_some_and(|stem| !stem.ends_with("_test"))
        })
        .filter(|name| !name.starts_with(['_', '.']))
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .filter_map(|name| {
            let path = folder.join(name);
            let text = read(&path)?;
            Some(Source::read(path, &text))
        })
        .collect()
}

/// The files beside the main file that belong to the program.
fn beside(main: &Source, read: Read<'_>) -> Vec<Source> {
    let folder = main.path.parent().unwrap_or(Path::new("/"));
    let others: Vec<Source> = files(folder, read)
        .into_iter()
        .filter(|source| source.path != main.path && source.package == main.package)
        .filter(|source| !source.ignored)
        .collect();
    let (mut programs, mut others): (Vec<Source>, Vec<Source>) = others
        .into_iter()
        .partition(|source| source.package == "main" && source.declares.contains("main"));
    if main.declares.contains("main") {
        if programs.is_empty() {
            return others;
        }
    } else if programs.len() <= 1 {
        // A part of the program whose `main` stands beside it.
        others.append(&mut programs);
        return others;
    }
    // Only those that declare something the program names and does not have.
    let mut taken: Vec<Source> = Vec::new();
    let mut left = others;
    loop {
        let mut declared = main.declares.clone();
        let mut named: BTreeSet<String> = words(&main.text);
        for source in &taken {
            declared.extend(source.declares.iter().cloned());
            named.extend(words(&source.text));
        }
        let needed = |source: &Source| {
            let mut names = source.declares.iter();
            names.any(|name| named.contains(name) && !declared.contains(name))
                && source.declares.is_disjoint(&declared)
        };
        match left.iter().position(needed) {
            Some(index) => taken.push(left.remove(index)),
            None => return taken,
        }
    }
}

/// The nearest file of this name above a file.
fn above(main: &Path, name: &str, read: Read<'_>) -> Option<(PathBuf, String)> {
    main.ancestors().skip(1).find_map(|folder| {
        let path = folder.join(name);
        let text = read(&path)?;
        Some((path, String::from_utf8_lossy(&text).into_owned()))
    })
}

/// Import paths of a module and of those it replaces by local folders, with their folders.
fn roots(path: &Path, text: &str) -> BTreeMap<String, PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut roots = BTreeMap::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or(line).trim();
        if let Some(name) = line.strip_prefix("module ") {
            roots.insert(
                name.trim().trim_matches('"').to_owned(),
                folder.to_path_buf(),
            );
        } else if let Some((from, to)) = line.trim_start_matches("replace ").split_once("=>") {
            let from = from.split_whitespace().next().unwrap_or_default();
            let to = to.trim();
            if to.starts_with('.') {
                roots.insert(from.to_owned(), normal(&folder.join(to)));
            }
        }
    }
    roots
}

/// Where the modules of a workspace say what they are: their `go.mod`.
fn members(workspace: &Path, text: &str) -> Vec<PathBuf> {
    let folder = workspace.parent().unwrap_or(Path::new("/"));
    let lines = text.lines().map(|line| {
        let line = line.split("//").next().unwrap_or(line).trim();
        line.strip_prefix("use ")
            .unwrap_or(line)
            .trim()
            .trim_matches('"')
    });
    lines
        .filter(|line| line.starts_with(['.', '/']))
        .map(|line| normal(&folder.join(line)).join("go.mod"))
        .collect()
}

/// Whether a `go.mod` names other modules.
fn needs_others(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines.any(|line| line.starts_with("require ") || line.starts_with("require("))
}

/// A `go.mod` that names no other modules.
fn without_requirements(text: &str) -> String {
    let mut inside = false;
    let kept = text.split_inclusive('\n').filter(|line| {
        let line = line.trim();
        let first = line.split(['(', ' ', '\t']).next();
        let whole = inside || first == Some("require");
        inside = whole && (inside || line.ends_with('(')) && !line.starts_with(')');
        !whole
    });
    kept.collect()
}

/// Whether an import path that begins with this is one of another module, and not the standard library's.
fn is_host(first: &str) -> bool {
    first.contains('.')
}

/// The settings of the program with this main file.
pub(crate) fn read(main: &Path, read: Read<'_>) -> Vec<u8> {
    let Some(text) = read(main) else {
        return Vec::new();
    };
    let main = Source::read(main.to_path_buf(), &text);
    let package = beside(&main, read);
    let module = above(&main.path, "go.mod", read);
    settings_of(&main, &package, module, read).to_bytes()
}

fn settings_of(
    main: &Source,
    package: &[Source],
    mut module: Option<(PathBuf, String)>,
    read: Read<'_>,
) -> Settings {
    let mut settings = Settings {
        package: package.iter().map(|source| source.path.clone()).collect(),
        ..Settings::default()
    };
    if let Some((path, text)) = &module.clone() {
        let mut roots = roots(path, text);
        let folder = path.parent().unwrap_or(Path::new("/"));
        settings.requires = needs_others(text);
        settings.workspace = above(&main.path, "go.work", read);
        if let Some((path, text)) = &settings.workspace {
            for member in members(path, text) {
                let Some(text) = read(&member) else { continue };
                let text = String::from_utf8_lossy(&text);
                settings.requires |= needs_others(&text);
                roots.extend(self::roots(&member, &text));
            }
            roots.extend(self::roots(path, text));
        } else if read(&folder.join("vendor/modules.txt")).is_some() {
            // Copies of all other modules stand there, and only they are compiled.
            roots.retain(|_, root| root == folder);
        }
        settings.folders = roots.values().cloned().collect();
        settings.folders.sort();
        let mut foreign = false;
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<String> = main.imports.clone();
        waiting.extend(package.iter().flat_map(|source| source.imports.clone()));
        while let Some(import) = waiting.pop() {
            let root = roots.iter().rev().find_map(|(name, folder)| {
                let rest = import.strip_prefix(name.as_str())?;
                let rest = rest.strip_prefix('/').unwrap_or(rest);
                (rest.is_empty() || import[name.len()..].starts_with('/'))
                    .then(|| folder.join(rest))
            });
            foreign |= root.is_none() && import.split('/').next().is_some_and(is_host);
            let Some(folder) = root.filter(|_| seen.insert(import.clone())) else {
                continue;
            };
            for source in files(&folder, read) {
                if !source.ignored && source.package != "main" {
                    waiting.extend(source.imports.iter().cloned());
                    settings.others.push(source.path);
                }
            }
        }
        // `go` reads the `go.mod` of each module that is named, whether it is imported or not.
        if !foreign && settings.workspace.is_none() && roots.len() == 1 {
            settings.requires = false;
            let text = without_requirements(text);
            module = Some((path.clone(), text));
        }
    }
    settings.others.sort();
    settings.module = module;
    settings
}

/// All files that the settings name.
pub(crate) fn local_modules(
    settings: &[u8],
    _tree: &Tree,
    _source: &[u8],
    _path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let settings = Settings::from_bytes(settings);
    let mut files = settings.package;
    files.extend(settings.others);
    files.retain(|path| exists(path));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(files: &[(&str, &str)], main: &str) -> Settings {
        let files: BTreeMap<PathBuf, &str> = files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), *text))
            .collect();
        let reader = |path: &Path| {
            if let Some(text) = files.get(path) {
                return Some(text.as_bytes().to_vec());
            }
            let inside = files.keys().filter(|file| file.parent() == Some(path));
            let names: Vec<String> = inside
                .map(|file| file.file_name().unwrap().to_string_lossy().into_owned())
                .collect();
            (!names.is_empty()).then(|| names.join("\n").into_bytes())
        };
        Settings::from_bytes(&read(Path::new(main), &reader))
    }

    #[test]
    fn a_package_may_have_several_files() {
        let found = settings(
            &[
                ("/p/main.go", "package main\nfunc main() { f() }\n"),
                ("/p/f.go", "package main\nfunc f() {}\n"),
                ("/p/f_test.go", "package main\nfunc g() {}\n"),
                (
                    "/p/tool.go",
                    "//go:build ignore\n\npackage main\nfunc h() {}\n",
                ),
            ],
            "/p/main.go",
        );
        assert_eq!(found.package, vec![PathBuf::from("/p/f.go")]);
        assert_eq!(found.module, None);
    }

    #[test]
    fn of_several_programs_in_a_folder_each_has_its_own_file() {
        let found = settings(
            &[
                ("/p/a.go", "package main\nfunc main() { f() }\n"),
                ("/p/b.go", "package main\nfunc main() {}\nfunc f() {}\n"),
                ("/p/f.go", "package main\nfunc f() {}\n"),
                ("/p/z.go", "package main\nfunc z() {}\n"),
            ],
            "/p/a.go",
        );
        assert_eq!(found.package, vec![PathBuf::from("/p/f.go")]);
    }

    #[test]
    fn modules_of_the_workspace_are_found() {
        let found = settings(
            &[
                (
                    "/w/go.work",
                    "go 1.21\n\nuse (\n\t./app\n\t./lib // beside it\n)\n",
                ),
                ("/w/app/go.mod", "module example.com/app\n"),
                ("/w/lib/go.mod", "module example.com/lib\n"),
                (
                    "/w/app/main.go",
                    "package main\nimport \"example.com/lib/deep\"\nfunc main() {}\n",
                ),
                ("/w/lib/deep/d.go", "package deep\n"),
            ],
            "/w/app/main.go",
        );
        assert_eq!(found.others, [PathBuf::from("/w/lib/deep/d.go")]);
        let folders = ["/w/app", "/w/lib"].map(PathBuf::from);
        assert_eq!(found.folders, folders);
        let (path, text) = found.workspace.expect("a workspace");
        assert_eq!(path, Path::new("/w/go.work"));
        assert!(text.contains("\t./lib"), "{text}");
    }

    #[test]
    fn a_part_of_a_program_comes_with_its_main_file() {
        let found = settings(
            &[
                ("/p/main.go", "package main\nfunc main() { f() }\n"),
                ("/p/f.go", "package main\nfunc f() { g() }\n"),
                ("/p/g.go", "package main\nfunc g() {}\n"),
            ],
            "/p/f.go",
        );
        assert_eq!(found.package, ["/p/g.go", "/p/main.go"].map(PathBuf::from));
    }

    #[test]
    fn modules_of_an_old_language_are_known() {
        let old = |text: &str| {
            let module = Some((PathBuf::from("/m/go.mod"), text.to_owned()));
            let settings = Settings {
                module,
                ..Settings::default()
            };
            settings.old_module().map(str::to_owned)
        };
        assert_eq!(
            old("module x.y/z // why\n\ngo 1.13\n"),
            Some("x.y/z".into())
        );
        assert_eq!(old("module x.y/z\n"), Some("x.y/z".into()));
        assert_eq!(old("module x.y/z\ngo 1.18\n"), None);
        assert_eq!(old("module x.y/z\ngo 1.21.3\n"), None);
    }

    #[test]
    fn modules_that_a_program_does_not_import_are_not_asked_for() {
        let module = "module x.y/m\n\ngo 1.13\n\nrequire (\n\tx.y/far v1.0.0\n\tx.y/more v1.2.0 // indirect\n)\n\
                      require x.y/one v1.0.0\nexclude x.y/one v0.9.0\n";
        let program = |imports: &str| {
            let text = format!("package main\nimport ({imports})\nfunc main() {{}}\n");
            let files = [("/m/go.mod", module), ("/m/main.go", text.as_str())];
            let found = settings(&files, "/m/main.go");
            (found.requires, found.module.expect("a module").1)
        };
        let own = program("\n\"fmt\"\n\"x.y/m/part\"\n");
        let kept = "module x.y/m\n\ngo 1.13\n\nexclude x.y/one v0.9.0\n";
        assert_eq!(own, (false, kept.to_owned()));
        assert_eq!(program("\n\"x.y/far/part\"\n"), (true, module.to_owned()));
    }

    #[test]
    fn packages_of_the_module_are_found() {
        let found = settings(
            &[
                (
                    "/m/go.mod",
                    "module example.com/m\n\ngo 1.21\nreplace x.y/z => ./z\n",
                ),
                (
                    "/m/cmd/main.go",
                    "package main\nimport (\n\t\"example.com/m/util\"\n\t\"x.y/z\"\n)\nfunc main() {}\n",
                ),
                (
                    "/m/util/u.go",
                    "package util\nimport \"example.com/m/deep/er\"\n",
                ),
                ("/m/deep/er/d.go", "package er\n"),
                ("/m/z/z.go", "package z\n"),
                ("/m/other/o.go", "package other\n"),
            ],
            "/m/cmd/main.go",
        );
        let others: Vec<String> = found
            .others
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(others, ["/m/deep/er/d.go", "/m/util/u.go", "/m/z/z.go"]);
        assert!(
            found
                .module
                .is_some_and(|(path, _)| path == Path::new("/m/go.mod"))
        );
    }
}
