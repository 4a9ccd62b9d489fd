//! How a C file without `main` is driven: a `main` behind it, which prints what it can of each
//! call's result.

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list,
    double_quoted,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("drive.scm"),
    shape,
    write,
    snippet: |text| format!("int x[] = {{{text}}};"),
    literal_names: &["NULL", "true", "false", "INT_MAX", "INT_MIN"],
    generic: None,
    call: |function, _, _, row| {
        let hidden = function
            .parameters
            .iter()
            .any(|parameter| parameter.annotation == "...");
        (!hidden && function.name != "main")
            .then(|| format!("{}({})", function.name, row.join(", ")))
    },
    construct: |class: &Class, _: Option<&Definition>, _| {
        (!class.is("local")).then(|| "{0}".to_owned())
    },
    step,
    frame,
    typed: true,
    names: "=",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    ("scanf(", Reads::Format),
    ("fscanf(stdin", Reads::Format),
    ("scanf_s(", Reads::Format),
    ("gets(", Reads::Line),
    ("fgets(", Reads::Line),
    ("getline(", Reads::Line),
    ("getchar(", Reads::Everything),
    ("getc(stdin", Reads::Everything),
    ("fgetc(stdin", Reads::Everything),
    ("argv", Reads::Arguments(1)),
    ("getenv(", Reads::Variable),
    ("fopen(", Reads::File),
];

const WHOLE: &[&str] = &[
    "int",
    "long",
    "short",
    "signed",
    "unsigned",
    "size_t",
    "ssize_t",
    "int8_t",
    "int16_t",
    "int32_t",
    "int64_t",
    "uint8_t",
    "uint16_t",
    "uint32_t",
    "uint64_t",
    "uint",
    "ulong",
    "uintmax_t",
    "intmax_t",
    "uint_fast64_t",
    "ptrdiff_t",
];

/// A declaration's base type and how many times it is pointed to.
fn parts(declared: &str) -> Option<(String, usize)> {
    if declared.contains("(*") || declared == "..." {
        return None;
    }
    let depth = declared.matches(['*', '[']).count();
    let head = declared.split('[').next().unwrap_or(declared);
    let head = head.replace('*', " * ");
    let mut words: Vec<&str> = head.split_whitespace().collect();
    words.retain(|word| {
        !matches!(
            *word,
            "const" | "register" | "static" | "restrict" | "volatile" | "inline"
        )
    });
    let stars = words.iter().position(|word| *word == "*");
    let base = match stars {
        Some(at) => words[..at].to_vec(),
        // What is left is a type and a name, if it is not a type alone.
        None if words.len() > 1
            && !known(words.last()?)
            && !(words.len() == 2 && words[0] == "struct") =>
        {
            words[..words.len() - 1].to_vec()
        }
        None => words,
    };
    (!base.is_empty()).then(|| (base.join(" "), depth))
}

fn known(word: &str) -> bool {
    WHOLE.contains(&word)
        || matches!(
            word,
            "char" | "float" | "double" | "bool" | "_Bool" | "void"
        )
}

fn shape(declared: &str) -> Shape {
    let Some((base, depth)) = parts(declared) else {
        return Shape::Named("?".to_owned());
    };
    let one = match base.as_str() {
        "char" | "unsigned char" | "signed char" => Shape::Character,
        "float" | "double" | "long double" => Shape::Float,
        "bool" | "_Bool" => Shape::Boolean,
        _ if base.split(' ').all(|word| WHOLE.contains(&word)) => Shape::Integer,
        "void" if depth == 0 => Shape::Nothing,
        _ => {
            return Shape::Named(format!(
                "{}{}",
                base.trim_start_matches("struct "),
                "*".repeat(depth)
            ));
        }
    };
    match (one, depth) {
        (one, 0) => one,
        (Shape::Character, 1) => Shape::Text,
        (Shape::Character, 2) => Shape::List(Box::new(Shape::Text)),
        (one, 1) => Shape::List(Box::new(one)),
        (one, 2) => Shape::List(Box::new(Shape::List(Box::new(one)))),
        _ => Shape::Named("?".to_owned()),
    }
}

fn write(value: &Value, declared: &str) -> Option<String> {
    let (base, depth) = parts(declared)?;
    Some(match value {
        Value::Boolean(truth) => u8::from(*truth).to_string(),
        Value::Integer(number) if *number < 0 && (base.starts_with('u') || base == "size_t") => {
            return None;
        }
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => format!("'{letter}'"),
        Value::Text(text) if declared.contains("const") => double_quoted(text),
        // Room for what is written behind it.
        Value::Text(text) => format!("(char[64]){{{}}}", double_quoted(text)),
        Value::List(values) => {
            let item = if depth == 2 {
                format!("{base} *")
            } else {
                base.clone()
            };
            let mut parts = comma_list(values, |value| write(value, &item))?;
            if parts.is_empty() {
                parts.push('0');
            }
            format!("({item}[32]){{{parts}}}")
        }
        Value::Source(text) if text == "{0}" && depth == 0 => format!("({base}){{0}}"),
        Value::Source(text) if text == "{0}" && depth == 1 => format!("&({base}){{0}}"),
        Value::Source(text) if text == "{0}" => return None,
        Value::Source(text) => text.clone(),
        _ => return None,
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
    let label = double_quoted(label);
    let pointer = marks.iter().any(|mark| mark.starts_with('*'));
    let shape = shape(result);
    match (pointer, shape) {
        (false, Shape::Integer | Shape::Boolean) => {
            format!("printf(\"%s = %lld\\n\", {label}, (long long)({expression}));")
        }
        (false, Shape::Float) => {
            format!("printf(\"%s = %g\\n\", {label}, (double)({expression}));")
        }
        (false, Shape::Character) => {
            format!("printf(\"%s = %d\\n\", {label}, (int)({expression}));")
        }
        (true, Shape::Character) => format!(
            "{{ const char *text = (const char *)({expression}); printf(\"%s = %.100s\\n\", {label}, text ? text : \"NULL\"); }}"
        ),
        (true, _) => format!(
            "printf(\"%s is %s\\n\", {label}, (const void *)({expression}) ? \"something\" : \"NULL\");"
        ),
        _ => format!("{{ printf(\"%s\\n\", {label}); {expression}; }}"),
    }
}

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    text.push('\n');
    text.push_str("#include <stdio.h>\n#include <stdlib.h>\n\nint main(int argc, char **argv) {\n");
    text.push_str(
        "    setvbuf(stdout, NULL, _IOLBF, 0);\n    switch (argc > 1 ? atoi(argv[1]) : 0) {\n",
    );
    frame.write_runs(
        &mut text,
        |run| format!("    case {run}:"),
        "        ",
        "        break;\n",
    );
    text.push_str("    }\n    return 0;\n}\n");
    Placed::behind(text)
}
