//! How Go programs are built and run. Only says what to run; starts nothing.
//!
//! `go build` does the building, with a build cache of the standard library and the emitter that is
//! made once. The emitter stands in for a folder of the standard library that holds no package, by
//! `-overlay`: so it is found in every kind of project, and no `go.mod` has to know it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};
use tree_sitter::{Tree};

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
};

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

/// Compiles packages of the standard library and the emitter into a cache. `$1`: go, `$2`: the
/// cache, `$3`: a file of the emitter, then the packages.
const PREPARE: &str = "set -e; mkdir -p \"$GOCACHE\"; \
                       GO111MODULE=off exec \"$go\" build -overlay \"$overlay\" index \"$@\"";

/// What both steps begin with: the emitter's files stand in a folder of the standard library.
const OVERLAY: &str = "go=\"$1\"; export GOCACHE=\"$2\"; emitter=\"${3%/*}\"; shift 3; \
                       overlay=\"$TMPDIR/overlay.json\"; root=\"$(\"$go\" env GOROOT)\"; list=\"\"; \
                       for file in \"$emitter\"/*.go \"$emitter\"/*.s; do \
                       list=\"$list${list:+,}\\\"$root/src/index/${file##*/}\\\":\\\"$file\\\"\"; done; \
                       echo \"{\\\"Replace\\\":{$list}}\" >\"$overlay\"; ";

/// Builds the traced program. As before, then what to build.
const BUILD_TRACED: &str = "exec \"$go\" build -ldflags=-w -overlay \"$overlay\" \"$@\"";

/// Builds the original. `$1`: go, `$2`: the cache, then what to build.
const BUILD: &str = "go=\"$1\"; export GOCACHE=\"$2\"; shift 2; exec \"$go\" build -ldflags=-w \"$@\"";

fn words<const N: usize>(words: [&str; N]) -> impl Iterator<Item = OsString> {
    words.map(OsString::from).into_iter()
}

/// What is to be compiled ahead for a program: the usual packages, or all.
fn packages(request: &PlanRequest<'_>) -> &'static [&'static str] {
    let sources = request.sources.iter().chain(request.companions);
    let mut imports = sources.flat_map(|source| imports(source.original));
    if imports.all(|path| CORE.contains(&&*path) || !is_standard(&path)) {
        CORE
    } else {
        &["std"]
    }
}

/// Whether an import may be of the standard library.
fn is_standard(path: &str) -> bool {
    !path.split('/').next().unwrap_or(path).contains('.') && path != "C"
}

/// The paths that a file imports, as far as they stand one a line.
fn imports(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("import (") {
            inside = true;
        } else if line.starts_with(')') {
            inside = false;
        } else if line.starts_with("func ") || line.starts_with("type ") {
            break;
        }
        if (inside || line.starts_with("import"))
            && let Some(path) = line.split('"').nth(1)
        {
            found.push(path.to_owned());
        }
    }
    found
}

fn plan(request: &PlanRequest<'_>) -> Plan {
    let go = request.found.program.clone().into_os_string();
    let program = request.build.join("program");
    let cache = request.build.join("cache");
    let mut plan = Plan {
        program: program.clone(),
        argv: std::iter::once(program.clone().into_os_string())
            .chain(request.args.iter().cloned())
            .collect(),
        ..Plan::default()
    };
    for file in crate::EMITTER {
        plan.files
            .push((request.private.join(file.name), file.contents.to_vec()));
    }
    if request.traced {
        for source in request.sources {
            if let Some(text) = source.instrumented {
                plan.files.push((source.path.to_path_buf(), text.to_vec()));
            }
        }
    }
    let mut prepare: Vec<OsString> = words(["/bin/sh", "-c"]).collect();
    prepare.push(format!("{SETTINGS}{OVERLAY}{PREPARE}").into());
    prepare.push("prepare".into());
    prepare.push(go.clone());
    prepare.push(cache.clone().into_os_string());
    prepare.push(request.private.join("channel.go").into_os_string());
    prepare.extend(packages(request).iter().map(OsString::from));
    plan.once.push((0, cache.clone()));
    plan.build.push(prepare);
    let mut build: Vec<OsString> = words(["/bin/sh", "-c"]).collect();
    let script = if request.traced {
        format!("{SETTINGS}export GO111MODULE=off; {OVERLAY}{BUILD_TRACED}")
    } else {
        format!("{SETTINGS}export GO111MODULE=off; {BUILD}")
    };
    build.push(script.into());
    build.push("build".into());
    build.push(go);
    build.push(cache.clone().into_os_string());
    if request.traced {
        build.push(request.private.join("channel.go").into_os_string());
    }
    build.push("-o".into());
    build.push(program.into_os_string());
    build.extend(request.compiler_flags.iter().cloned());
    build.push(request.given.as_os_str().to_owned());
    plan.build.push(build);
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

/// Files of the program's own folder that it needs.
pub(crate) fn local_modules(
    _tree: &Tree,
    _source: &[u8],
    _path: &Path,
    _exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    Vec::new()
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
