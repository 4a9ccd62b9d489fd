//! A language model, and the ledger of what it said.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tracer_ask::{AskError, Client, Endpoint, Ledger, Message, Policy, Rates, Request, Spent};

use crate::GenerateError;

/// How long the processes of a run that was killed may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// Which model is asked, and how.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its name at the endpoint.
    pub name: String,
    /// Where it is asked.
    pub endpoint: Endpoint,
    /// How fast.
    pub rates: Rates,
    /// How failures are met.
    pub policy: Policy,
    /// `temperature`, `max_tokens`, `seed` and what else a request holds.
    pub params: Map<String, Value>,
}

/// A model that is asked.
pub(crate) struct Asking {
    client: Client,
    pub(crate) name: String,
    pub(crate) params: Map<String, Value>,
}

impl Asking {
    /// What it says is kept below the output folder.
    pub(crate) fn new(model: &Model, out: &Path) -> Result<Self, GenerateError> {
        let folder = out.join("_ledger/model");
        let started = Instant::now();
        let ledger = loop {
            match Ledger::open(&folder) {
                Err(AskError::Busy { .. }) if started.elapsed() < GRACE => {
                    thread::sleep(Duration::from_millis(20));
                }
                ledger => break ledger?,
            }
        };
        let (endpoint, policy) = (model.endpoint.clone(), model.policy.clone());
        Ok(Self {
            client: Client::new(endpoint, model.rates, policy, ledger),
            name: model.name.clone(),
            params: model.params.clone(),
        })
    }

    pub(crate) fn request(&self, prompt: &str) -> Request {
        Request {
            model: self.name.clone(),
            messages: vec![Message::user(prompt)],
            params: self.params.clone(),
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn spent(&self) -> Spent {
        self.client.spent()
    }
}
