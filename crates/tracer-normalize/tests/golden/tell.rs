//! Events as text: `task.depth KIND site:line what it says`.

use std::fmt::Write as _;

use tracer_model::{Payload, Shape, Trace, Value};

pub(crate) fn tell(trace: &Trace) -> String {
    let mut out = String::new();
    for event in &trace.events {
        let (kind, payload) = (
            format!("{:?}", event.kind).to_uppercase(),
            payload(&event.payload),
        );
        let place = format!(
            "{}.{} {kind} {}:{}",
            event.task, event.depth, event.site, event.line
        );
        writeln!(out, "{}", format!("{place} {payload}").trim_end()).expect("written");
    }
    for note in &trace.coverage.notes {
        writeln!(out, "note: {note}").expect("written");
    }
    out
}

fn named(values: &[(String, Value)]) -> String {
    let values = values
        .iter()
        .map(|(name, shown)| format!("{name}={}", value(shown)));
    values.collect::<Vec<_>>().join(" ")
}

fn payload(payload: &Payload) -> String {
    match payload {
        Payload::In { args } => named(args),
        Payload::Out {
            value: shown,
            unwinding,
            suspended,
        } => format!(
            "{}{}{}",
            shown.as_ref().map(value).unwrap_or_default(),
            if *unwinding { " unwinding" } else { "" },
            if *suspended { " suspended" } else { "" },
        ),
        Payload::Var { name, value: shown } => format!("{name}={}", value(shown)),
        Payload::Branch { operands, arm } => {
            format!("{} {} {}", arm.index, arm.name, named(operands))
        }
        Payload::Loop {
            phase,
            count,
            targets,
        } => format!("{phase:?} {count} {}", named(targets)),
        Payload::Err {
            phase,
            type_name,
            message,
            frames,
        } => {
            let frames = frames
                .iter()
                .map(|frame| format!(" {}:{}", frame.function, frame.line));
            let message = message.as_ref().map(value).unwrap_or_default();
            format!(
                "{phase:?} {type_name} {message}{}",
                frames.collect::<String>()
            )
        }
        Payload::Transform {
            name,
            before,
            after,
        } => {
            format!("{name}: {} -> {}", value(before), value(after))
        }
        Payload::Call { callee, .. } => callee.clone(),
        Payload::Step => String::new(),
        Payload::Stdout {
            stream,
            text,
            length,
        } => format!("{stream} {length} {text:?}"),
        Payload::Task { phase, what, task } => format!("{phase:?} {what} {task}"),
        Payload::Elide {
            from,
            to,
            count,
            last,
        } => {
            let last = last.as_deref().map(self::payload).unwrap_or_default();
            format!("{from}..{to} ({count}) {last}")
        }
    }
}

fn value(shown: &Value) -> String {
    let id = shown.id.map(|id| format!("#{id}")).unwrap_or_default();
    let items = |items: &[Value]| items.iter().map(value).collect::<Vec<_>>().join(" ");
    match &shown.shape {
        Shape::Sequence { items: all } | Shape::Set { items: all } => {
            format!("{}{id}({})", shown.type_name, items(all))
        }
        Shape::String => format!("{:?}", shown.text),
        Shape::Opaque => format!("{}{id}", shown.type_name),
        Shape::Unbound => "unbound".to_owned(),
        _ => shown.text.clone(),
    }
}
