//! How a Go file that only defines is driven: a `main` behind it if it is of package `main`, else a
//! program beside it that imports it.

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("drive.scm"),
    shape,
    write,
    snippet: |text| format!("package p\nvar x = []any{{{text}}}\n"),
    literal_names: &[
        "true", "false", "nil", "int", "string", "float64", "byte", "rune",
    ],
    generic: Some("int"),
    call,
    construct: |class: &Class, _: Option<&Definition>, _| {
        (class.generics.is_empty() && !class.is("local")).then(|| format!("{}{{}}", class.name))
    },
    step,
    frame,
    typed: true,
    names: "=",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    ("fmt.Scan(", Reads::Word),
    ("fmt.Scanln(", Reads::Word),
    ("fmt.Scanf(", Reads::Format),
    ("fmt.Fscan(", Reads::Word),
    ("bufio.NewScanner(os.Stdin", Reads::Everything),
    ("bufio.NewReader(os.Stdin", Reads::Everything),
    ("io.ReadAll(os.Stdin", Reads::Everything),
    ("os.Args", Reads::Arguments(1)),
    ("flag.Int(", Reads::Option),
    ("flag.String(", Reads::Option),
    ("flag.Bool(", Reads::Option),
    ("os.Getenv(", Reads::Variable),
    ("os.Open(", Reads::File),
    ("os.ReadFile(", Reads::File),
];

fn shape(declared: &str) -> Shape {
    let text = declared.trim();
    if let Some(inner) = text.strip_prefix("...").or_else(|| text.strip_prefix("[]")) {
        return match shape(inner) {
            Shape::Named(_) => Shape::Named(text.to_owned()),
            inner => Shape::List(Box::new(inner)),
        };
    }
    if let Some(rest) = text.strip_prefix("map[") {
        let Some((key, value)) = rest.split_once(']') else {
            return Shape::Named(text.to_owned());
        };
        return Shape::Map(Box::new(shape(key)), Box::new(shape(value)));
    }
    if let Some(rest) = text.strip_prefix("func(") {
        let inside = rest.split(')').next().unwrap_or("");
        return Shape::Function(tracer_instrument::drive::split_list(inside).len());
    }
    match text {
        "byte" | "rune" => Shape::Character,
        "any" | "interface{}" => Shape::Integer,
        "error" => Shape::Nothing,
        "string" | "bool" | "int" | "int8" | "int16" | "int32" | "int64" | "uint" | "uint8"
        | "uint16" | "uint32" | "uint64" | "float32" | "float64" => Shape::parse(text),
        other => Shape::Named(other.to_owned()),
    }
}

fn write(value: &Value, declared: &str) -> Option<String> {
    let declared = declared.trim();
    let kind = declared
        .strip_prefix("...")
        .map_or(declared.to_owned(), |inner| format!("[]{inner}"));
    let kind = kind.as_str();
    Some(match value {
        Value::Null => "nil".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) if *number < 0 && kind.starts_with("uint") => return None,
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => format!("'{letter}'"),
        Value::Text(text) => format!("{text:?}"),
        Value::List(values) => {
            let inner = kind.strip_prefix("[]")?;
            format!(
                "{kind}{{{}}}",
                comma_list(values, |value| write(value, inner))?
            )
        }
        Value::Map(pairs) => {
            let (key, inner) = kind.strip_prefix("map[")?.split_once(']')?;
            let part = |(name, value): &(Value, Value)| {
                Some(format!("{}: {}", write(name, key)?, write(value, inner)?))
            };
            format!("{kind}{{{}}}", comma_list(pairs, part)?)
        }
        Value::Function(_) => function(kind)?,
        Value::Source(text) if text.ends_with("{}") && kind.starts_with('*') => format!("&{text}"),
        Value::Source(text) => text.clone(),
        Value::Set(_) | Value::Tuple(_) => return None,
    })
}

/// A function that gives its first argument, or compares, as its type has it.
fn function(kind: &str) -> Option<String> {
    let (inside, result) = kind.strip_prefix("func(")?.split_once(')')?;
    let result = result.trim();
    let kinds: Vec<&str> = tracer_instrument::drive::split_list(inside)
        .into_iter()
        .map(|part| part.rsplit(' ').next().unwrap_or(part))
        .collect();
    let names: Vec<String> = kinds
        .iter()
        .enumerate()
        .map(|(at, kind)| format!("v{at} {kind}"))
        .collect();
    let body = match (kinds.as_slice(), result) {
        (_, "") => String::new(),
        ([first, ..], result) if *first == result => "return v0".to_owned(),
        ([first, second], "bool")
            if first == second && matches!(*first, "int" | "float64" | "string") =>
        {
            "return v0 < v1".to_owned()
        }
        (["int"], "bool") => "return v0%2 == 0".to_owned(),
        (_, "bool") => "return true".to_owned(),
        _ => return None,
    };
    Some(format!("func({}) {result} {{ {body} }}", names.join(", ")))
}

/// Methods are reached through functions: a receiver's fields are not known here.
fn call(
    function: &Definition,
    _: Option<&Class>,
    _: Option<&str>,
    row: &[String],
) -> Option<String> {
    let receiver = function.marks.iter().any(|mark| mark.starts_with('('));
    // From another package, only capital names are seen.
    let seen = function.is("package main") || function.name.starts_with(char::is_uppercase);
    if receiver || !seen || matches!(function.name.as_str(), "init" | "_") {
        return None;
    }
    Some(format!("{}({})", function.name, row.join(", ")))
}

fn step(step: &Step<'_>) -> String {
    let Step::Call {
        label,
        expression,
        result,
        ..
    } = step
    else {
        return String::new();
    };
    let label = format!("{label:?}");
    let several = result.starts_with('(');
    let count = tracer_instrument::drive::split_list(result.trim_matches(['(', ')'])).len();
    if result.is_empty() {
        format!("driverShow({label}, func() []any {{ {expression}; return nil }})")
    } else if several && count > 1 {
        let names: Vec<String> = (0..count).map(|at| format!("r{at}")).collect();
        let names = names.join(", ");
        format!(
            "driverShow({label}, func() []any {{ {names} := {expression}; return []any{{{names}}} }})"
        )
    } else {
        format!("driverShow({label}, func() []any {{ return []any{{{expression}}} }})")
    }
}

const HELPERS: &str = r#"
// Shows what a call gives; addresses are not shown.
func driverShow(label string, call func() []any) {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Println(label, "panics:", failure)
		}
	}()
	results := call()
	for _, result := range results {
		switch result.(type) {
		case nil, bool, string, error, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64,
			[]int, []string, []float64, []bool, []byte, []rune, [][]int, [][]string, map[string]int, map[int]int, map[string]string:
			fmt.Println(label, "=", result)
		default:
			fmt.Println(label, "is done")
		}
	}
	if len(results) == 0 {
		fmt.Println(label, "is done")
	}
}
"#;

fn frame(frame: &Frame<'_>) -> Placed {
    let own = frame.package == "main";
    let module = if own {
        String::new()
    } else {
        format!("example/{}", frame.package)
    };
    let mut body = String::new();
    body.push_str(HELPERS);
    body.push_str("\nfunc main() {\n\trun := \"0\"\n");
    body.push_str("\tif len(os.Args) > 1 {\n\t\trun = os.Args[1]\n\t}\n\tswitch run {\n");
    frame.write_runs(&mut body, |run| format!("\tcase \"{run}\":"), "\t\t", "");
    body.push_str("\t}\n}\n");
    // Imports stand at a file's head, so that a driver is a file of its own.
    if own {
        let text = format!("package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n{body}");
        return Placed {
            beside: vec![
                ("driver.go".to_owned(), text),
                (
                    "go.mod".to_owned(),
                    "module example\n\ngo 1.21\n".to_owned(),
                ),
            ],
            ..Placed::default()
        };
    }
    let text =
        format!("package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\n\t. \"{module}\"\n)\n{body}");
    Placed {
        moved: Some(format!("{}/{}", frame.package, frame.name)),
        beside: vec![
            ("driver.go".to_owned(), text),
            (
                "go.mod".to_owned(),
                "module example\n\ngo 1.21\n".to_owned(),
            ),
        ],
        ..Placed::default()
    }
}
