//! Tells programs in a C# that Mono's compiler does not read (8 and later), by their syntax.
//!
//! Only by what that compiler cannot read: a program it takes must never count as newer. What a
//! program needs of a newer class library is not seen.

use tree_sitter::{Node, Parser};

/// Words of which one is in every program in newer C#: parsing is only worth it with one of them.
/// Top-level statements have none, and are told by the lack of `class` and its like.
const SIGNS: &[&str] = &[
    "record",
    "namespace",
    "switch",
    "with",
    "new",
    "..",
    "^",
    "using",
    "??=",
    "await",
    "\"\"\"",
    "[",
    " is ",
    "init",
    "?",
    "class",
    "struct",
    "static",
];

/// Whether the program needs newer C# than Mono's compiler reads.
pub(crate) fn needs_dotnet(source: &[u8]) -> bool {
    feature(source).is_some()
}

/// The first thing in the source that Mono's compiler does not read: what it is, and its line.
pub(crate) fn feature(source: &[u8]) -> Option<(&'static str, usize)> {
    let text = String::from_utf8_lossy(source);
    if !SIGNS.iter().any(|sign| text.contains(sign)) {
        return None;
    }
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_c_sharp::LANGUAGE.into())
        .ok()?;
    let tree = parser.parse(source, None)?;
    let found = search(tree.root_node(), source);
    found.map(|(name, node)| (name, node.start_position().row + 1))
}

fn search<'t>(root: Node<'t>, source: &[u8]) -> Option<(&'static str, Node<'t>)> {
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        if let Some(name) = newer(node, source) {
            return Some((name, node));
        }
        // What is compiled only at times may be written for another compiler.
        if node.kind().starts_with("preproc_") {
            continue;
        }
        let mut cursor = node.walk();
        let below = waiting.len();
        waiting.extend(node.children(&mut cursor));
        waiting[below..].reverse();
    }
    None
}

fn has_child(node: Node<'_>, kind: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| child.kind() == kind)
}

fn has_modifier(node: Node<'_>, source: &[u8], word: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| {
        child.kind() == word || child.kind() == "modifier" && child.utf8_text(source) == Ok(word)
    })
}

/// The name of what a node is, if it is in no C# before 8.
fn newer(node: Node<'_>, source: &[u8]) -> Option<&'static str> {
    if node.has_error() {
        return None;
    }
    Some(match node.kind() {
        "file_scoped_namespace_declaration" => "a namespace for a file",
        "record_declaration" => "a record",
        "global_statement" => {
            // A part of a program is none.
            let whole = node.parent().is_some_and(|parent| !parent.has_error());
            return whole.then_some("top-level statements");
        }
        "switch_expression" => "a switch expression",
        "with_expression" => "`with`",
        "implicit_object_creation_expression" => "`new` without a type",
        "range_expression" => "a range",
        "raw_string_literal" => "a raw string",
        "collection_expression" => "a collection expression",
        "list_pattern" => "a list pattern",
        "recursive_pattern" => "a property pattern",
        "relational_pattern" => "a relational pattern",
        "and_pattern" | "or_pattern" | "negated_pattern" => "a combined pattern",
        "using_directive" if has_child(node, "global") => "`global using`",
        "local_declaration_statement" if has_child(node, "using") => "`using` as a declaration",
        "foreach_statement" if has_child(node, "await") => "`await foreach`",
        "using_statement" if has_child(node, "await") => "`await using`",
        "local_function_statement" if has_modifier(node, source, "static") => {
            "a static local function"
        }
        "class_declaration" | "struct_declaration" if has_child(node, "parameter_list") => {
            "a primary constructor"
        }
        "accessor_declaration" if has_child(node, "init") => "`init`",
        "assignment_expression" if has_child(node, "??=") => "`??=`",
        "nullable_type" => {
            let of = node.child_by_field_name("type").or(node.named_child(0))?;
            let text = of.utf8_text(source).unwrap_or_default();
            return matches!(text, "string" | "object").then_some("a nullable reference");
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_syntax_is_named_with_its_line() {
        let cases = [
            (
                "namespace A;\nclass P { static void Main() {} }",
                "a namespace for a file",
            ),
            ("public record R(int X);", "a record"),
            (
                "using System;\nConsole.WriteLine(1);",
                "top-level statements",
            ),
            (
                "class P { int F(int a) => a switch { 1 => 2, _ => 3 }; }",
                "a switch expression",
            ),
            ("class P { P p = new(); }", "`new` without a type"),
            (
                "class P { void F(int[] a) { var b = a[1..2]; } }",
                "a range",
            ),
            (
                "class P { void F() { using var f = G(); } }",
                "`using` as a declaration",
            ),
            (
                "class P { bool F(object a) => a is not null; }",
                "a combined pattern",
            ),
            (
                "class P { bool F(int a) { return a is > 3; } }",
                "a relational pattern",
            ),
            ("class P { int X { get; init; } }", "`init`"),
            ("class P { void F(string a) { a ??= \"\"; } }", "`??=`"),
            ("class P { string? s; }", "a nullable reference"),
            ("class P(int a) { int F() => a; }", "a primary constructor"),
            ("global using System;", "`global using`"),
            ("class P { int[] a = [1, 2]; }", "a collection expression"),
            (
                "class P { bool F(P a) { return a is { x: 1 }; } int x; }",
                "a property pattern",
            ),
        ];
        for (source, name) in cases {
            let found = feature(source.as_bytes()).map(|(found, _)| found);
            assert_eq!(found, Some(name), "{source}");
        }
        let later = feature(b"class A {\n int? a;\n}\nrecord B;\n");
        assert_eq!(later, Some(("a record", 4)));
    }

    #[test]
    fn what_mono_reads_is_not_newer() {
        for source in [
            "class P { static void Main() { int? a = null; a = a ?? 1; int[] b = { 1 }; } }",
            "class P { void F(object o) { switch (o) { case int i when i > 1: break; } } }",
            "class P { (int a, int b) F() => (1, 2); void G() { int L() { return 1; } } }",
            "class P { [System.Obsolete] void F() { using (var f = G()) { } } }",
            "namespace A { class B { int record; void with() { record = 1; with(); } } }",
            "class P { void F(object o) { if (o is string s) s = $\"{s}\"; var v = default(int); } }",
            "static int F() { return 1 }",
            "class P {\n#if CS90\nP p = new();\n#endif\nvoid F() {\n#if CS90\nusing var f = G();\n#endif\n} }",
        ] {
            assert_eq!(feature(source.as_bytes()), None, "{source}");
        }
    }
}
