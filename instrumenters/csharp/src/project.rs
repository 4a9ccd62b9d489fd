//! Which files make up a program: those of the project beside or above it, or those beside it that
//! are named after a type which it names.
//!
//! A file with an entry point of its own is another program; of a project with several, only what
//! declares what the program names is taken. What projects say of packages is not read: nothing is
//! restored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use tracer_instrument::normal;
use tree_sitter::{Node, Parser, Tree};

/// How a file or a folder is read: a folder as the names of its entries, one a line.
type Read<'r> = &'r dyn Fn(&Path) -> Option<Vec<u8>>;

/// Folders above the main file that are asked for a project.
const ABOVE: usize = 3;

/// Files taken at most, and folders entered.
const FILES: usize = 200;

/// The paths of the program's other files, one a line.
pub(crate) fn read(main: &Path, read: Read<'_>) -> Vec<u8> {
    let Some(own) = read(main).as_deref().and_then(File::parse) else {
        return Vec::new();
    };
    let found = match project(main, read) {
        Some(project) => of_project(main, &own, &project, read),
        None => of_names(main, &own, read),
    };
    let lines: Vec<String> = found
        .into_iter()
        .map(|path| path.display().to_string())
        .collect();
    lines.join("\n").into_bytes()
}

/// All files that [`read`] found.
pub(crate) fn local_modules(
    settings: &[u8],
    _tree: &Tree,
    _source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let settings = String::from_utf8_lossy(settings);
    let files = settings.lines().map(PathBuf::from);
    files.filter(|file| file != path && exists(file)).collect()
}

/// What a file declares and names.
#[derive(Debug, Default)]
struct File {
    /// Types and extension methods.
    declares: BTreeSet<String>,
    /// Types that other files may have parts of.
    parts: BTreeSet<String>,
    names: BTreeSet<String>,
    /// Namespaces that it uses or is in.
    namespaces: BTreeSet<String>,
    /// Whether the program may start in it.
    starts: bool,
}

impl File {
    fn parse(source: &[u8]) -> Option<Self> {
        let mut parser = Parser::new();
        parser
            .set_language(&tree_sitter_c_sharp::LANGUAGE.into())
            .ok()?;
        let tree = parser.parse(source, None)?;
        let mut file = Self::default();
        file.walk(tree.root_node(), source);
        Some(file)
    }

    fn walk(&mut self, root: Node<'_>, source: &[u8]) {
        let text = |node: Node<'_>| node.utf8_text(source).unwrap_or_default().to_owned();
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            match node.kind() {
                "identifier" => {
                    self.names.insert(text(node));
                }
                "global_statement" => self.starts = true,
                "using_directive" => {
                    let name = node.named_child(0).map(text);
                    self.namespaces.extend(name);
                }
                "namespace_declaration" | "file_scoped_namespace_declaration" => {
                    self.namespaces
                        .extend(node.child_by_field_name("name").map(text));
                }
                "class_declaration"
                | "struct_declaration"
                | "interface_declaration"
                | "enum_declaration"
                | "record_declaration"
                | "delegate_declaration" => {
                    let name = node.child_by_field_name("name").map(text);
                    let mut cursor = node.walk();
                    if node
                        .children(&mut cursor)
                        .any(|child| text(child) == "partial")
                    {
                        self.parts.extend(name.clone());
                    }
                    self.declares.extend(name);
                }
                "method_declaration" => {
                    let name = node.child_by_field_name("name").map(text);
                    let mut cursor = node.walk();
                    self.starts |= name.as_deref() == Some("Main")
                        && node
                            .children(&mut cursor)
                            .any(|child| text(child) == "static");
                    let parameters = node.child_by_field_name("parameters").map(text);
                    if parameters.is_some_and(|list| list.starts_with("(this ")) {
                        self.declares.extend(name);
                    }
                }
                _ => {}
            }
            let mut cursor = node.walk();
            waiting.extend(node.children(&mut cursor));
        }
    }
}

/// A project file and its text.
struct Project {
    folder: PathBuf,
    text: String,
}

fn entries(folder: &Path, read: Read<'_>) -> Vec<String> {
    let listing = read(folder).unwrap_or_default();
    let mut names: Vec<String> = String::from_utf8_lossy(&listing)
        .lines()
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// The project that a file belongs to: the nearest, in its folder or above.
fn project(main: &Path, read: Read<'_>) -> Option<Project> {
    for folder in main.ancestors().skip(1).take(ABOVE) {
        let names = entries(folder, read);
        let mut projects = names.iter().filter(|name| name.ends_with(".csproj"));
        if let Some(name) = projects.next() {
            // Of several projects in one folder, which is meant is not known.
            let text = projects.next().is_none().then(|| read(&folder.join(name)));
            return text.flatten().map(|text| Project {
                folder: folder.into(),
                text: String::from_utf8_lossy(&text).into_owned(),
            });
        }
    }
    None
}

/// The values of an attribute of a project's elements of one name.
fn items(text: &str, element: &str, attribute: &str) -> Vec<String> {
    let (opening, key) = (format!("<{element}"), format!("{attribute}=\""));
    let elements = text.split(&*opening).skip(1);
    let values = elements.filter_map(|element| {
        let element = element.split('>').next()?;
        let (_, rest) = element.split_once(&*key)?;
        rest.split('"').next().map(|value| value.replace('\\', "/"))
    });
    values
        .flat_map(|value| value.split(';').map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Whether a path below the project's folder is meant by an item, which may have `*` and `**`.
fn is_meant(item: &str, path: &str) -> bool {
    fn parts(text: &str) -> Vec<&str> {
        text.split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect()
    }
    fn part_fits(item: &str, part: &str) -> bool {
        match item.split_once('*') {
            None => item.eq_ignore_ascii_case(part),
            Some((head, tail)) => {
                part.starts_with(head)
                    && (head.len()..=part.len())
                        .any(|at| part.is_char_boundary(at) && part_fits(tail, &part[at..]))
            }
        }
    }
    fn fits(item: &[&str], path: &[&str]) -> bool {
        match (item.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), _) => {
                fits(rest, path) || path.split_first().is_some_and(|(_, more)| fits(item, more))
            }
            (Some((first, items)), Some((part, parts))) => {
                part_fits(first, part) && fits(items, parts)
            }
            _ => false,
        }
    }
    fits(&parts(item), &parts(path))
}

fn of_project(main: &Path, own: &File, project: &Project, read: Read<'_>) -> Vec<PathBuf> {
    let mut files = listed(project, read);
    files.retain(|(path, _)| path != main);
    let all = files.len();
    files.retain(|(_, file)| !(own.starts && file.starts));
    let alone = files.len() == all;
    // What other projects start with is not this program's.
    for other in referred(project, read) {
        let theirs = listed(&other, read).into_iter();
        files.extend(theirs.filter(|(path, file)| path != main && !file.starts));
    }
    let mut found = if alone {
        files.into_iter().map(|(path, _)| path).collect()
    } else {
        needed(own, &files)
    };
    found.sort();
    found.dedup();
    found
}

/// The projects that one refers to, and those that they refer to.
fn referred(project: &Project, read: Read<'_>) -> Vec<Project> {
    let mut found: Vec<Project> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<PathBuf> = references(project);
    while let Some(path) = waiting.pop().filter(|_| found.len() < FILES) {
        let text = read(&path).filter(|_| seen.insert(path.clone()));
        let (Some(text), Some(folder)) = (text, path.parent()) else {
            continue;
        };
        let other = Project {
            folder: folder.into(),
            text: String::from_utf8_lossy(&text).into_owned(),
        };
        waiting.extend(references(&other));
        found.push(other);
    }
    found
}

fn references(project: &Project) -> Vec<PathBuf> {
    let items = items(&project.text, "ProjectReference", "Include").into_iter();
    items
        .map(|item| normal(&project.folder.join(item)))
        .collect()
}

/// The files that a project names, or that lie below it where it need not name them.
fn listed(project: &Project, read: Read<'_>) -> Vec<(PathBuf, File)> {
    let included = items(&project.text, "Compile", "Include");
    let removed = items(&project.text, "Compile", "Remove");
    let by_itself = project.text.contains("Sdk");
    let file = |path: PathBuf| Some((read(&path).as_deref().and_then(File::parse)?, path));
    let outside = included
        .iter()
        .filter(|item| item.starts_with("..") && !item.contains('*'));
    let mut files: Vec<(PathBuf, File)> = outside
        .filter_map(|item| file(normal(&project.folder.join(item))))
        .map(|(file, path)| (path, file))
        .collect();
    let mut folders = vec![project.folder.clone()];
    while let Some(folder) = folders.pop().filter(|_| files.len() < FILES) {
        let names = entries(&folder, read);
        let below = folder != project.folder;
        if below && names.iter().any(|name| name.ends_with(".csproj")) {
            continue;
        }
        for name in names {
            let path = folder.join(&name);
            if path.extension().is_none_or(|extension| extension != "cs") {
                if is_folder(&name) {
                    folders.push(path);
                }
                continue;
            }
            let within = path.strip_prefix(&project.folder).unwrap_or(&path);
            let within = within.to_string_lossy().into_owned();
            let chosen = by_itself || included.iter().any(|item| is_meant(item, &within));
            let left_out = removed.iter().any(|item| is_meant(item, &within));
            if chosen && !left_out {
                files.extend(file(path).map(|(file, path)| (path, file)));
            }
        }
    }
    files
}

/// Whether an entry is a folder with sources, by its name: `Name.Part` may be one, `name.json` is not.
fn is_folder(name: &str) -> bool {
    let end = name.rsplit_once('.').map(|(_, end)| end);
    end.is_none_or(|end| end.starts_with(|letter: char| letter.is_uppercase()))
        && !matches!(name, "bin" | "obj" | "packages")
}

/// Of these files, those that declare what the program names.
fn needed(own: &File, files: &[(PathBuf, File)]) -> Vec<PathBuf> {
    let mut taken = vec![false; files.len()];
    let mut declared = own.declares.clone();
    let mut waiting = vec![own];
    while let Some(file) = waiting.pop() {
        let asked: Vec<&String> = file
            .names
            .iter()
            .filter(|name| !declared.contains(*name) || file.parts.contains(*name))
            .collect();
        for (index, (_, other)) in files.iter().enumerate() {
            if taken[index] || !asked.iter().any(|name| other.declares.contains(*name)) {
                continue;
            }
            taken[index] = true;
            declared.extend(other.declares.iter().cloned());
            waiting.push(other);
        }
    }
    let paths = files.iter().zip(taken).filter(|(_, taken)| *taken);
    paths.map(|((path, _), _)| path.clone()).collect()
}

/// The files that are named after a type which the program names and does not declare.
fn of_names(main: &Path, own: &File, read: Read<'_>) -> Vec<PathBuf> {
    let folder = main.parent().unwrap_or(Path::new(""));
    let mut listings: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    let mut list = |folder: &Path| -> BTreeSet<String> {
        let known = listings.entry(folder.into());
        known
            .or_insert_with(|| entries(folder, read).into_iter().collect())
            .clone()
    };
    let mut found = BTreeSet::new();
    let mut declared = own.declares.clone();
    let mut asked = BTreeSet::new();
    let mut waiting: Vec<(String, BTreeSet<String>)> = wanted(own);
    while let Some((name, namespaces)) = waiting.pop() {
        if declared.contains(&name) || found.len() >= FILES || !asked.insert(name.clone()) {
            continue;
        }
        let file_name = format!("{name}.cs");
        for folder in folders(folder, &namespaces) {
            let path = folder.join(&file_name);
            if path == main || !list(&folder).contains(&file_name) {
                continue;
            }
            let Some(file) = read(&path).as_deref().and_then(File::parse) else {
                continue;
            };
            if file.starts || !file.declares.contains(&name) {
                continue;
            }
            declared.extend(file.declares.iter().cloned());
            waiting.extend(wanted(&file));
            found.insert(path);
            break;
        }
    }
    found.into_iter().collect()
}

fn wanted(file: &File) -> Vec<(String, BTreeSet<String>)> {
    let names = file
        .names
        .iter()
        .filter(|name| !file.declares.contains(*name));
    names
        .map(|name| (name.clone(), file.namespaces.clone()))
        .collect()
}

/// The main file's folder, and those below it that are named like the end of a namespace.
fn folders(main: &Path, namespaces: &BTreeSet<String>) -> Vec<PathBuf> {
    let mut folders = vec![main.to_path_buf()];
    for namespace in namespaces {
        let parts: Vec<&str> = namespace.split('.').collect();
        for start in 0..parts.len() {
            let below: PathBuf = parts[start..].iter().collect();
            let plain = below
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            let folder = main.join(below);
            if plain && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)], main: &str) -> Vec<String> {
        let files: BTreeMap<PathBuf, &str> = files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), *text))
            .collect();
        let reader = |path: &Path| {
            if let Some(text) = files.get(path) {
                return Some(text.as_bytes().to_vec());
            }
            let inside = files.keys().filter_map(|file| file.strip_prefix(path).ok());
            let names: BTreeSet<String> = inside
                .filter_map(|below| below.components().next())
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect();
            let names: Vec<String> = names.into_iter().collect();
            (!names.is_empty()).then(|| names.join("\n").into_bytes())
        };
        let said = read(Path::new(main), &reader);
        let said = String::from_utf8(said).expect("UTF-8");
        said.lines().map(str::to_owned).collect()
    }

    const MAIN: &str = "class P { static void Main() { new Dog(); } }";

    #[test]
    fn a_file_beside_is_found_by_the_type_it_is_named_after() {
        let files = [
            ("/p/Main.cs", MAIN),
            ("/p/Dog.cs", "class Dog : Animal {}"),
            ("/p/Animal.cs", "class Animal {}"),
            ("/p/Cat.cs", "class Cat {}"),
        ];
        assert_eq!(found(&files, "/p/Main.cs"), ["/p/Animal.cs", "/p/Dog.cs"]);
    }

    #[test]
    fn other_programs_are_left_out() {
        let own = "class Dog { static void Main() {} }";
        let files = [("/p/Main.cs", MAIN), ("/p/Dog.cs", own)];
        assert!(found(&files, "/p/Main.cs").is_empty());
        let files = [("/p/Main.cs", MAIN), ("/p/Dog.cs", "class Hound {}")];
        assert!(found(&files, "/p/Main.cs").is_empty());
    }

    #[test]
    fn folders_are_named_like_namespaces() {
        let main = "using App.Models;\nclass P { static void Main() { new Dog(); } }";
        let files = [
            ("/p/Main.cs", main),
            ("/p/Models/Dog.cs", "namespace App.Models { class Dog {} }"),
            ("/p/Other/Dog.cs", "class Dog {}"),
        ];
        assert_eq!(found(&files, "/p/Main.cs"), ["/p/Models/Dog.cs"]);
    }

    #[test]
    fn a_project_has_the_files_below_it() {
        let project = "<Project Sdk=\"Microsoft.NET.Sdk\"><Compile Remove=\"old/**\" /></Project>";
        let files = [
            ("/p/a.csproj", project),
            ("/p/src/Main.cs", MAIN),
            ("/p/src/all.cs", "class Dog {}"),
            ("/p/src/Second.cs", "class Q { static void Main() {} }"),
            ("/p/obj/x.cs", "class X {}"),
            ("/p/old/Dog.cs", "class Dog {}"),
            ("/p/sub/b.csproj", "<Project />"),
            ("/p/sub/y.cs", "class Y {}"),
        ];
        assert_eq!(found(&files, "/p/src/Main.cs"), ["/p/src/all.cs"]);
        // With a single entry point all files are the program's.
        let files = [
            ("/p/a.csproj", project),
            ("/p/Main.cs", MAIN),
            ("/p/unnamed.cs", "class Unnamed {}"),
        ];
        assert_eq!(found(&files, "/p/Main.cs"), ["/p/unnamed.cs"]);
        let listed = "<Project><Compile Include=\"src\\d*.cs;x.cs\" /></Project>";
        let files = [
            ("/p/a.csproj", listed),
            ("/p/Main.cs", MAIN),
            ("/p/src/dog.cs", "class Dog {}"),
            ("/p/src/cat.cs", "class Cat {}"),
        ];
        assert_eq!(found(&files, "/p/Main.cs"), ["/p/src/dog.cs"]);
    }

    #[test]
    fn a_project_refers_to_others() {
        let project = "<Project><Compile Include=\"Main.cs\" />\
            <Compile Include=\"..\\more\\x.cs\"><Link>x.cs</Link></Compile>\
            <ProjectReference Include=\"..\\lib\\lib.csproj\"></ProjectReference></Project>";
        let library =
            "<Project><Compile Include=\"dog.cs\" /><Compile Include=\"try.cs\" /></Project>";
        let files = [
            ("/s/p/a.csproj", project),
            ("/s/p/Main.cs", MAIN),
            ("/s/more/x.cs", "class X {}"),
            ("/s/lib/lib.csproj", library),
            ("/s/lib/dog.cs", "class Dog {}"),
            ("/s/lib/try.cs", "class T { static void Main() {} }"),
        ];
        let expected = ["/s/lib/dog.cs", "/s/more/x.cs"];
        assert_eq!(found(&files, "/s/p/Main.cs"), expected);
    }
}
