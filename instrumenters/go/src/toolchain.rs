//! How Go programs are built and run. Only says what to run; starts nothing.
//!
//! `go build` does the building, with a build cache of the standard library and the emitter that is
//! made once. The emitter stands in for a folder of the standard library that holds no package, by
//! `-overlay`: so it is found in every kind of project, and no `go.mod` has to know it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};

use crate::project::Settings;
use crate::source::imports;

/// The toolchain.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["go"],
    identify: &["env", "GOVERSION", "GOROOT"],
    describe,
    hint: "the Debian package golang-go",
    plan,
    // One thread of the program's at a time: goroutines take turns in the same order in each run.
    environment: &[("GOMAXPROCS", "1")],
    variations: &[],
    diagnostics: Some(diagnostics),
    dialects: &[],
    noise: Some(crate::noise::without),
};

/// The same compiler, for WebAssembly.
pub(crate) const MODULE: Toolchain = Toolchain {
    plan: plan_module,
    ..TOOLCHAIN
};

/// What makes its product a module.
const TARGET: &str = "export GOOS=wasip1 GOARCH=wasm; ";

/// The same steps for a module.
fn plan_module(request: &PlanRequest<'_>) -> Plan {
    let mut plan = plan(request);
    let module = request.build.join("program.wasm");
    let native = std::mem::replace(&mut plan.program, module.clone()).into_os_string();
    for step in &mut plan.build {
        for word in step.iter_mut() {
            if *word == native {
                *word = module.clone().into();
            } else if let Some(script) = word.to_str().filter(|word| word.starts_with(SETTINGS)) {
                let script = script.replace("$TMPDIR/program\"", "$TMPDIR/program.wasm\"");
                *word = format!("{TARGET}{script}").into();
            }
        }
    }
    // The machine knows the channel.
    plan.silent = true;
    plan
}

fn describe(output: &str, program: &Path) -> Option<Found> {
    let mut lines = output.lines();
    let version = lines.next()?.trim();
    let root = lines.next()?.trim();
    let number = version.strip_prefix("go")?;
    Some(Found {
        program: program.to_path_buf(),
        version: format!("Go {number}"),
        roots: vec![PathBuf::from(root)],
    })
}

/// Settings of every `go` command: nothing is fetched, nothing is written beside the sources.
const SETTINGS: &str = "export GOFLAGS=-buildvcs=false GOENV=off GOPROXY=off GOSUMDB=off \
                        GOTOOLCHAIN=local GOTELEMETRY=off GOPATH=${GOPATH:-/tmp/go}; ";

/// Packages of the standard library that nearly every program does with. Compiling all takes half a
/// minute, which only those pay that need more.
const CORE: &[&str] = &[
    "bufio",
    "bytes",
    "cmp",
    "container/heap",
    "container/list",
    "container/ring",
    "context",
    "crypto/md5",
    "crypto/rand",
    "crypto/sha1",
    "crypto/sha256",
    "crypto/sha512",
    "encoding/base64",
    "encoding/binary",
    "encoding/hex",
    "encoding/json",
    "errors",
    "flag",
    "fmt",
    "hash/crc32",
    "hash/fnv",
    "io",
    "io/fs",
    "io/ioutil",
    "iter",
    "log",
    "maps",
    "math",
    "math/big",
    "math/bits",
    "math/cmplx",
    "math/rand",
    "math/rand/v2",
    "os",
    "os/signal",
    "path",
    "path/filepath",
    "reflect",
    "regexp",
    "runtime",
    "runtime/debug",
    "slices",
    "sort",
    "strconv",
    "strings",
    "sync",
    "sync/atomic",
    "syscall",
    "text/tabwriter",
    "time",
    "unicode",
    "unicode/utf16",
    "unicode/utf8",
    "unsafe",
];

/// What every step begins with. `$1`: go, `$2`: the build cache.
const BEGIN: &str = "set -e; go=\"$1\"; export GOCACHE=\"$2\"; shift 2; ";

/// Compiles packages of the standard library into a cache. Then: the packages.
const PREPARE: &str = "mkdir -p \"$GOCACHE\"; GO111MODULE=off exec \"$go\" build \"$@\"";

/// Lets the emitter stand in a folder of the standard library, and `os` tell it what is written.
/// `$3`: one of its files. An `os` in which the place is not found is left as it is.
const OVERLAY: &str = "emitter=\"${1%/*}\"; shift; overlay=\"$TMPDIR/overlay.json\"; \
                       root=\"$(\"$go\" env GOROOT)\"; list=\"\"; \
                       stand() { list=\"$list${list:+,}\\\"$root/src/$1\\\":\\\"$2\\\"\"; }; \
                       for file in \"$emitter\"/*.go \"$emitter\"/*.s; do name=\"${file##*/}\"; \
                       case \"$name\" in os_*) stand \"os/$name\" \"$file\" ;; \
                       *) stand \"index/$name\" \"$file\" ;; esac; done; \
                       sed 's/^\tn, e := f\\.write(b)$/&; tracerWrote(f, b, n)/' \
                       \"$root/src/os/file.go\" >\"$TMPDIR/os_file.go\"; \
                       stand os/file.go \"$TMPDIR/os_file.go\"; \
                       echo \"{\\\"Replace\\\":{$list}}\" >\"$overlay\"; ";

/// Compiles the emitter into a copy of the cache. `$4`: the cache to copy, then the packages: those
/// with C in them are compiled anew where anything stands in for a file.
const EMITTER: &str = "cp -R \"$1/.\" \"$GOCACHE\"; shift; \
                       GO111MODULE=off exec \"$go\" build -overlay \"$overlay\" index \"$@\"";

/// Builds the traced program. Then: what to build.
const BUILD_TRACED: &str = "\"$go\" build -ldflags=-w -overlay \"$overlay\" \"$@\"; ";

/// Builds the original.
const BUILD: &str = "\"$go\" build -ldflags=-w \"$@\"; ";

/// In a module, `go` wants to write its index of packages into the cache, which is read-only. `$1`:
/// the folder of modules that were downloaded.
const MODULES: &str = "export GO111MODULE=on GODEBUG=\"${GODEBUG:+$GODEBUG,}goindex=0\" \
                       GOMODCACHE=\"$1\"; shift; ";

/// Names the modules that are missing: what `go` would fetch is not there, whatever stops it. Before:
/// what builds, in braces.
const MISSING: &str = " 2>\"$TMPDIR/said\" || failed=1; cat \"$TMPDIR/said\" >&2; \
                       if test -n \"${failed:-}\"; then \
                       sed -n 's/^go: downloading \\(.*\\)$/module \\1 is not in the module cache; go mod download/p' \
                       \"$TMPDIR/said\" >&2; fi; test -z \"$failed\" || exit 1; ";

/// A package that is no program builds, too, and gives something that cannot be run.
const IS_PROGRAM: &str =
    "test -x \"$TMPDIR/program\" || { echo \"error: package main is needed\" >&2; exit 1; }";

/// The user's folder of modules that were downloaded.
fn module_cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(cache) = set("GOMODCACHE") {
        return Some(cache.into());
    }
    let paths = set("GOPATH").and_then(|paths| std::env::split_paths(&paths).next());
    let home = || Some(PathBuf::from(set("HOME")?).join("go"));
    Some(paths.or_else(home)?.join("pkg/mod"))
}

/// What is to be compiled ahead for a program: the usual packages, or all.
fn packages(request: &PlanRequest<'_>) -> &'static [&'static str] {
    let sources = request.sources.iter().chain(request.companions);
    let mut imports = sources.flat_map(|source| imports(&String::from_utf8_lossy(source.original)));
    if imports.all(|path| CORE.contains(&&*path) || !is_standard(&path)) {
        CORE
    } else {
        &["std"]
    }
}

/// Probes of values are generic functions, which a module of an old language does not have.
fn generics(module: &str) -> String {
    format!("-gcflags={module}/...=-lang=go1.18")
}

/// Whether an import may be of the standard library.
fn is_standard(path: &str) -> bool {
    !path.split('/').next().unwrap_or(path).contains('.') && path != "C"
}

/// A step of the build: a script, the cache it works with, and further words.
fn step(
    request: &PlanRequest<'_>,
    script: &str,
    cache: &Path,
    words: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut argv: Vec<OsString> = vec![
        "/bin/sh".into(),
        "-c".into(),
        format!("{SETTINGS}{BEGIN}{script}").into(),
        "build".into(),
        request.found.program.clone().into(),
        cache.into(),
    ];
    argv.extend(words);
    argv
}

fn plan(request: &PlanRequest<'_>) -> Plan {
    let program = request.build.join("program");
    let library = request.build.join("library");
    let mut plan = Plan {
        program: program.clone(),
        argv: std::iter::once(program.clone().into_os_string())
            .chain(request.args.iter().cloned())
            .collect(),
        ..Plan::default()
    };
    plan.once.push((0, library.clone()));
    let packages = packages(request).iter().map(OsString::from);
    plan.build
        .push(step(request, PREPARE, &library, packages.clone()));
    let mut words: Vec<OsString> = Vec::new();
    let (cache, script) = if request.traced {
        for file in crate::EMITTER {
            plan.files
                .push((request.private.join(file.name), file.contents.to_vec()));
        }
        for source in request.sources {
            if let Some(text) = source.instrumented {
                plan.files.push((source.path.to_path_buf(), text.to_vec()));
            }
        }
        let emitter = request.private.join("channel.go").into_os_string();
        let cache = request.build.join("cache");
        plan.once.push((1, cache.clone()));
        plan.build.push(step(
            request,
            &format!("{OVERLAY}{EMITTER}"),
            &cache,
            [emitter.clone(), library.into_os_string()]
                .into_iter()
                .chain(packages),
        ));
        words.push(emitter);
        (cache, format!("{OVERLAY}{BUILD_TRACED}"))
    } else {
        (library, BUILD.to_owned())
    };
    words.push("-o".into());
    words.push(program.into_os_string());
    words.extend(request.compiler_flags.iter().cloned());
    let settings = Settings::from_bytes(request.settings);
    if request.traced {
        words.extend(settings.old_module().map(|name| generics(name).into()));
    }
    let main = request.sources.first();
    let script = match main {
        Some(main) if settings.module.is_some() || !settings.package.is_empty() => {
            // Files of one package are named from their folder.
            words.insert(0, main.path.as_os_str().to_owned());
            words.extend(main.path.file_name().map(OsString::from));
            let names = settings.package.iter().filter_map(|path| path.file_name());
            words.extend(names.map(OsString::from));
            if settings.module.is_some() {
                let cache = module_cache().filter(|cache| cache.is_dir());
                if settings.requires {
                    plan.roots.extend(cache.clone());
                }
                words.insert(0, cache.unwrap_or_else(|| "/tmp/go/pkg/mod".into()).into());
                format!("{MODULES}failed=; cd \"${{1%/*}}\"; shift; {{ {script}}}{MISSING}")
            } else {
                format!("export GO111MODULE=off; cd \"${{1%/*}}\"; shift; {script}")
            }
        }
        _ => {
            words.push(request.given.as_os_str().to_owned());
            format!("export GO111MODULE=off; {script}")
        }
    };
    plan.folders = settings.folders;
    // They may stand above all folders that are visible.
    for (path, text) in settings.module.into_iter().chain(settings.workspace) {
        plan.files.push((path, text.into_bytes()));
    }
    let script = format!("{script}{IS_PROGRAM}");
    plan.build.push(step(request, &script, &cache, words));
    plan
}

/// Places of `file:line:column: …` lines.
fn diagnostics(output: &str) -> Vec<(PathBuf, u32, u32)> {
    output.lines().filter_map(diagnostic).collect()
}

fn diagnostic(line: &str) -> Option<(PathBuf, u32, u32)> {
    let (place, _) = line.split_once(": ")?;
    let (place, column) = place.rsplit_once(':')?;
    let (path, row) = place.rsplit_once(':')?;
    Some((
        PathBuf::from(path.trim_start_matches("./")),
        row.parse().ok()?,
        column.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_among_other_lines() {
        let output = "# command-line-arguments\n./a b.go:3:7: undefined: x\nnote: module\n\
                      /x/y.go:9:2: declared and not used: z\n";
        let expected = vec![
            (PathBuf::from("a b.go"), 3, 7),
            (PathBuf::from("/x/y.go"), 9, 2),
        ];
        assert_eq!(diagnostics(output), expected);
    }

    #[test]
    fn a_toolchain_describes_itself() {
        let found = describe("go1.26.8\n/usr/local/go\n", Path::new("/usr/bin/go"));
        let found = found.map(|found| (found.version, found.roots));
        assert_eq!(
            found,
            Some(("Go 1.26.8".into(), vec![PathBuf::from("/usr/local/go")]))
        );
        assert_eq!(describe("gccgo", Path::new("/usr/bin/go")), None);
    }
}
