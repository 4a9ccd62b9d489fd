//! A trace with one of everything.

use tracer_model::*;

pub(crate) fn int(value: i64) -> Value {
    Value::scalar("int", Shape::Int, value.to_string())
}

pub(crate) fn string(text: &str) -> Value {
    let length = Some(text.chars().count() as u64);
    Value {
        length,
        ..Value::scalar("str", Shape::String, text)
    }
}

fn container(type_name: &str, id: u32, length: u64, shape: Shape) -> Value {
    Value {
        id: Some(id),
        length: Some(length),
        ..Value::scalar(type_name, shape, "")
    }
}

/// Values of every shape.
pub(crate) fn values() -> Vec<Value> {
    let cut = Value {
        cut: Some("00000000deadbeef".into()),
        length: Some(900),
        ..string("aaaa")
    };
    let itself = Value {
        id: Some(3),
        ..Value::scalar("", Shape::Reference, "")
    };
    let pointer = Shape::Record {
        fields: vec![("*".into(), int(7))],
    };
    vec![
        Value::scalar("NoneType", Shape::Null, "None"),
        Value::scalar("bool", Shape::Bool, "True"),
        int(-5),
        Value::scalar("float", Shape::Float, "-0.0"),
        string("h\u{e9}llo\n\u{1b}[31m\"x\""),
        cut,
        Value {
            length: Some(2),
            ..Value::scalar("bytes", Shape::Bytes, "\\x00a")
        },
        Value::scalar("char", Shape::String, "c"),
        container(
            "list",
            1,
            40,
            Shape::Sequence {
                items: vec![int(1), int(2)],
            },
        ),
        container("tuple", 2, 0, Shape::Sequence { items: Vec::new() }),
        container(
            "list",
            3,
            1,
            Shape::Sequence {
                items: vec![itself],
            },
        ),
        container(
            "dict",
            4,
            1,
            Shape::Map {
                entries: vec![(string("k"), int(1))],
            },
        ),
        container(
            "set",
            5,
            1,
            Shape::Set {
                items: vec![int(9)],
            },
        ),
        container(
            "Point",
            6,
            2,
            Shape::Record {
                fields: vec![("x".into(), int(1)), ("y".into(), int(2))],
            },
        ),
        Value {
            id: Some(7),
            ..Value::scalar("int *", pointer, "")
        },
        Value::scalar("Color", Shape::Enum, "RED"),
        Value::scalar("function", Shape::Function, "outer.inner"),
        Value {
            id: Some(8),
            ..Value::scalar("Socket", Shape::Opaque, "")
        },
        Value::scalar("", Shape::Unbound, ""),
    ]
}

fn span(line: u32) -> Span {
    Span {
        start: 0,
        end: 4,
        line,
        column: 1,
        end_line: line,
    }
}

const SOURCE: &str = "def f(n):\n    if n < 2:\n        return n\n    return f(n - 1)\n\
    for i in range(99):\n    total += f(i)\nprint(total)\n";

fn site(id: u32, kind: Kind, function: u32, line: u32) -> Site {
    Site {
        id,
        kind,
        file: 0,
        function,
        span: span(line),
        names: Vec::new(),
        text: String::new(),
        arms: Vec::new(),
        expression: false,
        inner: None,
        implied_value: None,
        chain: Chain::default(),
    }
}

fn table() -> SiteTable {
    let file = |path: &str, text: &str| SourceFile {
        path: path.into(),
        language: "python".into(),
        text: text.into(),
    };
    let function = |name: &str, line, kind| Function {
        name: name.into(),
        qualified: name.into(),
        file: 0,
        span: span(line),
        kind,
    };
    let chain = Chain {
        before: vec![1],
        after: vec![2, 3],
        after_arm: vec![(1, vec![4])],
        after_left: vec![5],
    };
    SiteTable {
        files: vec![file("main.py", SOURCE), file("helper.py", "x = 1\n")],
        functions: vec![
            function("<module>", 1, FunctionKind::Module),
            function("f", 1, FunctionKind::Function),
        ],
        sites: vec![
            site(1, Kind::Step, 0, 5),
            Site {
                inner: Some((2, 4)),
                ..site(2, Kind::Loop, 0, 5)
            },
            site(3, Kind::Step, 0, 6),
            Site {
                names: vec!["n".into()],
                ..site(4, Kind::In, 1, 1)
            },
            site(5, Kind::Step, 1, 2),
            Site {
                text: "n < 2".into(),
                arms: vec!["false".into(), "true".into()],
                chain,
                ..site(6, Kind::Branch, 1, 2)
            },
            Site {
                implied_value: Some(int(3)),
                ..site(7, Kind::Out, 1, 3)
            },
            Site {
                names: vec!["total".into()],
                ..site(8, Kind::Var, 0, 6)
            },
            Site {
                expression: true,
                text: "f(i)".into(),
                ..site(9, Kind::Var, 0, 6)
            },
            site(10, Kind::Step, 0, 7),
            Site {
                file: 1,
                ..site(11, Kind::Step, 0, 1)
            },
        ],
    }
}

fn payloads() -> Vec<(u32, Payload)> {
    let named = |name: &str, value: Value| (name.to_owned(), value);
    let round = |phase, count, targets| Payload::Loop {
        phase,
        count,
        targets,
    };
    let error = |phase, frames| Payload::Err {
        phase,
        type_name: "ValueError".into(),
        message: Some(string("bad\u{7}")),
        frames,
    };
    let frames = vec![Frame {
        function: "f".into(),
        line: 3,
    }];
    let task = |phase| Payload::Task {
        phase,
        what: "thread".into(),
        task: 1,
    };
    let mut all = vec![
        (1, Payload::Step),
        (2, round(LoopPhase::Entered, 0, Vec::new())),
        (2, round(LoopPhase::Iteration, 1, vec![named("i", int(0))])),
        (3, Payload::Step),
        (
            4,
            Payload::In {
                args: vec![named("n", int(1))],
            },
        ),
        (5, Payload::Step),
        (
            6,
            Payload::Branch {
                operands: vec![named("n", int(1)), named("2", int(2))],
                arm: Arm {
                    index: 1,
                    name: "true".into(),
                },
            },
        ),
        (7, error(ErrPhase::Raised, Vec::new())),
        (7, error(ErrPhase::Caught, frames)),
        (
            7,
            Payload::Out {
                value: Some(int(1)),
                unwinding: false,
                suspended: false,
            },
        ),
    ];
    for value in values() {
        all.push((
            8,
            Payload::Var {
                name: "total".into(),
                value,
            },
        ));
    }
    all.extend([
        (
            9,
            Payload::Var {
                name: "f(i)".into(),
                value: int(1),
            },
        ),
        (
            2,
            Payload::Elide {
                from: 3,
                to: 99,
                count: 97,
                last: Some(Box::new(round(
                    LoopPhase::Iteration,
                    98,
                    vec![named("i", int(97))],
                ))),
            },
        ),
        (
            3,
            Payload::Elide {
                from: 2,
                to: 98,
                count: 97,
                last: None,
            },
        ),
        (2, round(LoopPhase::Left, 99, Vec::new())),
        (10, Payload::Step),
        (
            8,
            Payload::Transform {
                name: "xs".into(),
                before: int(1),
                after: int(2),
            },
        ),
        (
            10,
            Payload::Call {
                callee: "math.sqrt".into(),
                package: Some("python".into()),
                version: None,
                args: vec![int(4)],
                result: Some(int(2)),
                raised: Some(Raised {
                    type_name: "ValueError".into(),
                    message: Some(int(3)),
                }),
            },
        ),
        (
            10,
            Payload::Stdout {
                stream: 1,
                text: "4950\n\u{1b}[2J\n".into(),
                length: 10,
            },
        ),
        (10, task(TaskPhase::Created)),
        (11, Payload::Step),
        (
            10,
            Payload::Stdout {
                stream: 2,
                text: "warning\n".into(),
                length: 8,
            },
        ),
        (10, error(ErrPhase::Uncaught, Vec::new())),
        (
            4,
            Payload::Out {
                value: None,
                unwinding: true,
                suspended: false,
            },
        ),
        (0, task(TaskPhase::Switched)),
        (0, task(TaskPhase::Ended)),
    ]);
    all
}

fn kind(payload: &Payload) -> Kind {
    match payload {
        Payload::In { .. } => Kind::In,
        Payload::Out { .. } => Kind::Out,
        Payload::Var { .. } => Kind::Var,
        Payload::Branch { .. } => Kind::Branch,
        Payload::Loop { .. } => Kind::Loop,
        Payload::Err { .. } => Kind::Err,
        Payload::Transform { .. } => Kind::Transform,
        Payload::Call { .. } => Kind::Call,
        Payload::Step => Kind::Step,
        Payload::Stdout { .. } => Kind::Stdout,
        Payload::Task { .. } => Kind::Task,
        Payload::Elide { .. } => Kind::Elide,
    }
}

pub(crate) fn trace() -> Trace {
    let table = table();
    let mut events = Vec::new();
    for (site, payload) in payloads() {
        let (line, function) = table
            .site(site)
            .map_or((0, 0), |site| (site.span.line, site.function));
        let kind = kind(&payload);
        events.push(Event {
            kind,
            site,
            line,
            task: 0,
            depth: function,
            payload,
        });
    }
    Trace {
        schema_version: SCHEMA_VERSION.into(),
        environment: Environment {
            language: "python".into(),
            toolchain: "CPython 3.13.0".into(),
            image: Some(format!("sha256:{}", "0".repeat(64))),
            tracer: "0.1.0".into(),
            isolation: "native".into(),
            args: vec!["--fast".into()],
        },
        detail: Detail::Full,
        budget: Budget::default(),
        limits: Limits {
            stack: None,
            ..Limits::default()
        },
        table,
        events,
        outcome: Outcome {
            end: End::Signaled {
                signal: 11,
                name: "SIGSEGV".into(),
            },
            limits_hit: vec![Limit::Disk, Limit::FileSize],
        },
        coverage: Coverage {
            sites: 11,
            dropped: vec![Dropped {
                file: 1,
                line: 9,
                reason: "syntax_error".into(),
                detail: "x = = 1".into(),
            }],
            notes: vec!["a note".into()],
            trace_invalid: vec![TraceFault::Segment, TraceFault::Record],
        },
        protections: vec![Protection {
            name: "seccomp".into(),
            active: false,
            reason: Some("not built in".into()),
        }],
    }
}
