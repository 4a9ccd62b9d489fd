//! How C# programs are built and run, by Mono or by .NET. Only says what to run; starts nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};

/// The toolchain.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["mcs"],
    identify: &["--version"],
    describe,
    hint: "the Debian packages mono-mcs and mono-runtime",
    plan,
    environment: &[],
    variations: &[],
    diagnostics: Some(diagnostics),
    dialects: &[],
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
        request.sources.iter().any(|source| {
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
    line.contains("Mono C# compiler").then(|| Found {
        program: program.to_path_buf(),
        version: line.to_owned(),
        roots: Vec::new(),
    })
}

fn words<const N: usize>(words: [&str; N]) -> impl Iterator<Item = OsString> {
    words.map(OsString::from).into_iter()
}

fn joined(head: &str, path: &Path) -> OsString {
    let mut text = OsString::from(head);
    text.push(path);
    text
}

fn plan(request: &PlanRequest<'_>) -> Plan {
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
    let mut build = vec![compiler.clone()];
    build.extend(words(["-debug", "-unsafe", "-warn:0"]));
    build.extend(libraries(request));
    if request.traced {
        let emitter = request.build.join("_tr.dll");
        for file in crate::EMITTER {
            plan.files
                .push((request.private.join(file.name), file.contents.to_vec()));
        }
        for source in request.sources {
            if let Some(text) = source.instrumented {
                plan.files.push((source.path.to_path_buf(), text.to_vec()));
            }
        }
        let mut make = vec![compiler];
        make.extend(words(["-unsafe", "-optimize+", "-target:library"]));
        make.push(joined("-out:", &emitter));
        for file in crate::EMITTER {
            make.push(request.private.join(file.name).into_os_string());
        }
        plan.once.push((plan.build.len(), emitter.clone()));
        plan.build.push(make);
        build.push(joined("-r:", &emitter));
    }
    build.extend(request.compiler_flags.iter().cloned());
    build.push(joined("-out:", &program));
    build.push(request.given.as_os_str().to_owned());
    plan.build.push(build);
    plan
}

/// Leaves out where in the compiled code a stack trace's frames are, and which build that is:
/// `[0x0001a] in <0185c1139f814389aac9d9d35d9d4ece>:0`.
fn noise(output: &[u8]) -> Vec<u8> {
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
fn diagnostics(output: &str) -> Vec<(PathBuf, u32, u32)> {
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
