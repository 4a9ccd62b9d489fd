//! What a function's body says about a parameter: how it is used, and what it is compared with.
//!
//! It reads tokens, not types: a clue is a vote, and the shape with most votes is taken.

use std::collections::BTreeMap;

use tracer_instrument::drive::{Shape, Value};

use crate::tokens::Token;

/// What is known of a parameter by its use.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Evidence {
    /// What it most likely is; [`Shape::Any`] if nothing tells.
    pub(crate) shape: Shape,
    /// What it is compared with.
    pub(crate) values: Vec<Value>,
    /// Members asked for that no usual type has.
    pub(crate) fields: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Clue {
    Number,
    Text,
    List,
    Sequence,
    Grid,
    Map,
    Call(usize),
}

const TEXT: &[&str] = &[
    "lower",
    "upper",
    "split",
    "strip",
    "charat",
    "charcodeat",
    "codepointat",
    "tolowercase",
    "touppercase",
    "startswith",
    "endswith",
    "replace",
    "replaceall",
    "isdigit",
    "isalpha",
    "isalnum",
    "isupper",
    "islower",
    "trim",
    "chars",
    "each_char",
    "downcase",
    "upcase",
    "substring",
    "substr",
    "capitalize",
    "encode",
    "match",
    "matchall",
    "test",
    "scan",
    "gsub",
    "sub",
    "tr",
    "bytes",
    "lstrip",
    "rstrip",
    "title",
    "isspace",
    "zfill",
    "center",
    "ljust",
    "partition",
    "splitlines",
    "padstart",
    "padend",
    "localecompare",
    "swapcase",
    "codepoints",
    "start_with",
    "end_with",
    "each_line",
    "ord",
    "casefold",
    "isdecimal",
    "isnumeric",
];
const LIST: &[&str] = &[
    "append",
    "push",
    "pop",
    "map",
    "filter",
    "foreach",
    "reduce",
    "sort",
    "extend",
    "insert",
    "each",
    "each_with_index",
    "shift",
    "unshift",
    "splice",
    "concat",
    "first",
    "last",
    "every",
    "some",
    "flat",
    "flatmap",
    "fill",
    "select",
    "reject",
    "inject",
    "sum",
    "min",
    "max",
    "each_slice",
    "each_cons",
    "combination",
    "remove",
    "sort_by",
    "group_by",
    "tally",
    "any",
    "all",
    "zip",
    "transpose",
    "uniq",
    "compact",
    "flatten",
    "collect",
];
const MAP: &[&str] = &[
    "items",
    "keys",
    "values",
    "get",
    "entries",
    "has",
    "setdefault",
    "each_pair",
    "key",
    "fetch",
    "update",
    "has_key",
    "containskey",
    "hasownproperty",
];
const NUMBER: &[&str] = &[
    "tofixed",
    "bit_length",
    "times",
    "upto",
    "downto",
    "even",
    "odd",
    "zero",
    "digits",
    "abs",
    "is_integer",
    "positive",
    "negative",
    "floor",
    "ceil",
    "to_f",
    "gcd",
    "lcm",
    "pow",
];
const NEUTRAL: &[&str] = &[
    "length", "size", "count", "slice", "index", "indexof", "includes", "reverse", "include",
    "empty",
];
const NUMBER_CALLS: &[&str] = &[
    "range",
    "chr",
    "sqrt",
    "pow",
    "floor",
    "ceil",
    "abs",
    "factorial",
    "sin",
    "cos",
    "log",
    "log2",
    "exp",
    "isinteger",
    "is_numeric",
    "is_int",
    "isnan",
    "number",
    "parseint",
    "bin",
    "hex",
    "isfinite",
    "divmod",
    "is_float",
    "float",
    "int",
    "intdiv",
    "dechex",
    "decbin",
    "fmod",
    "log10",
    "tan",
    "trunc",
    "times",
];
const TEXT_CALLS: &[&str] = &[
    "ord",
    "strlen",
    "str_split",
    "strtolower",
    "strtoupper",
    "substr",
    "explode",
    "mb_strlen",
    "strrev",
    "trim",
    "preg_match",
    "preg_replace",
    "str_replace",
    "is_string",
    "ucfirst",
    "strpos",
    "mb_str_split",
    "str_repeat",
    "mb_substr",
];
const SEQUENCE_CALLS: &[&str] = &[
    "len",
    "enumerate",
    "sorted",
    "reversed",
    "set",
    "list",
    "sum",
    "min",
    "max",
    "count",
    "tuple",
    "counter",
    "zip",
    "iter",
];
const LIST_CALLS: &[&str] = &[
    "array",
    "isarray",
    "is_array",
    "array_map",
    "array_filter",
    "array_sum",
    "sort",
    "array_slice",
    "in_array",
    "deque",
    "array_key_exists",
    "implode",
    "array_push",
    "array_shift",
    "array_pop",
    "usort",
    "array_merge",
    "array_reverse",
    "heapify",
    "mean",
    "array_values",
    "array_keys",
];
const ARITHMETIC: &[&str] = &[
    "%", "/", "-", "**", "//", "<<", ">>", "&", "^", "+=", "-=", "*=", "/=", "//=", "%=", ">>=",
    "~", "*", "++", "--", "..", "...",
];
const COMPARISONS: &[&str] = &[
    "==", "===", "!=", "!==", "<", ">", "<=", ">=", "is", "eq", "-eq", "-lt", "-gt", "<=>",
];

/// Reads the tokens of a function's body.
pub(crate) fn of(body: &[Token<'_>], name: &str) -> Evidence {
    let mut votes: BTreeMap<Clue, usize> = BTreeMap::new();
    let mut found = Evidence::default();
    let bare = name.trim_start_matches(['$', '@', '*', '&']);
    let at = |index: Option<usize>| {
        index
            .and_then(|index| body.get(index))
            .map_or("", |token| token.text)
    };
    let mut vote = |clue: Clue, weight: usize| *votes.entry(clue).or_default() += weight;
    for (index, token) in body.iter().enumerate() {
        if token.text.trim_start_matches('$') != bare || token.is_string() {
            continue;
        }
        // In grammars where a variable is a sigil and a name, the sigil stands before.
        let before_index = index
            .checked_sub(1)
            .filter(|at| body[*at].text != "$")
            .or(index.checked_sub(2));
        let before = at(before_index);
        let before_call = at(before_index.and_then(|at| at.checked_sub(1)));
        let next = body.get(index + 1);
        let after = next.map_or("", |token| token.text);
        if matches!(before, "." | "->" | "::" | "?.") {
            continue;
        }
        match after {
            "[" => {
                let end = closing(body, index + 1);
                let inside = body.get(index + 2);
                let clue = if at(Some(end + 1)) == "[" {
                    Clue::Grid
                } else if inside.is_some_and(|token| token.is_string() && end == index + 3) {
                    Clue::Map
                } else {
                    Clue::Sequence
                };
                vote(clue, if clue == Clue::Grid { 6 } else { 2 });
            }
            "(" if token.kind != "property_identifier" => {
                let inside = &body[index + 2..closing(body, index + 1).max(index + 2)];
                let depth = inside.iter().filter(|token| token.text == ",").count();
                vote(Clue::Call(if inside.is_empty() { 0 } else { depth + 1 }), 8);
            }
            "." | "->" | "?." | "&." => {
                let member = at(Some(index + 2));
                let low = member.to_lowercase();
                let low = low.trim_end_matches(['?', '!']);
                let known = [
                    (TEXT, Clue::Text),
                    (LIST, Clue::List),
                    (MAP, Clue::Map),
                    (NUMBER, Clue::Number),
                ];
                match known.iter().find(|(members, _)| members.contains(&low)) {
                    Some((_, clue)) => vote(*clue, 4),
                    None if NEUTRAL.contains(&low) => vote(Clue::Sequence, 1),
                    None if !member.is_empty() => found.fields.push(member.to_owned()),
                    None => {}
                }
            }
            _ => {}
        }
        if matches!(before, "in" | "of" | "each") || after == "as" {
            vote(Clue::Sequence, 2);
        }
        if before == "(" || before == "," {
            let low = before_call.to_lowercase();
            if before == "(" {
                let known = [
                    (NUMBER_CALLS, Clue::Number),
                    (TEXT_CALLS, Clue::Text),
                    (SEQUENCE_CALLS, Clue::Sequence),
                    (LIST_CALLS, Clue::List),
                ];
                if let Some((_, clue)) = known
                    .iter()
                    .find(|(calls, _)| calls.contains(&low.as_str()))
                {
                    vote(*clue, if *clue == Clue::Sequence { 2 } else { 3 });
                }
            }
            let kind = typed(body, index);
            if let Some(clue) = kind {
                vote(clue, 6);
            }
        }
        if before == "typeof"
            && let Some(clue) = body
                .get(index + 2)
                .and_then(|token| token.content())
                .and_then(of_name)
        {
            vote(clue, 6);
            continue;
        }
        let partner = if COMPARISONS.contains(&after) {
            body.get(index + 2)
        } else if COMPARISONS.contains(&before) {
            before_index
                .and_then(|at| at.checked_sub(1))
                .and_then(|at| body.get(at))
        } else {
            None
        };
        if let Some(partner) = partner {
            if let Some(text) = partner.content() {
                vote(Clue::Text, 3);
                found.values.push(Value::Text(text.to_owned()));
            } else if partner.is_number() {
                vote(Clue::Number, 3);
                if let Ok(number) = partner.text.parse::<i64>() {
                    found.values.push(Value::Integer(number));
                }
            } else if !matches!(after, "is" | "==" | "===") {
                vote(Clue::Number, 1);
            }
        }
        if ARITHMETIC.contains(&after)
            || ARITHMETIC.contains(&before) && !matches!(before, "*" | "&" | "**")
        {
            vote(Clue::Number, 2);
        }
        if after == "+" || before == "+" {
            let other = if after == "+" {
                body.get(index + 2)
            } else {
                before_index
                    .and_then(|at| at.checked_sub(1))
                    .and_then(|at| body.get(at))
            };
            match other {
                Some(other) if other.is_string() => vote(Clue::Text, 1),
                Some(other) if other.is_number() => vote(Clue::Number, 2),
                _ => vote(Clue::Number, 1),
            }
        }
    }
    found.shape = decide(&votes);
    found
}

/// `isinstance(x, str)` and the like, where the name stands at this index.
fn typed(body: &[Token<'_>], index: usize) -> Option<Clue> {
    let call = body.get(index.checked_sub(2)?)?.text;
    if call == "isinstance" {
        let types = body.get(index + 2..)?.iter().take(2);
        return types.into_iter().find_map(|token| of_name(token.text));
    }
    None
}

fn of_name(name: &str) -> Option<Clue> {
    match name {
        "int" | "float" | "number" | "bigint" | "integer" => Some(Clue::Number),
        "str" | "string" => Some(Clue::Text),
        "list" | "tuple" => Some(Clue::List),
        "dict" => Some(Clue::Map),
        "function" => Some(Clue::Call(1)),
        _ => None,
    }
}

/// The index of the bracket that closes the one at `open`; the last token if there is none.
fn closing(body: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in body.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    body.len().saturating_sub(1)
}

fn decide(votes: &BTreeMap<Clue, usize>) -> Shape {
    let count = |clue: Clue| votes.get(&clue).copied().unwrap_or(0);
    let any = || Box::new(Shape::Any);
    let call = votes
        .iter()
        .filter(|(clue, _)| matches!(clue, Clue::Call(_)))
        .max_by_key(|(_, votes)| **votes);
    let sequence = count(Clue::Sequence);
    let list = count(Clue::List) + sequence;
    let text = count(Clue::Text) + sequence;
    let map = count(Clue::Map) + sequence;
    let mut ranked = vec![
        (count(Clue::Number), Shape::Integer),
        (if count(Clue::Text) > 0 { text } else { 0 }, Shape::Text),
        (
            if count(Clue::Map) > 0 { map } else { 0 },
            Shape::Map(any(), any()),
        ),
        (
            count(Clue::Grid) + list,
            Shape::List(if count(Clue::Grid) > 0 {
                Box::new(Shape::List(any()))
            } else {
                any()
            }),
        ),
    ];
    if let Some((Clue::Call(arity), votes)) = call {
        ranked.push((*votes, Shape::Function(*arity)));
    }
    let best = ranked
        .into_iter()
        .enumerate()
        .max_by_key(|(index, (votes, _))| (*votes, usize::MAX - index));
    match best {
        Some((_, (votes, shape))) if votes > 0 => shape,
        _ => Shape::Any,
    }
}
