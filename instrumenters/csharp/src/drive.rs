//! How a C# file without `Main` is driven: a class behind its own, with the `Main` that it lacks.

use std::fmt::Write as _;

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list, split_list,
    type_arguments,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("drive.scm"),
    shape,
    write,
    snippet: |text| format!("class X {{ object[] x = {{{text}}}; }}"),
    literal_names: &[
        "true", "false", "null", "new", "int", "double", "long", "char", "string", "List",
    ],
    generic: Some("int"),
    call,
    construct,
    step,
    frame,
    typed: true,
    names: ": ",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    ("Console.ReadLine(", Reads::Line),
    ("Console.In.ReadToEnd(", Reads::Everything),
    ("Console.Read(", Reads::Everything),
    ("args[", Reads::Arguments(0)),
    ("Environment.GetEnvironmentVariable(", Reads::Variable),
    ("File.ReadAllText(", Reads::File),
    ("File.ReadAllLines(", Reads::File),
];

fn shape(declared: &str) -> Shape {
    let text = declared.trim();
    match text {
        "object" | "BigInteger" => Shape::Integer,
        _ if text.starts_with("Func<") || text.starts_with("Comparison") => {
            Shape::Named(text.to_owned())
        }
        _ if text.contains("[,") => Shape::Named(text.to_owned()),
        _ => Shape::parse(text),
    }
}

fn write(value: &Value, declared: &str) -> Option<String> {
    let kind = declared.trim();
    let inside = kind
        .find('<')
        .and_then(|at| kind[at + 1..].strip_suffix('>'))
        .map(split_list)
        .unwrap_or_default();
    let each = |values: &[Value], inner: &str| comma_list(values, |value| write(value, inner));
    Some(match value {
        Value::Null if matches!(shape(kind), Shape::Integer | Shape::Float | Shape::Boolean) => {
            return None;
        }
        Value::Null => "null".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) if *number < 0 && (kind.starts_with('u') || kind == "byte") => {
            return None;
        }
        Value::Integer(number) => number.to_string(),
        Value::Float(number) if kind == "float" => format!("{number:?}f"),
        Value::Float(number) if kind == "decimal" => format!("{number:?}m"),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => format!("'{letter}'"),
        Value::Text(text) => format!("{text:?}"),
        Value::List(values) => match kind.strip_suffix("[]") {
            Some(inner) => format!("new {inner}[] {{{}}}", each(values, inner)?),
            None => {
                let inner = inside.first()?;
                format!(
                    "new System.Collections.Generic.List<{inner}> {{{}}}",
                    each(values, inner)?
                )
            }
        },
        Value::Set(values) => {
            let inner = inside.first()?;
            format!(
                "new System.Collections.Generic.HashSet<{inner}> {{{}}}",
                each(values, inner)?
            )
        }
        Value::Map(pairs) => {
            let [key, item] = inside.as_slice() else {
                return None;
            };
            let part = |(name, value): &(Value, Value)| {
                Some(format!(
                    "{{{}, {}}}",
                    write(name, key)?,
                    write(value, item)?
                ))
            };
            let parts = comma_list(pairs, part)?;
            format!("new System.Collections.Generic.Dictionary<{key}, {item}> {{{parts}}}")
        }
        Value::Source(text) => text.clone(),
        Value::Tuple(_) | Value::Function(_) => return None,
    })
}

fn call(
    function: &Definition,
    class: Option<&Class>,
    target: Option<&str>,
    row: &[String],
) -> Option<String> {
    let class = class?;
    let seen = function.is("public") || function.is("internal");
    if !seen
        || function.is("abstract")
        || class.is("nested")
        || class.is("interface")
        || class.is("enum")
    {
        return None;
    }
    let arguments = row.join(", ");
    match (target, function.is("static")) {
        (None, true) => {
            let generics = type_arguments("int", &class.generics);
            Some(format!(
                "{}{generics}.{}({arguments})",
                class.name, function.name
            ))
        }
        (Some(target), false) => Some(format!("{target}.{}({arguments})", function.name)),
        _ => None,
    }
}

fn construct(class: &Class, constructor: Option<&Definition>, row: &[String]) -> Option<String> {
    let hidden = ["nested", "abstract", "interface", "enum", "static", "local"];
    if hidden.iter().any(|mark| class.is(mark))
        || constructor.is_some_and(|made| made.is("private") || made.is("protected"))
    {
        return None;
    }
    let generics = type_arguments("int", &class.generics);
    Some(format!("new {}{generics}({})", class.name, row.join(", ")))
}

fn step(step: &Step<'_>) -> String {
    match step {
        Step::Call { label, expression, result, .. } if *result == "void" => {
            format!("Show({label:?}, () => {{ {expression}; return null; }});")
        }
        Step::Call { label, expression, .. } => format!("Show({label:?}, () => (object) {expression});"),
        Step::Begin { label, variable, expression, .. } => {
            format!("try {{ System.Console.WriteLine({label:?}); var {variable} = {expression};")
        }
        Step::End => "} catch (System.Exception error) { System.Console.WriteLine(\"throws \" + error.GetType().Name); }".to_owned(),
        Step::Session(_) => String::new(),
    }
}

const HELPERS: &str = r#"
static class TracerDriver
{
    static string Text(object value, int depth)
    {
        if (value == null) return "null";
        if (value is string || value is System.IConvertible)
            return System.Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);
        var all = value as System.Array;
        if (all == null || depth == 0) return "a " + value.GetType().Name;
        var parts = new System.Collections.Generic.List<string>();
        foreach (var part in all) if (parts.Count < 20) parts.Add(Text(part, depth - 1));
        return "[" + string.Join(", ", parts) + "]";
    }

    static void Show(string label, System.Func<object> call)
    {
        try { System.Console.WriteLine(label + " = " + Text(call(), 3)); }
        catch (System.Exception error) { System.Console.WriteLine(label + " throws " + error.GetType().Name); }
    }

    static void Main(string[] args)
    {
        var run = args.Length > 0 ? args[0] : "0";
"#;

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    // Names of a namespace with braces are not seen behind it.
    let braces = frame
        .source
        .lines()
        .any(|line| line.starts_with("namespace ") && !line.trim_end().ends_with(';'));
    if braces {
        let _ = write!(text, "\nnamespace {} {{", frame.package);
    }
    text.push_str(HELPERS);
    frame.write_runs(
        &mut text,
        |run| format!("        if (run == \"{run}\") {{"),
        "            ",
        "        }\n",
    );
    text.push_str(if braces {
        "    }\n}\n}\n"
    } else {
        "    }\n}\n"
    });
    Placed::behind(text)
}
