//! What the rewriter promises for C, over every fixture and random edits of them: insertions come
//! out again, lines stay, and what the parser could read it still can.

use std::path::Path;

use proptest::prelude::*;
use tracer_instrument::{Instrumented, Options, instrument, strip};
use tracer_lang_c::SPEC;
use tracer_model::{Detail, Kind};

const DETAILS: [Detail; 4] = [Detail::Calls, Detail::Lines, Detail::State, Detail::Full];

/// The C programs of the literate fixtures.
fn programs() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/c");
    let mut programs = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the fixtures are there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let mut case = String::new();
        let mut program: Option<String> = None;
        for line in text.split_inclusive('\n') {
            if let Some(body) = &mut program {
                if line.starts_with("```") {
                    programs.push((case.clone(), program.take().expect("a program")));
                } else {
                    body.push_str(line);
                }
            } else if let Some(title) = line.strip_prefix("## ") {
                title.trim().clone_into(&mut case);
            } else if line.starts_with("```c") {
                program = Some(String::new());
            }
        }
    }
    assert!(programs.len() > 40, "only {} programs", programs.len());
    programs
}

fn rewrite(source: &[u8], detail: Detail) -> Instrumented {
    let options = Options {
        detail,
        ..Options::default()
    };
    instrument(&SPEC, source, &options).expect("C is never refused")
}

#[test]
fn insertions_come_out_again_and_add_no_line() {
    for (case, program) in programs() {
        for detail in DETAILS {
            let done = rewrite(program.as_bytes(), detail);
            assert_eq!(
                strip(&done.rewritten),
                program.as_bytes(),
                "{case} at {detail:?}"
            );
            let lines = |text: &[u8]| text.split(|&byte| byte == b'\n').count();
            assert_eq!(
                lines(&done.rewritten.text),
                lines(program.as_bytes()),
                "{case}"
            );
        }
    }
}

#[test]
fn what_could_be_parsed_still_can() {
    for (case, program) in programs() {
        for detail in DETAILS {
            let done = rewrite(program.as_bytes(), detail);
            let again = rewrite(&done.rewritten.text, detail);
            assert!(
                again.errors <= done.errors,
                "{case} at {detail:?}:\n{}",
                String::from_utf8_lossy(&done.rewritten.text)
            );
        }
    }
}

#[test]
fn more_detail_reports_more() {
    for (case, program) in programs() {
        let counts: Vec<usize> = DETAILS
            .iter()
            .map(|&detail| rewrite(program.as_bytes(), detail).sites.len())
            .collect();
        assert!(counts.is_sorted(), "{case}: {counts:?}");
    }
}

/// The rewritten text of a program at the default detail.
fn text(program: &str) -> String {
    String::from_utf8(rewrite(program.as_bytes(), Detail::State).rewritten.text).expect("UTF-8")
}

#[test]
fn directives_and_constant_expressions_are_left_alone() {
    for untouched in [
        "#define F(x) ((x) ? (x)++ : 0)\n",
        "#if A && B\n#endif\n",
        "int a[B ? 1 : 2] = { 1 && 2 };\n",
        "enum e { X = 1 ? 2 : 3 };\n",
        "_Static_assert(1 && 2, \"\");\n",
        "#include \"x.h\"\n",
    ] {
        let rewritten = text(untouched);
        let kept = rewritten.replace(&rewritten[rewritten.len().min(untouched.len())..], "");
        assert!(
            kept.trim_end() == untouched.trim_end() || rewritten.starts_with(untouched.trim_end()),
            "{rewritten}"
        );
    }
}

#[test]
fn nothing_is_put_behind_what_the_parser_could_not_finish() {
    // To the parser the macro is a call that lacks its `;`, and its body another statement.
    let rewritten = text("void f(void) { EACH(x, l) g(x); h(); }");
    assert!(rewritten.contains("EACH(x, l) g(x);"), "{rewritten}");
}

#[test]
fn a_dangling_else_keeps_its_if() {
    let rewritten = text("void f(int a) { if (a) if (a > 1) g(); else h(); }");
    let inner = rewritten.find("if (a > 1)").expect("the inner if");
    let other = rewritten.find("else {").expect("its else");
    let outer = rewritten.rfind("else{").expect("the outer one's");
    assert!(inner < other && other < outer, "{rewritten}");
    assert_eq!(
        rewritten.matches('{').count(),
        rewritten.matches('}').count()
    );
}

#[test]
fn a_step_that_follows_for_certain_has_no_probe() {
    let done = rewrite(
        b"int f(void) { int a = 1; a = 2; return a; }",
        Detail::State,
    );
    let steps = done
        .sites
        .iter()
        .filter(|site| site.kind == Kind::Step)
        .count();
    let probes = String::from_utf8_lossy(&done.rewritten.text)
        .matches("_tr_s(")
        .count();
    assert_eq!((steps, probes), (3, 0));
}

#[test]
fn odd_files_are_rewritten() {
    for source in [
        &b""[..],
        b"\xef\xbb\xbfint main(void) { return 0; }",
        b"int main(void) {\r\n\treturn 0;\r\n}\r\n",
        b"int main(void) { char *s = \"\xe9\"; /* \xff */ return s == 0; }",
        b"int main(void) { return\0 0; }",
        b"}}}}((((",
        b"#",
    ] {
        let done = rewrite(source, Detail::Full);
        assert_eq!(strip(&done.rewritten), source);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn damaged_programs_come_out_unchanged(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40, ".{0,6}"), 1..5),
    ) {
        let programs = programs();
        let mut source = which.get(&programs).1.clone().into_bytes();
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
