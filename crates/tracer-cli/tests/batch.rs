//! `tracer batch` as a user starts it: where rows end, and that a run may be killed at any time.
#![cfg(feature = "python")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test: the command is started as a user starts it, and killed"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn batch(input: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
    command.args(["batch", "--quiet", "--jobs", "2"]);
    command.arg(input).arg("-o").arg(out);
    command
}

/// Whether programs can be run here; if not, says so.
fn possible() -> bool {
    let doctor = Command::new(env!("CARGO_BIN_EXE_tracer"))
        .args(["run", "--quiet", "--discard"])
        .arg("tests/batch/loop.py")
        .output()
        .unwrap();
    if !doctor.status.success() {
        eprintln!("skipped: this machine runs no Python in a sandbox");
    }
    doctor.status.success()
}

/// The rows of all files of a folder.
fn rows(folder: &Path) -> Vec<Value> {
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
        rows.extend(text.lines().map(|line| serde_json::from_str(line).unwrap()));
    }
    rows
}

/// A program whose text and trace are like those of no other number.
fn program(number: usize) -> String {
    let words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"];
    let (one, two) = (words[number % 7], words[(number * 3 + 1) % 7]);
    let lines = [
        format!("def {one}_{number}(n):"),
        format!("    {two} = n * {}", number * 11 + 3),
        format!("    if {two} % {} > {}:", number + 5, number % 3 + 1),
        format!("        return {two} - {}", number * number),
        format!("    return '{one}' * n"),
        format!(
            "for item{number} in range({}, {}):",
            number * 5,
            number * 5 + 4 + number % 3
        ),
        format!("    print({one}_{number}(item{number}), '{two}')"),
    ];
    lines.join("\n") + "\n"
}

#[test]
fn every_row_ends_in_one_place() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let words = "one two three four five six seven eight nine ten eleven twelve thirteen";
    let row = |name: &str, content: String| json!({"content": content, "path": name, "reason": 7});
    let mut input = vec![
        row("kept.py", program(1)),
        row("kept_too.py", program(2)),
        row("same.py", program(1).replace('\n', "  \n")),
        row("empty.py", String::new()),
        row("prose.md", "# Nothing to run\n".into()),
        row(
            "library.py",
            format!("import nowhere_to_be_found\n{}", program(3)),
        ),
        row("little.py", "x = 1\n".into()),
        row("syntax.py", "def f(:\n  return\nfor\n".into()),
        row("endless.py", "x = 0\nwhile True:\n    x += 1\n".into()),
        row(
            "clock.py",
            format!("import time\nprint(time.time_ns())\n{}", program(4)),
        ),
        row(
            "second.py",
            format!("import time\nprint(int(time.time()))\n{}", program(7)),
        ),
        row(
            "zone.py",
            format!("import time\nprint(time.localtime(0)[3])\n{}", program(5)),
        ),
        row(
            "number.py",
            format!("import os\nprint(os.getpid())\n{}", program(9)),
        ),
        row(
            "hashes.py",
            format!("print(hash('a text'))\n{}", program(6)),
        ),
        row("benchmark.py", format!("# {words}\n{}", program(8))),
    ];
    input.push(json!({"path": "no_text.py"}));
    let lines: Vec<String> = input.iter().map(Value::to_string).collect();
    let path = folder.path().join("rows.jsonl");
    fs::write(&path, lines.join("\n") + "\nnot JSON\n").unwrap();
    let benchmark = folder.path().join("benchmark.txt");
    fs::write(&benchmark, words).unwrap();
    let out = folder.path().join("out");
    let done = batch(&path, &out)
        .args(["--timeout", "2", "--validation", "0", "--benchmark"])
        .arg(&benchmark)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );

    let mut ends: BTreeMap<String, String> = BTreeMap::new();
    let kept = rows(&out.join("code-trace"));
    let rejected = rows(&out.join("_rejects"));
    for row in &kept {
        let name = row["path"].as_str().unwrap();
        assert_eq!(row["input_reason"], Value::Null, "{name}");
        assert_eq!(row["reason"], 7, "what came in is carried through");
        let how = row["deterministic"].as_str().unwrap();
        let causes = row["checks"]["depends_on"].to_string();
        ends.insert(name.into(), format!("{how} {causes}"));
    }
    for row in &rejected {
        let name = row["path"].as_str().unwrap_or("not JSON");
        ends.insert(name.into(), row["reason"].as_str().unwrap().into());
        assert!(row["path"].is_null() || name == "no_text.py" || row["input_reason"] == 7);
    }
    let expected = [
        ("kept.py", "yes []"),
        ("kept_too.py", "yes []"),
        ("same.py", "duplicate"),
        ("empty.py", "unreadable"),
        ("prose.md", "language"),
        ("library.py", "library"),
        ("little.py", "uninformative"),
        ("syntax.py", "fails_at_start"),
        ("endless.py", "timeout"),
        ("clock.py", "nondeterministic"),
        ("second.py", "nondeterministic"),
        ("zone.py", "pinned [\"time_zone\"]"),
        ("number.py", "pinned [\"process_id\"]"),
        ("hashes.py", "pinned [\"hash_seed\"]"),
        ("benchmark.py", "benchmark"),
        ("no_text.py", "unreadable"),
        ("not JSON", "unreadable"),
    ];
    let expected = expected.map(|(name, end)| (name.to_owned(), end.to_owned()));
    assert_eq!(ends, BTreeMap::from(expected));

    let funnel: Value =
        serde_json::from_slice(&fs::read(out.join("funnel.json")).unwrap()).unwrap();
    let total = &funnel["total"];
    let lost: u64 = total["rejected"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(total["input"], 17);
    assert_eq!(total["kept"].as_u64().unwrap() + lost, 17);
    assert_eq!(kept.len() + rejected.len(), 17);
}

/// The rows of a run over some files, kept and rejected, by path.
fn ended(files: &[(&str, String)], more: &[&str]) -> BTreeMap<String, Value> {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    fs::create_dir(&input).unwrap();
    for (name, text) in files {
        fs::write(input.join(name), text).unwrap();
    }
    let out = folder.path().join("out");
    let done = batch(&input, &out)
        .args(["--validation", "0"])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    let mut all = Vec::new();
    for folder in ["code-trace", "_rejects"] {
        if out.join(folder).exists() {
            all.extend(rows(&out.join(folder)));
        }
    }
    let named = |row: Value| (row["path"].as_str().unwrap().to_owned(), row);
    all.into_iter().map(named).collect()
}

#[test]
fn what_a_file_reads_is_given_and_what_it_defines_is_called() {
    if !possible() {
        return;
    }
    let reads = "\
n = int(input('how many? '))
if n > 4:
    kind = 'many'
elif n < 2:
    kind = 'few'
else:
    kind = 'some'
for i in range(abs(n) % 4 + 1):
    print(kind, i * n)
";
    let defines = "\
def grade(score: int) -> str:
    \"\"\"
    >>> grade(95)
    'A'
    >>> grade(12)
    'F'
    \"\"\"
    best = 90
    if score >= best:
        return 'A'
    for limit, name in ((80, 'B'), (70, 'C')):
        if score >= limit:
            return name
    return 'F'
";
    // What it does without its driver is enough, and with it another thing each time.
    let unsteady = "\
import time
def tick(n: int):
    value = time.time_ns() + n
    if value % 2:
        return value
    return -value
";
    let ends = ended(
        &[
            ("reads.py", reads.to_owned()),
            ("defines.py", defines.to_owned()),
            ("unsteady.py", unsteady.to_owned()),
        ],
        &[],
    );
    let row = &ends["reads.py"];
    let runs = row["runs"].as_array().unwrap_or_else(|| panic!("{row}"));
    assert!(runs.len() > 1, "{runs:?}");
    assert_eq!(row["driver"], Value::Null);
    for run in runs {
        assert!(run["stdin"].is_string(), "{run}");
        assert!(run["trace"].as_str().unwrap().contains("BRANCH"), "{run}");
    }
    let prompt = row["prompt"].as_str().unwrap();
    assert!(prompt.contains("Run 2: it"), "{prompt}");

    let row = &ends["defines.py"];
    let driver = row["driver"].as_str().unwrap_or_else(|| panic!("{row}"));
    assert!(driver.contains("grade"), "{driver}");
    assert!(row["prompt"].as_str().unwrap().contains(driver.trim()));
    assert_eq!(row["source"], defines);
    // What is told is the file's own, and what is printed.
    let own = defines.lines().count();
    let response = row["response"].as_str().unwrap();
    let places = response.lines().filter_map(|line| line.split_once("| "));
    let lines: Vec<usize> = places.filter_map(|(line, _)| line.parse().ok()).collect();
    assert!(
        !lines.is_empty() && lines.iter().all(|line| *line <= own),
        "{response}"
    );
    assert!(response.contains("= grade("), "{response}");

    let row = &ends["unsteady.py"];
    assert_eq!(row["reason"], "uninformative", "{row}");
    let detail = row["detail"].as_str().unwrap();
    assert!(
        detail.contains("with a driver: nondeterministic"),
        "{detail}"
    );
}

/// A driver that stands beside its package, in a folder above it.
#[cfg(feature = "go")]
#[test]
fn a_package_is_called_from_beside_it() {
    if !possible() {
        return;
    }
    let package = "\
package marks

func Grade(score int) string {
	limits := []int{90, 80, 70}
	names := []string{\"A\", \"B\", \"C\"}
	for i, limit := range limits {
		if score >= limit {
			return names[i]
		}
	}
	return \"F\"
}
";
    let ends = ended(&[("marks.go", package.to_owned())], &[]);
    let row = &ends["marks.go"];
    if row["reason"] == "toolchain" {
        eprintln!("skipped: {}", row["detail"]);
        return;
    }
    let driver = row["driver"].as_str().unwrap_or_else(|| panic!("{row}"));
    assert!(driver.contains("Grade("), "{driver}");
    assert_eq!(row["source"], package);
    let instrumented = row["instrumented_program"].as_str().unwrap();
    assert!(instrumented.contains("package marks"), "{instrumented}");
    assert!(row["files"]["marks/marks.go"].is_string(), "{row}");
}

#[test]
fn the_published_form_and_questions_are_written() {
    if !possible() {
        return;
    }
    let files = [("one.py", program(1))];
    let row = &ended(&files, &["--view", "probes"])["one.py"];
    let prompt = row["prompt"].as_str().unwrap_or_else(|| panic!("{row}"));
    assert!(prompt.contains("===FILE:run.sh==="), "{prompt}");
    assert!(prompt.contains("TRACE:"), "{prompt}");
    let response = row["response"].as_str().unwrap();
    let start = "===STDERR:trace1.txt:START===\nTRACE:";
    assert!(response.starts_with(start), "{response}");
    assert_eq!(row["view"], "probes");

    let row = &ended(&files, &["--view", "qa"])["one.py"];
    let prompt = row["prompt"].as_str().unwrap_or_else(|| panic!("{row}"));
    let response = row["response"].as_str().unwrap();
    assert!(prompt.contains("\n1. "), "{prompt}");
    let answers = response.lines().count();
    assert!(response.starts_with("1. ") && answers > 3, "{response}");
    assert!(prompt.contains(&format!("\n{answers}. ")), "{prompt}");
}

/// All files of an output but the ledger, whose order is that of the work.
fn output(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![out.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("_ledger") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(out).unwrap().to_path_buf();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn a_run_that_is_killed_again_and_again_gives_the_same_output() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("corpus");
    fs::create_dir(&input).unwrap();
    for number in 0..10 {
        fs::write(input.join(format!("p{number}.py")), program(number)).unwrap();
    }
    fs::write(input.join("twice.py"), program(3)).unwrap();
    let whole = folder.path().join("whole");
    let started = Instant::now();
    assert!(batch(&input, &whole).status().unwrap().success());
    let once = started.elapsed();

    let torn = folder.path().join("torn");
    for round in 0..20_u32 {
        let mut running = batch(&input, &torn).stdout(Stdio::null()).spawn().unwrap();
        // Somewhere between the start and the end, elsewhere each time.
        let wait = once * (round * 7 % 20 + 1) / 24;
        let started = Instant::now();
        while started.elapsed() < wait && running.try_wait().unwrap().is_none() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        let _ = running.kill();
        running.wait().unwrap();
    }
    assert!(batch(&input, &torn).status().unwrap().success());
    let (whole, torn) = (output(&whole), output(&torn));
    assert_eq!(
        whole.keys().collect::<Vec<_>>(),
        torn.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &whole {
        assert!(torn[name] == *bytes, "{} differs", name.display());
    }
}

#[test]
fn parquet_is_written_and_read() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("rows.jsonl.gz");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for number in 0..3 {
        let row = json!({"code": program(number), "lang": "Python", "stars": number});
        writeln!(packed, "{row}").unwrap();
    }
    fs::write(&input, packed.finish().unwrap()).unwrap();
    let out = folder.path().join("out");
    let options = [
        "--format",
        "parquet",
        "--validation",
        "0",
        "--shard-rows",
        "2",
    ];
    assert!(
        batch(&input, &out)
            .args(options)
            .status()
            .unwrap()
            .success()
    );
    let shard = |number| out.join(format!("code-trace/train-{number:05}-of-00002.parquet"));
    assert!(shard(0).exists() && shard(1).exists());

    let again = folder.path().join("again");
    let done = batch(&shard(0), &again)
        .arg(shard(1))
        .args(["--text-column", "source", "--validation", "0"])
        .status()
        .unwrap();
    assert!(done.success());
    let mut stars = Vec::new();
    for row in rows(&again.join("code-trace")) {
        assert_eq!(row["input_source_sha256"], row["source_sha256"]);
        assert_eq!(row["input_n_tokens"], row["n_tokens"]);
        assert_eq!(row["lang"], "Python");
        assert!(row["input_stats"].as_str().unwrap().starts_with('{'));
        stars.push(row["stars"].as_u64().unwrap());
    }
    stars.sort_unstable();
    assert_eq!(stars, [0, 1, 2]);
}

#[test]
fn other_settings_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("rows.jsonl");
    fs::write(&input, "{\"content\": \"\", \"path\": \"a.py\"}\n").unwrap();
    let out = folder.path().join("out");
    assert!(batch(&input, &out).status().unwrap().success());
    let done = batch(&input, &out).args(["--seed", "1"]).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(125));
    assert!(said.contains("seed was 0 and is 1"), "{said}");
}

/// A source nested too deep for the stack it is given, and for a larger one that the C library may
/// give again: a real fault of the process.
#[test]
fn a_file_that_ends_the_process_costs_its_row() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("corpus");
    fs::create_dir(&input).unwrap();
    let deep = |depth: usize| format!("x = {}1{}\n", "(".repeat(depth), ")".repeat(depth));
    for (name, text) in [
        ("a.py", program(1)),
        ("b.py", deep(100_000)),
        ("c.py", program(2)),
    ] {
        fs::write(input.join(name), text).unwrap();
    }
    let out = folder.path().join("out");
    let ran = batch(&input, &out)
        .args(["--stack", "1M"])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let kept = rows(&out.join("code-trace"));
    let kept: Vec<&str> = kept.iter().filter_map(|row| row["path"].as_str()).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    let given_up = rows(&out.join("_rejects"));
    assert_eq!(given_up.len(), 1);
    for row in given_up {
        assert_eq!(row["reason"], "failed");
        assert_eq!(row["detail"], "tracer died of it: SIGABRT");
    }
    assert!(!out.join("_at").exists());
}

/// Rows that are given up leave their threads behind: another process takes over.
#[test]
fn threads_that_are_stuck_do_not_add_up() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("corpus");
    fs::create_dir(&input).unwrap();
    for number in 0..5 {
        let text = format!("while True:\n    x = {number}\n");
        fs::write(input.join(format!("p{number}.py")), text).unwrap();
    }
    let out = folder.path().join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
    command.args(["batch", "--jobs", "1", "--patience", "1ms"]);
    let ran = command.arg(&input).arg("-o").arg(&out).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(
        said.matches("another process takes over").count(),
        2,
        "{said}"
    );
    let given_up = rows(&out.join("_rejects"));
    assert_eq!(given_up.len(), 5);
    assert!(given_up.iter().all(|row| row["reason"] == "stuck"));
}

/// A disk that fills up: nothing is lost or doubled by it.
#[test]
fn a_full_disk_is_told_and_a_run_goes_on_from_there() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("corpus");
    fs::create_dir(&input).unwrap();
    for number in 0..8 {
        fs::write(input.join(format!("p{number}.py")), program(number)).unwrap();
    }
    let (disk, after) = (folder.path().join("disk"), folder.path().join("after"));
    fs::create_dir(&disk).unwrap();
    fs::create_dir(&after).unwrap();
    // Everything at once; then with room for the files that are begun first and for a few rows, and
    // on from there.
    let script = r#"
        mount -t tmpfs -o size=64m tmpfs "$DISK" || exit 99
        "$@" || exit 98
        cp -r "$DISK/out" "$AFTER/whole"
        umount "$DISK"
        mount -t tmpfs -o size=32k tmpfs "$DISK" || exit 99
        "$@"; first=$?
        mount -o remount,size=64m "$DISK" || exit 99
        "$@" || exit 98
        cp -r "$DISK/out" "$AFTER/on"
        exit $first
    "#;
    let run = batch(&input, &disk.join("out"));
    let ran = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
        ])
        .arg(run.get_program())
        .args(run.get_args())
        .env("DISK", &disk)
        .env("AFTER", &after)
        .output();
    let ran = match ran {
        Ok(ran) if ran.status.code() == Some(99) || ran.status.code() == Some(1) => {
            let said = String::from_utf8_lossy(&ran.stderr);
            eprintln!("skipped: no file system can be mounted here: {said}");
            return;
        }
        Ok(ran) => ran,
        Err(error) => {
            eprintln!("skipped: unshare: {error}");
            return;
        }
    };
    assert_eq!(ran.status.code(), Some(125), "{ran:?}");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("the disk is full: make room"), "{said}");
    let (whole, after) = (output(&after.join("whole")), output(&after.join("on")));
    assert_eq!(
        whole.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &whole {
        assert!(after[name] == *bytes, "{} differs", name.display());
    }
}
