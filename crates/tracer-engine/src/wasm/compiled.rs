//! Modules of images, compiled once and kept in the user's cache.
//!
//! Machine code runs as it stands, so it is never trusted for its name: beside it stands the checksum
//! that it had when the worker made it, and code that has another is thrown away and made anew. Whoever
//! may write both runs programs as this user already. What a subject made is never kept here.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;
use tracer_model::End;
use tracer_sandbox::{Access, Body, Folder, Inject, Request, Stream};
use tracer_wasm::{Job, MACHINE};

use super::{MODULE, Modules, arguments, generous, worker};
use crate::{EngineError, cache};

/// Machine code, in the folder that is kept.
const CODE: &str = "code";

/// Its checksum (BLAKE3, in hexadecimal digits).
const SUM: &str = "sum";

/// A file as it was when its sum was taken: device, number, bytes, last change.
type Seen = (u64, u64, u64, (i64, i64));

/// Machine code of an image's module: from the cache, else compiled now.
pub(super) fn of(modules: &Modules, inside: &Path) -> Result<PathBuf, EngineError> {
    let mut hasher = blake3::Hasher::new();
    for part in [modules.digest.as_str(), MACHINE, std::env::consts::ARCH] {
        hasher.update(part.as_bytes());
    }
    hasher.update(inside.as_os_str().as_encoded_bytes());
    let key = format!("machine-code-{}", hasher.finalize().to_hex());
    if let Some(kept) = cache::find(None, &key) {
        let code = kept.join(CODE);
        if is_as_made(&code, &kept.join(SUM)) {
            return Ok(code);
        }
        cache::drop(&kept);
    }
    let failed = |source| EngineError::System {
        what: "keep the compiled module",
        source,
    };
    let scratch = TempDir::with_prefix("tracer-").map_err(failed)?;
    let product = scratch.path().join("product");
    fs::create_dir(&product).map_err(failed)?;
    let code = product.join(CODE);
    compile(&modules.root.join(inside), inside, &code)?;
    let sum = sum(&code).map_err(failed)?;
    fs::write(product.join(SUM), sum.to_hex().as_str()).map_err(failed)?;
    cache::keep(&key, &product);
    let kept = cache::find(None, &key).map(|kept| kept.join(CODE));
    kept.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
}

/// Has the worker compile a module, inside walls.
fn compile(module: &Path, inside: &Path, out: &Path) -> Result<(), EngineError> {
    let folder = out.parent().unwrap_or(out);
    let worker = worker()?;
    let mut request = Request::new(&worker, folder);
    request.argv = arguments(
        &worker,
        &Job::Compile {
            module: MODULE.into(),
            out: out.to_owned(),
        },
    );
    request.roots = vec![worker];
    request.files = vec![Inject {
        path: MODULE.into(),
        body: Body::Host(module.to_owned()),
        executable: false,
    }];
    request.folders = vec![Folder {
        path: folder.into(),
        access: Access::Writable,
    }];
    request.stdout = Stream::Null;
    request.limits = generous();
    let finished = tracer_sandbox::run(&request)?;
    if finished.outcome.end != (End::Exited { code: 0 }) {
        return Err(EngineError::ModuleBuild {
            module: inside.to_owned(),
            said: String::from_utf8_lossy(&finished.stderr).into_owned(),
        });
    }
    Ok(())
}

/// Whether code still has the sum that it was kept with. A process reads a file once: while neither
/// it nor its times change, it is the same.
fn is_as_made(code: &Path, noted: &Path) -> bool {
    static KNOWN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());
    let Ok(seen) = fs::metadata(code).map(|data| seen(&data)) else {
        return false;
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.contains(&seen) {
        return true;
    }
    let same = match (sum(code), fs::read_to_string(noted)) {
        (Ok(sum), Ok(noted)) => sum.to_hex().as_str() == noted,
        _ => false,
    };
    if same {
        known.push(seen);
    }
    same
}

fn seen(data: &Metadata) -> Seen {
    let changed = (data.ctime(), data.ctime_nsec());
    (data.dev(), data.ino(), data.len(), changed)
}

fn sum(file: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(file)?)?;
    Ok(hasher.finalize())
}

#[cfg(test)]
#[expect(clippy::print_stderr, reason = "a skip says so")]
mod tests {
    use super::*;

    #[test]
    fn one_byte_changed_is_not_what_was_made() {
        let folder = TempDir::new().unwrap();
        let (code, noted) = (folder.path().join(CODE), folder.path().join(SUM));
        assert!(!is_as_made(&code, &noted));
        let mut bytes = vec![7; 100_000];
        fs::write(&code, &bytes).unwrap();
        assert!(!is_as_made(&code, &noted), "no sum is no proof");
        fs::write(&noted, sum(&code).unwrap().to_hex().as_str()).unwrap();
        assert!(is_as_made(&code, &noted));
        assert!(is_as_made(&code, &noted));
        bytes[77_777] ^= 1;
        // As a careful forger would: another file in its place, of the same size.
        fs::write(folder.path().join("other"), &bytes).unwrap();
        fs::rename(folder.path().join("other"), &code).unwrap();
        assert!(!is_as_made(&code, &noted));
    }

    #[test]
    fn damaged_code_is_made_anew_and_never_loaded() {
        let folder = TempDir::new().unwrap();
        // The shortest module there is.
        fs::write(folder.path().join("m.wasm"), b"\0asm\x01\0\0\0").unwrap();
        let modules = Modules {
            root: folder.path().to_owned(),
            digest: format!("test {}", folder.path().display()),
        };
        let code = match of(&modules, Path::new("m.wasm")) {
            Ok(code) => code,
            Err(error @ (EngineError::NoWasm | EngineError::Sandbox(_))) => {
                eprintln!("skipped: {error}");
                return;
            }
            Err(error) => panic!("{error:?}"),
        };
        let made = fs::read(&code).unwrap();
        let mut damaged = made.clone();
        damaged[made.len() / 2] ^= 1;
        fs::write(&code, &damaged).unwrap();
        assert_eq!(of(&modules, Path::new("m.wasm")).unwrap(), code);
        let now = fs::read(&code).unwrap();
        cache::drop(code.parent().unwrap());
        assert!(now == made, "the damaged code was taken");
    }
}
