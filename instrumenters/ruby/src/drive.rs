//! How a Ruby file that only defines is driven: text behind it, which shows each call's result.

use tracer_instrument::drive::{
    Class, Definition, DriveSpec, Frame, Placed, Reads, Shape, Step, Value, comma_list,
};

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("../drive.scm"),
    shape: Shape::parse,
    write: |value, _| write(value),
    snippet: |text| format!("x = [{text}]"),
    literal_names: &["true", "false", "nil"],
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
    ("gets", Reads::Line),
    ("$stdin.gets", Reads::Line),
    ("STDIN.gets", Reads::Line),
    ("STDIN.read", Reads::Everything),
    ("$stdin.read", Reads::Everything),
    ("ARGF", Reads::Everything),
    ("readlines", Reads::Everything),
    ("ARGV", Reads::Arguments(0)),
    ("ENV", Reads::Variable),
    ("File.read(", Reads::File),
    ("File.open(", Reads::File),
    ("File.readlines(", Reads::File),
];

fn write(value: &Value) -> Option<String> {
    let all = |values: &[Value]| comma_list(values, write);
    Some(match value {
        Value::Null => "nil".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Character(letter) => quoted(&letter.to_string()),
        Value::Text(text) => format!("+{}", quoted(text)),
        Value::List(values) | Value::Tuple(values) => format!("[{}]", all(values)?),
        Value::Set(values) => format!("[{}].to_set", all(values)?),
        Value::Map(pairs) => {
            let part = |(key, value): &(Value, Value)| {
                Some(format!(
                    "{} => {}",
                    write(key)?.trim_start_matches('+'),
                    write(value)?
                ))
            };
            format!("{{ {} }}", comma_list(pairs, part)?)
        }
        Value::Function(0) => "-> { 1 }".to_owned(),
        Value::Function(1) => "->(x) { x }".to_owned(),
        Value::Function(_) => "->(*values) { values[0] }".to_owned(),
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

fn call(
    function: &Definition,
    class: Option<&Class>,
    target: Option<&str>,
    row: &[String],
) -> Option<String> {
    let name = &function.name;
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        || name.ends_with('=')
        || name == "initialize"
    {
        return None;
    }
    let arguments = row.join(", ");
    match (class, target, function.is("self")) {
        (None, ..) => Some(format!("{name}({arguments})")),
        (Some(class), None, true) if !class.is("nested") => {
            Some(format!("{}.{name}({arguments})", class.name))
        }
        (Some(_), Some(target), false) => Some(format!("{target}.{name}({arguments})")),
        _ => None,
    }
}

fn construct(class: &Class, _: Option<&Definition>, row: &[String]) -> Option<String> {
    if class.is("nested")
        || class.is("local")
        || class.marks.iter().any(|mark| mark.ends_with("Error"))
    {
        return None;
    }
    if class.is("module") {
        return Some(format!("Object.new.extend({})", class.name));
    }
    Some(format!("{}.new({})", class.name, row.join(", ")))
}

fn step(step: &Step<'_>) -> String {
    match step {
        Step::Call {
            label, expression, ..
        } => format!("driver_show({}) {{ {expression} }}", quoted(label)),
        Step::Begin {
            label,
            variable,
            expression,
            ..
        } => {
            format!(
                "{variable} = driver_show({}) {{ {expression} }}",
                quoted(label)
            )
        }
        Step::End | Step::Session(_) => String::new(),
    }
}

const HELPERS: &str = r##"
def driver_text(value, depth = 3)
  case value
  when nil, true, false, Numeric, Symbol then value.inspect
  when String then value[0, 300].inspect
  when Array then depth.zero? ? '[..]' : "[#{value.first(20).map { |part| driver_text(part, depth - 1) }.join(', ')}]"
  when Hash then depth.zero? ? '{..}' : "{#{value.first(20).map { |pair| pair.map { |part| driver_text(part, depth - 1) }.join(' => ') }.join(', ')}}"
  else "a #{value.class}"
  end
end

def driver_show(label)
  value = yield
  puts "#{label} = #{driver_text(value)}"
  value
rescue StandardError, SystemStackError, NotImplementedError => error
  puts "#{label} raises #{error.class}"
end

"##;

fn frame(frame: &Frame<'_>) -> Placed {
    let mut text = frame.gap().to_owned();
    text.push_str(HELPERS);
    text.push_str("case ARGV.fetch(0, '0')\n");
    frame.write_runs(&mut text, |run| format!("when '{run}'"), "  ", "");
    text.push_str("end\n");
    Placed::behind(text)
}
