//! What the rewriter promises for C#, over every fixture and random edits of them: insertions come
//! out again, lines stay, and what the parser could read it still can.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_csharp::SPEC;
use tracer_model::Detail;
use tracer_rewriting_checks::{self as checks, DETAILS};

/// The programs of the fixtures.
fn programs() -> Vec<checks::Program> {
    checks::programs(&SPEC, 40)
}

fn rewrite(source: &[u8], detail: Detail) -> Instrumented {
    checks::rewrite(&SPEC, source, detail)
}

/// The rewritten text of a method's body at the default detail.
fn body(statements: &str) -> String {
    let program = format!("class P {{ static int x; static void M(int a) {{ {statements} }} }}");
    String::from_utf8(rewrite(program.as_bytes(), Detail::State).rewritten.text).expect("UTF-8")
}

#[test]
fn insertions_come_out_again_and_add_no_line() {
    checks::reversible(&SPEC, &programs());
}

#[test]
fn what_could_be_parsed_still_can() {
    checks::parses_again(&SPEC, &programs());
}

#[test]
fn more_detail_reports_more() {
    checks::more_detail_reports_more(&SPEC, &programs());
}

#[test]
fn chains_point_at_sites() {
    checks::chains_point_at_sites(&SPEC, &programs());
}

#[test]
fn constants_and_references_are_left_alone() {
    for untouched in [
        "const int k = 1 + 2;",
        "case 3 + 4:",
        "ref int r = ref x",
        "int* p = &a",
        "{ X = 1, Y = 2 }",
    ] {
        let statements = match untouched {
            "case 3 + 4:" => "switch (a) { case 3 + 4: break; }".to_owned(),
            "{ X = 1, Y = 2 }" => format!("var q = new Q {untouched};"),
            other => format!("{other};"),
        };
        let rewritten = body(&statements);
        assert!(rewritten.contains(untouched), "{rewritten}");
    }
}

#[test]
fn names_declared_in_conditions_stay_in_them() {
    for condition in [
        "o is string s && s.Length > 0",
        "int.TryParse(t, out var n) && n > 0",
        "(a = 3) > 2 && a < 5",
    ] {
        let rewritten = body(&format!("bool b = {condition};"));
        let left = condition.split(" && ").next().expect("a left operand");
        assert!(!rewritten.contains("_tr.T("), "{rewritten}");
        assert!(
            left.contains("(a = 3)") || rewritten.contains(left),
            "{rewritten}"
        );
    }
}

/// What only newer compilers read.
const NEWER: &str = r#"using System;
using System.Threading.Tasks;

var total = 0;
foreach (var n in new[] { 1, 2 })
    total += Twice(n);
Console.WriteLine(total switch { > 10 => "big", 12 or 13 => "twelve", _ => "small" });
using var reader = new System.IO.StringReader("x");
Span<int> some = stackalloc int[] { 1, 2 };
var point = new Point(1, 2) with { Y = 5 };
if (point is { X: > 0, Y: var y } && y is not 3)
    await Task.Delay(1);
int[] all = [1, .. new[] { 2 }];
string? text = null;
text ??= """raw {0}""";
if (args is [] or ["-h", ..])
    return 1;
return 0;

static int Twice(int x) => x * 2;

public record Point(int X, int Y)
{
    public int Sum() => X + Y;
    public int Z { get; init; } = 3;
}

public readonly record struct Pair(int A);

public class Counter(int seed) : object()
{
    private int next = seed;
    public required string Name { get; init; }
    public int Next() { return next++; }
    public async IAsyncEnumerable<int> All()
    {
        await foreach (var one in All())
            yield return one;
    }
}
"#;

#[test]
fn newer_programs_are_read_too() {
    let scoped = "namespace A.B;\n\ninternal static class P\n{\n    static void Main(string[] args)\n    \
                  {\n        Point p = new(1);\n        System.Console.WriteLine(p);\n    }\n}\n";
    let in_newer = |text: &str| checks::Program {
        case: "newer".into(),
        name: "main.cs".into(),
        text: text.into(),
    };
    let programs = [NEWER, scoped].map(in_newer);
    checks::reversible(&SPEC, &programs);
    checks::parses_again(&SPEC, &programs);
    let done = rewrite(NEWER.as_bytes(), Detail::State);
    assert_eq!(done.errors, 0);
    let names: Vec<&str> = done.functions.iter().map(|f| &*f.qualified).collect();
    for name in ["<Main>$", "Point.Sum", "Counter.Next"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let text = String::from_utf8_lossy(&done.rewritten.text).into_owned();
    for probe in ["=_tr.I(1,args);try{", "return _tr.H<int>(", "}finally{"] {
        assert!(text.contains(probe), "{probe}: {text}");
    }
}

#[test]
fn constructors_that_pass_on_are_entered_first() {
    let program = "class P : Q { P(string s) : base(s.Length) { F(); } P() : base(1) { } }";
    let done = rewrite(program.as_bytes(), Detail::State);
    let text = String::from_utf8_lossy(&done.rewritten.text).into_owned();
    assert!(text.contains(": base(_tr.D(_tr.I("), "{text}");
    assert!(text.contains(": base(1) {_tr.I("), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn damaged_programs_come_out_unchanged(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40, ".{0,6}"), 1..5),
    ) {
        let programs = programs();
        let mut source = which.get(&programs).text.clone().into_bytes();
        for (at, length, insert) in cuts {
            let start = at.index(source.len() + 1);
            let end = (start + length).min(source.len());
            source.splice(start..end, insert.into_bytes());
        }
        for detail in DETAILS {
            let done = rewrite(&source, detail);
            prop_assert_eq!(&strip(&done.rewritten), &source);
        }
    }
}
