//! Small faults that could be put into a program: what people get wrong, by the tokens and fields that
//! the grammars share.

use tracer_instrument::{LanguageSpec, Node};

/// What kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// `<` for `<=`, `==` for `!=`.
    Comparison,
    /// `-` for `+`, also in `+=`.
    Arithmetic,
    /// `&&` for `||`.
    Logic,
    /// A number that is off by one.
    Constant,
    /// A condition the wrong way round.
    Condition,
    /// A statement that is missing.
    Statement,
    /// The first two arguments of a call, the wrong way round.
    Arguments,
    /// `true` for `false`.
    Truth,
}

impl Rule {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Comparison => "comparison",
            Self::Arithmetic => "arithmetic",
            Self::Logic => "logic",
            Self::Constant => "constant",
            Self::Condition => "condition",
            Self::Statement => "missing_statement",
            Self::Arguments => "argument_order",
            Self::Truth => "truth",
        }
    }
}

/// A fault, as an edit of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mutation {
    pub(crate) rule: Rule,
    /// Bytes that are replaced.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: String,
}

impl Mutation {
    /// The text with the fault in it. It has as many lines as before.
    pub(crate) fn apply(&self, source: &str) -> String {
        format!(
            "{}{}{}",
            &source[..self.start],
            self.text,
            &source[self.end..]
        )
    }

    /// The line it begins in, from 1.
    pub(crate) fn line(&self, source: &str) -> usize {
        source[..self.start].matches('\n').count() + 1
    }
}

/// Operators that are taken for each other.
const OPERATORS: &[(&str, &str, Rule)] = &[
    ("<", "<=", Rule::Comparison),
    ("<=", "<", Rule::Comparison),
    (">", ">=", Rule::Comparison),
    (">=", ">", Rule::Comparison),
    ("==", "!=", Rule::Comparison),
    ("!=", "==", Rule::Comparison),
    ("===", "!==", Rule::Comparison),
    ("!==", "===", Rule::Comparison),
    ("-eq", "-ne", Rule::Comparison),
    ("-lt", "-le", Rule::Comparison),
    ("-le", "-lt", Rule::Comparison),
    ("-gt", "-ge", Rule::Comparison),
    ("-ge", "-gt", Rule::Comparison),
    ("+", "-", Rule::Arithmetic),
    ("-", "+", Rule::Arithmetic),
    ("*", "+", Rule::Arithmetic),
    ("/", "*", Rule::Arithmetic),
    ("//", "*", Rule::Arithmetic),
    ("%", "*", Rule::Arithmetic),
    ("+=", "-=", Rule::Arithmetic),
    ("-=", "+=", Rule::Arithmetic),
    ("*=", "+=", Rule::Arithmetic),
    ("&&", "||", Rule::Logic),
    ("||", "&&", Rule::Logic),
    ("and", "or", Rule::Logic),
    ("or", "and", Rule::Logic),
];

/// Kinds of nodes whose operator stands between operands, by parts of their names in all grammars.
const BINARY: &[&str] = &[
    "binary",
    "comparison",
    "boolean_operator",
    "additive",
    "multiplicative",
    "equality",
    "conjunction",
    "disjunction",
    "infix",
    "augmented",
    "compound_assignment",
    "operator_assignment",
    "assignment_expression",
    "assignment_statement",
];

/// Kinds of whole numbers.
const NUMBERS: &[&str] = &[
    "integer",
    "number",
    "number_literal",
    "int_literal",
    "integer_literal",
    "decimal_integer_literal",
];

/// Kinds of statements that may be forgotten.
const STATEMENTS: &[&str] = &[
    "expression_statement",
    "assignment_statement",
    "inc_statement",
    "dec_statement",
    "assignment",
    "operator_assignment",
    "augmented_assignment",
];

/// All faults that could be put between two bytes of a source, in the order they stand in.
pub(crate) fn mutations(
    spec: &LanguageSpec,
    root: Node<'_>,
    source: &str,
    within: std::ops::Range<usize>,
) -> Vec<Mutation> {
    let mut found = Vec::new();
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        if node.is_error() || node.end_byte() <= within.start || node.start_byte() >= within.end {
            continue;
        }
        if within.contains(&node.start_byte()) && node.end_byte() <= within.end {
            found.extend(of_node(spec, node, source));
        }
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
        waiting.extend(children.into_iter().rev());
    }
    found
}

fn of_node(spec: &LanguageSpec, node: Node<'_>, source: &str) -> Option<Mutation> {
    let text = source.get(node.byte_range())?;
    let edit = |rule, node: Node<'_>, text: String| {
        Some(Mutation {
            rule,
            start: node.start_byte(),
            end: node.end_byte(),
            text,
        })
    };
    let parent = node.parent()?;
    if node.child_count() == 0 {
        if let Some((_, other, rule)) = OPERATORS.iter().find(|(operator, ..)| *operator == text)
            && (!node.is_named() || node.kind().ends_with("operator"))
            && BINARY.iter().any(|kind| parent.kind().contains(kind))
            && is_between(node)
        {
            return edit(*rule, node, (*other).to_owned());
        }
        let flipped = match text {
            "true" => "false",
            "false" => "true",
            "True" => "False",
            "False" => "True",
            _ => "",
        };
        if !flipped.is_empty() && (node.is_named() || parent.kind().contains("bool")) {
            return edit(Rule::Truth, node, flipped.to_owned());
        }
        if NUMBERS.contains(&node.kind())
            && let Ok(number) = text.parse::<u32>()
            && number < 1_000_000
            && (number == 0 || !text.starts_with('0'))
            && !is_data(parent)
        {
            return edit(Rule::Constant, node, (number + 1).to_string());
        }
    }
    if parent.child_by_field_name("condition") == Some(node) && negates(spec) {
        return negated(spec, node, text).and_then(|text| edit(Rule::Condition, node, text));
    }
    if STATEMENTS.contains(&node.kind()) && is_statement(node) {
        let nothing = match spec.id {
            "python" => "pass".to_owned() + &"\n".repeat(text.matches('\n').count()),
            "bash" => ":".to_owned() + &"\n".repeat(text.matches('\n').count()),
            _ => "\n".repeat(text.matches('\n').count()),
        };
        return edit(Rule::Statement, node, nothing);
    }
    if node.kind().contains("argument") && node.kind().ends_with(['s', 't']) {
        let mut cursor = node.walk();
        let arguments: Vec<Node<'_>> = node
            .named_children(&mut cursor)
            .filter(|child| !child.is_extra())
            .collect();
        if let [first, second, ..] = arguments.as_slice() {
            let (one, two) = (
                source.get(first.byte_range())?,
                source.get(second.byte_range())?,
            );
            let between = source.get(first.end_byte()..second.start_byte())?;
            let plain = |text: &str| !text.contains(['=', ':', '\n', '*', '&', '"', '\'']);
            if one != two && plain(one) && plain(two) && between.trim() == "," {
                return Some(Mutation {
                    rule: Rule::Arguments,
                    start: first.start_byte(),
                    end: second.end_byte(),
                    text: format!("{two}{between}{one}"),
                });
            }
        }
    }
    None
}

/// Whether a number in this node is what a program is fed with and not what it does: an element of a
/// container, or an argument, save those of a loop's bounds.
fn is_data(parent: Node<'_>) -> bool {
    let kind = parent.kind();
    if kind.contains("argument") {
        let call = parent.parent();
        let around = call.and_then(|call| call.parent());
        return !around.is_some_and(|around| around.kind().contains("for"));
    }
    [
        "list",
        "array",
        "pair",
        "dict",
        "object",
        "element",
        "initializer",
        "tuple",
        "hash",
        "set",
    ]
    .iter()
    .any(|word| kind.contains(word))
}

/// Whether an operator has an operand on each side.
fn is_between(node: Node<'_>) -> bool {
    let named = |side: Option<Node<'_>>| side.is_some_and(|side| !side.is_extra());
    named(node.prev_sibling()) && named(node.next_sibling())
}

/// Whether a language writes a condition as an expression that `!` or `not` turns round.
fn negates(spec: &LanguageSpec) -> bool {
    !matches!(spec.id, "bash" | "sql")
}

fn negated(spec: &LanguageSpec, node: Node<'_>, text: &str) -> Option<String> {
    if text.contains('\n') {
        return None;
    }
    // A condition that declares something is none that can be turned round.
    if ["let ", "var ", ":=", "const "]
        .iter()
        .any(|word| text.contains(word))
    {
        return None;
    }
    Some(match spec.id {
        "python" => format!("not ({text})"),
        _ if node.kind().contains("parenthesized") || node.kind() == "condition_clause" => {
            format!("(!{text})")
        }
        _ => format!("!({text})"),
    })
}

/// Whether an assignment is a statement of its own, and not the head of a loop or part of another.
fn is_statement(node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| {
        let kind = parent.kind();
        matches!(
            kind,
            "block"
                | "compound_statement"
                | "statement_block"
                | "statements"
                | "body_statement"
                | "then"
                | "do"
                | "do_group"
                | "block_body"
                | "statement_list"
                | "constructor_body"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each fault as the line that it leaves.
    fn faults(language: &str, source: &str) -> Vec<String> {
        let spec = tracer_languages::by_name(language).unwrap();
        let tree = tracer_instrument::engine::parse(spec, source.as_bytes()).unwrap();
        mutations(spec, tree.root_node(), source, 0..source.len())
            .iter()
            .map(|mutation| {
                let text = mutation.apply(source);
                assert_eq!(text.lines().count(), source.lines().count());
                let line = mutation.line(source);
                text.lines().nth(line - 1).unwrap().trim().to_owned()
            })
            .collect()
    }

    #[test]
    fn faults_are_those_that_people_make() {
        let python = "def f(a, b):\n    if a < 3 and b:\n        a += 1\n    return g(a, b)\nf([1, 2], 'x < y')\n";
        assert_eq!(
            faults("python", python),
            [
                "if not (a < 3 and b):",
                "if a <= 3 and b:",
                "if a < 4 and b:",
                "if a < 3 or b:",
                "pass",
                "a -= 1",
                "a += 2",
                "return g(b, a)",
            ]
        );
    }

    #[test]
    fn languages_share_the_rules() {
        let bodies = [
            (
                "c",
                "int f(int a, int b) { if (a < b) { a = a + 1; } return a; }",
            ),
            (
                "cpp",
                "int f(int a, int b) { if (a < b) { a = a + 1; } return a; }",
            ),
            (
                "java",
                "class A { int f(int a, int b) { if (a < b) { a = a + 1; } return a; } }",
            ),
            (
                "csharp",
                "class A { int f(int a, int b) { if (a < b) { a = a + 1; } return a; } }",
            ),
            (
                "javascript",
                "function f(a, b) { if (a < b) { a = a + 1; } return a; }",
            ),
            (
                "typescript",
                "function f(a: number, b: number) { if (a < b) { a = a + 1; } return a; }",
            ),
            (
                "php",
                "<?php function f($a, $b) { if ($a < $b) { $a = $a + 1; } return $a; }",
            ),
            (
                "go",
                "package main\nfunc f(a, b int) int { if a < b { a = a + 1; }; return a }",
            ),
            (
                "rust",
                "fn f(mut a: i32, b: i32) -> i32 { if a < b { a = a + 1; } a }",
            ),
            (
                "ruby",
                "def f(a, b)\n  if a < b\n    a = a + 1\n  end\n  a\nend\n",
            ),
            (
                "swift",
                "func f(_ c: Int, b: Int) -> Int { var a = c; if a < b { a = a + 1 }; return a }",
            ),
        ];
        for (language, body) in bodies {
            let found = faults(language, body);
            let all = found.join("\n");
            for wanted in ["<= ", "- 1", "+ 2", "!("] {
                assert!(all.contains(wanted), "{language}: no {wanted} in\n{all}");
            }
            let lost = found.iter().any(|line| {
                !line.contains("+ 1") && !line.contains("- 1") && !line.contains("+ 2")
            });
            assert!(lost, "{language}: nothing is lost in\n{all}");
        }
    }
}
