//! How Rust programs are built and run. Only says what to run; starts nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, Project, Toolchain};
use tree_sitter::{Node, Tree};

use crate::cargo;
use crate::project::{self, Facts, Package};

/// The toolchain.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["rustc"],
    identify: &["-vV"],
    describe,
    hint: "rustup, or the Debian package rustc",
    plan,
    environment: &[],
    noise: None,
    variations: &["-Copt-level=1"],
    diagnostics: Some(diagnostics),
    dialects: &[
        &["--edition=2024"],
        &["--edition=2018"],
        &["--edition=2015"],
    ],
};

/// The same compiler, for WebAssembly.
pub(crate) const MODULE: Toolchain = Toolchain {
    hint: "the image wasm-rust",
    plan: |request| plan_for(request, &WEBASSEMBLY),
    ..TOOLCHAIN
};

/// What a program is built for.
pub(crate) struct Target {
    /// Of every call of the compiler.
    pub(crate) flags: &'static [&'static str],
    /// Of programs with probes.
    linking: &'static [&'static str],
    /// What Cargo finds in its environment.
    pub(crate) environment: &'static [&'static str],
    /// Behind the names of programs.
    pub(crate) suffix: &'static str,
}

/// This machine. Functions of libraries that the program calls pass through the emitter.
const MACHINE: Target = Target {
    flags: &[],
    linking: &[
        "-Clink-arg=-Wl,--wrap=pthread_create",
        "-Clink-arg=-Wl,--wrap=write",
        "-Clink-arg=-Wl,--wrap=_Unwind_RaiseException",
    ],
    environment: &[],
    suffix: "",
};

/// Its stack is as large as a program's usually is.
const WEBASSEMBLY: Target = Target {
    flags: &[
        "--target=wasm32-wasip1",
        "-Clinker=wasm-ld",
        "-Clink-arg=-zstack-size=8388608",
    ],
    linking: &[
        "-Clink-arg=--wrap=__main_void",
        "-Clink-arg=--wrap=exit",
        "-Clink-arg=--export=tracer_output",
    ],
    environment: &[
        "CARGO_BUILD_TARGET=wasm32-wasip1",
        "CARGO_TARGET_WASM32_WASIP1_LINKER=wasm-ld",
        "CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS=-Clink-arg=-zstack-size=8388608",
    ],
    suffix: ".wasm",
};

/// What `Cargo.toml` above a program says.
pub(crate) const PROJECT: Project = Project {
    read: project::find,
    local_modules: |settings, _, _, path, _| library_of(settings, path),
};

const USUAL_EDITION: &str = "2021";

/// The compiled emitter, in the folder for build products.
const LIBRARY: &str = "lib_tr.rlib";

fn describe(output: &str, program: &Path) -> Option<Found> {
    let line = output.lines().next()?.trim();
    if !line.starts_with("rustc ") {
        return None;
    }
    let (program, roots) = match behind_rustup(program) {
        Some(folder) => (folder.join("bin/rustc"), vec![folder]),
        None => (program.to_path_buf(), Vec::new()),
    };
    Some(Found {
        program,
        version: line.to_owned(),
        roots,
    })
}

/// The toolchain's own folder where the program is rustup's stand-in, which would look for it in
/// the user's home.
fn behind_rustup(program: &Path) -> Option<PathBuf> {
    let target = program.canonicalize().ok()?;
    if target.file_stem()? != "rustup" && target.file_stem()? != "rustup-init" {
        return None;
    }
    let home = std::env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".rustup")))?;
    let named = std::env::var("RUSTUP_TOOLCHAIN").ok();
    let name = named.or_else(|| {
        let settings = std::fs::read_to_string(home.join("settings.toml")).ok()?;
        let line = settings
            .lines()
            .find_map(|line| line.trim().strip_prefix("default_toolchain"))?;
        Some(line.trim_matches(['=', ' ', '"']).to_owned())
    })?;
    home.join("toolchains").join(name).canonicalize().ok()
}

fn words<const N: usize>(words: [&str; N]) -> impl Iterator<Item = OsString> {
    words.map(OsString::from).into_iter()
}

fn plan(request: &PlanRequest<'_>) -> Plan {
    plan_for(request, &MACHINE)
}

fn plan_for(request: &PlanRequest<'_>, target: &Target) -> Plan {
    let compiler = request.found.program.clone().into_os_string();
    let program = request.build.join(format!("program{}", target.suffix));
    let facts = Facts::read(request.settings);
    let mut plan = Plan {
        program: program.clone(),
        argv: std::iter::once(program.clone().into_os_string())
            .chain(request.args.iter().cloned())
            .collect(),
        // The machine around a module knows the channel.
        silent: !target.flags.is_empty(),
        ..Plan::default()
    };
    if request.traced {
        add_emitter(request, target, &mut plan);
        for source in request.sources {
            if let Some(text) = source.instrumented {
                plan.files.push((source.path.to_path_buf(), text.to_vec()));
            }
        }
        add_columns(request, facts.package.as_ref(), &mut plan);
    }
    if let Some(package) = &facts.package {
        cargo::add_steps(request, target, package, &mut plan);
        return plan;
    }
    let mut build = vec![compiler];
    build.extend(target.flags.iter().map(OsString::from));
    let chosen = |flag: &OsString| flag.to_string_lossy().starts_with("--edition");
    if !request.compiler_flags.iter().any(chosen) {
        let named = &facts.edition;
        let edition = if named.is_empty() {
            USUAL_EDITION
        } else {
            named
        };
        build.push(format!("--edition={edition}").into());
    }
    if request.traced {
        build.push("--error-format=short".into());
        build.extend(linked(request));
        build.extend(wrapped(target));
    }
    build.push(request.given.as_os_str().to_owned());
    build.extend(request.compiler_flags.iter().cloned());
    build.push("-o".into());
    build.push(program.into_os_string());
    plan.build.push(build);
    plan
}

/// What a crate with probes is compiled with.
pub(crate) fn linked(request: &PlanRequest<'_>) -> [OsString; 2] {
    let mut link = OsString::from("--extern=_tr=");
    link.push(request.build.join(LIBRARY));
    ["--cap-lints=allow".into(), link]
}

/// What a program with probes is linked with.
pub(crate) fn wrapped(target: &Target) -> impl Iterator<Item = OsString> {
    target.linking.iter().map(OsString::from)
}

/// The emitter is compiled as a part of the standard library is: with specialisation, so that
/// probes need no bounds. The program itself is not.
fn add_emitter(request: &PlanRequest<'_>, target: &Target, plan: &mut Plan) {
    let library = request.build.join(LIBRARY);
    for file in crate::EMITTER {
        plan.files
            .push((request.private.join(file.name), file.contents.to_vec()));
    }
    let mut emitter: Vec<OsString> = words(["/usr/bin/env", "RUSTC_BOOTSTRAP=1"]).collect();
    emitter.push(request.found.program.clone().into_os_string());
    emitter.extend(target.flags.iter().map(OsString::from));
    emitter.extend(words([
        "--edition=2021",
        "--crate-name=_tr",
        "--crate-type=rlib",
        "--cap-lints=allow",
        "-Copt-level=3",
        "-Ccodegen-units=1",
        "-Cdebuginfo=0",
    ]));
    emitter.push(
        request
            .private
            .join(crate::EMITTER[0].name)
            .into_os_string(),
    );
    emitter.push("-o".into());
    emitter.push(library.clone().into_os_string());
    plan.once.push((plan.build.len(), library));
    plan.build.push(emitter);
}

/// Adds the table of columns to the main file, behind all it has.
fn add_columns(request: &PlanRequest<'_>, package: Option<&Package>, plan: &mut Plan) {
    let Some(main) = request.sources.first() else {
        return;
    };
    let folder = request.given.parent().unwrap_or(Path::new(""));
    let home = main.path.parent().unwrap_or(Path::new("/"));
    // The compiler names a module as it names the main file: from where the command is given.
    let name = |source: &tracer_instrument::PlanSource<'_>| {
        if let Some(package) = package {
            // Cargo compiles a workspace's packages from its root.
            let below = source.path.strip_prefix(&package.root);
            return below.unwrap_or(source.path).to_string_lossy().into_owned();
        }
        if source.path == main.path {
            return request.given.to_string_lossy().into_owned();
        }
        let below = source.path.strip_prefix(home).unwrap_or(source.path);
        folder.join(below).to_string_lossy().into_owned()
    };
    let table = crate::columns::table(request.sources, &name);
    if let Some((_, text)) = plan.files.iter_mut().find(|(path, _)| path == main.path) {
        text.push(b'\n');
        text.extend_from_slice(table.as_bytes());
        text.push(b'\n');
    }
}

/// Places of `file:line:column: error: …` lines.
fn diagnostics(output: &str) -> Vec<(PathBuf, u32, u32)> {
    output.lines().filter_map(diagnostic).collect()
}

fn diagnostic(line: &str) -> Option<(PathBuf, u32, u32)> {
    let place = line
        .split_once(": error: ")
        .or_else(|| line.split_once(": error["))
        .map(|(place, _)| place)?;
    let (place, column) = place.rsplit_once(':')?;
    let (path, row) = place.rsplit_once(':')?;
    Some((PathBuf::from(path), row.parse().ok()?, column.parse().ok()?))
}

/// The library of the package that a main file is a program of.
fn library_of(settings: &[u8], path: &Path) -> Vec<PathBuf> {
    let package = Facts::read(settings).package;
    let library = package.and_then(|package| package.library);
    library
        .into_iter()
        .filter(|library| library != path)
        .collect()
}

/// The files of a file's modules.
pub(crate) fn local_modules(
    tree: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let own = folder.join(path.file_stem().unwrap_or_default());
    let is_root = path
        .file_stem()
        .is_some_and(|stem| stem == "main" || stem == "lib" || stem == "mod");
    // A file's modules lie in a folder of its name; those of a main file, whatever its name, beside.
    let folders = if is_root {
        vec![folder]
    } else {
        vec![own, folder]
    };
    let mut found = Vec::new();
    modules(tree.root_node(), source, &folders, exists, &mut found);
    found
}

fn modules(
    node: Node<'_>,
    source: &[u8],
    folders: &[PathBuf],
    exists: &dyn Fn(&Path) -> bool,
    found: &mut Vec<PathBuf>,
) {
    let text = |node: Node<'_>| node.utf8_text(source).unwrap_or_default();
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if child.kind() != "mod_item" {
            continue;
        }
        let Some(name) = child.child_by_field_name("name").map(text) else {
            continue;
        };
        if let Some(body) = child.child_by_field_name("body") {
            let inner: Vec<PathBuf> = folders.iter().map(|folder| folder.join(name)).collect();
            modules(body, source, &inner, exists, found);
            continue;
        }
        let named = crate::context::attributes(source, child)
            .into_iter()
            .find_map(|attribute| {
                let text = text(attribute);
                let value = text.strip_prefix("#[path")?.split('"').nth(1)?;
                Some(value.to_owned())
            });
        let file = folders.iter().find_map(|folder| {
            let places = match &named {
                Some(named) => vec![folder.join(named)],
                None => vec![
                    folder.join(format!("{name}.rs")),
                    folder.join(name).join("mod.rs"),
                ],
            };
            places.into_iter().find(|place| exists(place))
        });
        if let Some(file) = file.filter(|file| !found.contains(file)) {
            found.push(file);
        }
    }
}
