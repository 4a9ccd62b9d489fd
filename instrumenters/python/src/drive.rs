//! How a Python file that only defines is driven: text behind it, which shows each call's result.

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list,
    double_quoted,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("../drive.scm"),
    shape: Shape::parse,
    write: |value, _| write(value),
    snippet: |text| format!("({text},)"),
    literal_names: &["True", "False", "None"],
    generic: None,
    call,
    construct,
    step,
    frame,
    typed: false,
    names: "=",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    ("input(", Reads::Line),
    ("raw_input(", Reads::Line),
    ("sys.stdin.readline(", Reads::Line),
    ("stdin.readline(", Reads::Line),
    ("sys.stdin", Reads::Everything),
    ("sys.stdin.read(", Reads::Everything),
    ("fileinput.input(", Reads::Everything),
    ("sys.argv", Reads::Arguments(1)),
    ("argv", Reads::Arguments(1)),
    ("parser.add_argument(", Reads::Option),
    ("add_argument(", Reads::Option),
    ("os.environ", Reads::Variable),
    ("os.getenv(", Reads::Variable),
    ("open(", Reads::File),
];

fn write(value: &Value) -> Option<String> {
    let all = |values: &[Value]| comma_list(values, write);
    Some(match value {
        Value::Null => "None".to_owned(),
        Value::Boolean(true) => "True".to_owned(),
        Value::Boolean(false) => "False".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => format!("{:?}", letter.to_string()),
        Value::Text(text) => double_quoted(text),
        Value::List(values) => format!("[{}]", all(values)?),
        Value::Set(values) if values.is_empty() => "set()".to_owned(),
        Value::Set(values) => format!("{{{}}}", all(values)?),
        Value::Tuple(values) if values.len() == 1 => format!("({},)", all(values)?),
        Value::Tuple(values) => format!("({})", all(values)?),
        Value::Map(pairs) => {
            let part =
                |(key, value): &(Value, Value)| Some(format!("{}: {}", write(key)?, write(value)?));
            format!("{{{}}}", comma_list(pairs, part)?)
        }
        Value::Function(0) => "lambda: 1".to_owned(),
        Value::Function(1) => "lambda x: x".to_owned(),
        Value::Function(2) => "lambda x, y: x + y".to_owned(),
        Value::Function(_) => "lambda *values: values[0]".to_owned(),
        Value::Source(text) => text.clone(),
    })
}

/// Methods with two underscores are the language's to call; those of abstract classes have nothing
/// to do.
fn call(
    function: &Definition,
    class: Option<&Class>,
    target: Option<&str>,
    row: &[String],
) -> Option<String> {
    let name = &function.name;
    if name.starts_with("__") {
        return None;
    }
    let arguments = row.join(", ");
    let call = match (class, target) {
        (None, _) => format!("{name}({arguments})"),
        (Some(_), Some(target)) => format!("{target}.{name}({arguments})"),
        (Some(_), None) => return None,
    };
    Some(call)
}

fn construct(class: &Class, _: Option<&Definition>, row: &[String]) -> Option<String> {
    let unusual = [
        "Exception",
        "ValueError",
        "Protocol",
        "ABC",
        "Enum",
        "IntEnum",
        "NamedTuple",
        "abc.ABC",
        "TestCase",
        "unittest.TestCase",
    ];
    if class.is("nested")
        || class
            .marks
            .iter()
            .any(|mark| unusual.contains(&mark.as_str()))
    {
        return None;
    }
    Some(format!("{}({})", class.name, row.join(", ")))
}

fn step(step: &Step<'_>) -> String {
    match step {
        Step::Call {
            label,
            expression,
            marks,
            ..
        } => {
            let expression = if marks.iter().any(|mark| mark == "async") {
                format!("_driver_wait({expression})")
            } else {
                (*expression).to_owned()
            };
            format!(
                "_driver_show({}, lambda: {expression})",
                double_quoted(label)
            )
        }
        Step::Begin {
            label,
            variable,
            expression,
            ..
        } => {
            format!(
                "{variable} = _driver_show({}, lambda: {expression})",
                double_quoted(label)
            )
        }
        Step::End => String::new(),
        Step::Session(text) => session(text),
    }
}

/// Expressions are shown, statements run.
fn session(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(code) = line.strip_prefix(">>> ") {
            parts.push(code.to_owned());
        } else if let (Some(code), Some(last)) = (line.strip_prefix("... "), parts.last_mut()) {
            last.push('\n');
            last.push_str(code);
        }
    }
    let parts: Vec<String> = parts.iter().map(|part| double_quoted(part)).collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!("_driver_session([{}])", parts.join(", "))
    }
}

const HELPERS: &str = r#"
def _driver_text(value, depth=2):
    kind = type(value)
    if value is None or kind in (bool, int, float, complex, str, bytes, range):
        return repr(value)[:300]
    if depth and kind in (list, tuple, set, frozenset, dict):
        parts = list(value.items()) if kind is dict else list(value)
        texts = [_driver_text(part, depth - 1) for part in parts[:20]]
        if kind in (set, frozenset):
            texts.sort()
        return kind.__name__ + "(" + ", ".join(texts) + (", ..." if len(parts) > 20 else "") + ")"
    return "<" + kind.__name__ + ">"


def _driver_show(label, call):
    try:
        value = call()
        if type(value).__name__ == "generator":
            import itertools
            value = list(itertools.islice(value, 20))
    except Exception as error:
        print(label, "raises", type(error).__name__)
        return None
    print(label, "=", _driver_text(value))
    return value


def _driver_wait(task):
    import asyncio
    return asyncio.run(task)


def _driver_session(lines):
    names = dict(globals())
    for line in lines:
        try:
            try:
                code = compile(line, "<session>", "eval")
            except SyntaxError:
                exec(compile(line + "\n", "<session>", "exec"), names)
            else:
                print(line, "=", _driver_text(eval(code, names)))
        except Exception as error:
            print(line, "raises", type(error).__name__)


def _driver_main():
    import sys
    run = sys.argv[1] if len(sys.argv) > 1 else "0"
"#;

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    text.push('\n');
    text.push_str(HELPERS);
    frame.write_runs(
        &mut text,
        |run| format!("    if run == \"{run}\":"),
        "        ",
        "",
    );
    text.push_str("\n\n_driver_main()\n");
    Placed::behind(text)
}
