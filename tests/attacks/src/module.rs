//! Programs as modules, for the WebAssembly back end: written out as text, or compiled for WASI by
//! the image's compiler. A program that calls what WASI has not does not compile, and that is why
//! it is not tried.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tracer_image::Store;
use tracer_model::End;
use tracer_sandbox::{Access, Folder, Isolation, Request, Root};

use crate::case::{Case, Mode};
use crate::outer::{MACHINE, PROGRAMS};
use crate::program::{kept, repository};

/// The image with the compiler.
const IMAGE: &str = "wasm-c";

/// As the C instrumenter's plan has it, without what only its emitter needs.
const FLAGS: [&str; 18] = [
    "--target=wasm32-wasi",
    "--sysroot=/usr",
    "-O1",
    "-w",
    "-fno-builtin", // what is touched and never read is touched all the same
    "-mthread-model",
    "single",
    "-D_GNU_SOURCE",
    "-D_WASI_EMULATED_SIGNAL",
    "-D_WASI_EMULATED_PROCESS_CLOCKS",
    "-D_WASI_EMULATED_MMAN",
    "-D_WASI_EMULATED_GETPID",
    "-ferror-limit=1",
    "-Wl,--stack-first,-z,stack-size=8388608",
    "-lwasi-emulated-signal",
    "-lwasi-emulated-process-clocks",
    "-lwasi-emulated-mman",
    "-lwasi-emulated-getpid",
];

/// Bytes of the trace channel.
const CHANNEL: u64 = 8192;

/// Why there is no module of a program.
#[derive(Debug, Clone)]
pub enum NoModule {
    /// There cannot be, or not on this machine.
    Reason(String),
    /// Making it went wrong.
    Failed(String),
}

static WORKER: OnceLock<PathBuf> = OnceLock::new();

/// Says which program the worker is.
pub fn use_machine(worker: &str) {
    let _ = WORKER.set(worker.into());
}

/// The worker, as [`use_machine`] said.
pub(crate) fn machine() -> Option<&'static Path> {
    WORKER.get().map(PathBuf::as_path)
}

/// The module of a case, made anew when its source is newer.
pub fn module(case: &Case) -> Result<PathBuf, NoModule> {
    if let Some(why) = &case.native_only {
        return Err(NoModule::Reason(why.clone()));
    }
    if case.name.starts_with("build/") {
        return reason("programs are built natively, behind the walls of the other columns");
    }
    if case.drive.is_some() {
        return reason("it takes more than a run of its program");
    }
    match case.source.extension().and_then(|ending| ending.to_str()) {
        Some("wat") => kept(case, "wasm", |out| text(case, out)).map_err(NoModule::Failed),
        Some("c") => compiled(case),
        _ => reason("no interpreter of its language is here as a module"),
    }
}

fn reason<T>(why: impl Into<String>) -> Result<T, NoModule> {
    Err(NoModule::Reason(why.into()))
}

/// Makes a module from its text, or the machine's own code if the case is about that.
fn text(case: &Case, out: &Path) -> Result<(), String> {
    let source = fs::read_to_string(&case.source).map_err(|error| error.to_string())?;
    let bytes =
        wat::parse_str(repeated(&source, case.repeat)).map_err(|error| error.to_string())?;
    fs::write(out, &bytes).map_err(|error| error.to_string())?;
    if !case.machine_code {
        return Ok(());
    }
    let worker = machine().ok_or("nobody said which the worker is")?;
    let asked = [OsStr::new("compile"), out.as_os_str(), out.as_os_str()];
    let words = words(worker, asked).map_err(|error| error.to_string())?;
    let done = Command::new(worker)
        .args(words)
        .output()
        .map_err(|error| error.to_string())?;
    if done.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

/// Lines that end in `;; repeated` come many times, with `#` as their number.
fn repeated(source: &str, times: u32) -> String {
    let mut text = String::new();
    for line in source.lines() {
        match line.strip_suffix(";; repeated") {
            Some(line) => {
                for number in 0..times {
                    text.push_str(&line.replace('#', &number.to_string()));
                    text.push('\n');
                }
            }
            None => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

/// Compiles C for WASI, inside the sandbox; what the compiler does not know is the reason.
fn compiled(case: &Case) -> Result<PathBuf, NoModule> {
    // One at a time, so that the cases do not crowd out those that are timed.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let mut absent = None;
    let made = kept(case, "wasm", |out| match clang(&case.source, out) {
        Ok(None) => Ok(()),
        // Kept as well: the compiler need not be asked again.
        Ok(Some(lacks)) => fs::write(out, lacks).map_err(|error| error.to_string()),
        Err(NoModule::Reason(why)) => {
            absent = Some(why);
            Err(String::new())
        }
        Err(NoModule::Failed(why)) => Err(why),
    });
    if let Some(why) = absent {
        return reason(why);
    }
    let made = made.map_err(NoModule::Failed)?;
    let bytes = fs::read(&made).map_err(|error| NoModule::Failed(error.to_string()))?;
    if bytes.starts_with(b"\0asm") {
        Ok(made)
    } else {
        reason(String::from_utf8_lossy(&bytes))
    }
}

/// Compiles into `out`, or says what WASI lacks.
fn clang(source: &Path, out: &Path) -> Result<Option<String>, NoModule> {
    let fail = |error: &dyn std::error::Error| NoModule::Failed(error.to_string());
    let store = Store::open().map_err(|error| fail(&error))?;
    let Some(manifest) = store.manifest(IMAGE) else {
        return reason(format!("the image {IMAGE} is not built here"));
    };
    let attached = store.attach(&manifest).map_err(|error| fail(&error))?;
    let scratch = tempfile::tempdir().map_err(|error| fail(&error))?;
    let product = scratch.path().join("program.wasm");
    let mut request = Request::new("/usr/bin/clang", scratch.path());
    request.image = Some(Root {
        layers: attached.layers,
        scratch: Vec::new(),
    });
    request.env.push(("PATH".into(), "/usr/bin".into()));
    request.argv.extend(FLAGS.map(OsString::from));
    let files: [OsString; 3] = ["-o".into(), product.clone().into(), source.into()];
    request.argv.extend(files);
    request.folders = vec![
        Folder {
            path: scratch.path().into(),
            access: Access::Writable,
        },
        Folder {
            path: repository().join("fixtures/hostile"),
            access: Access::ReadOnly,
        },
    ];
    let finished = tracer_sandbox::run(&request).map_err(|error| fail(&error))?;
    if finished.outcome.end == (End::Exited { code: 0 }) {
        return fs::copy(product, out)
            .map(|_| None)
            .map_err(|error| fail(&error));
    }
    let said = String::from_utf8_lossy(&finished.stderr);
    match finished.outcome.end {
        End::Exited { .. } => Ok(Some(missing(&said))),
        end => Err(NoModule::Failed(format!("{end:?}: {said}"))),
    }
}

/// What the compiler missed, out of its complaint.
fn missing(said: &str) -> String {
    let line = said
        .lines()
        .find(|line| line.contains("error:"))
        .unwrap_or(said.trim());
    let unknown = ["undeclared", "file not found", "incomplete type"];
    let quoted =
        (line.split('\'').nth(1)).filter(|_| unknown.iter().any(|word| line.contains(word)));
    if let Some(name) = line.split("undefined symbol: ").nth(1).or(quoted) {
        return format!("no such call in WASI: {name}");
    }
    let problem = line.split("error: ").nth(1).unwrap_or(line);
    let problem = problem.split(';').next().unwrap_or(problem);
    format!("it does not compile for WASI: {problem}")
}

/// The words by which the worker is told to do this. It says them itself.
fn words(
    worker: &Path,
    asked: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> io::Result<Vec<OsString>> {
    let said = Command::new(worker).args(asked).output()?;
    if !said.status.success() {
        return Err(io::Error::other("the worker does not understand"));
    }
    let words = said.stdout.split(|&byte| byte == 0);
    let mut words: Vec<_> = words
        .map(|word| OsStr::from_bytes(word).to_owned())
        .collect();
    words.pop(); // behind the last
    Ok(words)
}

/// Puts the worker in the program's place, as `tracer run --isolation wasm` does.
pub(crate) fn wrap(request: &mut Request, case: &Case, mode: Mode) -> io::Result<()> {
    let open = mode == Mode::Open;
    let cwd = request.cwd.as_os_str().to_owned();
    let mut folders = vec![cwd.clone(), cwd.clone(), ".".into(), cwd.clone()];
    if !Path::new("/tmp").starts_with(&cwd) {
        folders.extend(["/tmp".into(), "/tmp".into()]);
    }
    let inner = if open {
        case.inner_walls.join(",")
    } else {
        String::new()
    };
    let compiled = open && case.machine_code;
    let memory = case.limits.memory;
    let mut asked: Vec<OsString> = vec![
        "run".into(),
        Path::new(PROGRAMS).join("program").into(),
        compiled.to_string().into(),
        memory.map_or_else(|| "-".into(), |bytes| bytes.to_string().into()),
        inner.into(),
    ];
    asked.extend(folders);
    request.argv = vec![MACHINE.into()];
    request.argv.extend(words(Path::new(MACHINE), asked)?);
    request.program = MACHINE.into();
    request.roots.push(MACHINE.into());
    request.isolation = Isolation::Wasm;
    request.channel = Some(channel()?);
    Ok(())
}

/// A trace channel as the engine makes it: it can neither grow nor shrink.
fn channel() -> io::Result<OwnedFd> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = File::from(memfd_create(c"trace", flags)?);
    file.set_len(CHANNEL)?;
    let seals = SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}
