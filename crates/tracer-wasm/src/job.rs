//! What the worker is asked to do, to and from arguments.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A folder that the module may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preopen {
    /// As the module names it.
    pub guest: OsString,
    /// As the worker does.
    pub host: PathBuf,
}

/// One task of the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Compile a module ahead of time.
    Compile {
        /// The module.
        module: PathBuf,
        /// Where the machine code goes.
        out: PathBuf,
    },
    /// Run a module.
    Run {
        /// The module, or what [`Job::Compile`] made of it.
        module: PathBuf,
        /// Whether it is the latter. Only code that this program's own compiler made may be: it
        /// is run as it stands.
        compiled: bool,
        /// Most bytes of linear memory.
        memory: Option<u64>,
        /// In the order of their descriptors.
        preopens: Vec<Preopen>,
        /// All arguments, the first included.
        argv: Vec<OsString>,
    },
}

impl Job {
    /// The words behind the hidden first argument.
    pub fn to_arguments(&self) -> Vec<OsString> {
        match self {
            Self::Compile { module, out } => vec!["compile".into(), module.into(), out.into()],
            Self::Run {
                module,
                compiled,
                memory,
                preopens,
                argv,
            } => {
                let how = if *compiled { "run-compiled" } else { "run" };
                let memory = memory.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
                let mut words = vec![how.into(), module.into(), memory.into()];
                words.push(preopens.len().to_string().into());
                for preopen in preopens {
                    words.push(preopen.guest.clone());
                    words.push(preopen.host.clone().into());
                }
                words.extend(argv.iter().cloned());
                words
            }
        }
    }

    /// Reads those words; `None` where they are not a task.
    pub fn from_arguments(words: Vec<OsString>) -> Option<Self> {
        let mut words = words.into_iter();
        let how = words.next()?;
        if how == "compile" {
            return Some(Self::Compile {
                module: words.next()?.into(),
                out: words.next()?.into(),
            });
        }
        let compiled = match how.as_bytes() {
            b"run" => false,
            b"run-compiled" => true,
            _ => return None,
        };
        let module = words.next()?.into();
        let memory = words.next()?;
        let memory = match memory.to_str()? {
            "-" => None,
            bytes => Some(bytes.parse().ok()?),
        };
        let count: usize = words.next()?.to_str()?.parse().ok()?;
        let mut preopens = Vec::new();
        for _ in 0..count {
            preopens.push(Preopen {
                guest: words.next()?,
                host: words.next()?.into(),
            });
        }
        Some(Self::Run {
            module,
            compiled,
            memory,
            preopens,
            argv: words.collect(),
        })
    }
}

#[cfg(feature = "machine")]
/// A list of words as WASI hands them over: each with a zero byte behind it.
pub(crate) fn with_zero(word: &std::ffi::OsStr) -> Vec<u8> {
    let mut bytes = word.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_read_as_it_was_written() {
        let run = Job::Run {
            module: "/m.wasm".into(),
            compiled: true,
            memory: Some(1 << 20),
            preopens: vec![Preopen {
                guest: ".".into(),
                host: "/work".into(),
            }],
            argv: vec!["m".into(), "--".into(), "x y".into()],
        };
        let compile = Job::Compile {
            module: "/m.wasm".into(),
            out: "/m.cwasm".into(),
        };
        for job in [run, compile] {
            assert_eq!(Job::from_arguments(job.to_arguments()), Some(job));
        }
        assert_eq!(Job::from_arguments(vec!["run".into(), "m".into()]), None);
    }
}
