//! How C# programs are built and run by .NET: its own compiler on the shared framework, without a
//! project and without restoring packages. Only says what to run; starts nothing.

use std::ffi::OsString;
use std::path::Path;

use tracer_instrument::{Found, Plan, PlanRequest, Toolchain};

use crate::toolchain::{Parts, diagnostics, joined, noise, words};

/// For programs that Mono's compiler does not read.
pub(crate) static TOOLCHAIN: Toolchain = Toolchain {
    programs: &["dotnet"],
    identify: &["--version"],
    describe,
    hint: "a .NET SDK with `dotnet` (the program is in C# 8 or newer, and Mono's compiler, which the \
           image has too, reads C# 7)",
    plan,
    environment: ENVIRONMENT,
    variations: &[],
    diagnostics: Some(diagnostics),
    dialects: DIALECTS,
    noise: Some(noise),
};

/// No socket for debuggers in the temporary folder, no talk on first use.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    ("DOTNET_EnableDiagnostics", "0"),
    ("COMPlus_EnableDiagnostics", "0"),
    ("DOTNET_NOLOGO", "1"),
    ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"),
];

/// Stands for the namespaces that projects use without saying so.
pub(crate) const IMPLICIT_USINGS: &str = "--implicit-usings";

/// A program without them is compiled as it is first: a namespace more may make a name ambiguous.
pub(crate) const DIALECTS: &[&[&str]] = &[&[IMPLICIT_USINGS]];

/// What [`IMPLICIT_USINGS`] stands for.
const USINGS: &str = "global using global::System;\n\
    global using global::System.Collections.Generic;\n\
    global using global::System.IO;\n\
    global using global::System.Linq;\n\
    global using global::System.Net.Http;\n\
    global using global::System.Threading;\n\
    global using global::System.Threading.Tasks;\n";

/// Finds the compiler of the SDK beside `dotnet` (`$1`, version `$2`) and runs it. It speaks on
/// stdout, and errors are looked for on stderr.
const COMPILE: &str = "root=$(dirname \"$(readlink -f \"$1\")\") && \
    compiler=\"$root/sdk/$2/Roslyn/bincore/csc.dll\" && dotnet=$1 && shift 2 && \
    exec \"$dotnet\" exec \"$compiler\" \"$@\" >&2";

/// Writes the references (`$3`) for programs of version `$2`: the assemblies that the SDK has for
/// compiling, or else those that programs run with.
const REFER: &str = "root=$(dirname \"$(readlink -f \"$1\")\"); found=; \
    for folder in \"$root/packs/Microsoft.NETCore.App.Ref/$2\".*/ref/net*/ \
    \"$root/shared/Microsoft.NETCore.App/$2\".*/; do \
    if test -f \"$folder/System.Runtime.dll\"; then found=$folder; break; fi; done; \
    test -n \"$found\" || { echo \"no framework $2 beside $1\" >&2; exit 1; }; \
    for file in \"$found\"System*.dll \"$found\"Microsoft.*.dll \"$found\"mscorlib.dll \
    \"$found\"netstandard.dll \"$found\"WindowsBase.dll; do \
    if test -f \"$file\"; then printf -- '-r:\"%s\"\\n' \"$file\"; fi; done > \"$3\"";

/// Writes the runtime's settings, which begin with `$2`, to `$1`. Where the library with the data of
/// locales is missing, no program would start unless it is told so.
const SETTLE: &str = "end='}}'; for library in /usr/lib/libicuuc.so* /usr/lib/*/libicuuc.so* \
    /usr/lib64/libicuuc.so* /lib/*/libicuuc.so* none; do \
    if test -e \"$library\"; then break; fi; done; test \"$library\" != none || \
    end=',\"configProperties\":{\"System.Globalization.Invariant\":true}}}'; \
    printf %s \"$2$end\" > \"$1\"";

/// Version and place; a version is all that `dotnet --version` prints.
pub(crate) fn describe(output: &str, program: &Path) -> Option<Found> {
    let version = output.lines().next()?.trim();
    let mut numbers = version.split(['.', '-']);
    let first: u32 = numbers.next()?.parse().ok()?;
    numbers.next()?.parse::<u32>().ok().filter(|_| first >= 3)?;
    // The rest of it stands beside what the name on the path leads to.
    let place = program.canonicalize().ok();
    let mut roots: Vec<_> = [Some(program), place.as_deref()]
        .into_iter()
        .filter_map(|file| Some(file?.parent()?.to_path_buf()))
        .filter(|folder| !folder.ends_with("bin"))
        .collect();
    roots.dedup();
    Some(Found {
        program: program.to_path_buf(),
        version: format!(".NET SDK {version}"),
        roots,
    })
}

/// `8.0` of `.NET SDK 8.0.100`: the version of the framework.
fn framework(version: &str) -> String {
    let numbers = version.rsplit(' ').next().unwrap_or_default();
    let parts: Vec<&str> = numbers.split('.').take(2).collect();
    parts.join(".")
}

/// What the program runs with: the framework of this version.
fn runtime_config(framework: &str) -> String {
    format!(
        "{{\"runtimeOptions\":{{\"framework\":{{\"name\":\"Microsoft.NETCore.App\",\
         \"version\":\"{framework}.0\"}}"
    )
}

pub(crate) fn plan(request: &PlanRequest<'_>) -> Plan {
    let dotnet = request.found.program.clone();
    let version = request.found.version.rsplit(' ').next().unwrap_or_default();
    let framework = framework(&request.found.version);
    let stem = request.given.file_stem().unwrap_or_default().to_owned();
    let mut name = stem.clone();
    name.push(".dll");
    let program = request.build.join(name);
    let mut config = stem;
    config.push(".runtimeconfig.json");
    let config = request.build.join(config);
    let references = request.build.join("references.rsp");
    let mut plan = Plan {
        program: dotnet.clone(),
        argv: [
            dotnet.clone().into_os_string(),
            "exec".into(),
            program.clone().into_os_string(),
        ]
        .into_iter()
        .chain(request.args.iter().cloned())
        .collect(),
        ..Plan::default()
    };
    let shell = |script: &str, last: &Path| -> Vec<OsString> {
        let mut argv: Vec<OsString> = words(["/bin/sh", "-c", script, "sh"]).collect();
        argv.push(last.into());
        argv
    };
    let compiler = |flags: &[&str]| -> Vec<OsString> {
        let mut argv = shell(COMPILE, &dotnet);
        argv.push(version.into());
        argv.extend(words(["-nologo", "-noconfig", "-nostdlib", "-utf8output"]));
        argv.extend(words([
            "-unsafe",
            "-warn:0",
            "-langversion:latest",
            "-deterministic",
        ]));
        argv.push(joined("@", &references));
        argv.extend(flags.iter().map(OsString::from));
        argv
    };
    let mut refer = shell(REFER, &dotnet);
    refer.push(framework.clone().into());
    refer.push(references.clone().into_os_string());
    plan.once.push((plan.build.len(), references.clone()));
    plan.build.push(refer);
    let mut settle = shell(SETTLE, &config);
    settle.push(runtime_config(&framework).into());
    plan.build.push(settle);
    let parts = Parts::of(request);
    plan.files = parts.files;
    // Stack traces are to name files and lines.
    let mut build = compiler(&["-debug:portable", "-target:exe"]);
    if request.traced {
        let emitter = request.build.join("_tr.dll");
        let mut make = compiler(&["-optimize+", "-target:library"]);
        make.push(joined("-out:", &emitter));
        make.extend(parts.emitter);
        plan.once.push((plan.build.len(), emitter.clone()));
        plan.build.push(make);
        build.push(joined("-r:", &emitter));
    }
    for flag in request.compiler_flags {
        if flag == IMPLICIT_USINGS {
            let usings = request.private.join("Usings.cs");
            build.push(usings.clone().into_os_string());
            plan.files.push((usings, USINGS.into()));
        } else {
            build.push(flag.clone());
        }
    }
    build.push(joined("-out:", &program));
    build.extend(parts.sources);
    plan.build.push(build);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sdk_describes_itself() {
        let found = describe("8.0.100\n", Path::new("/none/dotnet"));
        let version = found.map(|found| found.version);
        assert_eq!(version.as_deref(), Some(".NET SDK 8.0.100"));
        assert_eq!(framework(".NET SDK 10.0.100-preview.4"), "10.0");
        for other in [
            "",
            "2.1.818",
            "Mono C# compiler version 6.8",
            "no SDKs were found",
        ] {
            assert_eq!(describe(other, Path::new("/none/dotnet")), None, "{other}");
        }
    }

    #[test]
    fn a_program_runs_with_the_framework_of_the_sdk() {
        let config = runtime_config("8.0");
        assert!(config.contains("\"version\":\"8.0.0\""), "{config}");
    }
}
