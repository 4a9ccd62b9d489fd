//! How Swift programs are built and run. Only says what to run; starts nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};
use tree_sitter::Tree;

/// The toolchain.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["swiftc"],
    identify: &["--version"],
    describe,
    hint: "Swift from swift.org or the Debian package swiftlang, or `tracer image build swift`",
    plan,
    environment: &[
        ("SWIFT_DETERMINISTIC_HASHING", "1"),
        // The report of a crash is full of addresses, and takes longer than most programs.
        ("SWIFT_BACKTRACE", "enable=no"),
        // Tasks of the pool take turns in one order.
        ("LIBDISPATCH_COOPERATIVE_POOL_STRICT", "1"),
    ],
    variations: &[],
    diagnostics: Some(diagnostics),
    dialects: &[&["-swift-version", "6"], &["-swift-version", "4.2"]],
    noise: Some(without_backtrace),
};

fn describe(output: &str, program: &Path) -> Option<Found> {
    let line = output.lines().find(|line| line.contains("Swift version"))?;
    let at = line.find("Swift version")?;
    let version = line[at..].split(" (").next()?.replace(" version", "");
    Some(Found {
        program: program.to_path_buf(),
        version,
        roots: Vec::new(),
    })
}

/// Builds the emitter: the C half by the compiler's own clang, the Swift half as a module.
const BUILD_EMITTER: &str = "set -e; swiftc=$1 private=$2 out=$3; mkdir -p \"$out\"; \
    clang=$(dirname \"$(readlink -f \"$swiftc\")\")/clang; \
    [ -x \"$clang\" ] || clang=clang; \
    \"$clang\" -O2 -w -std=gnu11 -ffreestanding -fno-builtin -fno-stack-protector -fPIC \
    -c \"$private/bridge.c\" -o \"$out/bridge.o\"; \
    cd \"$private\"; \
    \"$swiftc\" -O -wmo -parse-as-library -suppress-warnings -module-name _tr -emit-module \
    -emit-module-path \"$out/_tr.swiftmodule\" -c core.swift probes.swift values.swift \
    -o \"$out/_tr.o\"";

/// Reads the system's modules once: they cost more than most programs. The compiler ties what it
/// made of them to the path of their folder, so that has to be the same in every build.
const READ_MODULES: &str = "set -e; cache=/tmp/tracer-swift-modules; rm -rf \"$cache\"; \
    printf 'import Foundation\\nimport Glibc\\nimport Dispatch\\n' > \"$TMPDIR/modules.swift\"; \
    \"$1\" -Onone -suppress-warnings -module-cache-path \"$cache\" -c \"$TMPDIR/modules.swift\" \
    -o \"$TMPDIR/modules.o\"; \
    cp -r \"$cache\" \"$2\"";

/// Builds the program with those modules.
const BUILD: &str = "set -e; cache=/tmp/tracer-swift-modules; \
    [ -d \"$cache\" ] || cp -r \"$1/.\" \"$cache\"; shift; \
    exec \"$@\" -module-cache-path \"$cache\"";

fn shell(script: &str, words: &[&OsString]) -> Vec<OsString> {
    let head = ["/bin/sh", "-c", script, "sh"].map(OsString::from);
    head.into_iter()
        .chain(words.iter().map(|&word| word.clone()))
        .collect()
}

fn plan(request: &PlanRequest<'_>) -> Plan {
    let compiler = request.found.program.clone().into_os_string();
    let program = request.build.join("program");
    let mut plan = Plan {
        program: program.clone(),
        argv: std::iter::once(program.clone().into_os_string())
            .chain(request.args.iter().cloned())
            .collect(),
        ..Plan::default()
    };
    let modules = request.build.join("modules");
    let modules_name = modules.clone().into_os_string();
    plan.once.push((0, modules));
    plan.build
        .push(shell(READ_MODULES, &[&compiler, &modules_name]));
    let mut build = shell(BUILD, &[&modules_name, &compiler]);
    build.extend(["-Onone", "-suppress-warnings"].map(OsString::from));
    // The module is named by the file, as it would be without a name for the product.
    let stem = request.given.file_stem().unwrap_or_default();
    let name = module_name(&stem.to_string_lossy());
    build.push("-module-name".into());
    build.push(name.into());
    if request
        .sources
        .first()
        .is_some_and(|main| has_main_type(main.original))
    {
        build.push("-parse-as-library".into());
    }
    if request.traced {
        let emitter = request.build.join("emitter");
        for file in crate::EMITTER {
            let path = request.private.join(file.name);
            plan.files.push((path, file.contents.to_vec()));
        }
        for source in request.sources {
            if let Some(text) = source.instrumented {
                plan.files.push((source.path.to_path_buf(), text.to_vec()));
            }
        }
        plan.once.push((plan.build.len(), emitter.clone()));
        let private = request.private.as_os_str().to_owned();
        // The last names the folder of the emitter's files, by which its product is known.
        let named = request.private.join("bridge.c").into_os_string();
        let out = emitter.clone().into_os_string();
        let words = [&compiler, &private, &out, &named];
        plan.build.push(shell(BUILD_EMITTER, &words));
        build.push("-I".into());
        build.push(emitter.clone().into_os_string());
        // For the linker alone: beside what the compiler is given it would write.
        for object in ["bridge.o", "_tr.o"] {
            build.push("-Xlinker".into());
            build.push(emitter.join(object).into_os_string());
        }
        // Tasks are numbered by who makes them, in which order; flushing keeps a stream's position.
        for name in ["swift_task_create", "fflush"] {
            build.extend(["-Xlinker".into(), format!("--wrap={name}").into()]);
        }
    }
    build.push(request.given.as_os_str().to_owned());
    let others = request.sources.iter().skip(1).chain(request.companions);
    build.extend(others.map(|source| source.path.as_os_str().to_owned()));
    build.extend(request.compiler_flags.iter().cloned());
    build.push("-o".into());
    build.push(program.into_os_string());
    plan.build.push(build);
    plan
}

/// A name that a module can have, made of a file's.
fn module_name(stem: &str) -> String {
    let mut name: String = stem
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    // A module may not be called as the standard library's are.
    if ["Swift", "Foundation", "Glibc", "Dispatch"].contains(&&*name) {
        name.push('_');
    }
    name
}

/// Whether a type is marked as the program's entry, which the compiler must be told.
pub(crate) fn has_main_type(source: &[u8]) -> bool {
    source
        .split(|&byte| byte == b'\n')
        .any(|line| line.trim_ascii_start().starts_with(b"@main"))
}

/// The text without the frames that the runtime prints before it traps: addresses, and offsets into
/// code that any change moves.
fn without_backtrace(text: &[u8]) -> Vec<u8> {
    let mut frames = false;
    let mut kept = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        frames = (frames && is_frame(line)) || line.trim_ascii_end() == b"Current stack trace:";
        if !frames {
            kept.extend_from_slice(line);
        }
    }
    kept
}

/// `5    program   0x000055555555a824 main + 243`
fn is_frame(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let number = words.next().is_some_and(|word| word.parse::<u32>().is_ok());
    number && words.nth(1).is_some_and(|word| word.starts_with("0x"))
}

/// Places of `file:line:column: error: …` lines.
fn diagnostics(output: &str) -> Vec<(PathBuf, u32, u32)> {
    output.lines().filter_map(diagnostic).collect()
}

fn diagnostic(line: &str) -> Option<(PathBuf, u32, u32)> {
    let (place, _) = line.split_once(": error: ")?;
    let (place, column) = place.rsplit_once(':')?;
    let (path, row) = place.rsplit_once(':')?;
    Some((PathBuf::from(path), row.parse().ok()?, column.parse().ok()?))
}

/// The files beside a `main.swift` make one module with it.
pub(crate) fn local_modules(
    _: &Tree,
    _: &[u8],
    path: &Path,
    _: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    if path.file_name().is_none_or(|name| name != "main.swift") {
        return Vec::new();
    }
    let Some(Ok(entries)) = path.parent().map(std::fs::read_dir) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file != path && file.extension().is_some_and(|end| end == "swift"))
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_among_other_diagnostics() {
        let output = "a b.swift:3:7: error: bad\n1 | x\n  | `- error: bad\n\
                      a b.swift:4:1: note: why\n";
        assert_eq!(
            diagnostics(output),
            vec![(PathBuf::from("a b.swift"), 3, 7)]
        );
    }

    #[test]
    fn a_compiler_describes_itself() {
        let said = "Swift version 6.0.3 (swift-6.0.3-RELEASE)\nTarget: x86_64-pc-linux-gnu";
        let found = describe(said, Path::new("/usr/bin/swiftc"));
        assert_eq!(found.map(|found| found.version), Some("Swift 6.0.3".into()));
        assert_eq!(describe("clang", Path::new("/bin/swiftc")), None);
    }

    #[test]
    fn only_the_frames_of_a_backtrace_are_noise() {
        let said = "a\nFatal error: x\nCurrent stack trace:\n0    lib   0x00007ffff7d8c5e0 f + 109\n\
                    12   program  0x000055555555a824 main + 243\nlast 0x12\n";
        assert_eq!(
            without_backtrace(said.as_bytes()),
            b"a\nFatal error: x\nlast 0x12\n"
        );
    }

    #[test]
    fn modules_have_names_that_can_be_written() {
        assert_eq!(module_name("two-sum 2"), "two_sum_2");
        assert_eq!(module_name("1"), "_1");
        assert_eq!(module_name("Foundation"), "Foundation_");
    }
}
