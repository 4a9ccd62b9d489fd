//! How a JavaScript file that only defines is driven: text behind it, which shows each call's
//! result. TypeScript writes its values the same way.

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("../drive.scm"),
    shape: Shape::parse,
    write: |value, _| write(value),
    snippet: |text| format!("([{text}])"),
    literal_names: &["true", "false", "null", "undefined", "NaN", "Infinity"],
    generic: None,
    call,
    construct,
    step,
    frame,
    typed: false,
    names: "=",
    reads: READS,
};

/// How programs for Node.js read input.
pub const READS: &[(&str, Reads)] = &[
    ("process.argv", Reads::Arguments(2)),
    ("readline(", Reads::Line),
    ("prompt(", Reads::Line),
    ("rl.question(", Reads::Line),
    ("process.stdin", Reads::Everything),
    ("readFileSync(0", Reads::Everything),
    ("readFileSync('/dev/stdin'", Reads::Everything),
    ("readFileSync(\"/dev/stdin\"", Reads::Everything),
    ("readFileSync(", Reads::File),
    ("createInterface(", Reads::Everything),
];

/// A value as JavaScript writes it.
pub fn write(value: &Value) -> Option<String> {
    let all = |values: &[Value]| comma_list(values, write);
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => quoted(&letter.to_string()),
        Value::Text(text) => quoted(text),
        Value::List(values) | Value::Tuple(values) => format!("[{}]", all(values)?),
        Value::Set(values) => format!("new Set([{}])", all(values)?),
        Value::Map(pairs) => {
            let part = |(key, value): &(Value, Value)| {
                let key = write(key)?;
                let key = if key.starts_with('\'') {
                    key
                } else {
                    format!("[{key}]")
                };
                Some(format!("{key}: {}", write(value)?))
            };
            format!("{{ {} }}", comma_list(pairs, part)?)
        }
        Value::Function(0) => "() => 1".to_owned(),
        Value::Function(1) => "(x) => x".to_owned(),
        Value::Function(2) => "(x, y) => (x < y ? -1 : x > y ? 1 : 0)".to_owned(),
        Value::Function(_) => "(...values) => values[0]".to_owned(),
        Value::Source(text) => text.clone(),
    })
}

/// A text in single quotes.
pub fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace('\n', "\\n");
    format!("'{escaped}'")
}

/// A call of a function or method; private methods and accessors are left out.
pub fn call(
    function: &Definition,
    class: Option<&Class>,
    target: Option<&str>,
    row: &[String],
) -> Option<String> {
    let name = &function.name;
    let arguments = row.join(", ");
    let accessor = function.is("get") || function.is("set");
    if name.starts_with('#') || accessor || function.is("private") || function.is("protected") {
        return None;
    }
    match (class, target, function.is("static")) {
        (None, ..) => Some(format!("{name}({arguments})")),
        (Some(class), None, true) => Some(format!("{}.{name}({arguments})", class.name)),
        (Some(_), Some(target), false) => Some(format!("{target}.{name}({arguments})")),
        _ => None,
    }
}

/// `new C(…)`.
pub fn construct(
    class: &Class,
    constructor: Option<&Definition>,
    row: &[String],
) -> Option<String> {
    let hidden = constructor.is_some_and(|made| made.is("private") || made.is("protected"));
    if class.is("nested") || class.is("abstract") || class.name.is_empty() || hidden {
        return None;
    }
    Some(format!("new {}({})", class.name, row.join(", ")))
}

/// A step's statement.
pub fn step(step: &Step<'_>) -> String {
    match step {
        Step::Call {
            label, expression, ..
        } => format!("driverShow({}, () => {expression})", quoted(label)),
        Step::Begin {
            label,
            variable,
            expression,
            ..
        } => {
            format!(
                "const {variable} = driverShow({}, () => {expression})",
                quoted(label)
            )
        }
        Step::End | Step::Session(_) => String::new(),
    }
}

const HELPERS: &str = r"
function driverText (value, depth) {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 300))
  if (typeof value === 'function') return '[function]'
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (depth === 0) return '…'
  const some = (parts) => parts.slice(0, 20).join(', ')
  if (Array.isArray(value)) return '[' + some(value.map((part) => driverText(part, depth - 1))) + ']'
  if (value instanceof Map || value instanceof Set) return '[' + some([...value].map((part) => driverText(part, depth - 1))) + ']'
  return '{' + some(Object.keys(value).map((name) => name + ': ' + driverText(value[name], depth - 1))) + '}'
}

function driverShow (label, call) {
  try {
    const value = call()
    if (value && typeof value.then === 'function') {
      value.then((value) => console.log(label, '=>', driverText(value, 3)), () => console.log(label, 'rejects'))
    } else {
      console.log(label, '=', driverText(value, 3))
    }
    return value
  } catch (error) {
    console.log(label, 'throws', error instanceof Error ? error.name : String(error))
  }
}
";

/// The driver: a choice between the runs, behind the file.
pub fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    text.push_str(HELPERS);
    text.push_str("\nswitch (process.argv[2] || '0') {\n");
    frame.write_runs(
        &mut text,
        |run| format!("  case '{run}': {{"),
        "    ",
        "    break\n  }\n",
    );
    text.push_str("}\n");
    // Node.js takes a file by itself for a script, unless its name says that it is a module.
    let module = frame
        .source
        .lines()
        .any(|line| line.starts_with("export ") || line.starts_with("import "));
    let moved = frame
        .name
        .strip_suffix(".js")
        .filter(|_| module)
        .map(|stem| format!("{stem}.mjs"));
    Placed {
        appended: text,
        moved,
        ..Placed::default()
    }
}
