//! Columns that the rows of all strategies have.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use tiktoken_rs::CoreBPE;
use tracer_ask::Answer;

use crate::model::Asking;
use crate::programs::{CARRIED, Program};
use crate::template::Template;

/// What a row says of itself.
pub(crate) struct Example<'e> {
    /// What tells it from the program's other rows.
    pub(crate) key: &'e [&'e str],
    /// `role` and `content` of each turn; the last is the answer.
    pub(crate) messages: Vec<(&'static str, String)>,
    pub(crate) template: &'e Template,
    /// What a model said, if it gave the answer.
    pub(crate) said: Option<(&'e Asking, &'e Answer)>,
    /// Columns of the strategy's own.
    pub(crate) own: Value,
}

/// Makes rows.
pub(crate) struct Rows {
    encoder: LazyLock<CoreBPE>,
}

impl Rows {
    pub(crate) const fn new() -> Self {
        Self {
            encoder: LazyLock::new(|| {
                tiktoken_rs::o200k_base().expect("a table that is compiled in")
            }),
        }
    }

    pub(crate) fn row(&self, program: &Program, example: Example<'_>) -> Map<String, Value> {
        let mut hasher = blake3::Hasher::new();
        for part in [program.id.as_str()].iter().chain(example.key) {
            hasher.update(part.as_bytes());
            hasher.update(&[0xff]);
        }
        let turn = |(role, content): &(&str, String)| {
            let mut role = (*role).to_owned();
            role[..1].make_ascii_uppercase();
            format!("{role}:\n{content}")
        };
        let text: Vec<String> = example.messages.iter().map(turn).collect();
        let text = text.join("\n\n");
        let messages: Vec<Value> = example
            .messages
            .iter()
            .map(|(role, content)| json!({"role": role, "content": content}))
            .collect();
        let answer = example.said.map(|(_, answer)| answer);
        let params = example.said.map(|(asking, _)| &asking.params);
        let content = |at: Option<&(&str, String)>| at.map(|(_, content)| content.clone());
        let common = json!({
            "id": hasher.finalize().to_hex()[..24],
            "text": text,
            "messages": messages,
            "prompt": content(example.messages.first()),
            "response": content(example.messages.last()),
            "language": program.language,
            "source_sha256": program.source_sha256,
            "has_reasoning": answer.is_some_and(|answer| answer.reasoning.is_some()),
            "len_text": text.len(),
            "token_count": self.encoder.encode_ordinary(&text).len(),
            "model": example.said.map_or("none", |(asking, _)| &asking.name),
            "prompt_id": example.template.id(),
            "prompt_sha": example.template.digest,
            "params_json": json!(params.cloned().unwrap_or_default()).to_string(),
            "seed": params.and_then(|params| params.get("seed")),
            "finish_reason": answer.and_then(|answer| answer.finish_reason.as_ref()),
            "usage": answer.map(|answer| answer.usage),
            "program_id": program.id,
            "split": program.split,
        });
        let mut row = Map::new();
        for part in [common, example.own] {
            if let Value::Object(part) = part {
                row.extend(part);
            }
        }
        for name in CARRIED {
            let value = program.others.get(*name).cloned();
            row.insert((*name).into(), value.unwrap_or_default());
        }
        row
    }
}
