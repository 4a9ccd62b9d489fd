//! How C++ programs are built and run. Only says what to run; starts nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};
use tracer_lang_c::headers::Names;
use tracer_lang_c::module;
use tree_sitter::Tree;

/// The toolchain.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["$CXX", "g++", "c++", "clang++"],
    identify: &["--version"],
    describe,
    hint: "the Debian package g++ or clang",
    plan,
    environment: &[],
    variations: &["-ftrivial-auto-var-init=pattern", "-O1"],
    noise: None,
    diagnostics: Some(diagnostics),
    dialects: &[
        &["-std=gnu++20"],
        &["-std=gnu++2b"],
        &["-std=gnu++14"],
        &["-std=gnu++98"],
        &["-fpermissive"],
    ],
};

/// clang with a C++ library for WebAssembly. It has no exceptions: what throws does not build, and
/// its compiler says so.
pub(crate) const MODULE: Toolchain = Toolchain {
    programs: &["clang++"],
    hint: "the image wasm-cpp",
    plan: plan_module,
    ..TOOLCHAIN
};

/// Arguments that are the native program's.
const NATIVE: [&str; 3] = ["-fexceptions", "-lm", "-lpthread"];

/// All of the standard library's headers, by the name that GCC's has for them.
const ALL_HEADERS: &str = include_str!("../../../runtimes/cpp/all_headers.h");

fn plan_module(request: &PlanRequest<'_>) -> Plan {
    let headers = request.private.join("headers");
    let more = [
        "-stdlib=libc++".into(),
        "-fno-exceptions".into(),
        "-idirafter".into(),
        headers.clone().into(),
    ];
    let wraps = ["-Wl,--wrap=fflush"];
    let mut plan = module::of(plan(request), request, &NATIVE, &more, &wraps);
    plan.files
        .push((headers.join("bits/stdc++.h"), ALL_HEADERS.into()));
    plan
}

fn describe(output: &str, program: &Path) -> Option<Found> {
    let line = output.lines().next()?.trim();
    let known = ["g++", "c++ ", "clang", "Free Software Foundation"];
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

/// How C++ names its files.
const NAMES: Names = Names {
    units: &["cpp", "cc", "cxx", "c++", "cp", "C"],
    standard: crate::imports::IMPORTS.standard,
};

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
    let mut build = vec![compiler.clone(), "-g0".into(), "-w".into()];
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
            "-x",
            "c",
            "-O2",
            "-w",
            "-std=gnu11",
            "-ffreestanding",
            "-fno-builtin",
            "-fno-stack-protector",
            "-fexceptions",
            "-c",
        ]));
        if !clang {
            emitter.push("-fno-tree-loop-distribute-patterns".into());
        }
        emitter.push(request.private.join("tracer_emit_cpp.c").into_os_string());
        emitter.push("-o".into());
        emitter.push(object.clone().into_os_string());
        plan.once.push((plan.build.len(), object.clone()));
        plan.build.push(emitter);
        // Errors are to name the place of a probe, in bytes.
        build.push("-ftabstop=1".into());
        build.push(if clang {
            // Each `else if` nests one level deeper.
            "-fbracket-depth=100000".into()
        } else {
            "-ftrack-macro-expansion=0".into()
        });
        // Probes count as operations of what the compiler evaluates.
        if !clang {
            build.extend(words([
                "-fconstexpr-depth=2048",
                "-fconstexpr-ops-limit=1000000000",
            ]));
        }
        build.push("-include".into());
        build.push(request.private.join("tracer_emit.hpp").into_os_string());
        build.push(request.given.as_os_str().to_owned());
        build.push(object.into_os_string());
    } else {
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

/// Places of `file:line:column: error: …` lines. Where an error lies in a header that no probe stands
/// in, the places that lead to it are named behind it.
fn diagnostics(output: &str) -> Vec<(PathBuf, u32, u32)> {
    output.lines().filter_map(diagnostic).collect()
}

fn diagnostic(line: &str) -> Option<(PathBuf, u32, u32)> {
    let place = line
        .split_once(": error: ")
        .or_else(|| line.split_once(": fatal error: "))
        .or_else(|| line.split_once(":   required from here"))
        .map(|(place, _)| place)?;
    let (place, column) = place.rsplit_once(':')?;
    let (path, row) = place.rsplit_once(':')?;
    Some((PathBuf::from(path), row.parse().ok()?, column.parse().ok()?))
}

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
        let output = "a b.cpp: In function 'int main()':\na b.cpp:3:7: error: bad\n\
                      a b.cpp:4:1: note: why\nx.cpp:9:2:   required from here\n";
        let expected = vec![
            (PathBuf::from("a b.cpp"), 3, 7),
            (PathBuf::from("x.cpp"), 9, 2),
        ];
        assert_eq!(diagnostics(output), expected);
    }

    #[test]
    fn a_compiler_describes_itself() {
        let found = describe(
            "g++ (Debian 12.2.0-14) 12.2.0\nCopyright",
            Path::new("/usr/bin/g++"),
        );
        assert_eq!(
            found.map(|found| found.version),
            Some("g++ (Debian 12.2.0-14) 12.2.0".into())
        );
        assert_eq!(describe("busybox", Path::new("/bin/c++")), None);
    }
}
