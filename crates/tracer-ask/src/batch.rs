//! Files for batch services: what is not answered yet goes out, what came back goes into the ledger.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

use crate::{AskError, Ledger, Request};

/// What an import brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Responses that were not known.
    pub new: u64,
    /// Those that were.
    pub known: u64,
    /// Lines that say that a request failed, or that cannot be read.
    pub failed: u64,
}

/// Writes the requests that the ledger does not hold, each once, in the form of `OpenAI`'s batches; their
/// number.
///
/// # Errors
/// Where they cannot be written.
pub fn export(
    requests: impl IntoIterator<Item = Request>,
    ledger: &Ledger,
    out: &mut dyn Write,
) -> io::Result<u64> {
    let mut told = std::collections::HashSet::new();
    for request in requests {
        let key = request.key();
        if ledger.holds(&key) || !told.insert(key.clone()) {
            continue;
        }
        let line = json!({
            "custom_id": key,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": request.payload(),
        });
        writeln!(out, "{line}")?;
    }
    Ok(told.len() as u64)
}

/// Takes the lines that a batch service gave for an export.
///
/// # Errors
/// Where the ledger cannot be written, or the input not be read.
pub fn import(input: &mut dyn BufRead, ledger: &Ledger) -> Result<Imported, AskError> {
    let mut imported = Imported::default();
    for line in input.lines() {
        let line = line.map_err(|source| AskError::Ledger {
            path: "the batch's output".into(),
            source,
        })?;
        if line.trim().is_empty() {
            continue;
        }
        let value: Value = serde_json::from_str(&line).unwrap_or_default();
        let response = &value["response"];
        let (Some(key), Some(200), body @ Value::Object(_)) = (
            value["custom_id"].as_str(),
            response["status_code"].as_u64(),
            &response["body"],
        ) else {
            imported.failed += 1;
            continue;
        };
        if ledger.holds(key) {
            imported.known += 1;
        } else {
            ledger.put(key, &Value::Null, &body.to_string())?;
            imported.new += 1;
        }
    }
    Ok(imported)
}
