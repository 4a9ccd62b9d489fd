//! How a Swift file that only defines functions is driven: statements behind it. Types are not
//! driven: what initialises them is not always written.

use tracer_instrument::drive::{DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("../drive.scm"),
    shape: |declared| match declared.trim() {
        text if text.starts_with("inout") || text.contains("some ") || text.contains("any ") => {
            Shape::Named(text.to_owned())
        }
        text if text.contains("->") => Shape::Named(text.to_owned()),
        text => Shape::parse(text),
    },
    write: |value, declared| write(value, declared),
    snippet: |text| format!("let x = [{text}]"),
    literal_names: &["true", "false", "nil"],
    generic: Some("Int"),
    call: |function, class, _, row| {
        // `_` says that the argument has no name.
        let row: Vec<&str> = row
            .iter()
            .map(|text| text.strip_prefix("_: ").unwrap_or(text))
            .collect();
        class
            .is_none()
            .then(|| format!("{}({})", function.name, row.join(", ")))
    },
    construct: |_, _, _| None,
    step,
    frame,
    typed: true,
    names: ": ",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    ("readLine(", Reads::Line),
    ("CommandLine.arguments", Reads::Arguments(1)),
];

fn write(value: &Value, declared: &str) -> Option<String> {
    let each = |values: &[Value]| comma_list(values, |value| write(value, ""));
    Some(match value {
        Value::Null => "nil".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) if *number < 0 && declared.trim().starts_with("UInt") => {
            return None;
        }
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => format!("\"{letter}\""),
        Value::Text(text) => format!("{text:?}"),
        Value::List(values) | Value::Set(values) => format!("[{}]", each(values)?),
        Value::Tuple(values) => format!("({})", each(values)?),
        Value::Map(pairs) if pairs.is_empty() => "[:]".to_owned(),
        Value::Map(pairs) => {
            let part = |(key, value): &(Value, Value)| {
                Some(format!("{}: {}", write(key, "")?, write(value, "")?))
            };
            format!("[{}]", comma_list(pairs, part)?)
        }
        Value::Source(text) => text.clone(),
        Value::Function(_) => return None,
    })
}

fn step(step: &Step<'_>) -> String {
    let Step::Call {
        label,
        expression,
        result,
        marks,
    } = step
    else {
        return String::new();
    };
    let tries = if marks.iter().any(|mark| mark.contains("throws")) {
        "try? "
    } else {
        ""
    };
    let plain = [
        "Int",
        "Bool",
        "String",
        "Double",
        "Float",
        "Character",
        "[Int]",
        "[String]",
        "[Double]",
        "[[Int]]",
    ];
    if plain.contains(result) {
        format!("print({label:?}, \"=\", {tries}{expression})")
    } else {
        format!("_ = {tries}{expression}; print({label:?}, \"is done\")")
    }
}

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    text.push('\n');
    text.push_str("switch CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : \"0\" {\n");
    frame.write_runs(&mut text, |run| format!("case \"{run}\":"), "    ", "");
    text.push_str("default:\n    break\n}\n");
    Placed::behind(text)
}
