//! How Java programs are built and run: `javac`, then `java`. Only says what to run; starts nothing.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use tracer_instrument::engine::parse;
use tracer_instrument::{Found, Node, Plan, PlanRequest, Toolchain};
use tree_sitter::Tree;

use crate::syntax::{has_modifier, parts};

/// The toolchain.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["javac"],
    identify: &["-version"],
    describe,
    hint: "the Debian package default-jdk-headless, JDK 11 or later",
    plan,
    environment: &[],
    // What a program prints of identity hashes is the JVM's choice.
    variations: &["-J-XX:hashCode=2"],
    diagnostics: Some(diagnostics),
    dialects: &[&["-encoding", "ISO-8859-1"], &["--enable-preview"]],
    noise: None,
};

/// Further arguments for the JVM that compiles: short programs, so no second compiler.
const QUICK: [&str; 3] = [
    "-J-XX:TieredStopAtLevel=1",
    "-J-XX:+UseSerialGC",
    "-J-Xss16m",
];

fn describe(output: &str, program: &Path) -> Option<Found> {
    let version = output.lines().next()?.trim().strip_prefix("javac ")?;
    Some(Found {
        program: program.to_path_buf(),
        version: format!("JDK {version}"),
        roots: Vec::new(),
    })
}

fn words<const N: usize>(words: [&str; N]) -> impl Iterator<Item = OsString> {
    words.map(OsString::from).into_iter()
}

fn plan(request: &PlanRequest<'_>) -> Plan {
    let compiler = request.found.program.clone().into_os_string();
    let tool = |name: &str| request.found.program.with_file_name(name);
    let jar = request.build.join("tracer.jar");
    let placed = request.private.join("tracer.jar");
    let mut plan = Plan {
        program: tool("java"),
        silent: true,
        ..Plan::default()
    };
    emitter(request, &mut plan, &jar, &placed);
    let classes = request.build.join("classes");
    let mut build = vec![compiler];
    build.extend(words(QUICK));
    build.extend(words([
        "-nowarn",
        "-Xlint:none",
        "-proc:none",
        "-Xmaxerrs",
        "100000",
        "-XDshould-stop.ifError=FLOW",
        "-d",
    ]));
    build.push(classes.clone().into_os_string());
    let mut run = vec![OsString::from("java")];
    let (mut given, mut jars) = (None, Vec::new());
    let mut flags = request.compiler_flags.iter();
    while let Some(flag) = flags.next() {
        match flag.to_str() {
            Some("-cp" | "-classpath" | "--class-path") => given = flags.next().cloned(),
            Some(text) if text.starts_with("--class-path=") => {
                given = Some(text["--class-path=".len()..].into());
            }
            Some("--enable-preview") => {
                build.push(flag.clone());
                build.push("--release".into());
                build.push(release(&request.found.version).into());
                run.push(flag.clone());
            }
            Some(text) if text.starts_with("-J-XX:hashCode=") => {
                run.push("-XX:+UnlockExperimentalVMOptions".into());
                run.push(text[2..].into());
            }
            // Libraries of the image, behind the program's own classes.
            Some(text) if Path::new(text).extension().is_some_and(|end| end == "jar") => {
                jars.push(flag.as_os_str());
            }
            _ => build.push(flag.clone()),
        }
    }
    let main = request.sources.first();
    let facts = main.map(|main| Facts::of(main.original, main.path));
    let facts = facts.unwrap_or_default();
    // As `java` has it: the folders named, else the one that the package counts from.
    let path = given.unwrap_or_else(|| joined_paths(facts.places()));
    let shown = roots(&facts.root).chain(read(&path));
    plan.folders = shown.filter(|folder| folder.parent().is_some()).collect();
    let parts = std::iter::once(path.as_os_str()).chain(jars);
    let path = joined(&parts.collect::<Vec<_>>());
    build.push("-cp".into());
    build.push(joined(&[jar.as_os_str(), &path]));
    // What an earlier build left there is not newer than the text.
    build.push("-Xprefer:source".into());
    if main.is_some() {
        build.push("-sourcepath".into());
        build.push(joined(&[&joined_paths(roots(&facts.root)), &path]));
        let renamed = main.and_then(|main| renamed(main.path, &facts, request.private));
        build.push(match &renamed {
            Some(place) => place.clone().into_os_string(),
            None => request.given.as_os_str().to_owned(),
        });
        for (index, source) in request.sources.iter().enumerate() {
            let text = source.instrumented.filter(|_| request.traced);
            match &renamed {
                Some(place) if index == 0 => {
                    let text = text.unwrap_or(source.original);
                    plan.files.push((place.clone(), text.to_vec()));
                }
                _ => plan
                    .files
                    .extend(text.map(|text| (source.path.to_path_buf(), text.to_vec()))),
            }
        }
    }
    plan.build.push(build);
    // Both runs have the same boot class path: with a longer one the JVM starts in another way,
    // which a program could tell from identity hashes.
    let mut boot = OsString::from("-Xbootclasspath/a:");
    boot.push(placed);
    run.push(boot);
    if release(&request.found.version)
        .parse()
        .is_ok_and(|release: u32| release >= 23)
    {
        // The emitter's is no business of the program's standard error.
        run.push("--sun-misc-unsafe-memory-access=allow".into());
    }
    run.push("-cp".into());
    run.push(joined(&[classes.as_os_str(), &path]));
    run.push(facts.class.into());
    run.extend(request.args.iter().cloned());
    plan.argv = run;
    plan
}

/// Where a copy of the main file stands for it, named as the compiler wants it: `java` runs a file
/// whatever its name, and `javac` refuses one that is not named as its public class.
fn renamed(path: &Path, facts: &Facts, private: &Path) -> Option<PathBuf> {
    let public = facts.public.as_ref()?;
    if path.file_name()? == public.as_str() {
        return None;
    }
    let below = path.strip_prefix("/").unwrap_or(path);
    Some(private.join("named").join(below).join(public))
}

/// A class path of these parts.
fn joined(parts: &[&OsStr]) -> OsString {
    parts.join(OsStr::new(":"))
}

fn joined_paths(paths: impl Iterator<Item = PathBuf>) -> OsString {
    let paths: Vec<OsString> = paths.map(PathBuf::into_os_string).collect();
    paths.join(OsStr::new(":"))
}

/// The folders that a class path reads; its archives are in some.
fn read(path: &OsStr) -> impl Iterator<Item = PathBuf> {
    std::env::split_paths(path).filter_map(|part| {
        let whole = part.extension().is_none_or(|extension| extension != "jar");
        let folder = if whole && !part.ends_with("*") {
            Some(part.as_path())
        } else {
            part.parent()
        };
        folder
            .filter(|folder| folder.is_absolute())
            .map(Path::to_path_buf)
    })
}

/// The steps that make the emitter.
fn emitter(request: &PlanRequest<'_>, plan: &mut Plan, jar: &Path, placed: &Path) {
    let classes = request.build.join("emitter");
    let manifest = request.private.join("MANIFEST.MF");
    let mut compile = vec![request.found.program.clone().into_os_string()];
    compile.extend(words(QUICK));
    compile.extend(words([
        "-nowarn",
        "-proc:none",
        "-XDignore.symbol.file",
        "-XDstringConcat=inline",
        "--add-exports",
        "java.base/jdk.internal.vm.annotation=ALL-UNNAMED",
        "--add-exports",
        "java.base/jdk.internal.misc=ALL-UNNAMED",
        "-d",
    ]));
    compile.push(classes.clone().into_os_string());
    let descriptor = format!(
        "package trc$;\n\n/** The descriptor of the channel. */\nfinal class Descriptor {{\n    \
         static final int NUMBER = {};\n}}\n",
        request.channel
    );
    let own = crate::EMITTER
        .iter()
        .map(|file| (file.name, file.contents.to_vec()));
    for (name, contents) in own.chain([("Descriptor.java", descriptor.into_bytes())]) {
        let place = request.private.join(name);
        compile.push(place.clone().into_os_string());
        plan.files.push((place, contents));
    }
    plan.files
        .push((manifest.clone(), b"Manifest-Version: 1.0\n".to_vec()));
    plan.once.push((plan.build.len(), classes.clone()));
    plan.build.push(compile);
    let mut pack = vec![request.found.program.with_file_name("jar").into_os_string()];
    pack.extend(words(["-J-XX:TieredStopAtLevel=1", "-c", "-0", "-f"]));
    pack.push(jar.as_os_str().to_owned());
    pack.push("-m".into());
    pack.push(manifest.into_os_string());
    pack.push("-C".into());
    pack.push(classes.into_os_string());
    pack.push(".".into());
    plan.once.push((plan.build.len(), jar.to_path_buf()));
    plan.build.push(pack);
    plan.brought.push((jar.to_path_buf(), placed.to_path_buf()));
}

fn release(version: &str) -> String {
    version
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect()
}

/// What the main file says of its program.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts {
    /// The folder that its package's name counts from.
    root: PathBuf,
    /// The class to start, with its package.
    class: String,
    /// The name of a file of its public class.
    public: Option<String>,
}

impl Facts {
    /// Where classes and resources lie that the program names: beside its sources, and in the
    /// folders that build tools keep for them.
    fn places(&self) -> impl Iterator<Item = PathBuf> {
        let kinds = kinds(&self.root).map(|kind| kind.join("resources"));
        std::iter::once(self.root.clone()).chain(kinds)
    }

    fn of(source: &[u8], path: &Path) -> Self {
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let Some(tree) = parse(&crate::SPEC, source) else {
            return Self {
                root: folder,
                class: stem.into_owned(),
                public: None,
            };
        };
        let package = package(&tree, source);
        let name = main_class(&tree, source, &stem);
        let root = root(&folder, package.as_deref());
        let class = match package {
            Some(package) => format!("{package}.{name}"),
            None => name,
        };
        let public = types(&tree)
            .find(|part| has_modifier(*part, "public"))
            .and_then(|part| part.child_by_field_name("name"))
            .map(|name| text(name, source).into_owned() + ".java");
        Self {
            root,
            class,
            public,
        }
    }
}

fn text<'s>(node: Node<'_>, source: &'s [u8]) -> std::borrow::Cow<'s, str> {
    String::from_utf8_lossy(&source[node.start_byte()..node.end_byte()])
}

fn package(tree: &Tree, source: &[u8]) -> Option<String> {
    let declaration = parts(tree.root_node())
        .into_iter()
        .find(|part| part.kind() == "package_declaration")?;
    let name = parts(declaration)
        .into_iter()
        .find(|part| matches!(part.kind(), "identifier" | "scoped_identifier"))?;
    Some(
        text(name, source)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect(),
    )
}

/// The folder above a package's; the file's own where the folders are named otherwise.
fn root(folder: &Path, package: Option<&str>) -> PathBuf {
    let mut root = folder;
    for name in package.unwrap_or_default().rsplit('.') {
        if name.is_empty() {
            break;
        }
        match root.parent().filter(|_| root.ends_with(name)) {
            Some(parent) => root = parent,
            None => return folder.to_path_buf(),
        }
    }
    root.to_path_buf()
}

/// `src/main` for sources in `src/main/java`; for those of tests, `src/test` and `src/main`.
fn kinds(root: &Path) -> impl Iterator<Item = PathBuf> {
    let own = root.parent().filter(|_| root.ends_with("java"));
    let test = own.filter(|own| own.ends_with("src/test"));
    let main = test.map(|test| test.with_file_name("main"));
    own.filter(|own| test.is_some() || own.ends_with("src/main"))
        .map(Path::to_path_buf)
        .into_iter()
        .chain(main)
}

/// The folders that packages may count from: the file's own, and what tests are tests of.
fn roots(root: &Path) -> impl Iterator<Item = PathBuf> {
    let main = kinds(root).skip(1).map(|kind| kind.join("java"));
    std::iter::once(root.to_path_buf()).chain(main)
}

/// The types that a file declares at its top.
fn types(tree: &Tree) -> impl Iterator<Item = Node<'_>> {
    parts(tree.root_node()).into_iter().filter(|part| {
        part.kind().ends_with("_declaration")
            && !matches!(
                part.kind(),
                "module_declaration" | "package_declaration" | "import_declaration"
            )
    })
}

/// The class that `java` would be told to start: the public one with a `main`, else the one named
/// as the file, else the first that has one.
fn main_class(tree: &Tree, source: &[u8], stem: &str) -> String {
    let mut best: Option<(u32, String)> = None;
    for part in types(tree) {
        let Some(name) = part.child_by_field_name("name") else {
            continue;
        };
        let name = text(name, source).into_owned();
        let rank = u32::from(has_main(part, source)) * 4
            + u32::from(has_modifier(part, "public")) * 2
            + u32::from(name == stem);
        if best.as_ref().is_none_or(|(known, _)| rank > *known) {
            best = Some((rank, name));
        }
    }
    best.map_or_else(|| stem.to_owned(), |(_, name)| name)
}

fn has_main(class: Node<'_>, source: &[u8]) -> bool {
    let Some(body) = class.child_by_field_name("body") else {
        return false;
    };
    let mut members = parts(body);
    for part in parts(body) {
        if part.kind() == "enum_body_declarations" {
            members.extend(parts(part));
        }
    }
    members.into_iter().any(|member| {
        member.kind() == "method_declaration"
            && has_modifier(member, "static")
            && member
                .child_by_field_name("name")
                .is_some_and(|name| text(name, source) == "main")
            && member
                .child_by_field_name("parameters")
                .is_some_and(|list| parts(list).len() == 1)
    })
}

/// Places of `file:line: error: …`, whose column a caret below the source line shows.
fn diagnostics(output: &str) -> Vec<(PathBuf, u32, u32)> {
    let lines: Vec<&str> = output.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((place, _)) = line.split_once(": error: ") else {
            continue;
        };
        let Some((path, row)) = place.rsplit_once(':') else {
            continue;
        };
        let Ok(row) = row.parse() else { continue };
        let caret = lines[at + 1..]
            .iter()
            .take(8)
            .position(|line| line.trim() == "^")
            .filter(|below| *below > 0);
        let column = caret.map_or(1, |below| {
            let indent = lines[at + 1 + below].chars().count() - 1;
            let source = lines[at + below];
            source
                .chars()
                .take(indent)
                .map(char::len_utf8)
                .sum::<usize>() as u32
                + 1
        });
        found.push((PathBuf::from(path), row, column));
    }
    found
}

/// Files of the program's own folders that it may name: those of its package, and those that it
/// imports from folders below the same root.
pub(crate) fn local_modules(
    tree: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let package = package(tree, source);
    let root = root(folder, package.as_deref());
    let roots: Vec<PathBuf> = roots(&root).collect();
    let mut folders = vec![folder.to_path_buf()];
    let inside = package.unwrap_or_default().replace('.', "/");
    folders.extend(roots[1..].iter().map(|root| root.join(&inside)));
    let mut candidates = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    let mut waiting = vec![tree.root_node()];
    while let Some(node) = waiting.pop() {
        match node.kind() {
            "type_identifier" => {
                names.insert(text(node, source).into_owned());
            }
            "identifier" if text(node, source).starts_with(|c: char| c.is_uppercase()) => {
                names.insert(text(node, source).into_owned());
            }
            "scoped_type_identifier" | "field_access" => {
                let name = text(node, source);
                let class = name.rsplit('.').next().unwrap_or_default();
                let qualified = name.starts_with(|c: char| c.is_lowercase())
                    && class.starts_with(|c: char| c.is_uppercase());
                if qualified {
                    let file = name.replace('.', "/") + ".java";
                    candidates.extend(roots.iter().map(|root| root.join(&file)));
                }
            }
            "import_declaration" => {
                let inner = parts(node);
                let Some(first) = inner.first() else { continue };
                let dotted = text(*first, source).replace('.', "/");
                for root in &roots {
                    // A class, a member of one, or a package.
                    let named = root.join(&dotted);
                    candidates.extend(named.parent().map(|owner| owner.with_extension("java")));
                    candidates.push(named.with_extension("java"));
                    if inner.iter().any(|part| part.kind() == "asterisk") {
                        folders.push(named);
                    }
                }
                continue;
            }
            _ => {}
        }
        let mut cursor = node.walk();
        waiting.extend(node.named_children(&mut cursor));
    }
    for name in &names {
        candidates.extend(
            folders
                .iter()
                .map(|folder| folder.join(format!("{name}.java"))),
        );
    }
    let mut found: Vec<PathBuf> = candidates
        .into_iter()
        .filter(|file| file != path && exists(file))
        .collect();
    found.sort();
    found.dedup();
    found
}
