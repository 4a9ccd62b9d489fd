//! How fast to ask: buckets for requests and tokens a minute, and fewer at once where the endpoint is
//! busy. Time is handed in; nothing here waits.

use std::time::Duration;

/// What an endpoint allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Requests a minute.
    pub requests: Option<f64>,
    /// Tokens a minute, those of the answer as asked for.
    pub tokens: Option<f64>,
    /// Requests at once.
    pub at_once: u32,
}

/// Successes behind which one more at once is tried.
const STEP: u32 = 25;

/// What is left of the number at once where the endpoint says that it is too many.
const LESS: f64 = 0.75;

/// An endpoint's pace.
#[derive(Debug)]
pub(crate) struct Pace {
    rates: Rates,
    requests: Bucket,
    tokens: Bucket,
    /// How many at once, at most `rates.at_once`.
    width: f64,
    running: u32,
    successes: u32,
    /// Nothing is asked before.
    closed_until: Duration,
}

#[derive(Debug)]
struct Bucket {
    a_minute: Option<f64>,
    level: f64,
    at: Duration,
}

impl Bucket {
    fn new(a_minute: Option<f64>) -> Self {
        Self {
            a_minute,
            level: a_minute.unwrap_or_default(),
            at: Duration::ZERO,
        }
    }

    /// How long until so much is there. More than a minute's is there when all of it is.
    fn wait(&mut self, wanted: f64, now: Duration) -> Duration {
        let Some(a_minute) = self.a_minute else {
            return Duration::ZERO;
        };
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.level = (self.level + passed * a_minute / 60.0).min(a_minute);
        let lacking = wanted.min(a_minute) - self.level;
        if lacking <= 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(lacking * 60.0 / a_minute)
        }
    }

    fn take(&mut self, wanted: f64) {
        self.level -= wanted;
    }
}

impl Pace {
    pub(crate) fn new(rates: Rates) -> Self {
        Self {
            rates,
            requests: Bucket::new(rates.requests),
            tokens: Bucket::new(rates.tokens),
            width: f64::from(rates.at_once.max(1)),
            running: 0,
            successes: 0,
            closed_until: Duration::ZERO,
        }
    }

    /// Begins a request, or says how long to wait before asking again; `None`: until one has ended.
    pub(crate) fn begin(&mut self, tokens: u64, now: Duration) -> Result<(), Option<Duration>> {
        if f64::from(self.running) + 1.0 > self.width.max(1.0) {
            return Err(None);
        }
        let tokens = tokens as f64;
        let closed = self.closed_until.saturating_sub(now);
        let wait = closed
            .max(self.requests.wait(1.0, now))
            .max(self.tokens.wait(tokens, now));
        if !wait.is_zero() {
            return Err(Some(wait));
        }
        self.requests.take(1.0);
        self.tokens.take(tokens);
        self.running += 1;
        Ok(())
    }

    /// A request ended with an answer.
    pub(crate) fn succeeded(&mut self) {
        self.running -= 1;
        self.successes += 1;
        if self.successes.is_multiple_of(STEP) {
            self.width = (self.width + 1.0).min(f64::from(self.rates.at_once.max(1)));
        }
    }

    /// A request ended without one.
    pub(crate) fn failed(&mut self) {
        self.running -= 1;
    }

    /// A request ended for there were too many: fewer at once, and none for a while.
    pub(crate) fn too_many(&mut self, pause: Duration, now: Duration) {
        self.running -= 1;
        self.width = (self.width * LESS).max(1.0);
        self.closed_until = self.closed_until.max(now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_minute_holds_so_many_requests_and_tokens() {
        let rates = Rates {
            requests: Some(60.0),
            tokens: Some(600.0),
            at_once: 1000,
        };
        let mut pace = Pace::new(rates);
        for _ in 0..60 {
            assert_eq!(pace.begin(1, Duration::ZERO), Ok(()));
        }
        assert_eq!(pace.begin(1, Duration::ZERO), Err(Some(SECOND)));
        assert_eq!(pace.begin(1, SECOND), Ok(()));
        // 61 tokens of 600 are gone, and 10 a second come.
        let wait = pace.begin(600, 2 * SECOND).unwrap_err().unwrap();
        assert!((3.9..4.2).contains(&wait.as_secs_f64()), "{wait:?}");
        // More than a minute's goes when all of it is there.
        assert_eq!(pace.begin(10_000, 100 * SECOND), Ok(()));
    }

    #[test]
    fn a_busy_endpoint_is_asked_less_and_later() {
        let rates = Rates {
            requests: None,
            tokens: None,
            at_once: 8,
        };
        let mut pace = Pace::new(rates);
        for _ in 0..8 {
            pace.begin(1, Duration::ZERO).unwrap();
        }
        assert_eq!(pace.begin(1, Duration::ZERO), Err(None));
        pace.too_many(7 * SECOND, SECOND);
        for _ in 0..7 {
            pace.failed();
        }
        assert_eq!(pace.begin(1, 2 * SECOND), Err(Some(6 * SECOND)));
        for _ in 0..6 {
            pace.begin(1, 8 * SECOND).unwrap();
        }
        assert_eq!(pace.begin(1, 8 * SECOND), Err(None));
        for _ in 0..STEP {
            pace.succeeded();
            pace.begin(1, 9 * SECOND).unwrap();
        }
        // One more at once.
        assert_eq!(pace.begin(1, 9 * SECOND), Ok(()));
        assert_eq!(pace.begin(1, 9 * SECOND), Err(None));
    }
}
