//! How C# programs are built and run by Mono, and what is the same with .NET. Only says what to run;
//! starts nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};

use crate::dotnet;

/// For programs that any compiler reads: Mono's, or else .NET.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["mcs", "dotnet"],
    identify: &["--version"],
    describe,
    hint: "the Debian packages mono-mcs and mono-runtime, or a .NET SDK",
    plan,
    environment: dotnet::ENVIRONMENT,
    variations: &[],
    diagnostics: Some(diagnostics),
    dialects: dotnet::DIALECTS,
    noise: Some(noise),
};

/// Namespaces whose types are in an assembly that the compiler does not refer to by itself.
const LIBRARIES: &[(&str, &str)] = &[
    ("System.Numerics", "System.Numerics"),
    ("System.Xml.Linq", "System.Xml.Linq"),
    (
        "System.Runtime.Serialization",
        "System.Runtime.Serialization",
    ),
    ("System.Net.Http", "System.Net.Http"),
    ("System.Data", "System.Data"),
    ("System.Drawing", "System.Drawing"),
    ("System.Windows.Forms", "System.Windows.Forms"),
    ("System.Web", "System.Web"),
    ("System.Web.Script", "System.Web.Extensions"),
    ("System.Configuration", "System.Configuration"),
    (
        "System.ComponentModel.Composition",
        "System.ComponentModel.Composition",
    ),
    (
        "System.ComponentModel.DataAnnotations",
        "System.ComponentModel.DataAnnotations",
    ),
    ("System.IO.Compression", "System.IO.Compression"),
    ("System.IO.Compression", "System.IO.Compression.FileSystem"),
    ("System.Json", "System.Json"),
    ("System.Transactions", "System.Transactions"),
    ("System.Runtime.Caching", "System.Runtime.Caching"),
    (
        "System.Threading.Tasks.Dataflow",
        "System.Threading.Tasks.Dataflow",
    ),
    ("System.ServiceModel", "System.ServiceModel"),
    ("Mono.Unix", "Mono.Posix"),
    ("Mono.Posix", "Mono.Posix"),
    ("dynamic", "Microsoft.CSharp"),
];

/// The assemblies that sources may need beyond the usual ones.
fn libraries(request: &PlanRequest<'_>) -> Vec<OsString> {
    let mentions = |word: &str| {
        let mut files = request.sources.iter().chain(request.companions);
        files.any(|source| {
            let mut windows = source.original.windows(word.len());
            windows.any(|window| window == word.as_bytes())
        })
    };
    let mut found = Vec::new();
    for (namespace, assembly) in LIBRARIES {
        if mentions(namespace) {
            found.push(format!("-r:{assembly}").into());
        }
    }
    found
}

fn describe(output: &str, program: &Path) -> Option<Found> {
    let line = output.lines().next()?.trim();
    if !line.contains("Mono C# compiler") {
        return dotnet::describe(output, program);
    }
    Some(Found {
        program: program.to_path_buf(),
        version: line.to_owned(),
        roots: Vec::new(),
    })
}

/// What both compilers are given.
pub(crate) struct Parts {
    /// Files to place.
    pub(crate) files: Vec<(PathBuf, Vec<u8>)>,
    /// The emitter's.
    pub(crate) emitter: Vec<OsString>,
    /// The program's: the main one as the user named it.
    pub(crate) sources: Vec<OsString>,
}

impl Parts {
    pub(crate) fn of(request: &PlanRequest<'_>) -> Self {
        let emitter = crate::EMITTER.iter().filter(|_| request.traced);
        let emitter: Vec<(PathBuf, Vec<u8>)> = emitter
            .map(|file| (request.private.join(file.name), file.contents.to_vec()))
            .collect();
        let instrumented = request.sources.iter().filter_map(|source| {
            let text = source.instrumented?;
            Some((source.path.to_path_buf(), text.to_vec()))
        });
        let others = request.sources.iter().skip(1).chain(request.companions);
        // What stands outside the main file's folder is only seen if it is placed.
        let as_they_are = others
            .clone()
            .filter(|source| source.instrumented.is_none());
        let as_they_are =
            as_they_are.map(|source| (source.path.to_path_buf(), source.original.to_vec()));
        Self {
            sources: std::iter::once(request.given)
                .chain(others.map(|source| source.path))
                .map(|path| path.as_os_str().to_owned())
                .collect(),
            emitter: emitter
                .iter()
                .map(|(path, _)| path.clone().into_os_string())
                .collect(),
            files: emitter
                .into_iter()
                .chain(instrumented)
                .chain(as_they_are)
                .collect(),
        }
    }
}

pub(crate) fn words<const N: usize>(words: [&str; N]) -> impl Iterator<Item = OsString> {
    words.map(OsString::from).into_iter()
}

pub(crate) fn joined(head: &str, path: &Path) -> OsString {
    let mut text = OsString::from(head);
    text.push(path);
    text
}

fn plan(request: &PlanRequest<'_>) -> Plan {
    if request.found.program.file_name() == Some("dotnet".as_ref()) {
        return dotnet::plan(request);
    }
    let compiler = request.found.program.clone().into_os_string();
    let runtime = request.found.program.with_file_name("mono");
    let stem = request.given.file_stem().unwrap_or_default();
    let mut name = stem.to_owned();
    name.push(".exe");
    let program = request.build.join(name);
    let mut plan = Plan {
        program: runtime.clone(),
        argv: [
            runtime.into_os_string(),
            "--debug".into(),
            program.clone().into_os_string(),
        ]
        .into_iter()
        .chain(request.args.iter().cloned())
        .collect(),
        ..Plan::default()
    };
    // Stack traces are to name files and lines: what they name otherwise differs from build to build.
    let parts = Parts::of(request);
    plan.files = parts.files;
    let mut build = vec![compiler.clone()];
    build.extend(words(["-debug", "-unsafe", "-warn:0"]));
    build.extend(libraries(request));
    if request.traced {
        let emitter = request.build.join("_tr.dll");
        let mut make = vec![compiler];
        make.extend(words(["-unsafe", "-optimize+", "-target:library"]));
        make.push(joined("-out:", &emitter));
        make.extend(parts.emitter);
        plan.once.push((plan.build.len(), emitter.clone()));
        plan.build.push(make);
        build.push(joined("-r:", &emitter));
    }
    let flags = request.compiler_flags.iter();
    build.extend(
        flags
            .filter(|flag| *flag != dotnet::IMPLICIT_USINGS)
            .cloned(),
    );
    build.push(joined("-out:", &program));
    build.extend(parts.sources);
    plan.build.push(build);
    plan
}

/// Leaves out where in the compiled code a stack trace's frames are, and which build that is:
/// `[0x0001a] in <0185c1139f814389aac9d9d35d9d4ece>:0`.
pub(crate) fn noise(output: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(output.len());
    let mut rest = output;
    while let Some(&byte) = rest.first() {
        let hex = |from: usize| {
            let digits = rest[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_hexdigit());
            from + digits.count()
        };
        let length = if rest.starts_with(b"[0x") && rest.get(hex(3)) == Some(&b']') {
            hex(3) + 1
        } else if byte == b'<' && hex(1) == 33 && rest.get(33) == Some(&b'>') {
            34
        } else {
            kept.push(byte);
            rest = &rest[1..];
            continue;
        };
        kept.extend_from_slice(b"[]");
        rest = &rest[length..];
    }
    kept
}

/// Places of `file(line,column): error CS…` lines.
pub(crate) fn diagnostics(output: &str) -> Vec<(PathBuf, u32, u32)> {
    output.lines().filter_map(diagnostic).collect()
}

fn diagnostic(line: &str) -> Option<(PathBuf, u32, u32)> {
    let (place, _) = line.split_once("): error CS")?;
    let (path, place) = place.rsplit_once('(')?;
    let mut numbers = place.split(',');
    let row = numbers.next()?.parse().ok()?;
    // Far columns are given as `255+`.
    let column = numbers.next()?.trim_end_matches('+').parse().ok()?;
    Some((PathBuf::from(path), row, column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_among_other_diagnostics() {
        let output = "a (b).cs(3,7): error CS0029: no\na.cs(4,1): warning CS0219: why\n\
                      x.cs(9,255+): error CS1002: `;' expected\nCompilation failed\n";
        let expected = vec![
            (PathBuf::from("a (b).cs"), 3, 7),
            (PathBuf::from("x.cs"), 9, 255),
        ];
        assert_eq!(diagnostics(output), expected);
    }

    #[test]
    fn what_differs_between_builds_is_noise() {
        let text = b"  at P.F () [0x0001a] in <0185c1139f814389aac9d9d35d9d4ece>:0 [0x] <a>";
        assert_eq!(noise(text), b"  at P.F () [] in []:0 [] <a>");
    }

    #[test]
    fn a_compiler_describes_itself() {
        let found = describe(
            "Mono C# compiler version 6.8.0.105\n",
            Path::new("/usr/bin/mcs"),
        );
        assert_eq!(
            found.map(|found| found.version),
            Some("Mono C# compiler version 6.8.0.105".into())
        );
        assert_eq!(describe("gcc", Path::new("/bin/mcs")), None);
    }
}
