//! Values to try for a parameter: usual ones first, then edges. The same question always gets the
//! same list.

use tracer_instrument::drive::{Shape, Value};

/// Bounds nesting of shapes.
const DEPTH: usize = 3;

/// A list of these lengths is what length parameters beside it are told.
pub(crate) const LISTS: [&[i64]; 5] = [
    &[5, 2, 9, 1, 7, 3],
    &[4],
    &[1, 2, 2, 3, 5, 8],
    &[],
    &[-3, 8, 0, -1],
];

/// Integers in the order they are tried.
const INTEGERS: [i64; 5] = [6, 1, 10, 0, -3];

const TEXTS: [&str; 5] = ["hello world", "a", "racecar", "", "The quick brown Fox 42"];

/// Values of a shape for a parameter of this name, one for each run.
pub(crate) fn of(shape: &Shape, name: &str) -> Vec<Value> {
    build(shape, &words(name), DEPTH)
}

/// A name in its words, in lower case, without a plural.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = letter.is_lowercase();
        if letter.is_alphanumeric() {
            words
                .last_mut()
                .expect("there is always one")
                .extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a name usually stands for, where nothing else tells.
pub(crate) fn by_name(name: &str) -> Shape {
    let words = words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let list = |inner: Shape| Shape::List(Box::new(inner));
    if has(&[
        "matrix", "grid", "board", "maze", "image", "mat", "matrix1", "matrix2", "table", "dp",
    ]) {
        list(list(Shape::Integer))
    } else if has(&["graph", "adjacency", "adj"]) {
        Shape::Map(Box::new(Shape::Text), Box::new(list(Shape::Text)))
    } else if has(&[
        "dict", "map", "mapping", "counts", "options", "config", "kwargs", "params", "hash",
    ]) {
        Shape::Map(Box::new(Shape::Text), Box::new(Shape::Integer))
    } else if has(&[
        "arr",
        "array",
        "list",
        "lst",
        "nums",
        "numbers",
        "items",
        "values",
        "elements",
        "collection",
        "seq",
        "sequence",
        "data",
        "vector",
        "weights",
        "prices",
        "coins",
        "heights",
        "points",
        "intervals",
        "a1",
        "arr1",
        "arr2",
        "list1",
        "list2",
        "nums1",
        "nums2",
        "ints",
        "digits",
        "scores",
        "array1",
        "array2",
        "vals",
        "vec",
        "xs",
        "set",
        "args",
        "costs",
        "arrays",
    ]) {
        list(Shape::Integer)
    } else if has(&[
        "words", "strings", "strs", "names", "lines", "tokens", "strings",
    ]) {
        list(Shape::Text)
    } else if has(&[
        "s",
        "str",
        "string",
        "text",
        "word",
        "name",
        "message",
        "msg",
        "sentence",
        "pattern",
        "phrase",
        "input",
        "line",
        "title",
        "url",
        "email",
        "path",
        "filename",
        "key",
        "password",
        "date",
        "plaintext",
        "ciphertext",
        "s1",
        "s2",
        "str1",
        "str2",
        "string1",
        "string2",
        "substring",
        "prefix",
        "suffix",
        "expression",
        "label",
        "char",
        "letter",
        "ch",
        "roman",
        "binary",
        "hex",
        "token",
        "description",
        "ip",
        "color",
        "word1",
        "word2",
        "txt",
        "pat",
        "alphabet",
        "cipher",
        "postfix",
        "infix",
        "dna",
        "strand",
    ]) {
        Shape::Text
    } else if has(&[
        "func",
        "fn",
        "callback",
        "predicate",
        "function",
        "cb",
        "f",
        "comparator",
        "compare",
        "handler",
        "fun",
        "lambda",
    ]) {
        Shape::Function(1)
    } else if has(&[
        "flag",
        "is",
        "enable",
        "verbose",
        "reverse",
        "ascending",
        "debug",
    ]) {
        Shape::Boolean
    } else {
        Shape::Integer
    }
}

fn build(shape: &Shape, words: &[String], depth: usize) -> Vec<Value> {
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    match shape {
        Shape::Any | Shape::Bytes => build(&Shape::Integer, words, depth),
        Shape::Nothing => vec![Value::Null],
        Shape::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
        Shape::Integer => integers(words)
            .iter()
            .copied()
            .map(Value::Integer)
            .collect(),
        Shape::Float => {
            let numbers = if has(&[
                "probability",
                "rate",
                "alpha",
                "beta",
                "p",
                "tolerance",
                "epsilon",
            ]) {
                [0.5, 0.1, 1.0, 0.0, 0.25]
            } else {
                [2.5, 1.0, 10.0, 0.0, -3.5]
            };
            numbers.map(Value::Float).to_vec()
        }
        Shape::Character => ['a', 'z', 'M', '7', ' '].map(Value::Character).to_vec(),
        Shape::Text => texts(words)
            .iter()
            .map(|text| Value::Text((*text).to_owned()))
            .collect(),
        Shape::List(inner) => lists(inner, words, depth)
            .into_iter()
            .map(Value::List)
            .collect(),
        Shape::Set(inner) => {
            let distinct = |values: Vec<Value>| {
                let mut seen: Vec<Value> = Vec::new();
                for value in values {
                    if !seen.contains(&value) {
                        seen.push(value);
                    }
                }
                Value::Set(seen)
            };
            lists(inner, words, depth)
                .into_iter()
                .map(distinct)
                .collect()
        }
        Shape::Map(key, value) => maps(key, value, words, depth),
        Shape::Tuple(parts) => {
            if depth == 0 {
                return Vec::new();
            }
            let columns: Vec<Vec<Value>> = parts
                .iter()
                .map(|part| build(part, &[], depth - 1))
                .collect();
            if columns.iter().any(Vec::is_empty) {
                return Vec::new();
            }
            let row = |index: usize| {
                let parts = columns.iter().enumerate();
                parts
                    .map(|(at, column)| column[(index + at) % column.len()].clone())
                    .collect()
            };
            (0..5).map(|index| Value::Tuple(row(index))).collect()
        }
        Shape::Optional(inner) => {
            let mut values = build(inner, words, depth);
            let at = values.len().min(3);
            values.insert(at, Value::Null);
            values
        }
        Shape::Function(arity) => vec![Value::Function(*arity)],
        Shape::Named(_) => Vec::new(),
    }
}

fn integers(words: &[String]) -> [i64; 5] {
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if has(&[
        "low", "left", "start", "lo", "begin", "from", "index", "idx", "i", "pos", "position",
        "source", "src", "row", "col", "x0",
    ]) {
        [0, 0, 1, 0, 2]
    } else if has(&["year"]) {
        [2024, 1900, 2000, 2023, 1]
    } else if has(&["month"]) {
        [2, 12, 1, 0, 13]
    } else if has(&["day"]) {
        [29, 1, 31, 0, 15]
    } else if has(&["base", "radix"]) {
        [2, 10, 16, 8, 1]
    } else if has(&[
        "k",
        "m",
        "b",
        "y",
        "d",
        "den",
        "denominator",
        "divisor",
        "mod",
        "modulus",
        "exponent",
        "power",
        "other",
        "num2",
        "second",
        "rotations",
    ]) {
        [3, 2, 4, 1, 0]
    } else if has(&[
        "key", "target", "search", "item", "element", "value", "val", "x",
    ]) {
        [7, 4, 5, 42, -1]
    } else if has(&["depth", "level", "degree", "order"]) {
        [3, 1, 2, 0, 4]
    } else {
        INTEGERS
    }
}

fn texts(words: &[String]) -> [&'static str; 5] {
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if has(&["email", "mail"]) {
        [
            "ann@example.com",
            "a@b",
            "no-at-sign",
            "",
            "x.y+z@mail.example.org",
        ]
    } else if has(&["url", "uri", "link"]) {
        [
            "http://example.com/a?b=1",
            "ftp://x",
            "example",
            "",
            "https://example.org:8080/p#q",
        ]
    } else if has(&["binary", "bin", "bits", "bitstring"]) {
        ["1011", "0", "11111111", "", "10a2"]
    } else if has(&["hex", "hexadecimal", "color", "colour"]) {
        ["1aF", "0", "ffcc00", "", "xyz"]
    } else if has(&["octal"]) {
        ["17", "0", "755", "", "89"]
    } else if has(&["roman"]) {
        ["XIV", "I", "MCMXCIV", "", "LVIII"]
    } else if has(&["date", "day"]) {
        ["2024-02-29", "1999-12-31", "01/02/2003", "", "2023-13-01"]
    } else if has(&["time", "hour"]) {
        ["12:34:56", "00:00:00", "07:05:45PM", "", "23:59:59"]
    } else if has(&[
        "num", "number", "digits", "n", "isbn", "card", "phone", "id",
    ]) {
        ["12345", "7", "4539578763621486", "", "-12a"]
    } else if has(&[
        "expression",
        "expr",
        "infix",
        "equation",
        "parentheses",
        "brackets",
        "parens",
    ]) {
        ["(1+2)*3", "7", "{[()]}", "", "((1+2)"]
    } else if has(&["postfix", "rpn"]) {
        ["2 3 + 4 *", "7", "5 1 2 + 4 * + 3 -", "", "1 +"]
    } else if has(&[
        "pattern",
        "substring",
        "sub",
        "needle",
        "prefix",
        "pat",
        "suffix",
        "target",
        "search",
    ]) {
        ["lo", "a", "car", "", "own"]
    } else if has(&["dna", "strand", "rna", "sequence"]) {
        ["GATTACA", "A", "GGCCTTAA", "", "XCGA"]
    } else if has(&["char", "ch", "letter", "c", "separator", "delimiter", "sep"]) {
        ["o", "a", "r", " ", "Z"]
    } else if has(&["ip", "address"]) {
        ["192.168.0.1", "0.0.0.0", "256.1.1.1", "", "10.0.0"]
    } else if has(&["key", "keyword"]) {
        ["lemon", "a", "secret", "", "KEY"]
    } else if has(&["path", "file", "filename"]) {
        ["notes.txt", "a", "dir/data.csv", "", "/tmp/none.json"]
    } else if has(&[
        "2", "second", "other", "str2", "s2", "string2", "b", "t", "word2",
    ]) {
        ["hello there", "b", "carrace", "", "lazy dog"]
    } else {
        TEXTS
    }
}

fn lists(inner: &Shape, words: &[String], depth: usize) -> Vec<Vec<Value>> {
    if depth == 0 {
        return Vec::new();
    }
    match inner {
        Shape::Any
            if words
                .iter()
                .any(|word| matches!(word.as_str(), "words" | "strings" | "strs" | "names")) =>
        {
            lists(&Shape::Text, words, depth)
        }
        Shape::Any | Shape::Integer => LISTS
            .iter()
            .map(|list| list.iter().copied().map(Value::Integer).collect())
            .collect(),
        Shape::Float => {
            let float =
                |number: &i64| Value::Float(f64::from(i32::try_from(*number).unwrap_or(0)) + 0.5);
            LISTS
                .iter()
                .map(|list| list.iter().map(float).collect())
                .collect()
        }
        Shape::Text => {
            let lists: [&[&str]; 5] = [
                &["pear", "apple", "fig", "apple"],
                &["x"],
                &["eat", "tea", "tan", "ate"],
                &[],
                &["Zoe", "", "bob 7"],
            ];
            lists
                .iter()
                .map(|list| {
                    list.iter()
                        .map(|text| Value::Text((*text).to_owned()))
                        .collect()
                })
                .collect()
        }
        Shape::Character => ["hello", "a", "zebra", "", "a1 B"]
            .iter()
            .map(|text| text.chars().map(Value::Character).collect())
            .collect(),
        Shape::Boolean => {
            let lists: [&[bool]; 4] = [&[true, false, true], &[false], &[true, true], &[]];
            lists
                .iter()
                .map(|list| list.iter().copied().map(Value::Boolean).collect())
                .collect()
        }
        Shape::List(cell) if matches!(**cell, Shape::Any | Shape::Integer | Shape::Float) => {
            let grids: [&[&[i64]]; 5] = [
                &[&[1, 2, 3], &[4, 5, 6], &[7, 8, 9]],
                &[&[1]],
                &[&[0, 1], &[1, 0]],
                &[],
                &[&[0, 2, 0, 6], &[2, 0, 3, 8], &[0, 3, 0, 0], &[6, 8, 0, 0]],
            ];
            let cell = |number: &i64| match **cell {
                Shape::Float => Value::Float(f64::from(i32::try_from(*number).unwrap_or(0))),
                _ => Value::Integer(*number),
            };
            let row = |row: &&[i64]| Value::List(row.iter().map(cell).collect());
            grids
                .iter()
                .map(|grid| grid.iter().map(row).collect())
                .collect()
        }
        other => {
            let values = build(other, words, depth - 1);
            if values.is_empty() {
                return Vec::new();
            }
            let few: Vec<Value> = values.iter().take(3).cloned().collect();
            vec![few, values[..1].to_vec(), values.clone(), Vec::new()]
        }
    }
}

fn maps(key: &Shape, value: &Shape, words: &[String], depth: usize) -> Vec<Value> {
    if depth == 0 {
        return Vec::new();
    }
    let graph = words
        .iter()
        .any(|word| matches!(word.as_str(), "graph" | "adjacency" | "adj"));
    let text = |text: &str| Value::Text(text.to_owned());
    if graph
        && matches!(key, Shape::Any | Shape::Text)
        && matches!(value, Shape::Any | Shape::List(_))
    {
        let graphs: [&[(&str, &[&str])]; 4] = [
            &[("A", &["B", "C"]), ("B", &["D"]), ("C", &["D"]), ("D", &[])],
            &[("A", &[])],
            &[("A", &["B"]), ("B", &["A"])],
            &[],
        ];
        let list = |names: &[&str]| Value::List(names.iter().map(|name| text(name)).collect());
        let map = |graph: &&[(&str, &[&str])]| {
            Value::Map(
                graph
                    .iter()
                    .map(|(name, next)| (text(name), list(next)))
                    .collect(),
            )
        };
        return graphs.iter().map(map).collect();
    }
    let key = if *key == Shape::Any {
        &Shape::Text
    } else {
        key
    };
    let keys: Vec<Value> = match key {
        Shape::Text => ["a", "b", "c"].iter().map(|name| text(name)).collect(),
        Shape::Integer => [0, 1, 2].map(Value::Integer).to_vec(),
        other => build(other, &[], depth - 1).into_iter().take(3).collect(),
    };
    let values = build(value, &[], depth - 1);
    if values.is_empty() || keys.is_empty() {
        return Vec::new();
    }
    let pairs = |count: usize, from: usize| {
        let keys = keys.iter().take(count).enumerate();
        Value::Map(
            keys.map(|(at, key)| (key.clone(), values[(at + from) % values.len()].clone()))
                .collect(),
        )
    };
    vec![pairs(3, 0), pairs(1, 0), pairs(2, 1), pairs(0, 0)]
}
