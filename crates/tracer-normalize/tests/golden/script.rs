//! Reads a case: site table, records, and how the run ended.
//!
//! ```text
//! functions <module>:module f:function
//! sites                          id, kind, function, line, then key and value in turn
//! 1 step f0 l1 after 2,3
//! 2 branch f1 l4 arm 1=3 arm 0=4
//! records
//! stream 1 parent 0 origin 1 child 2
//! var 1 5 "text" none @Type:7 list@9(1 2) set@0("b" "a")
//! run
//! stdout "text"
//! signal SIGSEGV
//! ```

use tracer_model::{
    Budget, Detail, End, Environment, Function, FunctionKind, Kind, Limits, Outcome, Shape, Site,
    SiteTable, Span, Trace, TypeNames, Value,
};
use tracer_normalize::{Inputs, normalise};
use tracer_stream::encode::{Encoder, put_record};
use tracer_stream::{Layout, RawFrame, RawItems, RawText, RawValue, Record, decode};

pub(crate) struct Script {
    table: SiteTable,
    layout: Layout,
    encoder: Encoder,
    stream: u32,
    names: Vec<&'static str>,
    stdout: Option<&'static str>,
    end: End,
}

/// Texts live as long as the test.
fn keep(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// Words of a line; quoted texts and what is in round brackets stay together.
fn words(line: &str) -> Vec<&'static str> {
    let line = keep(line);
    let (mut words, mut start, mut depth, mut quoted) = (Vec::new(), None, 0, false);
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if character == ' ' && !quoted && depth == 0 {
            words.extend(start.take().map(|start| &line[start..at]));
        } else {
            start = start.or(Some(at));
        }
    }
    words.extend(start.map(|start| &line[start..]));
    words
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse()
        .unwrap_or_else(|_| panic!("`{word}` should be a number"))
}

fn list(word: &str) -> Vec<u32> {
    word.split(',').map(number).collect()
}

fn unquote(word: &str) -> &'static str {
    let inner = word.trim_matches('"');
    keep(&inner.replace("\\n", "\n"))
}

impl Script {
    pub(crate) fn parse(text: &str) -> Self {
        let table = table(text);
        let layout = Layout::new(
            table.sites.len() as u32,
            &Budget::default(),
            Detail::State,
            *b"0123456789abcdef",
        );
        let mut script = Self {
            encoder: Encoder::new(&layout),
            table,
            layout,
            stream: 0,
            names: Vec::new(),
            stdout: None,
            end: End::Exited { code: 0 },
        };
        let mut part = "";
        let mut begun = false;
        for line in text.lines() {
            match line.split(' ').next().unwrap_or("") {
                "" | "#" => {}
                word @ ("functions" | "sites" | "records" | "run") => part = word,
                _ if part == "run" => script.ending(&words(line)),
                "stream" if part == "records" => {
                    let words = words(line);
                    begun = true;
                    script.begin(&words);
                }
                _ if part == "records" => {
                    if !begun {
                        script.encoder.begin(0, None, 0, 0, 0);
                        begun = true;
                    }
                    script.line(&words(line));
                }
                _ => {}
            }
        }
        script
    }

    fn begin(&mut self, words: &[&'static str]) {
        self.stream = number(words[1]);
        let get = |key| {
            words
                .iter()
                .position(|word| *word == key)
                .map(|at| number(words[at + 1]))
        };
        self.names.clear();
        self.encoder.begin(
            self.stream,
            get("parent"),
            get("origin").unwrap_or(0),
            get("site").unwrap_or(0),
            get("child").unwrap_or(0),
        );
    }

    fn ending(&mut self, words: &[&'static str]) {
        match words[0] {
            "stdout" => self.stdout = Some(unquote(words[1])),
            "signal" => {
                self.end = End::Signaled {
                    signal: 11,
                    name: words[1].to_owned(),
                }
            }
            other => panic!("`{other}` is no part of a run"),
        }
    }

    fn name(&mut self, name: &'static str) -> u32 {
        if let Some(at) = self.names.iter().position(|known| *known == name) {
            return at as u32 + 1;
        }
        self.names.push(name);
        let id = self.names.len() as u32;
        self.encoder.record(
            self.stream,
            &Record::Intern {
                id,
                name: name.as_bytes(),
            },
        );
        id
    }

    fn line(&mut self, words: &[&'static str]) {
        if words[0] == "slot" {
            let last = (words.len() > 4).then(|| self.record(&words[4..]));
            let (site, count, sequence) = (number(words[1]), number(words[2]), number(words[3]));
            self.encoder.slot(site, count, sequence, last.as_ref());
            return;
        }
        let record = self.record(words);
        self.encoder.record(self.stream, &record);
    }

    fn record(&mut self, words: &[&'static str]) -> Record<'static> {
        let site = || number::<u32>(words[1]);
        let phases = |names: &[&str]| {
            names
                .iter()
                .position(|name| *name == words[2])
                .expect("a phase") as u8
        };
        match words[0] {
            "step" => Record::Step { site: site() },
            "var" => Record::Var {
                site: site(),
                values: self.values(&words[2..]),
            },
            "in" => Record::In {
                site: site(),
                args: self.values(&words[2..]),
            },
            "out" => Record::Out {
                site: site(),
                value: (words.get(2) == Some(&"=")).then(|| self.value(words[3])),
                unwinding: words.contains(&"unwinding"),
                suspended: words.contains(&"suspended"),
            },
            "branch" => Record::Branch {
                site: site(),
                arm: number(words[2]),
                operands: self.values(&words[3..]),
            },
            "loop" => Record::Loop {
                site: site(),
                phase: phases(&["entered", "iteration", "left"]),
                targets: self.values(&words[3..]),
            },
            "err" => {
                let frames = words.iter().skip(5).map(|word| {
                    let (function, line) = word.split_once(':').expect("name:line");
                    RawFrame {
                        function: self.name(function),
                        line: number(line),
                    }
                });
                let frames = frames.collect();
                Record::Err {
                    site: site(),
                    phase: phases(&[
                        "raised", "caught", "passing", "uncaught", "signal", "status",
                    ]),
                    type_name: text(unquote(words[3])),
                    message: self.value(words[4]),
                    line: 0,
                    frames,
                }
            }
            "stdout" => Record::Stdout {
                stream: number(words[1]),
                length: number(words[2]),
                text: words.get(3).map_or("", |word| unquote(word)).as_bytes(),
            },
            "task" => Record::Task {
                phase: ["created", "switched", "ended", "born"]
                    .iter()
                    .position(|name| *name == words[1])
                    .expect("a phase") as u8,
                what: self.name(words[2]),
                task: number(words[3]),
                site: number(words[4]),
            },
            "elide" => {
                let mut last = Vec::new();
                if words.len() > 3 {
                    put_record(&mut last, &self.record(&words[3..]));
                }
                Record::Elide {
                    site: site(),
                    count: number(words[2]),
                    last: last.leak(),
                }
            }
            "depth" => Record::Depth {
                depth: number(words[1]),
            },
            "limit" => Record::Limit {
                which: number(words[1]),
            },
            "resume" => Record::Resume {
                site: site(),
                value: None,
                thrown: false,
            },
            other => panic!("`{other}` is no record"),
        }
    }

    fn values(&mut self, words: &[&'static str]) -> Vec<RawValue<'static>> {
        words.iter().map(|word| self.value(word)).collect()
    }

    fn value(&mut self, word: &'static str) -> RawValue<'static> {
        if word == "none" {
            return RawValue::Null;
        }
        if word == "unbound" {
            return RawValue::Unbound;
        }
        if word.starts_with('"') {
            return RawValue::String(text(unquote(word)));
        }
        if let Some((type_name, heap)) = word.strip_prefix('@').and_then(|w| w.split_once(':')) {
            let type_id = self.name(type_name);
            return RawValue::Opaque {
                type_id,
                heap: number(heap),
                text: b"",
            };
        }
        if let Some((head, rest)) = word.split_once('(') {
            let (type_name, heap) = head.split_once('@').expect("type@heap");
            let type_id = self.name(type_name);
            let items = self.values(&words(rest.trim_end_matches(')')));
            let items = RawItems::whole(type_id, number(heap), items);
            return if type_name == "set" {
                RawValue::Set(items)
            } else {
                RawValue::Sequence(items)
            };
        }
        RawValue::Int(number(word))
    }

    pub(crate) fn run(self) -> Trace {
        let region = self.encoder.finish();
        let decoded = decode(&region, &self.layout);
        normalise(Inputs {
            table: self.table,
            dropped: Vec::new(),
            decoded: &decoded,
            type_names: &TypeNames::NEUTRAL,
            stdout: self.stdout.map(str::as_bytes),
            stderr: None,
            outcome: Outcome {
                end: self.end,
                limits_hit: Vec::new(),
            },
            limits: Limits::default(),
            budget: Budget::default(),
            detail: Detail::State,
            environment: Environment {
                language: "none".into(),
                toolchain: String::new(),
                tracer: String::new(),
                isolation: "none".into(),
                image: None,
                args: Vec::new(),
            },
            protections: Vec::new(),
            notes: Vec::new(),
        })
    }
}

fn text(text: &'static str) -> RawText<'static> {
    RawText {
        total: text.chars().count() as u64,
        shown: text.as_bytes(),
        digest: None,
    }
}

fn table(text: &str) -> SiteTable {
    let mut table = SiteTable::default();
    let mut in_sites = false;
    for line in text.lines() {
        let words = words(line);
        match words.first() {
            Some(&"functions") => {
                table.functions = words[1..].iter().map(|w| function(w)).collect();
            }
            Some(&"sites") => in_sites = true,
            Some(&"records") => return table,
            Some(_) if in_sites => table.sites.push(site(&words)),
            _ => {}
        }
    }
    table
}

fn function(word: &str) -> Function {
    let (name, kind) = word.split_once(':').expect("name:kind");
    let kind = match kind {
        "module" => FunctionKind::Module,
        "generator" => FunctionKind::Generator,
        "async" => FunctionKind::Async,
        _ => FunctionKind::Function,
    };
    Function {
        name: name.into(),
        qualified: name.into(),
        file: 0,
        span: Span::default(),
        kind,
    }
}

fn site(words: &[&str]) -> Site {
    let kind = match words[1] {
        "step" => Kind::Step,
        "in" => Kind::In,
        "out" => Kind::Out,
        "var" => Kind::Var,
        "branch" => Kind::Branch,
        "loop" => Kind::Loop,
        "err" => Kind::Err,
        other => panic!("`{other}` is no kind"),
    };
    let line = number(&words[3][1..]);
    let mut site = Site {
        id: number(words[0]),
        kind,
        file: 0,
        function: number(&words[2][1..]),
        span: Span {
            line,
            end_line: line,
            ..Span::default()
        },
        names: Vec::new(),
        text: String::new(),
        arms: Vec::new(),
        expression: false,
        inner: None,
        implied_value: None,
        chain: tracer_model::Chain::default(),
    };
    for pair in words[4..].chunks(2) {
        match pair[0] {
            "names" => site.names = pair[1].split(',').map(str::to_owned).collect(),
            "before" => site.chain.before = list(pair[1]),
            "after" => site.chain.after = list(pair[1]),
            "left" => site.chain.after_left = list(pair[1]),
            "arm" => {
                let (arm, sites) = pair[1].split_once('=').expect("arm=sites");
                site.chain.after_arm.push((number(arm), list(sites)));
            }
            "value" => site.implied_value = Some(Value::scalar("int", Shape::Int, pair[1])),
            other => panic!("`{other}` is no property of a site"),
        }
    }
    site
}
