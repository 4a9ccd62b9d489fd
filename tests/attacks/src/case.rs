//! A hostile program and its header. Does not run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracer_model::{End, Limit, Limits};
use tracer_sandbox::Wall;

/// What the attack is run against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// The native back end without the walls that are to stop the attack.
    Open,
    /// `bwrap` with the same namespaces, for comparison.
    Bwrap,
    /// The native back end, the runner being root.
    Root,
    /// The same, in a sandbox that was made ahead.
    Pool,
    /// The same, in an interpreter that had started before.
    Started,
    /// The native back end, the runner being an ordinary user.
    User,
    /// The WebAssembly back end, the runner being root.
    Wasm,
}

impl Mode {
    /// Every mode, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Bwrap,
        Self::Root,
        Self::Pool,
        Self::Started,
        Self::User,
        Self::Wasm,
    ];

    /// Name in tests and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Bwrap => "bwrap",
            Self::Root => "root",
            Self::Pool => "pool",
            Self::Started => "started",
            Self::User => "user",
            Self::Wasm => "wasm",
        }
    }

    /// The mode of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// What shows that the attack succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shows {
    /// This text on the program's output.
    Says(String),
    /// This file outside.
    Outside(PathBuf),
    /// Something left behind whose description holds this text.
    Left(String),
    /// The run took at least this long.
    Longer(Duration),
    /// This text in what was copied out.
    Copied(String),
}

/// A way to give the program a folder of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// None.
    No,
    /// The host's own.
    Writable,
    /// With a private layer, copied out after the run.
    Overlay,
}

/// One hostile program.
#[derive(Debug, Clone)]
pub struct Case {
    /// Path of the source.
    pub source: PathBuf,
    /// `group/name`.
    pub name: String,
    /// What it tries.
    pub attack: String,
    /// The walls that stop it: each alone would, so that all have to be left out to show it.
    pub walls: Vec<Wall>,
    /// Walls of the virtual machine among them, by name.
    pub inner_walls: Vec<String>,
    /// All their names.
    pub wall_names: Vec<String>,
    /// Limits to run under.
    pub limits: Limits,
    /// What shows success.
    pub shows: Shows,
    /// Verdicts that are right behind all walls.
    pub verdicts: Vec<String>,
    /// The same for an ordinary user, where groups cannot be had.
    pub user_verdicts: Vec<String>,
    /// The same as a module.
    pub module_verdicts: Vec<String>,
    /// Arguments of the interpreter or compiler to run instead; `@` is the source.
    pub run: Vec<String>,
    /// Variables.
    pub env: Vec<(String, String)>,
    /// Folder given.
    pub work: Work,
    /// How often it is run.
    pub runs: u32,
    /// The open run follows links in copying out.
    pub naive_copy: bool,
    /// The open run writes to the host's folder itself.
    pub no_layer: bool,
    /// What is done instead of a plain run.
    pub drive: Option<String>,
    /// Why it is not run at all.
    pub not_run: Option<String>,
    /// What a kernel may lack, so that the open run cannot show anything there.
    pub may_lack: Option<String>,
    /// Why the open run is not made.
    pub no_open: Option<String>,
    /// Why the user's run is not made.
    pub no_user: Option<String>,
    /// Why it is not run as a module.
    pub native_only: Option<String>,
    /// It is machine code, which the open run takes for the machine's own.
    pub machine_code: bool,
    /// How often the repeated lines of a module's text come.
    pub repeat: u32,
}

/// Modules: only the WebAssembly back end runs them.
const MODULES: &str = "wasm/";

impl Case {
    /// Whether it is written as a module, or runs as one in `mode`.
    pub fn is_module(&self, mode: Mode) -> bool {
        mode == Mode::Wasm || self.name.starts_with(MODULES)
    }

    /// Whether there is any sense in `mode`: nobody else runs what is written as a module.
    pub fn applies(&self, mode: Mode) -> bool {
        match mode {
            Mode::Open | Mode::Wasm => true,
            Mode::Started => self.can_start_before(),
            _ => !self.name.starts_with(MODULES),
        }
    }

    /// Whether an interpreter runs it that can have started before the program is there.
    fn can_start_before(&self) -> bool {
        let ending = self.source.extension().and_then(|ending| ending.to_str());
        let interpreted = matches!(ending, Some("py" | "rb" | "php"));
        interpreted && self.run.is_empty() && self.drive.is_none()
    }
}

/// Programs that attack the trace, which another harness runs: they need a language.
const INSTRUMENTATION: &str = "instrumentation";

/// Every case below `folder`, sorted by name.
pub fn cases(folder: &Path) -> Result<Vec<Case>, String> {
    let mut all = Vec::new();
    for group in entries(folder)? {
        if !group.is_dir() || group.ends_with(INSTRUMENTATION) {
            continue;
        }
        for source in entries(&group)? {
            all.push(parse(&source).map_err(|problem| format!("{}: {problem}", source.display()))?);
        }
    }
    all.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(all)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

pub(crate) fn parse(source: &Path) -> Result<Case, String> {
    let text = fs::read_to_string(source).map_err(|error| error.to_string())?;
    let words = |list: &str| list.split_whitespace().map(str::to_owned).collect();
    let stem = |path: &Path| {
        path.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let group = source.parent().map(stem).unwrap_or_default();
    let mut case = Case {
        source: source.to_owned(),
        name: format!("{group}/{}", stem(source)),
        attack: String::new(),
        walls: Vec::new(),
        inner_walls: Vec::new(),
        wall_names: Vec::new(),
        limits: Limits {
            // Far off, for slow and busy machines: cases about time say their own.
            cpu: Some(Duration::from_secs(20)),
            wall: Some(Duration::from_secs(120)),
            memory: Some(256 << 20),
            processes: Some(64),
            disk: Some(16 << 20),
            ..Limits::default()
        },
        shows: Shows::Says("ATTACK SUCCEEDED".to_owned()),
        verdicts: Vec::new(),
        user_verdicts: Vec::new(),
        module_verdicts: Vec::new(),
        run: Vec::new(),
        env: Vec::new(),
        work: Work::No,
        runs: 1,
        naive_copy: false,
        no_layer: false,
        drive: None,
        not_run: None,
        may_lack: None,
        no_open: None,
        no_user: None,
        native_only: None,
        machine_code: false,
        repeat: 0,
    };
    for line in text.lines() {
        let marks = ["// ", "# ", ";; "];
        let Some(line) = marks.iter().find_map(|mark| line.strip_prefix(mark)) else {
            if line.starts_with("#!") || line == "<?php" {
                continue;
            }
            break;
        };
        let (key, value) = line
            .split_once(": ")
            .ok_or(format!("not a header: {line}"))?;
        match key {
            "attack" => value.clone_into(&mut case.attack),
            "walls" => {
                for name in value.split(", ") {
                    case.wall_names.push(name.to_owned());
                    match name {
                        // These are ways to use the sandbox, not walls of it.
                        "safe copy-out" => case.naive_copy = true,
                        "private layer" => case.no_layer = true,
                        "own machine code" => case.machine_code = true,
                        _ if name.starts_with("module ") => case.inner_walls.push(name.to_owned()),
                        _ => {
                            let wall = Wall::named(name);
                            case.walls
                                .push(wall.ok_or(format!("no wall is named {name}"))?);
                        }
                    }
                }
            }
            "limits" => {
                for word in value.split_whitespace() {
                    limit(&mut case.limits, word).ok_or(format!("not a limit: {word}"))?;
                }
            }
            "shows" => case.shows = shows(value).ok_or(format!("shows what? {value}"))?,
            "verdict" => case.verdicts = value.split(" | ").map(str::to_owned).collect(),
            "verdict of a user" => {
                case.user_verdicts = value.split(" | ").map(str::to_owned).collect();
            }
            "verdict as a module" => {
                case.module_verdicts = value.split(" | ").map(str::to_owned).collect();
            }
            "run" => case.run = words(value),
            "env" => {
                let (name, value) = value.split_once('=').ok_or("env is NAME=VALUE")?;
                case.env.push((name.to_owned(), value.to_owned()));
            }
            "folder" => {
                case.work = match value {
                    "writable" => Work::Writable,
                    "overlay" => Work::Overlay,
                    _ => return Err(format!("no such folder: {value}")),
                }
            }
            "repeat" => case.repeat = value.parse().map_err(|_| "repeat is a number")?,
            "runs" => case.runs = value.parse().map_err(|_| "runs is a number")?,
            "drive" => case.drive = Some(value.to_owned()),
            "not run" => case.not_run = Some(value.to_owned()),
            "may be missing" => case.may_lack = Some(value.to_owned()),
            "not shown open" => case.no_open = Some(value.to_owned()),
            "not as a user" => case.no_user = Some(value.to_owned()),
            "not as a module" => case.native_only = Some(value.to_owned()),
            "layers" => {} // for the reader: why several walls have to go
            _ => return Err(format!("no such key: {key}")),
        }
    }
    if case.attack.is_empty() || case.verdicts.is_empty() {
        return Err("attack and verdict are needed".to_owned());
    }
    if case.wall_names.is_empty() && case.no_open.is_none() {
        return Err("walls are needed, or why it is not shown open".to_owned());
    }
    if case.user_verdicts.is_empty() {
        case.user_verdicts.clone_from(&case.verdicts);
    }
    if case.module_verdicts.is_empty() {
        case.module_verdicts.clone_from(&case.verdicts);
    }
    Ok(case)
}

fn shows(text: &str) -> Option<Shows> {
    let (kind, rest) = text.split_once(' ')?;
    Some(match kind {
        "says" => Shows::Says(rest.to_owned()),
        "outside" => Shows::Outside(rest.into()),
        "left" => Shows::Left(rest.to_owned()),
        "longer" => Shows::Longer(duration(rest)?),
        "copied" => Shows::Copied(rest.to_owned()),
        _ => return None,
    })
}

fn duration(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().map(Duration::from_millis),
        None => text
            .strip_suffix('s')?
            .parse()
            .ok()
            .map(Duration::from_secs),
    }
}

fn size(text: &str) -> Option<u64> {
    for (suffix, shift) in [("G", 30), ("M", 20), ("K", 10)] {
        if let Some(number) = text.strip_suffix(suffix) {
            return number.parse::<u64>().ok().map(|number| number << shift);
        }
    }
    text.parse().ok()
}

fn limit(limits: &mut Limits, word: &str) -> Option<()> {
    let (name, value) = word.split_once('=')?;
    let time = || Some((value != "none").then_some(duration(value)?));
    let number = || {
        if value == "none" {
            Some(None)
        } else {
            size(value).map(Some)
        }
    };
    match name {
        "cpu" => limits.cpu = time()?,
        "wall" => limits.wall = time()?,
        "memory" => limits.memory = number()?,
        "processes" => limits.processes = number()?,
        "file" => limits.file_size = number()?,
        "disk" => limits.disk = number()?,
        "descriptors" => limits.open_files = number()?,
        "output" => limits.output = number()?,
        "stack" => limits.stack = number()?,
        _ => return None,
    }
    Some(())
}

/// A verdict in the words of a header.
pub(crate) fn words(end: &End, limits_hit: &[Limit]) -> String {
    let name = |limit: &Limit| match limit {
        Limit::Cpu => "cpu",
        Limit::Wall => "wall",
        Limit::Memory => "memory",
        Limit::Processes => "processes",
        Limit::FileSize => "file size",
        Limit::Disk => "disk",
        Limit::Output => "output",
    };
    let mut text = match end {
        End::Exited { code } => format!("exited {code}"),
        End::Signaled { name, .. } => format!("signaled {name}"),
        End::Limited { limit } => format!("limited {}", name(limit)),
        End::BuildFailed { .. } => "build failed".to_owned(),
    };
    for limit in limits_hit {
        text.push_str(&format!(" met {}", name(limit)));
    }
    text
}
