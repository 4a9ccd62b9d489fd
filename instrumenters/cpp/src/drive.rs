//! How a C++ file without `main` is driven: a `main` behind it, which prints what can be printed of
//! each call's result.

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list, split_list,
    type_arguments,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("drive.scm"),
    shape,
    write,
    snippet: |text| format!("auto x = {{{text}}};"),
    literal_names: &["NULL", "true", "false", "nullptr"],
    generic: Some("int"),
    call,
    construct,
    step,
    frame,
    typed: true,
    names: "=",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    ("cin>>", Reads::Word),
    ("std::cin>>", Reads::Word),
    ("getline(cin", Reads::Line),
    ("getline(std::cin", Reads::Line),
    ("cin.get(", Reads::Everything),
    ("scanf(", Reads::Format),
    ("getchar(", Reads::Everything),
    ("argv", Reads::Arguments(1)),
    ("getenv(", Reads::Variable),
    ("fopen(", Reads::File),
];

const WHOLE: &[&str] = &[
    "int", "long", "short", "signed", "unsigned", "size_t", "int8_t", "int16_t", "int32_t",
    "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t", "ll", "ull",
];

/// A declaration without its name: the type, its pointers, and whether it wants a variable.
struct Declared {
    base: String,
    depth: usize,
    variable: bool,
}

fn parts(declared: &str) -> Option<Declared> {
    if declared.contains("(*") || declared.contains("(&") || declared.contains("...") {
        return None;
    }
    let text = declared.split('=').next().unwrap_or(declared).trim();
    let constant = text.contains("const ");
    let text = text
        .replace("const ", "")
        .replace("std::", "")
        .replace("typename ", "")
        .replace("struct ", "");
    // The name stands behind the last bracket or space outside of brackets.
    let mut depth = 0_i32;
    let mut end = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '<' | '(' => depth += 1,
            '>' | ')' => {
                depth -= 1;
                end = at + 1;
            }
            _ if depth > 0 => {}
            '*' | '&' | '[' => {
                if end == 0 {
                    end = at;
                }
                break;
            }
            _ => {}
        }
    }
    let (base, rest) = if end > 0 {
        text.split_at(end)
    } else {
        (text.as_str(), "")
    };
    let base = if end > 0 {
        let words: Vec<&str> = base.split_whitespace().collect();
        // `int values[]`: the name stands before the bracket.
        let keep = if rest.starts_with('[') && words.len() > 1 {
            words.len() - 1
        } else {
            words.len()
        };
        words[..keep].join(" ")
    } else {
        let words: Vec<&str> = base.split_whitespace().collect();
        let keep = if words.len() > 1 && !WHOLE.contains(words.last()?) {
            words.len() - 1
        } else {
            words.len()
        };
        words[..keep].join(" ")
    };
    let depth = rest.matches(['*', '[']).count();
    Some(Declared {
        base,
        depth,
        variable: rest.contains('&') && !rest.contains("&&") && !constant,
    })
}

fn shape(declared: &str) -> Shape {
    let Some(Declared { base, depth, .. }) = parts(declared) else {
        return Shape::Named("?".to_owned());
    };
    let one = of_base(&base);
    match (one, depth) {
        (one, 0) => one,
        (Shape::Character, 1) => Shape::Text,
        (one @ (Shape::Integer | Shape::Float | Shape::Boolean | Shape::Text), 1) => {
            Shape::List(Box::new(one))
        }
        (Shape::Named(name), depth) => Shape::Named(format!("{name}{}", "*".repeat(depth))),
        _ => Shape::Named("?".to_owned()),
    }
}

fn of_base(base: &str) -> Shape {
    if base.split(' ').all(|word| WHOLE.contains(&word)) {
        return Shape::Integer;
    }
    match base {
        "char" | "unsigned char" => Shape::Character,
        "float" | "double" | "long double" => Shape::Float,
        "bool" => Shape::Boolean,
        "string" | "string_view" => Shape::Text,
        "void" => Shape::Nothing,
        _ => match base.split_once('<') {
            Some((name @ ("vector" | "list" | "deque" | "set" | "unordered_set"), rest)) => {
                let inner = split_list(rest.trim_end().strip_suffix('>').unwrap_or(rest));
                let inner = Box::new(of_base(inner.first().copied().unwrap_or("").trim()));
                match *inner {
                    Shape::Named(_) => Shape::Named(base.to_owned()),
                    _ if name.ends_with("set") => Shape::Set(inner),
                    _ => Shape::List(inner),
                }
            }
            Some(("map" | "unordered_map", rest)) => {
                let inner = split_list(rest.trim_end().strip_suffix('>').unwrap_or(rest));
                match inner.as_slice() {
                    [key, value] => Shape::Map(Box::new(of_base(key)), Box::new(of_base(value))),
                    _ => Shape::Named(base.to_owned()),
                }
            }
            Some(("pair", rest)) => {
                let inner = split_list(rest.trim_end().strip_suffix('>').unwrap_or(rest));
                Shape::Tuple(inner.into_iter().map(of_base).collect())
            }
            _ => Shape::Named(base.to_owned()),
        },
    }
}

/// A type with the names that stand in `std`.
fn full(base: &str) -> String {
    let mut text = String::new();
    let mut word = String::new();
    for letter in base.chars().chain([' ']) {
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        let library = [
            "vector",
            "string",
            "list",
            "deque",
            "set",
            "unordered_set",
            "map",
            "unordered_map",
            "pair",
            "string_view",
        ];
        if library.contains(&word.as_str()) {
            text.push_str("std::");
        }
        text.push_str(&word);
        word.clear();
        text.push(letter);
    }
    text.trim_end().to_owned()
}

fn write(value: &Value, declared: &str) -> Option<String> {
    let Declared {
        base,
        depth,
        variable,
    } = parts(declared)?;
    let kind = full(&base);
    let text = match value {
        Value::Source(text) if text == "{}" && depth == 1 => {
            return Some(format!("&driverKeep({kind}{{}})"));
        }
        Value::Source(text) if text.starts_with("new ") && depth == 0 => format!("*({text})"),
        Value::Source(text) => return Some(text.clone()),
        Value::Text(_) if depth == 1 && matches!(base.as_str(), "char" | "unsigned char") => {
            return Some(format!("driverText({})", plain(value, "")?));
        }
        Value::List(values) if depth == 1 => {
            let parts = comma_list(values, |value| plain(value, &base))?;
            return Some(format!(
                "driverKeep(std::array<{kind}, 32>{{{parts}}}).data()"
            ));
        }
        value => plain(value, &base)?,
    };
    let text = match value {
        Value::List(_) | Value::Set(_) | Value::Map(_) | Value::Tuple(_) => format!("{kind}{text}"),
        Value::Text(_) if base == "string" => format!("std::string({text})"),
        _ => text,
    };
    Some(if variable {
        format!("driverKeep<{kind}>({text})")
    } else {
        text
    })
}

fn plain(value: &Value, base: &str) -> Option<String> {
    let inner = base.split_once('<').map_or("", |(_, rest)| {
        rest.trim_end().strip_suffix('>').unwrap_or(rest)
    });
    let kinds = split_list(inner);
    let of = |at: usize| kinds.get(at).copied().unwrap_or("").trim();
    let all = |values: &[Value]| comma_list(values, |value| plain(value, of(0)));
    Some(match value {
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) if *number < 0 && (base.starts_with('u') || base == "size_t") => {
            return None;
        }
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => format!("'{letter}'"),
        Value::Text(text) => format!("{text:?}"),
        Value::List(values) | Value::Set(values) => format!("{{{}}}", all(values)?),
        Value::Tuple(values) => {
            let each = values.iter().enumerate();
            let parts = comma_list(each, |(at, value)| plain(value, of(at)))?;
            format!("{{{parts}}}")
        }
        Value::Map(pairs) => {
            let part = |(key, value): &(Value, Value)| {
                Some(format!(
                    "{{{}, {}}}",
                    plain(key, of(0))?,
                    plain(value, of(1))?
                ))
            };
            format!("{{{}}}", comma_list(pairs, part)?)
        }
        Value::Null | Value::Function(_) | Value::Source(_) => return None,
    })
}

fn call(
    function: &Definition,
    class: Option<&Class>,
    target: Option<&str>,
    row: &[String],
) -> Option<String> {
    let arguments = row.join(", ");
    let name = &function.name;
    if function.constructor || name.starts_with('~') || name == "main" {
        return None;
    }
    match (class, target) {
        (None, _) => Some(format!("{name}({arguments})")),
        (Some(class), None)
            if class.is("namespace") && !class.is("nested") && class.name.is_empty() =>
        {
            Some(format!("{name}({arguments})"))
        }
        (Some(class), None) if class.is("namespace") && !class.is("nested") => {
            Some(format!("{}::{name}({arguments})", class.name))
        }
        (Some(_), Some(target)) if !function.is("static") => {
            Some(format!("{target}.{name}({arguments})"))
        }
        _ => None,
    }
}

fn construct(class: &Class, constructor: Option<&Definition>, row: &[String]) -> Option<String> {
    if class.is("namespace") || class.is("nested") || class.is("local") || class.name.is_empty() {
        return None;
    }
    if constructor.is_some_and(|made| made.name != class.name) {
        return None;
    }
    let generics = type_arguments("int", &class.generics);
    if row.is_empty() {
        return Some(format!("{}{generics}{{}}", class.name));
    }
    Some(format!("{}{generics}({})", class.name, row.join(", ")))
}

fn step(step: &Step<'_>) -> String {
    match step {
        Step::Call {
            label, expression, ..
        } => {
            format!("driverShow({label:?}, [&]() -> decltype(auto) {{ return {expression}; }});")
        }
        Step::Begin {
            label,
            variable,
            expression,
            ..
        } => {
            format!("try {{ std::cout << {label:?} << std::endl; auto &&{variable} = {expression};")
        }
        Step::End => "} catch (...) { std::cout << \"throws\" << std::endl; }".to_owned(),
        Step::Session(_) => String::new(),
    }
}

const HELPERS: &str = r#"
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

template <class T> T &driverKeep(T value) { return *new T(std::move(value)); }
inline char *driverText(const char *text) { return std::strcpy(new char[64](), text); }

template <class T> auto driverPrint(const T &value, int) -> decltype(std::cout << value, void()) { std::cout << value; }
template <class T> void driverPrint(const T &, long) { std::cout << "(a value)"; }
template <class T> void driverPrint(T *const &value, int) { std::cout << (value ? "a pointer" : "null"); }
inline void driverPrint(const char *const &value, int) { std::cout << (value ? value : "null"); }
template <class T> void driverPrint(const std::vector<T> &values, int) {
    std::cout << "[";
    for (std::size_t at = 0; at < values.size() && at < 20; ++at) {
        std::cout << (at ? ", " : "");
        const T value = values[at];
        driverPrint(value, 0);
    }
    std::cout << "]";
}

template <class F> void driverShow(const char *label, F call) {
    try {
        if constexpr (std::is_void<decltype(call())>::value) {
            call();
            std::cout << label << " is done" << std::endl;
        } else {
            const auto value = call();
            std::cout << label << " = ";
            driverPrint(value, 0);
            std::cout << std::endl;
        }
    } catch (const std::exception &error) {
        std::cout << label << " throws " << error.what() << std::endl;
    } catch (...) {
        std::cout << label << " throws" << std::endl;
    }
}

int main(int argc, char **argv) {
    switch (argc > 1 ? std::atoi(argv[1]) : 0) {
"#;

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    text.push_str(HELPERS);
    frame.write_runs(
        &mut text,
        |run| format!("    case {run}: {{"),
        "        ",
        "        break;\n    }\n",
    );
    text.push_str("    }\n    return 0;\n}\n");
    Placed::behind(text)
}
