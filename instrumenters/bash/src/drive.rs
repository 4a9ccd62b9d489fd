//! How a Bash file that only defines functions is driven: calls behind it, each in a subshell so
//! that the rest runs whatever one does.

use tracer_instrument::drive::{DriveSpec, Frame, Placed, Reads, Shape, Step, Value};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("../drive.scm"),
    shape: Shape::parse,
    write: |value, _| write(value),
    snippet: |text| format!("x {text}"),
    literal_names: &[],
    generic: None,
    call: |function, _, _, row| {
        // Arguments are numbers: they stand by them, not by where the body reads them.
        let number = |index: usize| function.parameters[index].name.parse::<usize>().ok();
        let count = (0..function.parameters.len())
            .filter_map(number)
            .max()
            .unwrap_or(0);
        let argument = |wanted: usize| {
            let known = (0..function.parameters.len()).find(|index| number(*index) == Some(wanted));
            known
                .and_then(|index| row.get(index))
                .map_or("1", String::as_str)
        };
        let words: Vec<&str> = (1..=count).map(argument).collect();
        Some(
            format!("{} {}", function.name, words.join(" "))
                .trim_end()
                .to_owned(),
        )
    },
    construct: |_, _, _| None,
    step: |step| match step {
        Step::Call { expression, .. } => format!("driver_show {expression}"),
        _ => String::new(),
    },
    frame,
    typed: false,
    names: "=",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    ("read", Reads::Line),
    ("mapfile", Reads::Everything),
    ("readarray", Reads::Everything),
    ("$1", Reads::Arguments(1)),
    ("$2", Reads::Arguments(1)),
    ("$3", Reads::Arguments(1)),
    ("$4", Reads::Arguments(1)),
    ("$@", Reads::Arguments(1)),
    ("$#", Reads::Arguments(1)),
    ("getopts", Reads::Arguments(1)),
];

fn write(value: &Value) -> Option<String> {
    Some(match value {
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => format!("'{letter}'"),
        Value::Text(text) => format!("'{}'", text.replace('\'', "")),
        Value::List(values) => {
            let parts: Option<Vec<String>> = values.iter().map(write).collect();
            format!("'{}'", parts?.join(" ").replace('\'', ""))
        }
        Value::Source(text) => text.clone(),
        _ => return None,
    })
}

const HELPERS: &str = r#"
driver_show() {
  local status=0
  printf '%s\n' "$*"
  ("$@") || status=$?
  printf '%s\n' "status $status"
}

case "${1:-0}" in
"#;

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    text.push_str(HELPERS);
    frame.write_runs(&mut text, |run| format!("{run})"), "  ", "  ;;\n");
    text.push_str("esac\n");
    Placed::behind(text)
}
