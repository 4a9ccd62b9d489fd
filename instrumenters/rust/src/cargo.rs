//! How a target of a Cargo package is built: by Cargo itself, without a network.
//!
//! Cargo calls the compiler for the packages of the workspace through a script, which adds what
//! probes need. Everything else is built once, with nothing of the workspace in it: there, the same
//! calls get an empty program instead of the sources.

use std::ffi::OsString;
use std::path::Path;

use tracer_instrument::{Plan, PlanRequest};

use crate::project::Package;
use crate::toolchain::{Target, linked, wrapped};

/// What stands for the compiler while only what the workspace needs is wanted.
const EMPTY: &str = r#"#!/bin/sh
for word; do
	shift
	case $word in -*) ;; *.rs) word=${0%/*}/empty.rs ;; esac
	set -- "$@" "$word"
done
exec "$@"
"#;

/// Builds that. Words: build folder, package, `EMPTY`, state, then Cargo.
const NEEDS: &str = r#"build=$1
printf %s "$3" >"$build/empty" && chmod +x "$build/empty" || exit
echo 'fn main() {}' >"$build/empty.rs"
export RUSTC_WORKSPACE_WRAPPER="$build/empty"
cd "$2" && shift 4 || exit
"$@" --target-dir "$build/needs" || exit
rm -f "$build"/needs/debug/.cargo-lock "$build"/needs/*/debug/.cargo-lock
"#;

/// What stands for the compiler then; flags for crates and for programs are put in.
const COMPILE: &str = r#"#!/bin/sh
name= kind= before=
for word; do
	case $before in --crate-name) name=$word ;; --crate-type) kind=$word ;; esac
	before=$word
done
case $name,$kind in
,* | ___,* | build_script_*,* | *,proc-macro) exec "$@" ;;
*,bin) exec "$@" PROGRAM ;;
*) exec "$@" CRATE ;;
esac
"#;

/// Builds the program. Words: build folder, package, `COMPILE`, folder for products, where in it
/// the program will be, then Cargo. What Cargo says of crates that are not there is put into a
/// sentence.
const BUILD: &str = r#"folder=$1 build=$1/$4 made=$5
if [ -d "$folder/needs" ] && ! [ -d "$build" ]; then
	mkdir "$build" && cp -Rp "$folder/needs/." "$build/" || exit
fi
printf %s "$3" >"$folder/compile" && chmod +x "$folder/compile" || exit
export RUSTC_WORKSPACE_WRAPPER="$folder/compile"
cd "$2" && shift 5 || exit
"$@" --target-dir "$build" || exit
for made in "$build/debug/$made" "$build"/*/debug/"$made"; do
	[ -x "$made" ] && exec ln -f "$made" "$folder/programSUFFIX"
done
echo "error: Cargo made no program of this name" >&2
exit 1
"#;

/// Runs Cargo, and names what is not on this machine.
const CARGO: &str = r#"[ -x "$1" ] || {
	echo "error: the program is in a Cargo package, and Cargo is not installed" >&2
	exit 127
}
said=$("$@" 2>&1 >&3) 3>&1
status=$?
case $status,$said in
0,*) ;;
*"--offline"* | *"offline mode"*) printf '%s\n' "$said" | sed -n \
		-e 's/.*failed to download `\([^ `]*\) v\([^ `]*\).*/\1 \2/p' \
		-e 's/.*no matching package named `\([^`]*\)`.*/\1/p' \
		-e 's/.*failed to select a version for the requirement `\([^ =]*\) = "\([^"]*\)".*/\1 \2/p' |
		sort -u | while read -r crate; do
		echo "error: crate $crate is not in the offline registry; run \`cargo fetch\`" >&2
	done ;;
esac
[ -z "$said" ] || printf '%s\n' "$said" >&2
exit $status
"#;

/// Adds the steps of a package.
pub(crate) fn add_steps(
    request: &PlanRequest<'_>,
    target: &Target,
    package: &Package,
    plan: &mut Plan,
) {
    plan.folders.push(package.root.clone());
    if !package.folder.starts_with(&package.root) {
        plan.folders.push(package.folder.clone());
    }
    plan.folders.extend(package.elsewhere.iter().cloned());
    for part in ["registry", "git"] {
        plan.roots.push(package.home.join(part));
    }
    if !package.sources.is_empty() {
        let place = package.home.join("config.toml");
        plan.files.push((place, package.sources.clone().into()));
    }
    if package.needs {
        let mut needs = shell(request, target, package, NEEDS);
        needs.extend([
            request.build.into(),
            package.folder.clone().into(),
            EMPTY.into(),
            package.state.clone().into(),
        ]);
        needs.extend(cargo(request, package));
        plan.once
            .push((plan.build.len(), request.build.join("needs")));
        plan.build.push(needs);
    }
    let script = BUILD.replace("SUFFIX", target.suffix);
    let mut build = shell(request, target, package, &script);
    let made = match package.kind.as_str() {
        "example" => format!("examples/{}", package.target),
        _ => package.target.clone(),
    };
    build.extend([
        request.build.into(),
        package.folder.clone().into(),
        compile(request, target).into(),
        if request.traced { "traced" } else { "plain" }.into(),
        format!("{made}{}", target.suffix).into(),
    ]);
    build.extend(cargo(request, package));
    plan.build.push(build);
}

/// A script, with what Cargo finds in its environment.
fn shell(
    request: &PlanRequest<'_>,
    target: &Target,
    package: &Package,
    script: &str,
) -> Vec<OsString> {
    let set = |name: &str, value: &Path| {
        let mut word = OsString::from(name);
        word.push("=");
        word.push(value);
        word
    };
    let mut words: Vec<OsString> = vec![
        "/usr/bin/env".into(),
        set("CARGO_HOME", &package.home),
        set("RUSTC", &request.found.program),
        "RUSTC_WRAPPER=".into(),
        "CARGO_INCREMENTAL=0".into(),
        "CARGO_NET_OFFLINE=true".into(),
    ];
    words.extend(target.environment.iter().map(OsString::from));
    words.extend(["/bin/sh", "-c", script, "cargo"].map(OsString::from));
    words
}

fn cargo(request: &PlanRequest<'_>, package: &Package) -> Vec<OsString> {
    let mut command: Vec<OsString> = ["/bin/sh", "-c", CARGO, "cargo"].map(Into::into).into();
    let beside = request.found.program.with_file_name("cargo");
    command.push(beside.into_os_string());
    command.extend(["build", "--offline", "--quiet"].map(OsString::from));
    command.extend(["--color=never", "--message-format=short"].map(OsString::from));
    if package.locked {
        command.push("--locked".into());
    }
    command.push(format!("--{}", package.kind).into());
    command.push(package.target.clone().into());
    if !package.features.is_empty() {
        command.push(format!("--features={}", package.features).into());
    }
    command
}

/// The script that stands for the compiler.
fn compile(request: &PlanRequest<'_>, target: &Target) -> String {
    let mut of_crates: Vec<OsString> = request
        .compiler_flags
        .iter()
        // The package's manifest says which edition it is.
        .filter(|flag| !flag.to_string_lossy().starts_with("--edition"))
        .cloned()
        .collect();
    let mut of_programs = Vec::new();
    if request.traced {
        of_crates.extend(linked(request));
        let mut beside = OsString::from("-Ldependency=");
        beside.push(request.build);
        of_crates.push(beside);
        of_programs.extend(wrapped(target));
    }
    let quoted = |flags: &[OsString]| {
        let words = flags.iter().map(|flag| {
            let text = flag.to_string_lossy().replace('\'', r"'\''");
            format!("'{text}' ")
        });
        words.collect::<String>()
    };
    let of_crates = quoted(&of_crates);
    COMPILE
        .replace("PROGRAM", &format!("{of_crates}{}", quoted(&of_programs)))
        .replace("CRATE", &of_crates)
}
