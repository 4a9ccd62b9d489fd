//! How C programs are built and run. Only says what to run; starts nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};
use tree_sitter::Tree;

use crate::headers::Names;

/// The toolchain.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["$CC", "cc", "gcc", "clang"],
    identify: &["--version"],
    describe,
    hint: "the Debian package gcc or clang",
    plan,
    environment: &[],
    variations: &["-ftrivial-auto-var-init=pattern", "-O1"],
    diagnostics: Some(diagnostics),
    dialects: &[&["-std=gnu89"], &["-std=gnu89", "-fpermissive"]],
    noise: None,
};

/// clang with a C library for WebAssembly.
pub(crate) const MODULE: Toolchain = Toolchain {
    programs: &["clang"],
    hint: "the image wasm-c",
    plan: plan_module,
    ..TOOLCHAIN
};

/// Arguments that only a native linker knows.
const NATIVE: [&str; 3] = ["-Wl,--wrap=pthread_create", "-lm", "-lpthread"];

fn plan_module(request: &PlanRequest<'_>) -> Plan {
    crate::module::of(plan(request), request, &NATIVE, &[], &[])
}

fn describe(output: &str, program: &Path) -> Option<Found> {
    let line = output.lines().next()?.trim();
    let known = ["gcc", "cc ", "clang", "Free Software Foundation"];
    known
        .iter()
        .any(|word| output.contains(word))
        .then(|| Found {
            program: program.to_path_buf(),
            version: line.to_owned(),
            roots: Vec::new(),
        })
}

fn words<const N: usize>(words: [&str; N]) -> impl Iterator<Item = OsString> {
    words.map(OsString::from).into_iter()
}

fn plan(request: &PlanRequest<'_>) -> Plan {
    let compiler = request.found.program.clone().into_os_string();
    let clang = request.found.version.contains("clang");
    let program = request.build.join("program");
    let mut plan = Plan {
        program: program.clone(),
        argv: std::iter::once(program.clone().into_os_string())
            .chain(request.args.iter().cloned())
            .collect(),
        ..Plan::default()
    };
    let mut build = vec![compiler.clone(), "-g0".into()];
    if request.traced {
        let object = request.build.join("tracer_emit.o");
        for file in crate::EMITTER {
            plan.files
                .push((request.private.join(file.name), file.contents.to_vec()));
        }
        for source in request.sources {
            if let Some(text) = source.instrumented {
                plan.files.push((source.path.to_path_buf(), text.to_vec()));
            }
        }
        let mut emitter = vec![compiler];
        // No call of the C library may come in through the back door: the program may define it.
        emitter.extend(words([
            "-O2",
            "-w",
            "-std=gnu11",
            "-ffreestanding",
            "-fno-builtin",
            "-fno-stack-protector",
            "-c",
        ]));
        if !clang {
            emitter.push("-fno-tree-loop-distribute-patterns".into());
        }
        emitter.push(request.private.join("tracer_emit.c").into_os_string());
        emitter.push("-o".into());
        emitter.push(object.clone().into_os_string());
        plan.once.push((plan.build.len(), object.clone()));
        plan.build.push(emitter);
        // Errors are to name the place of a probe, in bytes.
        build.extend(words(["-Wl,--wrap=pthread_create", "-Wl,--wrap=fflush"]));
        build.extend(words(["-w", "-ftabstop=1"]));
        build.push(if clang {
            // Each `else if` nests one level deeper.
            "-fbracket-depth=100000".into()
        } else {
            "-ftrack-macro-expansion=0".into()
        });
        build.push("-include".into());
        build.push(request.private.join("tracer_emit.h").into_os_string());
        build.push(request.given.as_os_str().to_owned());
        build.push(object.into_os_string());
    } else {
        build.push("-w".into());
        build.push(request.given.as_os_str().to_owned());
    }
    build.extend(NAMES.arguments(request, &mut plan));
    build.extend(request.compiler_flags.iter().cloned());
    build.push("-o".into());
    build.push(program.into_os_string());
    build.extend(words(["-lm", "-lpthread"]));
    plan.build.push(build);
    plan
}

/// Places of `file:line:column: error: …` lines.
fn diagnostics(output: &str) -> Vec<(PathBuf, u32, u32)> {
    output.lines().filter_map(diagnostic).collect()
}

fn diagnostic(line: &str) -> Option<(PathBuf, u32, u32)> {
    let place = line
        .split_once(": error: ")
        .or_else(|| line.split_once(": fatal error: "))
        .map(|(place, _)| place)?;
    let (place, column) = place.rsplit_once(':')?;
    let (path, row) = place.rsplit_once(':')?;
    Some((PathBuf::from(path), row.parse().ok()?, column.parse().ok()?))
}

/// How C names its files.
const NAMES: Names = Names {
    units: &["c"],
    standard: crate::imports::IMPORTS.standard,
};

/// Files of the program that it includes, and what implements the headers among them.
pub(crate) fn local_modules(
    tree: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    NAMES.local_modules(tree, source, path, exists)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_among_other_diagnostics() {
        let output = "a b.c: In function 'main':\na b.c:3:7: error: bad\na b.c:4:1: note: why\n\
                      x.c:9:2: fatal error: no\n";
        let expected = vec![(PathBuf::from("a b.c"), 3, 7), (PathBuf::from("x.c"), 9, 2)];
        assert_eq!(diagnostics(output), expected);
    }

    #[test]
    fn a_compiler_describes_itself() {
        let found = describe(
            "gcc (Debian 12.2.0-14) 12.2.0\nCopyright",
            Path::new("/usr/bin/cc"),
        );
        assert_eq!(
            found.map(|found| found.version),
            Some("gcc (Debian 12.2.0-14) 12.2.0".into())
        );
        assert_eq!(describe("busybox", Path::new("/bin/cc")), None);
    }
}
