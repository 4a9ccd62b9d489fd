//! What is asked, and what is made of a response.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// Its text.
    pub content: String,
}

impl Message {
    /// A turn of the one who asks.
    pub fn user(content: impl Into<String>) -> Self {
        Self {
            role: "user".into(),
            content: content.into(),
        }
    }

    /// A turn of the one who answers.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self {
            role: "assistant".into(),
            content: content.into(),
        }
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The model's name at the endpoint.
    pub model: String,
    /// The turns so far.
    pub messages: Vec<Message>,
    /// Everything else of the body: `temperature`, `max_tokens`, `seed`, `response_format`, …
    pub params: Map<String, Value>,
}

impl Request {
    /// The body that is sent. Keys are sorted, so that the same request is the same bytes.
    pub fn payload(&self) -> Value {
        let mut body = self.params.clone();
        body.insert("model".into(), self.model.clone().into());
        body.insert("messages".into(), json!(self.messages));
        body.sort_keys();
        Value::Object(body)
    }

    /// BLAKE3 of [`Request::payload`], in hexadecimal digits.
    pub fn key(&self) -> String {
        let bytes = serde_json::to_vec(&self.payload()).expect("a payload is JSON");
        blake3::hash(&bytes).to_hex().to_string()
    }
}

/// Tokens that a response says it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Of the request.
    pub prompt_tokens: u64,
    /// Of the answer, its reasoning included.
    pub completion_tokens: u64,
}

/// What a model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub content: String,
    /// What it thought before, where the endpoint tells.
    pub reasoning: Option<String>,
    /// Why it ended: `stop`, `length`, …
    pub finish_reason: Option<String>,
    /// Tokens.
    pub usage: Usage,
}

impl Answer {
    /// Reads the body of a response; an error says what is wrong with it, in a word for accounts.
    pub fn read(body: &str) -> Result<Self, &'static str> {
        let body: Value = serde_json::from_str(body).map_err(|_| "malformed")?;
        let choice = body["choices"].get(0).ok_or("malformed")?;
        let message = &choice["message"];
        let text = |name: &str| message[name].as_str().filter(|text| !text.is_empty());
        let content = text("content").map(str::to_owned);
        let reasoning = text("reasoning").or_else(|| text("reasoning_content"));
        let usage = serde_json::from_value(body["usage"].clone()).unwrap_or_default();
        let answer = Self {
            content: content.unwrap_or_default(),
            reasoning: reasoning.map(str::to_owned),
            finish_reason: choice["finish_reason"].as_str().map(str::to_owned),
            usage,
        };
        if answer.content.trim().is_empty() && answer.finish_reason.as_deref() != Some("length") {
            return Err("empty");
        }
        Ok(answer)
    }

    /// Whether it was cut off.
    pub fn is_cut(&self) -> bool {
        self.finish_reason.as_deref() == Some("length")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            model: "m".into(),
            messages: vec![Message::user("why?")],
            params: Map::new(),
        }
    }

    #[test]
    fn a_request_is_known_by_what_is_asked() {
        let mut one = request();
        one.params.insert("seed".into(), 1.into());
        one.params.insert("max_tokens".into(), 5.into());
        let mut two = request();
        two.params.insert("max_tokens".into(), 5.into());
        two.params.insert("seed".into(), 1.into());
        assert_eq!(one.key(), two.key());
        two.params.insert("seed".into(), 2.into());
        assert_ne!(one.key(), two.key());
        assert_ne!(one.key(), request().key());
    }

    #[test]
    fn a_response_is_read_or_named() {
        let body = |message: &str, finish: &str| {
            format!(
                "{{\"choices\":[{{\"message\":{message},\"finish_reason\":\"{finish}\"}}],\
                 \"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}}}"
            )
        };
        let answer = Answer::read(&body(r#"{"content":"x","reasoning_content":"y"}"#, "stop"));
        let answer = answer.unwrap();
        assert_eq!(
            (answer.content.as_str(), answer.reasoning.as_deref()),
            ("x", Some("y"))
        );
        assert_eq!(
            (answer.usage.prompt_tokens, answer.usage.completion_tokens),
            (3, 4)
        );
        assert!(!answer.is_cut());
        assert!(
            Answer::read(&body(r#"{"content":null}"#, "length"))
                .unwrap()
                .is_cut()
        );
        assert_eq!(
            Answer::read(&body(r#"{"content":" \n"}"#, "stop")),
            Err("empty")
        );
        assert_eq!(Answer::read("{\"choices\":[]}"), Err("malformed"));
        assert_eq!(Answer::read("<html>"), Err("malformed"));
    }
}
