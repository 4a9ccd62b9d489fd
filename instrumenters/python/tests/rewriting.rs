//! Rewriting of Python text, without running anything: the insertions can be taken out again, the
//! result still parses, and hazards of the language are met by the right text.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, Options, instrument, strip};
use tracer_lang_python::SPEC;
use tracer_model::{Detail, Kind};
use tracer_rewriting_checks::{self as checks, DETAILS};

fn at(detail: Detail, source: &[u8]) -> Instrumented {
    checks::rewrite(&SPEC, source, detail)
}

fn text(source: &str) -> String {
    String::from_utf8(at(Detail::State, source.as_bytes()).rewritten.text).expect("UTF-8")
}

/// The programs of the fixtures.
fn programs() -> Vec<checks::Program> {
    checks::programs(&SPEC, 50)
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
fn chains_point_at_sites() {
    checks::chains_point_at_sites(&SPEC, &programs());
}

#[test]
fn no_step_is_told_twice() {
    // A step with a probe of its own must not be implied by another event as well.
    for program in programs() {
        let done = at(Detail::State, program.text.as_bytes());
        let text = String::from_utf8_lossy(&done.rewritten.text).into_owned();
        let mut implied = std::collections::BTreeSet::new();
        for site in &done.sites {
            let chain = &site.chain;
            let arms = chain.after_arm.iter().flat_map(|(_, sites)| sites);
            implied.extend(
                chain
                    .after
                    .iter()
                    .chain(&chain.after_left)
                    .chain(arms)
                    .copied(),
            );
        }
        for site in done.sites.iter().filter(|site| site.kind == Kind::Step) {
            let own = text.contains(&format!("_tr_s{}()", site.id));
            assert!(
                own != implied.contains(&site.id),
                "step {} of\n{text}",
                site.id
            );
        }
    }
}

#[test]
fn docstrings_and_future_imports_stay_first() {
    let done = text("'doc'\nfrom __future__ import annotations\nx = 1\n");
    assert!(
        done.starts_with("'doc'\nfrom __future__ import annotations\n_tr_m1();"),
        "{done}"
    );
    assert!(text("def f():\n    'doc'\n").contains("'doc';"));
}

#[test]
fn inserted_names_are_never_mangled() {
    for program in programs() {
        let done = at(Detail::Full, program.text.as_bytes());
        for insertion in &done.rewritten.insertions {
            assert!(insertion.length > 0);
        }
        let text = String::from_utf8_lossy(&done.rewritten.text).into_owned();
        assert!(!text.contains("__tr_"));
    }
}

#[test]
fn what_the_program_can_read_again_is_left_alone() {
    let source = "x = 1\nprint(f'{x + f(1)=}')\ndef f(a: int if x else str = 1) -> g(2): pass\n";
    let done = text(source);
    assert!(done.contains("f'{x + f(1)=}'"), "{done}");
    assert!(
        done.contains("(a: int if x else str = 1) -> g(2)"),
        "{done}"
    );
}

#[test]
fn targets_are_not_evaluated_again() {
    let done = text("f()[g()] = h()\nf().x += 1\n");
    assert_eq!(done.matches("f()").count(), 2, "{done}");
    assert_eq!(done.matches("g()").count(), 1, "{done}");
}

#[test]
fn conditions_are_tested_once() {
    let done = text("if a: pass\n");
    assert!(done.contains("if _tr_t3() if (a) else _tr_f3():"), "{done}");
}

#[test]
fn unreadable_statements_cost_only_themselves() {
    let source = b"def f(x):\n    y = x\n    return y\n\nz = = 3\n\ndef g():\n    return 1\n";
    let done = at(Detail::State, source);
    assert!(done.errors > 0);
    let text = String::from_utf8_lossy(&done.rewritten.text).into_owned();
    assert!(
        text.contains("y = x;_tr_v") && text.contains("return _tr_r"),
        "{text}"
    );
    assert_eq!(strip(&done.rewritten), source);
}

#[test]
fn odd_files() {
    for source in [
        &b""[..],
        b"\n",
        b"# only a comment",
        b"\xef\xbb\xbfx = 1\n",
        b"x = 1\r\nif x:\r\n    y = 2\r\n",
        b"# -*- coding: latin-1 -*-\ns = '\xe9\xff'\nt = s\n",
        b"x = '\0'\n",
        b"x = 1\x0c\ny = 2",
        b"if 1:\n\tx = 1\n        \ty = 2\n",
        b"print 'old'\nexec 'x = 1'\n",
        b"\xff\xfe\x00",
    ] {
        for detail in DETAILS {
            let options = Options {
                detail,
                ..Options::default()
            };
            if let Ok(done) = instrument(&SPEC, source, &options) {
                assert_eq!(strip(&done.rewritten), source);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Any piece of a fixture, with any bytes put in, can be rewritten and restored.
    #[test]
    fn random_edits_are_reversible(
        which in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 0usize..40,
        with in prop::collection::vec(
            prop::sample::select(b"(){}[]:;,=\n\t '\"#\\@*ax0\xe9\xff\0".to_vec()), 0..8),
        detail in prop::sample::select(DETAILS.to_vec()),
    ) {
        let programs = programs();
        let mut source = which.get(&programs).text.clone().into_bytes();
        let start = from.index(source.len().max(1)).min(source.len());
        let end = (start + length).min(source.len());
        source.splice(start..end, with);
        let options = Options { detail, ..Options::default() };
        if let Ok(done) = instrument(&SPEC, &source, &options) {
            prop_assert_eq!(strip(&done.rewritten), source);
        }
    }
}
