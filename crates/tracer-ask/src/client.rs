//! One question after the other: paced, tried again, kept.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::pace::{Pace, Rates};
use crate::{Answer, AskError, Ledger, Message, Request};

/// Most bytes of a response.
const BODY: u64 = 64 << 20;

/// How often what waits looks whether it is to stop.
const PULSE: Duration = Duration::from_millis(100);

/// Tokens that are reckoned with where a request does not say how many it wants.
const TOKENS: u64 = 1024;

/// A secret: never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes one over, from a variable of the environment for instance.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// Where to ask.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The part before `/chat/completions`, such as `http://localhost:8000/v1`.
    pub url: String,
    /// Sent as a bearer's token.
    pub key: Option<Secret>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// What becomes of an answer that was cut off for its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// It is rejected.
    Drop,
    /// It counts as an answer.
    Keep,
    /// It is asked for once more, with twice as many tokens.
    Double,
}

/// How failures are met.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Times that a request is tried. Being told that there are too many does not count.
    pub attempts: u32,
    /// The wait behind the first failure; twice as long behind each further one.
    pub backoff: Duration,
    /// Requests in a row that may fail for good before nothing more is asked.
    pub failures: u32,
    /// Cut answers.
    pub length: Length,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 5,
            backoff: Duration::from_secs(1),
            failures: 20,
            length: Length::Double,
        }
    }
}

/// What was asked so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests that were sent, those tried again included.
    pub sent: u64,
    /// Answers taken from the ledger.
    pub known: u64,
    /// Tokens of requests, as endpoints told.
    pub prompt_tokens: u64,
    /// Tokens of answers.
    pub completion_tokens: u64,
}

#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    known: AtomicU64,
    prompt: AtomicU64,
    completion: AtomicU64,
}

/// Asks one endpoint; shared by threads.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    policy: Policy,
    agent: ureq::Agent,
    ledger: Ledger,
    pace: Mutex<Pace>,
    ended: Condvar,
    started: Instant,
    failures: AtomicU32,
    counters: Counters,
}

/// How a request went.
enum Sent {
    Body(String),
    TooMany(Duration),
    /// Worth another try.
    Failed(String),
}

impl Client {
    /// A client that keeps what it hears in a ledger.
    pub fn new(endpoint: Endpoint, rates: Rates, policy: Policy, ledger: Ledger) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(endpoint.timeout))
            .http_status_as_error(false)
            .build()
            .into();
        Self {
            endpoint,
            policy,
            agent,
            ledger,
            pace: Mutex::new(Pace::new(rates)),
            ended: Condvar::new(),
            started: Instant::now(),
            failures: AtomicU32::new(0),
            counters: Counters::default(),
        }
    }

    /// What was asked so far.
    pub fn spent(&self) -> Spent {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Spent {
            sent: read(&self.counters.sent),
            known: read(&self.counters.known),
            prompt_tokens: read(&self.counters.prompt),
            completion_tokens: read(&self.counters.completion),
        }
    }

    /// The answer to a request, from the ledger if it is there. `Ok(Err(…))`: there is none to be
    /// had, and why, in a word for accounts. Blocks; `stop` is looked at while it waits.
    ///
    /// # Errors
    /// Where asking on makes no sense, the ledger fails, or it is to stop.
    pub fn ask(
        &self,
        request: &Request,
        stop: &dyn Fn() -> bool,
    ) -> Result<Result<Answer, &'static str>, AskError> {
        let answer = match self.body(request, stop)? {
            Ok(body) => Answer::read(&body),
            Err(why) => Err(why),
        };
        match (answer, self.policy.length) {
            (Ok(answer), Length::Drop) if answer.is_cut() => Ok(Err("cut_off")),
            (Ok(answer), Length::Double) if answer.is_cut() => {
                let asked = request.params.get("max_tokens").and_then(Value::as_u64);
                let mut longer = request.clone();
                let tokens = asked.unwrap_or(TOKENS) * 2;
                longer.params.insert("max_tokens".into(), tokens.into());
                Ok(match self.body(&longer, stop)? {
                    Ok(body) => Answer::read(&body).and_then(|answer| {
                        if answer.is_cut() {
                            Err("cut_off")
                        } else {
                            Ok(answer)
                        }
                    }),
                    Err(why) => Err(why),
                })
            }
            (answer, _) => Ok(answer),
        }
    }

    /// Asks, and reads what is answered; where it cannot be read, asks once more and says why.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn ask_for<T>(
        &self,
        request: &Request,
        read: impl Fn(&Answer) -> Result<T, String>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Result<(Answer, T), &'static str>, AskError> {
        let answer = match self.ask(request, stop)? {
            Ok(answer) => answer,
            Err(why) => return Ok(Err(why)),
        };
        let wrong = match read(&answer) {
            Ok(value) => return Ok(Ok((answer, value))),
            Err(wrong) => wrong,
        };
        let mut again = request.clone();
        again.messages.push(Message::assistant(&answer.content));
        again.messages.push(Message::user(wrong));
        Ok(match self.ask(&again, stop)? {
            Ok(answer) => match read(&answer) {
                Ok(value) => Ok((answer, value)),
                Err(_) => Err("unparsable"),
            },
            Err(why) => Err(why),
        })
    }

    fn body(
        &self,
        request: &Request,
        stop: &dyn Fn() -> bool,
    ) -> Result<Result<String, &'static str>, AskError> {
        let key = request.key();
        if let Some(body) = self.ledger.get(&key)? {
            self.counters.known.fetch_add(1, Ordering::Relaxed);
            return Ok(Ok(body));
        }
        let payload = request.payload();
        let wanted = request.params.get("max_tokens").and_then(Value::as_u64);
        let mut attempt = 0;
        loop {
            self.begin(wanted.unwrap_or(TOKENS), stop)?;
            self.counters.sent.fetch_add(1, Ordering::Relaxed);
            let sent = self.send(&payload);
            let mut pace = self.pace.lock().expect("no thread panics with it");
            match &sent {
                Ok(Sent::Body(_)) => pace.succeeded(),
                Ok(Sent::TooMany(pause)) => pace.too_many(*pause, self.started.elapsed()),
                Ok(Sent::Failed(_)) | Err(_) => pace.failed(),
            }
            drop(pace);
            self.ended.notify_all();
            let said = match sent? {
                Sent::Body(body) => {
                    self.failures.store(0, Ordering::Relaxed);
                    if let Ok(answer) = Answer::read(&body) {
                        let usage = answer.usage;
                        let (prompt, completion) =
                            (&self.counters.prompt, &self.counters.completion);
                        prompt.fetch_add(usage.prompt_tokens, Ordering::Relaxed);
                        completion.fetch_add(usage.completion_tokens, Ordering::Relaxed);
                    }
                    self.ledger.put(&key, &payload, &body)?;
                    return Ok(Ok(body));
                }
                Sent::TooMany(_) => continue,
                Sent::Failed(said) => said,
            };
            attempt += 1;
            if attempt >= self.policy.attempts {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failures >= self.policy.failures {
                    return Err(AskError::Gone {
                        url: self.endpoint.url.clone(),
                        failures,
                        last: said,
                    });
                }
                return Ok(Err("no_response"));
            }
            self.pause(self.backoff(&key, attempt), stop)?;
        }
    }

    /// Waits until a request may begin.
    fn begin(&self, tokens: u64, stop: &dyn Fn() -> bool) -> Result<(), AskError> {
        let mut pace = self.pace.lock().expect("no thread panics with it");
        loop {
            if stop() {
                return Err(AskError::Stopped);
            }
            let wait = match pace.begin(tokens, self.started.elapsed()) {
                Ok(()) => return Ok(()),
                Err(wait) => wait.unwrap_or(PULSE).min(PULSE),
            };
            let waited = self.ended.wait_timeout(pace, wait);
            pace = waited.expect("no thread panics with it").0;
        }
    }

    /// Twice as long behind each failure, and up to half of that more, else all come back at once.
    fn backoff(&self, key: &str, attempt: u32) -> Duration {
        let wait = self.policy.backoff * 2_u32.saturating_pow(attempt - 1);
        let digest = blake3::hash(format!("{key} {attempt}").as_bytes());
        wait + wait * u32::from(digest.as_bytes()[0]) / 512
    }

    fn pause(&self, wait: Duration, stop: &dyn Fn() -> bool) -> Result<(), AskError> {
        let until = Instant::now() + wait;
        let never = Mutex::new(());
        loop {
            if stop() {
                return Err(AskError::Stopped);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let guard = never.lock().expect("no thread panics with it");
            let _ = self.ended.wait_timeout(guard, left.min(PULSE));
        }
    }

    fn send(&self, payload: &Value) -> Result<Sent, AskError> {
        let url = format!(
            "{}/chat/completions",
            self.endpoint.url.trim_end_matches('/')
        );
        let mut request = self.agent.post(&url).content_type("application/json");
        if let Some(Secret(key)) = &self.endpoint.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let bytes = serde_json::to_vec(payload).expect("a payload is JSON");
        let mut response = match request.send(bytes) {
            Ok(response) => response,
            Err(error) => return Ok(Sent::Failed(error.to_string())),
        };
        let status = response.status().as_u16();
        let after = response.headers().get("retry-after");
        let after = after
            .and_then(|value| value.to_str().ok())
            .and_then(retry_after);
        let body = response
            .body_mut()
            .with_config()
            .limit(BODY)
            .lossy_utf8(true);
        let body = body.read_to_string();
        match (status, body) {
            (200, Ok(body)) => Ok(match serde_json::from_str::<Value>(&body) {
                // Something between us and the model spoke, or it was cut.
                Err(error) => Sent::Failed(format!("a response that is no JSON: {error}")),
                Ok(_) => Sent::Body(body),
            }),
            (200, Err(error)) => Ok(Sent::Failed(error.to_string())),
            (429, _) => Ok(Sent::TooMany(after.unwrap_or(self.policy.backoff))),
            (400..=499, body) if status != 408 => Err(AskError::Refused {
                url: self.endpoint.url.clone(),
                status,
                said: body.unwrap_or_default().chars().take(300).collect(),
            }),
            _ => Ok(Sent::Failed(format!("status {status}"))),
        }
    }
}

/// How long to wait: seconds, or until a date.
fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}
