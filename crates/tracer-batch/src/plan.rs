//! The configuration of an output folder: written when it is begun, compared when it is gone on with.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde_json::{Map, Value, json};

use crate::files::write_whole;
use crate::{BatchError, Options, tokens};

/// Name of the file.
const NAME: &str = "_plan.json";

/// Version of the layout of rows and of the gates: raised when either changes what comes out.
const VERSION: u32 = 3;

/// How long the processes of a run that was killed may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// Claims the output folder for this process as long as what is given back lives.
pub(crate) fn claim(folder: &Path) -> Result<Flock<File>, BatchError> {
    let path = folder.join("_lock");
    let mut file = File::create(&path).map_err(BatchError::write(&path))?;
    let started = Instant::now();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((back, Errno::EWOULDBLOCK)) if started.elapsed() < GRACE => {
                file = back;
                std::thread::sleep(Duration::from_millis(20));
            }
            Err((_, Errno::EWOULDBLOCK)) => {
                return Err(BatchError::Busy {
                    folder: folder.into(),
                });
            }
            Err((_, errno)) => {
                return Err(BatchError::Write {
                    path,
                    source: errno.into(),
                });
            }
        }
    }
}

/// Begins an output folder, or checks that it was begun with the same settings.
pub(crate) fn begin(options: &Options) -> Result<(), BatchError> {
    let folder = &options.out;
    std::fs::create_dir_all(folder).map_err(BatchError::write(folder))?;
    let path = folder.join(NAME);
    let plan = plan(options)?;
    match std::fs::read(&path) {
        Ok(bytes) => {
            let old: Map<String, Value> = serde_json::from_slice(&bytes)
                .map_err(|error| BatchError::read(&path)(error.into()))?;
            let what = differences(&old, &plan);
            if what.is_empty() {
                return Ok(());
            }
            Err(BatchError::OtherPlan {
                folder: folder.clone(),
                what: what.join("; "),
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let occupied = std::fs::read_dir(folder)
                .map_err(BatchError::read(folder))?
                .next()
                .is_some();
            if occupied {
                return Err(BatchError::Occupied {
                    folder: folder.clone(),
                });
            }
            let mut text = serde_json::to_vec_pretty(&plan)
                .map_err(|error| BatchError::write(&path)(error.into()))?;
            text.push(b'\n');
            write_whole(&path, &text)
        }
        Err(source) => Err(BatchError::Read { path, source }),
    }
}

fn differences(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| {
            let (was, is) = (old.get(name)?, new.get(name)?);
            (was != is).then(|| format!("{name} was {was} and is {is}"))
        })
        .collect()
}

/// Everything that can change what comes out, by name.
pub(crate) fn plan(options: &Options) -> Result<Map<String, Value>, BatchError> {
    let settings = &options.settings;
    let inputs: Vec<Value> = options
        .inputs
        .iter()
        .map(|path| Value::from(path.to_string_lossy()))
        .collect();
    let mut benchmarks = Vec::new();
    for path in &options.benchmarks {
        let bytes = std::fs::read(path).map_err(BatchError::read(path))?;
        benchmarks.push(Value::from(blake3::hash(&bytes).to_hex().to_string()));
    }
    let limits = serde_json::to_value(&settings.limits).unwrap_or_default();
    let env: Vec<String> = settings
        .env
        .iter()
        .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
        .collect();
    let plan = json!({
        "version": VERSION,
        "tracer": env!("CARGO_PKG_VERSION"),
        "inputs": inputs,
        "limit": options.limit,
        "text_column": options.text_column,
        "language_column": options.language_column,
        "language": options.language,
        "view": options.view,
        "form": options.form,
        "token_budget": options.token_budget,
        "tokenizer": tokens::NAME,
        "seed": options.seed,
        "shard_rows": options.shard_rows,
        "validation": options.validation,
        "benchmarks": benchmarks,
        "source_limit": options.source_limit,
        "patience_seconds": options.patience.as_secs_f64(),
        "limits": limits,
        "isolation": format!("{:?}", settings.isolation).to_lowercase(),
        "profile": format!("{:?}", settings.profile).to_lowercase(),
        "toolchain": format!("{:?}", settings.toolchain).to_lowercase(),
        "environment": env,
        "compiler_flags": settings.compiler_flags.iter()
            .map(|flag| flag.to_string_lossy().into_owned()).collect::<Vec<_>>(),
    });
    match plan {
        Value::Object(plan) => Ok(plan),
        _ => Ok(Map::new()),
    }
}
