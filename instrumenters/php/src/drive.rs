//! How a PHP file that only defines is driven: text behind it, which shows each call's result.

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("../drive.scm"),
    shape: Shape::parse,
    write: |value, _| write(value),
    snippet: |text| format!("<?php $x = [{text}];"),
    literal_names: &["true", "false", "null", "TRUE", "FALSE", "NULL", "array"],
    generic: None,
    call,
    construct,
    step,
    frame,
    typed: false,
    names: ": ",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    ("fgets(STDIN", Reads::Line),
    ("readline(", Reads::Line),
    ("fscanf(STDIN", Reads::Format),
    ("stream_get_contents(STDIN", Reads::Everything),
    ("file_get_contents('php://stdin'", Reads::Everything),
    ("file_get_contents(\"php://stdin\"", Reads::Everything),
    ("fopen('php://stdin'", Reads::Everything),
    ("$argv", Reads::Arguments(1)),
    ("getenv(", Reads::Variable),
    ("file_get_contents(", Reads::File),
    ("fopen(", Reads::File),
];

fn write(value: &Value) -> Option<String> {
    let all = |values: &[Value]| comma_list(values, write);
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => quoted(&letter.to_string()),
        Value::Text(text) => quoted(text),
        Value::List(values) | Value::Tuple(values) | Value::Set(values) => {
            format!("[{}]", all(values)?)
        }
        Value::Map(pairs) => {
            let part = |(key, value): &(Value, Value)| {
                Some(format!("{} => {}", write(key)?, write(value)?))
            };
            format!("[{}]", comma_list(pairs, part)?)
        }
        Value::Function(0) => "fn () => 1".to_owned(),
        Value::Function(1) => "fn ($x) => $x".to_owned(),
        Value::Function(2) => "fn ($x, $y) => $x <=> $y".to_owned(),
        Value::Function(_) => "fn (...$values) => $values[0]".to_owned(),
        Value::Source(text) => text.clone(),
    })
}

fn quoted(text: &str) -> String {
    format!(
        "'{}'",
        text.replace('\\', "\\\\")
            .replace('\'', "\\'")
            .replace('\n', " ")
    )
}

/// Private methods, and those that the language calls itself, are left out.
fn call(
    function: &Definition,
    class: Option<&Class>,
    target: Option<&str>,
    row: &[String],
) -> Option<String> {
    let name = &function.name;
    if name.starts_with("__")
        || function.is("private")
        || function.is("protected")
        || function.is("abstract")
    {
        return None;
    }
    let arguments = row.join(", ");
    match (class, target, function.is("static")) {
        (None, ..) => Some(format!("{name}({arguments})")),
        (Some(class), None, true) if !class.is("interface") => {
            Some(format!("{}::{name}({arguments})", class.name))
        }
        (Some(_), Some(target), false) => Some(format!("${target}->{name}({arguments})")),
        _ => None,
    }
}

fn construct(class: &Class, constructor: Option<&Definition>, row: &[String]) -> Option<String> {
    let hidden = ["abstract", "interface", "trait", "local", "nested"]
        .iter()
        .any(|mark| class.is(mark));
    if hidden || constructor.is_some_and(|made| made.is("private") || made.is("protected")) {
        return None;
    }
    Some(format!("new {}({})", class.name, row.join(", ")))
}

fn step(step: &Step<'_>) -> String {
    match step {
        Step::Call {
            label, expression, ..
        } => {
            format!(
                "driver_show({}, function () use (&$it) {{ return {}; }});",
                quoted(label),
                kept(expression)
            )
        }
        Step::Begin {
            label,
            variable,
            expression,
            ..
        } => {
            format!(
                "$it['{variable}'] = driver_show({}, function () use (&$it) {{ return {expression}; }});",
                quoted(label)
            )
        }
        Step::End | Step::Session(_) => String::new(),
    }
}

/// A method's call on the instance where it is kept.
fn kept(expression: &str) -> String {
    match expression
        .strip_prefix("$it")
        .and_then(|rest| rest.split_once("->"))
    {
        Some((number, rest)) if number.chars().all(|c| c.is_ascii_digit()) => {
            format!("$it['it{number}']->{rest}")
        }
        _ => expression.to_owned(),
    }
}

const HELPERS: &str = r#"
function driver_text($value, $depth = 3)
{
    if (is_array($value)) {
        if ($depth === 0) {
            return '[..]';
        }
        $parts = [];
        foreach (array_slice($value, 0, 20, true) as $key => $part) {
            $parts[] = (is_int($key) ? '' : $key . ' => ') . driver_text($part, $depth - 1);
        }
        return '[' . implode(', ', $parts) . ']';
    }
    if (is_object($value)) {
        return 'a ' . get_class($value);
    }
    return is_resource($value) ? 'a resource' : var_export($value, true);
}

function driver_show($label, $call)
{
    try {
        $value = $call();
        echo $label, ' = ', driver_text($value), "\n";
        return $value;
    } catch (\Throwable $error) {
        echo $label, ' throws ', get_class($error), "\n";
    }
}

$it = [];
switch ($argv[1] ?? '0') {
"#;

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    // A file may end outside of PHP.
    let outside = frame
        .source
        .rfind("?>")
        .is_some_and(|end| frame.source.rfind("<?").is_none_or(|open| open < end));
    if outside {
        text.push_str("<?php");
    }
    text.push_str(HELPERS);
    frame.write_runs(
        &mut text,
        |run| format!("    case '{run}':"),
        "        ",
        "        break;\n",
    );
    text.push_str("}\n");
    Placed::behind(text)
}
