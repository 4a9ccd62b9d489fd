//! What a language says about driving a file that only defines: how its definitions look, how
//! values and calls are written, and where a driver goes.
//!
//! Which calls are made, and with what, is `tracer-drive`'s matter.

/// How a language's files are driven, and how their input is read.
pub struct DriveSpec {
    /// The query of definitions (`drive.scm`). A match names one thing by its captures:
    /// `@function` (with `@name`, `@result`), `@class` (with `@name`), `@parameter` (with
    /// `@annotation`, `@default`, `@rest`, or `@label`), `@generic` (a type parameter's name), `@mark` (what
    /// is said of the innermost definition, by its text), `@constructor` (a `@function` that
    /// makes its class), `@runs` (a statement that runs when the file is loaded), `@calls` (one
    /// that runs if it calls what the file defines), `@entry` (a definition the language starts
    /// at), `@package`, `@receiver` (a parameter
    /// that a call does not give).
    pub query: &'static str,
    /// What a declared type stands for.
    pub shape: fn(&str) -> Shape,
    /// Writes a value of a declared type (empty where there is none); `None` if it cannot be.
    pub write: fn(&Value, &str) -> Option<String>,
    /// Puts an expression into the shortest file that can hold it.
    pub snippet: fn(&str) -> String,
    /// Names that may stand in a literal, such as those of constructors of the language's own
    /// containers.
    pub literal_names: &'static [&'static str],
    /// The type a type parameter is replaced by; `None` where generic definitions take any value.
    pub generic: Option<&'static str>,
    /// The call of a function, or of a method of `target`; `None` if it must not be called.
    pub call: fn(&Definition, Option<&Class>, Option<&str>, &[String]) -> Option<String>,
    /// An expression that makes an instance; `None` if it cannot be.
    pub construct: fn(&Class, Option<&Definition>, &[String]) -> Option<String>,
    /// The statements of one step, without an indent; empty if it has none.
    pub step: fn(&Step<'_>) -> String,
    /// Puts the runs together to the files that drive it.
    pub frame: fn(&Frame<'_>) -> Placed,
    /// Whether what has no type must not be called: every argument has to be of its type.
    pub typed: bool,
    /// What stands between a named argument's name and its value.
    pub names: &'static str,
    /// How its programs read input: a name as it stands in the source, without spaces, e.g.
    /// `sys.argv` or `input(`, and what is read by it.
    pub reads: &'static [(&'static str, Reads)],
}

/// What a definition's parameter or a value is, in no language's terms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Shape {
    /// Nothing is known.
    #[default]
    Any,
    /// Nothing is there.
    Nothing,
    /// A truth value.
    Boolean,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Float,
    /// One character.
    Character,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
    /// A list.
    List(Box<Shape>),
    /// A set.
    Set(Box<Shape>),
    /// Keys with values.
    Map(Box<Shape>, Box<Shape>),
    /// A fixed number of values.
    Tuple(Vec<Shape>),
    /// One, or nothing.
    Optional(Box<Shape>),
    /// Something to call, with this many arguments.
    Function(usize),
    /// A type by its name, made by the file itself if at all.
    Named(String),
}

/// A value to call with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A character.
    Character(char),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A set.
    Set(Vec<Value>),
    /// Keys with values.
    Map(Vec<(Value, Value)>),
    /// A fixed number of values.
    Tuple(Vec<Value>),
    /// Something to call, with this many arguments.
    Function(usize),
    /// Text of the language, as it stands.
    Source(String),
}

/// A parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its declared type.
    pub annotation: String,
    /// Its default.
    pub default: Option<String>,
    /// Whether it takes any number of arguments.
    pub rest: bool,
    /// By what a call names it, where it must.
    pub label: Option<String>,
}

/// A function, method or constructor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The class it belongs to, an index into the file's.
    pub class: Option<usize>,
    /// Whether it makes its class.
    pub constructor: bool,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its declared result.
    pub result: String,
    /// Names of its type parameters.
    pub generics: Vec<String>,
    /// What is said of it: modifiers, decorators.
    pub marks: Vec<String>,
    /// Where it stands, in bytes.
    pub span: (usize, usize),
}

/// A type of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Names of its type parameters.
    pub generics: Vec<String>,
    /// What is said of it.
    pub marks: Vec<String>,
    /// Where it stands, in bytes.
    pub span: (usize, usize),
}

impl Definition {
    /// Whether this is said of it.
    pub fn is(&self, mark: &str) -> bool {
        self.marks.iter().any(|known| known == mark)
    }
}

impl Class {
    /// Whether this is said of it.
    pub fn is(&self, mark: &str) -> bool {
        self.marks.iter().any(|known| known == mark)
    }
}

/// One step of a driver's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// A call whose result is shown.
    Call {
        /// The call, for people.
        label: &'a str,
        /// The call.
        expression: &'a str,
        /// Its declared result.
        result: &'a str,
        /// What is said of the function.
        marks: &'a [String],
    },
    /// An instance is made; the steps up to [`Step::End`] are calls on it.
    Begin {
        /// For people.
        label: &'a str,
        /// The variable that holds it.
        variable: &'a str,
        /// The class.
        class: &'a str,
        /// The expression.
        expression: &'a str,
    },
    /// The end of the calls on an instance.
    End,
    /// An interactive session: lines that begin with `>>> `, or `... ` where they go on.
    Session(&'a str),
}

/// The runs of a driver.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// The file's name.
    pub name: &'a str,
    /// The file's text.
    pub source: &'a str,
    /// The package or module it says it is of; may be empty.
    pub package: &'a str,
    /// The steps of each run, each a line or lines of the language.
    pub runs: &'a [Vec<String>],
}

/// Where a driver goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed {
    /// Text behind the original.
    pub appended: String,
    /// Where the original stands, where not under its own name.
    pub moved: Option<String>,
    /// Further files: name and text. The first is the one that runs, if [`Placed::appended`] is
    /// empty.
    pub beside: Vec<(String, String)>,
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Arguments, by number; that of the first.
    Arguments(u32),
    /// A declared option or argument; its name is the first text behind.
    Option,
    /// A line.
    Line,
    /// Values as a format behind says (`%d`).
    Format,
    /// A word.
    Word,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Float,
    /// All there is.
    Everything,
    /// An environment variable; its name is the first text behind.
    Variable,
    /// A file; its name is the first text behind.
    File,
}

impl Frame<'_> {
    /// What ends the file's last line, where nothing does.
    pub fn gap(&self) -> &'static str {
        if self.source.ends_with('\n') {
            ""
        } else {
            "\n"
        }
    }

    /// Writes each run: what `open` gives for its number, its steps a line each behind `indent`, and
    /// `close`.
    pub fn write_runs(
        &self,
        text: &mut String,
        open: impl Fn(usize) -> String,
        indent: &str,
        close: &str,
    ) {
        for (run, steps) in self.runs.iter().enumerate() {
            text.push_str(&open(run));
            text.push('\n');
            for step in steps.iter().filter(|step| !step.is_empty()) {
                text.push_str(indent);
                text.push_str(step);
                text.push('\n');
            }
            text.push_str(close);
        }
    }
}

impl Placed {
    /// Text behind the original, and nothing else.
    pub fn behind(appended: String) -> Self {
        Self {
            appended,
            ..Self::default()
        }
    }
}

/// Parts, each as `write` gives it, with commas between; `None` if it cannot write one.
pub fn comma_list<T>(
    parts: impl IntoIterator<Item = T>,
    write: impl FnMut(T) -> Option<String>,
) -> Option<String> {
    let parts: Option<Vec<String>> = parts.into_iter().map(write).collect();
    parts.map(|parts| parts.join(", "))
}

/// `<int, int>` for two type parameters that `int` stands for; nothing for none.
pub fn type_arguments(kind: &str, generics: &[String]) -> String {
    if generics.is_empty() {
        return String::new();
    }
    format!("<{}>", vec![kind; generics.len()].join(", "))
}

/// A text in double quotes, as C and Python read it.
pub fn double_quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// Splits at commas outside of brackets.
pub fn split_list(text: &str) -> Vec<&str> {
    split_at(text, ',')
}

/// Splits at a character outside of brackets and quotes.
pub fn split_at(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut quote) = (0_i32, 0, None);
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter && before != '\\' => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(letter),
            (None, '(' | '[' | '{' | '<') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, '>') if before != '-' && before != '=' => depth -= 1,
            (None, _) if letter == separator && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + letter.len_utf8();
            }
            _ => {}
        }
        before = letter;
    }
    let last = text[start..].trim();
    if !last.is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    parts
}

impl Shape {
    /// The shape of a type as most languages write it: `int`, `list[int]`, `Map<String, Long>`,
    /// `number[]`, `[Int]`, `int | None`, `String?`.
    pub fn parse(text: &str) -> Self {
        let text = text.trim().trim_start_matches([':', '&']).trim();
        let text = text.strip_prefix("const ").unwrap_or(text);
        let text = text.strip_prefix("final ").unwrap_or(text);
        let text = text.strip_prefix("readonly ").unwrap_or(text);
        let text = text.trim().trim_matches(['"', '\'']).trim();
        if text.contains("=>") || text.contains("->") {
            let inside = text
                .split_once('(')
                .and_then(|(_, rest)| rest.split_once(')'));
            let count = inside.map_or(0, |(inside, _)| split_list(inside).len());
            return Self::Function(count);
        }
        if let Some(inner) = text.strip_suffix('?') {
            return Self::Optional(Box::new(Self::parse(inner)));
        }
        if let Some(inner) = text.strip_prefix('?') {
            return Self::Optional(Box::new(Self::parse(inner)));
        }
        let union = split_at(text, '|');
        if union.len() > 1 {
            let nothing = |part: &&str| matches!(*part, "None" | "null" | "undefined" | "nil");
            let some = union
                .iter()
                .copied()
                .find(|part| !nothing(part))
                .unwrap_or("");
            let inner = Self::parse(some);
            return if union.iter().any(nothing) {
                Self::Optional(Box::new(inner))
            } else {
                inner
            };
        }
        if let Some(inner) = text.strip_suffix("[]") {
            return Self::List(Box::new(Self::parse(inner)));
        }
        if let Some(inner) = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
        {
            let pair = split_at(inner, ':');
            return match pair.as_slice() {
                [key, value] => Self::Map(Box::new(Self::parse(key)), Box::new(Self::parse(value))),
                _ => Self::List(Box::new(Self::parse(split_at(inner, ';')[0]))),
            };
        }
        if let Some(inner) = text
            .strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'))
        {
            let parts = split_list(inner);
            return match parts.as_slice() {
                [] => Self::Nothing,
                [one] => Self::parse(one),
                _ => Self::Tuple(parts.into_iter().map(Self::parse).collect()),
            };
        }
        let (name, inside) = match text.find(['<', '[']) {
            Some(at) if text.ends_with(['>', ']']) => (&text[..at], &text[at + 1..text.len() - 1]),
            _ => (text, ""),
        };
        Self::of_name(name.trim(), &split_list(inside))
    }

    fn of_name(name: &str, inside: &[&str]) -> Self {
        let bare = name.rsplit(['.', ':', '\\']).next().unwrap_or(name);
        let inner =
            |index: usize| Box::new(inside.get(index).map_or(Self::Any, |t| Self::parse(t)));
        match bare {
            "" | "any" | "Any" | "object" | "Object" | "mixed" | "unknown" | "dynamic" | "*" => {
                Self::Any
            }
            "void" | "None" | "null" | "NoneType" | "Void" | "never" => Self::Nothing,
            "bool" | "boolean" | "Boolean" | "Bool" | "_Bool" => Self::Boolean,
            "int" | "integer" | "Integer" | "long" | "Long" | "short" | "Short" | "byte"
            | "Byte" | "Int" | "UInt" | "Int32" | "Int64" | "Int16" | "UInt64" | "UInt32"
            | "UInt8" | "uint" | "ulong" | "ushort" | "sbyte" | "i8" | "i16" | "i32" | "i64"
            | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "int8"
            | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64" | "number"
            | "Number" | "numeric" | "bigint" | "BigInteger" | "BigInt" | "size_t" | "Numeric"
            | "rune" => Self::Integer,
            "float" | "double" | "Float" | "Double" | "f32" | "f64" | "float64" | "float32"
            | "decimal" | "Decimal" | "CGFloat" | "BigDecimal" => Self::Float,
            "str" | "string" | "String" | "CharSequence" | "std::string" | "AnyStr"
            | "LiteralString" => Self::Text,
            "char" | "Character" | "Char" => Self::Character,
            "bytes" | "bytearray" => Self::Bytes,
            "list" | "List" | "Sequence" | "Iterable" | "Iterator" | "Collection" | "ArrayList"
            | "Array" | "array" | "Vec" | "vector" | "IEnumerable" | "IList" | "IReadOnlyList"
            | "LinkedList" | "MutableSequence" | "ReadonlyArray" | "Span" | "ReadOnlySpan"
            | "ICollection" | "deque" | "VecDeque" => Self::List(inner(0)),
            "set" | "Set" | "frozenset" | "HashSet" | "unordered_set" | "TreeSet" | "BTreeSet" => {
                Self::Set(inner(0))
            }
            "dict" | "Dict" | "Map" | "HashMap" | "map" | "unordered_map" | "Dictionary"
            | "IDictionary" | "Mapping" | "defaultdict" | "TreeMap" | "BTreeMap" | "Record"
            | "Hash" => Self::Map(inner(0), inner(1)),
            "tuple" | "Tuple" | "pair" => {
                let parts = inside.iter().filter(|part| **part != "...");
                let mut parts: Vec<Self> = parts.map(|part| Self::parse(part)).collect();
                if inside.contains(&"...") {
                    return Self::List(Box::new(parts.pop().unwrap_or_default()));
                }
                Self::Tuple(parts)
            }
            "Optional" | "Option" => Self::Optional(inner(0)),
            "Callable" | "Function" | "callable" | "Closure" | "Proc" => {
                let count = inside
                    .first()
                    .map_or(1, |first| split_list(first.trim_matches(['[', ']'])).len());
                Self::Function(count)
            }
            _ => Self::Named(name.to_owned()),
        }
    }
}
