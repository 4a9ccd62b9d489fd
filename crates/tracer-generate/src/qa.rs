//! Questions about programs that were run, whose answers need no model.
//!
//! An answer is derived from the trace's types, found again in the trace as plain JSON
//! ([`tracer_view::qa`]), and confirmed by another run of the program: traced anew and, where output or
//! status is asked for, as it is, without a probe.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde_json::{Map, Value, json};
use tiktoken_rs::CoreBPE;
use tracer_engine::{EngineError, Settings};
use tracer_model::Trace;
use tracer_view::qa::{self, Question, Task};

use crate::ledger::{Entry, Ledger};
use crate::programs::{self, CARRIED, Program, Run};
use crate::template::Template;
use crate::verify::{Again, Verifier, trace_of};
use crate::{Accounting, Counts, GenerateError, output};

/// How often a run looks up from waiting.
const PULSE: Duration = Duration::from_millis(100);

/// How long the processes of a run that was killed may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// Programs in a row that the machine may fail on before the run stops.
const FAILURES: usize = 8;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// A finished folder of `tracer batch`, shards as JSON Lines.
    pub programs: PathBuf,
    /// Output folder.
    pub out: PathBuf,
    /// How programs are run again.
    pub settings: Settings,
    /// The user's own templates; a file that is not there is taken from ours.
    pub templates: Option<PathBuf>,
    /// Programs worked on at once.
    pub jobs: usize,
    /// Rows of a shard.
    pub shard_rows: usize,
    /// Most questions about one program.
    pub most: usize,
}

/// Who watches a run. All calls come from the thread that called [`run`].
pub trait Observer {
    /// Programs done so far. Called many times a second.
    fn progress(&self, _done: u64) {}
    /// Whether the run is to stop as soon as it can.
    fn stop(&self) -> bool {
        false
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    /// The counts; `None` where it was stopped before its end.
    pub accounting: Option<Accounting>,
    /// Programs done.
    pub done: u64,
}

/// Generates, or goes on with what an earlier run left; what is finished is not done again.
pub fn run(options: &Options, observer: &dyn Observer) -> Result<Report, GenerateError> {
    let (shards, digest) = programs::shards(&options.programs)?;
    let template = Template::new("qa/question.jinja", options.templates.as_deref())?;
    let out = &options.out;
    std::fs::create_dir_all(out).map_err(GenerateError::write(out))?;
    let _claim = claim(out)?;
    begin(options, &template, &digest)?;
    if let Some(accounting) = output::finished(out)? {
        let done = accounting.programs.input;
        return Ok(Report {
            accounting: Some(accounting),
            done,
        });
    }
    let folder = out.join("_ledger");
    std::fs::create_dir_all(&folder).map_err(GenerateError::write(&folder))?;
    let mut ledger = Ledger::open(&folder.join("qa.jsonl"))?;
    let rows = ask_all(options, &shards, &template, &mut ledger, observer)?;
    let done = ledger.len();
    let accounting = match rows {
        Some(rows) => Some(output::assemble(options, &mut ledger, rows, &template)?),
        None => None,
    };
    Ok(Report { accounting, done })
}

/// Claims the output folder for this process as long as what is given back lives.
fn claim(out: &Path) -> Result<Flock<File>, GenerateError> {
    let path = out.join("_lock_qa");
    let mut file = File::create(&path).map_err(GenerateError::write(&path))?;
    let started = Instant::now();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((back, Errno::EWOULDBLOCK)) if started.elapsed() < GRACE => {
                file = back;
                thread::sleep(Duration::from_millis(20));
            }
            Err((_, Errno::EWOULDBLOCK)) => {
                return Err(GenerateError::Busy { folder: out.into() });
            }
            Err((_, errno)) => return Err(GenerateError::write(&path)(errno.into())),
        }
    }
}

/// Writes down what the folder is made with, or checks that it was the same.
fn begin(options: &Options, template: &Template, programs: &str) -> Result<(), GenerateError> {
    let plan = json!({
        "tracer": env!("CARGO_PKG_VERSION"),
        "strategy": "qa",
        "model": "none",
        "programs": programs,
        "template": template.digest,
        "questions": options.most,
        "shard_rows": options.shard_rows,
    });
    let path = options.out.join("_plan_qa.json");
    let Ok(text) = std::fs::read(&path) else {
        return output::write_json(&path, &plan);
    };
    let old: Value =
        serde_json::from_slice(&text).map_err(|error| GenerateError::read(&path)(error.into()))?;
    let empty = Map::new();
    let (old, new) = (
        old.as_object().unwrap_or(&empty),
        plan.as_object().unwrap_or(&empty),
    );
    let keys = old.keys().chain(new.keys());
    match keys.into_iter().find(|key| old.get(*key) != new.get(*key)) {
        None => Ok(()),
        Some(what) => Err(GenerateError::OtherPlan {
            folder: options.out.clone(),
            what: what.clone(),
        }),
    }
}

/// Works on all programs that are not in the ledger yet; their number, or `None` if it was stopped.
fn ask_all(
    options: &Options,
    shards: &[PathBuf],
    template: &Template,
    ledger: &mut Ledger,
    observer: &dyn Observer,
) -> Result<Option<u64>, GenerateError> {
    let stop = AtomicBool::new(false);
    let programs = Mutex::new(programs::read(shards).fuse());
    let known: HashSet<u64> = ledger.numbers().collect();
    let asker = Asker {
        options,
        template,
        encoder: LazyLock::new(|| tiktoken_rs::o200k_base().expect("a table that is compiled in")),
    };
    let rows = AtomicU64::new(0);
    let (sender, receiver) = sync_channel(options.jobs.max(1) * 2);
    let result = thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            let sender = sender.clone();
            let (programs, stop, asker, rows, known) = (&programs, &stop, &asker, &rows, &known);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let next = programs.lock().expect("no thread panics with it").next();
                    let Some(program) = next else { return };
                    let answer = match program {
                        Ok(program) => {
                            rows.fetch_max(program.at + 1, Ordering::Relaxed);
                            if known.contains(&program.at) {
                                continue;
                            }
                            asker.judge(&program)
                        }
                        Err(error) => Err(error),
                    };
                    if sender.send(answer).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut failed: Vec<Entry> = Vec::new();
        let mut result = Ok(());
        loop {
            observer.progress(ledger.len());
            if observer.stop() {
                stop.store(true, Ordering::Relaxed);
            }
            let answer = match receiver.recv_timeout(PULSE) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let written = answer.and_then(|entry| {
                if entry
                    .reason
                    .as_deref()
                    .is_some_and(|why| why.starts_with("failed"))
                {
                    failed.push(entry);
                    if failed.len() < FAILURES {
                        return Ok(());
                    }
                    return Err(GenerateError::Machine {
                        failures: failed.len(),
                        last: failed[FAILURES - 1].reason.clone().unwrap_or_default(),
                    });
                }
                // It is the program's fault if others can be run.
                for entry in failed.drain(..).chain([entry]) {
                    ledger.add(&entry)?;
                }
                Ok(())
            });
            if result.is_ok() && written.is_err() {
                result = written;
                stop.store(true, Ordering::Relaxed);
            }
        }
        if result.is_ok() && !stop.load(Ordering::Relaxed) {
            result = failed.iter().try_for_each(|entry| ledger.add(entry));
        }
        result
    });
    result?;
    Ok((!stop.into_inner()).then_some(rows.into_inner()))
}

struct Asker<'o> {
    options: &'o Options,
    template: &'o Template,
    encoder: LazyLock<CoreBPE>,
}

/// A question about one of a program's runs.
struct Asked {
    run: usize,
    question: Question,
}

impl Asker<'_> {
    fn judge(&self, program: &Program) -> Result<Entry, GenerateError> {
        let mut entry = Entry {
            at: program.at,
            id: program.id.clone(),
            language: program.language.clone(),
            reason: None,
            questions: Counts::default(),
            rows: Vec::new(),
        };
        let traces: Option<Vec<Trace>> = program.runs.iter().map(trace_of).collect();
        let Some(traces) = traces.filter(|traces| !traces.is_empty()) else {
            entry.reason = Some("no_trace".into());
            return Ok(entry);
        };
        let asked = match self.ask(program, &traces, &mut entry.questions) {
            Ok(Some(asked)) => asked,
            Ok(None) => {
                entry.reason = Some("build".into());
                return Ok(entry);
            }
            Err(error) => {
                entry.questions = Counts::default();
                entry.reason = Some(format!(
                    "failed: {}",
                    tracer_engine::check::describe(&error)
                ));
                return Ok(entry);
            }
        };
        for asked in &asked {
            entry.rows.push(self.row(program, asked)?);
        }
        if asked.is_empty() {
            entry.reason = Some("no_question".into());
        }
        Ok(entry)
    }

    /// The questions that are kept; `None` where the program does not build any more.
    fn ask(
        &self,
        program: &Program,
        traces: &[Trace],
        counts: &mut Counts,
    ) -> Result<Option<Vec<Asked>>, EngineError> {
        let settings = &self.options.settings;
        let Some(verifier) = Verifier::new(program, &traces[0], settings)? else {
            return Ok(None);
        };
        let begins = program.driver_begins();
        let told = |trace: &Trace| match begins {
            Some(begins) => trace.without_end_of_main(begins),
            None => trace.clone(),
        };
        let mut held = Vec::new();
        for (number, (run, trace)) in program.runs.iter().zip(traces).enumerate() {
            let again = verifier.again(run)?;
            let (questions, disagreed) = qa::judged(&told(trace));
            counts.reject("two_ways_disagree", disagreed as u64);
            let confirmed = qa::confirmed(&told(&again.trace), &questions);
            for (question, confirmed) in questions.into_iter().zip(confirmed) {
                if confirmed && printed(&again, &question) {
                    held.push(Asked {
                        run: number,
                        question,
                    });
                } else {
                    counts.reject("not_confirmed_by_another_run", 1);
                }
            }
        }
        let (kept, left) = chosen(held, self.options.most);
        counts.keep(kept.len() as u64);
        counts.reject("enough_of_the_program", left as u64);
        Ok(Some(kept))
    }

    fn row(&self, program: &Program, asked: &Asked) -> Result<Map<String, Value>, GenerateError> {
        let run = &program.runs[asked.run];
        let question = &asked.question;
        let prompt = self.template.fill(values(program, run, question))?;
        let text = format!("User:\n{prompt}\n\nAssistant:\n{}", question.answer);
        let mut hasher = blake3::Hasher::new();
        for part in [&program.id, &asked.run.to_string(), &question.question] {
            hasher.update(part.as_bytes());
            hasher.update(&[0xff]);
        }
        let row = json!({
            "id": hasher.finalize().to_hex()[..24],
            "text": text,
            "messages": [
                {"role": "user", "content": prompt},
                {"role": "assistant", "content": question.answer},
            ],
            "prompt": prompt,
            "response": question.answer,
            "language": program.language,
            "source_sha256": program.source_sha256,
            "has_reasoning": false,
            "len_text": text.len(),
            "token_count": self.encoder.encode_ordinary(&text).len(),
            "model": "none",
            "prompt_id": "qa/question",
            "prompt_sha": self.template.digest,
            "params_json": "{}",
            "seed": null,
            "finish_reason": null,
            "usage": null,
            "template_id": format!("trace-{:?}", question.task),
            "question": question.question,
            "answer": question.answer,
            "unit_tests": null,
            "average_test_score": null,
            "program_id": program.id,
            "split": program.split,
            "metadata": json!({"run": asked.run, "about": question.about}).to_string(),
        });
        let Value::Object(mut row) = row else {
            return Ok(Map::new());
        };
        for name in CARRIED {
            let value = program.others.get(*name).cloned();
            row.insert((*name).into(), value.unwrap_or_default());
        }
        Ok(row)
    }
}

/// What a question about the program's output says is what it prints without a probe in it.
fn printed(again: &Again, question: &Question) -> bool {
    question.task != Task::T2
        || question.answer == format!("{}\nstatus {}", again.stdout, again.status)
}

/// The first question of each task and run, then the second, up to a number; and how many are left.
fn chosen(held: Vec<Asked>, most: usize) -> (Vec<Asked>, usize) {
    let mut turns: BTreeMap<(usize, Task), usize> = BTreeMap::new();
    let mut ordered: Vec<(usize, Asked)> = Vec::new();
    for asked in held {
        let turn = turns.entry((asked.run, asked.question.task)).or_default();
        ordered.push((*turn, asked));
        *turn += 1;
    }
    ordered.sort_by_key(|(turn, asked)| (*turn, asked.run, asked.question.task));
    let left = ordered.len().saturating_sub(most);
    ordered.truncate(most);
    (ordered.into_iter().map(|(_, asked)| asked).collect(), left)
}

/// What a template is filled in with.
fn values(program: &Program, run: &Run, question: &Question) -> Value {
    let language = tracer_languages::by_name(&program.language);
    let file =
        |name: &str, text: &str, kind: &str| json!({"name": name, "text": text, "kind": kind});
    let main = program.files.get(&program.entry).map_or("", String::as_str);
    let beside = program
        .files
        .iter()
        .filter(|(name, _)| **name != program.entry);
    let line = |begins: u32| main[..begins as usize].matches('\n').count() + 1;
    let begins = program.driver_begins();
    json!({
        "language": language.map_or(program.language.as_str(), |spec| spec.name),
        "program": file(&program.entry, main, &program.language),
        "beside": beside
            .map(|(name, text)| file(name, text, &program.language))
            .collect::<Vec<_>>(),
        "args": run.args,
        "stdin": run.stdin,
        "environment": run.environment,
        "files": run.files.iter().map(|(name, text)| file(name, text, "text")).collect::<Vec<_>>(),
        "driver": program.driver.is_some(),
        "driver_line": begins.filter(|begins| *begins > 0).map(line),
        "question": question.question,
    })
}
