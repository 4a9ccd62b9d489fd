//! How a Rust file without `main` is driven: a `main` behind it, which prints what surely can be
//! printed of each call's result.

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list, split_list,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("drive.scm"),
    shape,
    write,
    snippet: |text| format!("fn x() {{ y(({text},)); }}"),
    literal_names: &[
        "true",
        "false",
        "None",
        "Some",
        "Ok",
        "Err",
        "vec",
        "String",
        "from",
        "to_string",
        "i32",
        "u32",
        "i64",
        "u64",
        "usize",
        "f64",
    ],
    generic: Some("i32"),
    call,
    construct,
    step,
    frame,
    typed: true,
    names: "=",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    (".read_line(", Reads::Line),
    ("stdin().lines(", Reads::Everything),
    ("stdin.lock(", Reads::Everything),
    ("read_to_string(", Reads::Everything),
    ("env::args(", Reads::Arguments(1)),
    ("args[", Reads::Arguments(1)),
    ("env::var(", Reads::Variable),
    ("File::open(", Reads::File),
];

/// The type behind references.
fn bare(declared: &str) -> &str {
    let mut text = declared.trim();
    loop {
        let before = text;
        text = text.trim_start_matches('&').trim_start();
        text = text.strip_prefix("mut ").unwrap_or(text).trim_start();
        if text.starts_with('\'') {
            text = text.split_once(' ').map_or(text, |(_, rest)| rest);
        }
        if text == before {
            return text;
        }
    }
}

fn shape(declared: &str) -> Shape {
    let text = bare(declared);
    if text.starts_with("impl ")
        || text.starts_with("dyn ")
        || text.starts_with("fn(")
        || text.starts_with("Box")
    {
        return Shape::Named(text.to_owned());
    }
    if text == "str" {
        return Shape::Text;
    }
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        if inner.contains(';') {
            return Shape::Named(text.to_owned());
        }
        return list(inner);
    }
    if let Some(inner) = text
        .strip_prefix("Vec<")
        .and_then(|text| text.strip_suffix('>'))
    {
        return list(inner);
    }
    if text.starts_with('(')
        || text.starts_with("Option<")
        || text.starts_with("HashMap<")
        || text.starts_with("HashSet<")
    {
        return Shape::parse(text);
    }
    match text {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
        | "usize" | "f32" | "f64" | "bool" | "char" | "String" => Shape::parse(text),
        other => Shape::Named(other.to_owned()),
    }
}

fn list(inner: &str) -> Shape {
    match shape(inner) {
        Shape::Named(_) => Shape::Named(inner.to_owned()),
        inner => Shape::List(Box::new(inner)),
    }
}

fn write(value: &Value, declared: &str) -> Option<String> {
    let text = declared.trim();
    let kind = bare(text);
    let borrowed = text.strip_suffix(kind).unwrap_or("");
    let mutable = borrowed.contains("mut");
    let sign = match (borrowed.is_empty(), mutable) {
        (true, _) => "",
        (false, true) => "&mut ",
        (false, false) => "&",
    };
    let inside = kind
        .find('<')
        .and_then(|at| kind[at + 1..].strip_suffix('>'))
        .unwrap_or("");
    let each = |values: &[Value], inner: &str| comma_list(values, |value| write(value, inner));
    let body = match value {
        Value::Null => "None".to_owned(),
        value if kind.starts_with("Option<") => format!("Some({})", write(value, inside)?),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) if *number < 0 && kind.starts_with('u') => return None,
        Value::Integer(number) => format!("{number}"),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => format!("'{letter}'"),
        Value::Text(_) if kind == "str" && mutable => return None,
        Value::Text(text) if kind == "str" => return Some(format!("{text:?}")),
        Value::Text(text) => format!("{text:?}.to_string()"),
        Value::List(values) => match kind
            .strip_prefix('[')
            .and_then(|kind| kind.strip_suffix(']'))
        {
            Some(inner) if values.is_empty() => {
                return Some(format!("{sign}[] as {sign}[{inner}]"));
            }
            Some(inner) => format!("[{}]", each(values, inner)?),
            None if values.is_empty() => format!("Vec::<{inside}>::new()"),
            None => format!("vec![{}]", each(values, inside)?),
        },
        Value::Set(values) => format!(
            "std::collections::HashSet::from([{}])",
            each(values, inside)?
        ),
        Value::Map(pairs) => {
            let parts = split_list(inside);
            let [key, item] = parts.as_slice() else {
                return None;
            };
            let part = |(name, value): &(Value, Value)| {
                Some(format!("({}, {})", write(name, key)?, write(value, item)?))
            };
            format!(
                "std::collections::HashMap::from([{}])",
                comma_list(pairs, part)?
            )
        }
        Value::Tuple(values) => {
            let kinds = split_list(kind.strip_prefix('(')?.strip_suffix(')')?);
            let each = values.iter().zip(&kinds);
            let parts = comma_list(each, |(value, kind)| write(value, kind))?;
            format!("({parts})")
        }
        Value::Source(text) => text.clone(),
        Value::Function(_) => return None,
    };
    Some(format!("{sign}{body}"))
}

fn call(
    function: &Definition,
    class: Option<&Class>,
    target: Option<&str>,
    row: &[String],
) -> Option<String> {
    let own = function.marks.iter().any(|mark| mark.contains("self"));
    if function
        .marks
        .iter()
        .any(|mark| mark.contains("unsafe") || mark.contains("async"))
    {
        return None;
    }
    // What takes the instance itself leaves nothing for the calls behind it.
    let takes = function.is("self") || function.is("mut self");
    let arguments = row.join(", ");
    match (class, target) {
        (None, _) => Some(format!("{}({arguments})", function.name)),
        (Some(_), Some(target)) if own && !takes => {
            Some(format!("{target}.{}({arguments})", function.name))
        }
        (Some(class), None) if !own && !function.constructor => {
            Some(format!("{}::{}({arguments})", path(class), function.name))
        }
        _ => None,
    }
}

/// A type with its type parameters filled in, where an expression stands.
fn path(class: &Class) -> String {
    let base = class.name.split('<').next().unwrap_or(&class.name);
    if class.generics.is_empty() || !class.name.contains('<') {
        return base.to_owned();
    }
    format!("{base}::<{}>", vec!["i32"; class.generics.len()].join(", "))
}

fn construct(class: &Class, constructor: Option<&Definition>, row: &[String]) -> Option<String> {
    let made = constructor?;
    if class.name.contains('\'') || class.is("local") {
        return None;
    }
    Some(format!(
        "{}::{}({})",
        path(class),
        made.name,
        row.join(", ")
    ))
}

/// Whether every value of a type can be printed, as far as its name tells.
fn printable(kind: &str) -> bool {
    let known = [
        "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
        "f32", "f64", "bool", "char", "String", "str", "Vec", "Option", "Result", "static", "mut",
    ];
    let words = kind
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty());
    !kind.is_empty()
        && words
            .into_iter()
            .all(|word| known.contains(&word) || word.parse::<usize>().is_ok())
}

fn step(step: &Step<'_>) -> String {
    match step {
        Step::Call {
            label,
            expression,
            result,
            ..
        } => {
            let shown = if printable(result) {
                format!("println!(\"{{}} = {{:?}}\", {label:?}, {expression})")
            } else {
                format!("{{ let _ = {expression}; println!(\"{{}} is done\", {label:?}) }}")
            };
            format!("driver_try({label:?}, std::panic::AssertUnwindSafe(|| {shown}));")
        }
        Step::Begin {
            label,
            variable,
            expression,
            ..
        } => format!(
            "driver_try({label:?}, std::panic::AssertUnwindSafe(|| {{ let mut {variable} = {expression};"
        ),
        Step::End => "}));".to_owned(),
        Step::Session(_) => String::new(),
    }
}

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    text.push('\n');
    text.push_str(
        "#[allow(dead_code)]\nfn driver_try(label: &str, call: impl FnOnce() + std::panic::UnwindSafe) {\n    \
         if std::panic::catch_unwind(call).is_err() {\n        println!(\"{label} panics\");\n    }\n}\n\n\
         #[allow(unused_mut)]\nfn main() {\n    let run = std::env::args().nth(1).unwrap_or_else(|| \"0\".to_string());\n",
    );
    frame.write_runs(
        &mut text,
        |run| format!("    if run == \"{run}\" {{"),
        "        ",
        "    }\n",
    );
    text.push_str("}\n");
    Placed::behind(text)
}
