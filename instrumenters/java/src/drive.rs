//! How a Java file without `main` is driven: a class behind its own, with the `main` that it lacks.

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list, split_list,
    type_arguments,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("drive.scm"),
    shape,
    write,
    snippet: |text| format!("class X {{ Object[] x = {{{text}}}; }}"),
    literal_names: &[
        "true", "false", "null", "new", "int", "double", "long", "char", "String", "Integer",
        "List", "of", "Arrays", "asList",
    ],
    generic: Some("Integer"),
    call,
    construct,
    step,
    frame,
    typed: true,
    names: "=",
    reads: READS,
};

const READS: &[(&str, Reads)] = &[
    (".nextInt(", Reads::Integer),
    (".nextLong(", Reads::Integer),
    (".nextDouble(", Reads::Float),
    (".nextFloat(", Reads::Float),
    (".nextLine(", Reads::Line),
    (".next(", Reads::Word),
    (".readLine(", Reads::Line),
    ("System.in.read(", Reads::Everything),
    ("args", Reads::Arguments(0)),
    ("System.getenv(", Reads::Variable),
    ("newFileReader(", Reads::File),
];

fn bare(declared: &str) -> &str {
    declared.trim().trim_start_matches("final ").trim()
}

fn shape(declared: &str) -> Shape {
    let text = bare(declared);
    if text.contains("Comparator")
        || text.contains("Function")
        || text.contains("Predicate")
        || text.contains("Iterator")
    {
        return Shape::Named(text.to_owned());
    }
    match text {
        "Object" | "Number" | "BigInteger" | "BigDecimal" | "short" | "byte" | "Short" | "Byte" => {
            Shape::Integer
        }
        _ => Shape::parse(text),
    }
}

fn write(value: &Value, declared: &str) -> Option<String> {
    let kind = bare(declared);
    let head = kind
        .split('<')
        .next()
        .unwrap_or(kind)
        .rsplit('.')
        .next()
        .unwrap_or(kind);
    let inside = || {
        let inner = kind
            .find('<')
            .map(|at| &kind[at + 1..])
            .and_then(|rest| rest.strip_suffix('>'));
        inner.map(|inner| {
            split_list(inner)
                .into_iter()
                .map(|part| part.trim_start_matches("? extends ").to_owned())
                .collect::<Vec<_>>()
        })
    };
    let each = |values: &[Value], inner: &str| comma_list(values, |value| write(value, inner));
    Some(match value {
        Value::Null if matches!(kind, "int" | "long" | "double" | "boolean" | "char") => {
            return None;
        }
        Value::Null => "null".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => match kind {
            "long" | "Long" => format!("{number}L"),
            "short" | "byte" => format!("({kind}) {number}"),
            "Short" | "Byte" => format!("({}) {number}", kind.to_lowercase()),
            "BigInteger" | "BigDecimal" => format!("java.math.{kind}.valueOf({number})"),
            _ => number.to_string(),
        },
        Value::Float(number) if matches!(kind, "float" | "Float") => format!("{number:?}f"),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => format!("'{letter}'"),
        Value::Text(text) => format!("{text:?}"),
        Value::List(values) => {
            if let Some(inner) = kind.strip_suffix("[]") {
                let made = if inner.contains('<') {
                    return None;
                } else {
                    inner
                };
                return Some(format!("new {made}[] {{{}}}", each(values, inner)?));
            }
            let inner = inside()?;
            let items = each(values, inner.first()?)?;
            let made = match head {
                "LinkedList" | "Deque" | "Queue" => "LinkedList",
                "ArrayList" | "List" | "Collection" | "Iterable" => "ArrayList",
                _ => return None,
            };
            format!(
                "new java.util.{made}<>(java.util.Arrays.<{}>asList({items}))",
                inner.first()?
            )
        }
        Value::Set(values) => {
            let inner = inside()?;
            let made = if head == "TreeSet" {
                "TreeSet"
            } else {
                "HashSet"
            };
            format!(
                "new java.util.{made}<>(java.util.Arrays.<{}>asList({}))",
                inner.first()?,
                each(values, inner.first()?)?
            )
        }
        Value::Map(pairs) => {
            let inner = inside()?;
            let [key, item] = inner.as_slice() else {
                return None;
            };
            let mut parts = Vec::new();
            for (name, value) in pairs {
                parts.push(write(name, key)?);
                parts.push(write(value, item)?);
            }
            let made = if head == "TreeMap" {
                "TreeMap"
            } else {
                "HashMap"
            };
            format!(
                "new java.util.{made}<>(java.util.Map.<{key}, {item}>of({}))",
                parts.join(", ")
            )
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
    let arguments = row.join(", ");
    let instance = class.is("interface") || class.is("enum") || class.is("record");
    if function.is("private") || class.is("nested") || function.is("abstract") {
        return None;
    }
    match (target, function.is("static")) {
        (None, true) => Some(format!("{}.{}({arguments})", class.name, function.name)),
        (Some(target), false) if !instance => {
            Some(format!("{target}.{}({arguments})", function.name))
        }
        _ => None,
    }
}

fn construct(class: &Class, constructor: Option<&Definition>, row: &[String]) -> Option<String> {
    let hidden = ["nested", "abstract", "interface", "enum", "record", "local"];
    if hidden.iter().any(|mark| class.is(mark))
        || constructor.is_some_and(|made| made.is("private"))
    {
        return None;
    }
    let generics = type_arguments("Integer", &class.generics);
    Some(format!("new {}{generics}({})", class.name, row.join(", ")))
}

fn step(step: &Step<'_>) -> String {
    match step {
        Step::Call { label, expression, result, .. } if *result == "void" => {
            format!("run({label:?}, () -> {expression});")
        }
        Step::Call { label, expression, .. } => format!("show({label:?}, () -> {expression});"),
        Step::Begin { label, variable, expression, .. } => {
            format!("try {{ System.out.println({label:?}); var {variable} = {expression};")
        }
        Step::End => "} catch (Throwable error) { System.out.println(\"throws \" + error.getClass().getSimpleName()); }".to_owned(),
        Step::Session(_) => String::new(),
    }
}

const HELPERS: &str = r#"
class TracerDriver {
    interface Task { void run() throws Throwable; }
    interface Question { Object ask() throws Throwable; }

    static String text(Object value) {
        if (value == null) return "null";
        if (value instanceof Object[]) return java.util.Arrays.stream((Object[]) value).map(TracerDriver::text).toList().toString();
        if (value.getClass().isArray()) {
            String text = java.util.Arrays.deepToString(new Object[] {value});
            return text.substring(1, text.length() - 1);
        }
        boolean plain = value instanceof Number || value instanceof CharSequence || value instanceof Boolean || value instanceof Character;
        if (plain) return value.toString();
        if (value instanceof java.util.List<?> list) return list.stream().limit(20).map(TracerDriver::text).toList().toString();
        return "a " + value.getClass().getSimpleName();
    }

    static void show(String label, Question question) {
        try {
            System.out.println(label + " = " + text(question.ask()));
        } catch (Throwable error) {
            System.out.println(label + " throws " + error.getClass().getSimpleName());
        }
    }

    static void run(String label, Task task) {
        try {
            task.run();
            System.out.println(label + " is done");
        } catch (Throwable error) {
            System.out.println(label + " throws " + error.getClass().getSimpleName());
        }
    }

    public static void main(String[] args) {
        String run = args.length > 0 ? args[0] : "0";
"#;

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    text.push_str(HELPERS);
    frame.write_runs(
        &mut text,
        |run| format!("        if (run.equals(\"{run}\")) {{"),
        "            ",
        "        }\n",
    );
    text.push_str("    }\n}\n");
    Placed::behind(text)
}
