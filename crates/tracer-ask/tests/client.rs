//! The client against a server that says what a test wants, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tracer_ask::{
    AskError, Client, Endpoint, Ledger, Length, Message, Policy, Rates, Request, Secret, Spent,
    export, import,
};

const NEVER: &dyn Fn() -> bool = &|| false;

/// What the server does with a request.
#[derive(Clone)]
enum Reply {
    /// Status, headers and body.
    Whole(u16, &'static str, String),
    /// It hangs up in the middle.
    Cut,
    /// It says nothing until the client has gone.
    Silent,
}

fn says(content: &str, finish: &str) -> Reply {
    let body = json!({
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2},
    });
    Reply::Whole(200, "", body.to_string())
}

/// A server that gives these replies in turn, the last again and again; and the requests it heard.
fn server(replies: Vec<Reply>) -> (String, Arc<Mutex<Vec<(String, Value)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let heard: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
    let all = heard.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                let lower = line.to_ascii_lowercase();
                if let Some(text) = lower.strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            if head.is_empty() || reader.read_exact(&mut body).is_err() {
                continue;
            }
            let mut heard = all.lock().unwrap();
            let reply = replies[heard.len().min(replies.len() - 1)].clone();
            heard.push((head, serde_json::from_slice(&body).unwrap()));
            drop(heard);
            match reply {
                Reply::Whole(status, headers, body) => {
                    let length = body.len();
                    let text = format!(
                        "HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
                    );
                    let _ = stream.write_all(text.as_bytes());
                }
                Reply::Cut => {
                    let _ =
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"cho");
                }
                Reply::Silent => {
                    let _ = reader.read(&mut [0]);
                }
            }
        }
    });
    (url, heard)
}

fn client(url: &str, length: Length, folder: &std::path::Path) -> Client {
    let endpoint = Endpoint {
        url: url.into(),
        key: Some(Secret::new("sk-very-secret")),
        timeout: Duration::from_secs(2),
    };
    let policy = Policy {
        attempts: 3,
        backoff: Duration::ZERO,
        failures: 2,
        length,
    };
    let rates = Rates {
        requests: None,
        tokens: None,
        at_once: 4,
    };
    Client::new(endpoint, rates, policy, Ledger::open(folder).unwrap())
}

fn request(text: &str) -> Request {
    let mut params = Map::new();
    params.insert("max_tokens".into(), 50.into());
    Request {
        model: "m".into(),
        messages: vec![Message::user(text)],
        params,
    }
}

#[test]
fn what_fails_is_tried_again_and_what_was_answered_is_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let (url, heard) = server(vec![
        Reply::Whole(429, "retry-after: 0\r\n", String::new()),
        Reply::Whole(
            429,
            "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            String::new(),
        ),
        Reply::Whole(500, "", "oh".into()),
        Reply::Cut,
        says("right", "stop"),
    ]);
    let asked = client(&url, Length::Double, folder.path());
    // Three attempts: that there were too many is none.
    let answer = asked.ask(&request("?"), NEVER).unwrap().unwrap();
    assert_eq!(answer.content, "right");
    assert_eq!(heard.lock().unwrap().len(), 5);
    let (head, body) = heard.lock().unwrap()[4].clone();
    assert!(head.starts_with("POST /v1/chat/completions "));
    assert!(head.contains("Bearer sk-very-secret"));
    assert_eq!(body, request("?").payload());
    drop(asked);
    let again = client(&url, Length::Double, folder.path());
    let answer = again.ask(&request("?"), NEVER).unwrap().unwrap();
    assert_eq!(answer.content, "right");
    assert_eq!(heard.lock().unwrap().len(), 5);
    assert_eq!(
        again.spent(),
        Spent {
            known: 1,
            ..Spent::default()
        }
    );
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (says("", "stop"), "empty"),
        (
            Reply::Whole(200, "", "{\"choices\": 3}".into()),
            "malformed",
        ),
        (Reply::Whole(200, "", "<html>".into()), "no_response"),
        (Reply::Whole(503, "", String::new()), "no_response"),
        (Reply::Silent, "no_response"),
    ];
    for (number, (reply, why)) in cases.into_iter().enumerate() {
        let (url, _) = server(vec![reply]);
        let folder = folder.path().join(number.to_string());
        let mut asked = client(&url, Length::Double, &folder);
        if why == "no_response" {
            let endpoint = Endpoint {
                url,
                key: None,
                timeout: Duration::from_millis(200),
            };
            let rates = Rates {
                requests: None,
                tokens: None,
                at_once: 1,
            };
            let policy = Policy {
                attempts: 2,
                backoff: Duration::ZERO,
                failures: 2,
                length: Length::Keep,
            };
            asked = Client::new(
                endpoint,
                rates,
                policy,
                Ledger::open(&folder.join("own")).unwrap(),
            );
        }
        assert_eq!(asked.ask(&request("?"), NEVER).unwrap(), Err(why));
    }
}

#[test]
fn cut_answers_are_dropped_kept_or_asked_for_again() {
    for (length, expected, requests) in [
        (Length::Drop, Err("cut_off"), 1),
        (Length::Keep, Ok("half"), 1),
        (Length::Double, Ok("whole"), 2),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (url, heard) = server(vec![says("half", "length"), says("whole", "stop")]);
        let answer = client(&url, length, folder.path())
            .ask(&request("?"), NEVER)
            .unwrap();
        assert_eq!(
            answer
                .as_ref()
                .map(|answer| answer.content.as_str())
                .map_err(|why| *why),
            expected
        );
        let heard = heard.lock().unwrap();
        assert_eq!(heard.len(), requests);
        if requests == 2 {
            assert_eq!(heard[1].1["max_tokens"], 100);
        }
    }
}

#[test]
fn what_cannot_be_read_is_asked_for_again_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (url, heard) = server(vec![
        says("seven", "stop"),
        says("7", "stop"),
        says("?", "stop"),
    ]);
    let asked = client(&url, Length::Double, folder.path());
    let read = |answer: &tracer_ask::Answer| {
        answer
            .content
            .parse::<u32>()
            .map_err(|error| format!("That is no number: {error}."))
    };
    let (_, number) = asked
        .ask_for(&request("how many"), read, NEVER)
        .unwrap()
        .unwrap();
    assert_eq!(number, 7);
    let turns = heard.lock().unwrap()[1].1["messages"].clone();
    assert_eq!(turns[1], json!({"role": "assistant", "content": "seven"}));
    assert!(
        turns[2]["content"]
            .as_str()
            .unwrap()
            .starts_with("That is no number")
    );
    let never = asked.ask_for(&request("again"), read, NEVER).unwrap();
    assert_eq!(never.unwrap_err(), "unparsable");
}

#[test]
fn an_endpoint_that_is_gone_or_closed_ends_the_asking_and_no_secret_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (url, _) = server(vec![Reply::Whole(500, "", String::new())]);
    let asked = client(&url, Length::Double, &folder.path().join("gone"));
    assert_eq!(asked.ask(&request("1"), NEVER).unwrap(), Err("no_response"));
    let gone = asked.ask(&request("2"), NEVER).unwrap_err();
    assert!(matches!(gone, AskError::Gone { failures: 2, .. }), "{gone}");
    let (url, _) = server(vec![Reply::Whole(401, "", "who are you".into())]);
    let asked = client(&url, Length::Double, &folder.path().join("closed"));
    let closed = asked.ask(&request("1"), NEVER).unwrap_err();
    assert!(closed.to_string().contains("401: who are you"), "{closed}");
    let told = format!("{gone} {gone:?} {closed} {closed:?} {asked:?}");
    assert!(!told.contains("secret"), "{told}");
    for entry in std::fs::read_dir(folder.path().join("closed")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
    }
    assert!(matches!(
        asked.ask(&request("1"), &|| true),
        Err(AskError::Stopped)
    ));
}

#[test]
fn a_job_goes_on_by_files_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (url, heard) = server(vec![says("live", "stop")]);
    let asked = client(&url, Length::Double, folder.path());
    asked.ask(&request("a"), NEVER).unwrap().unwrap();
    drop(asked);
    let ledger = Ledger::open(folder.path()).unwrap();
    let mut out = Vec::new();
    let requests = ["a", "b", "c", "b"].map(request);
    assert_eq!(export(requests, &ledger, &mut out).unwrap(), 2);
    let lines: Vec<Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["body"], request("b").payload());
    let Reply::Whole(_, _, body) = says("from a file", "stop") else {
        unreachable!()
    };
    let body: Value = serde_json::from_str(&body).unwrap();
    let answers = [
        json!({"custom_id": lines[0]["custom_id"], "response": {"status_code": 200, "body": body}, "error": null}),
        json!({"custom_id": lines[1]["custom_id"], "response": {"status_code": 500, "body": {}}, "error": null}),
        json!({"custom_id": request("a").key(), "response": {"status_code": 200, "body": body}}),
    ];
    let text = answers.map(|answer| answer.to_string()).join("\n") + "\nno json\n";
    let imported = import(&mut text.as_bytes(), &ledger).unwrap();
    assert_eq!((imported.new, imported.known, imported.failed), (1, 1, 2));
    drop(ledger);
    let asked = client(&url, Length::Double, folder.path());
    let answer = |text: &str| asked.ask(&request(text), NEVER).unwrap().unwrap().content;
    assert_eq!(
        [answer("a"), answer("b"), answer("c")],
        ["live", "from a file", "live"]
    );
    assert_eq!(heard.lock().unwrap().len(), 2);
}
