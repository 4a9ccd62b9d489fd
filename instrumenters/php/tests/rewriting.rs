//! What the rewriter promises for PHP, over every fixture and random edits of them:
//! insertions come out again, lines stay, and what the parser could read it still can.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_php::SPEC;
use tracer_model::{Detail, Kind};
use tracer_rewriting_checks::{self as checks, DETAILS};

/// The programs of the fixtures.
fn programs() -> Vec<checks::Program> {
    checks::programs(&SPEC, 50)
}

fn rewrite(source: &[u8], detail: Detail) -> Instrumented {
    checks::rewrite(&SPEC, source, detail)
}

/// The rewritten text of a program at the default detail.
fn text(program: &str) -> String {
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
fn what_must_come_first_stays_first() {
    for first in [
        "<?php declare(strict_types=1);",
        "<?php namespace A;",
        "<?php declare(strict_types=1); namespace A; use B; const C = 1;",
    ] {
        assert!(text(&format!("{first} $x = 1;")).starts_with(first));
    }
}

#[test]
fn constants_and_variables_are_not_wrapped() {
    for program in [
        "<?php const A = B ?? 1 ?: 2;",
        "<?php class A { const B = 1 && 2; public $c = 1 ?: 2; }",
        "<?php enum E: int { case A = 1 ? 2 : 3; }",
        "<?php function f($a = 1 && 2) { static $b = 1 || 2; }",
        "<?php #[A(1 ?? 2)] function f() {}",
    ] {
        let rewritten = text(program);
        assert!(!rewritten.contains("trc0_b"), "{rewritten}");
        assert!(!rewritten.contains("trc0_n"), "{rewritten}");
    }
    for program in ["f($a[1]);", "$a = &f();", "isset($a, $b[1]);", "g(...$a);"] {
        assert!(text(&format!("<?php {program}")).contains(program));
    }
}

#[test]
fn an_else_behind_an_insertion_keeps_its_if() {
    let rewritten = text("<?php if ($a): $b = 1; else: $b = 2; endif;");
    assert!(rewritten.contains(";; else"), "{rewritten}");
    // The grammar gives this `else` to the wrong `if`.
    let program = "<?php if ($a) if ($b) c(); else d();";
    assert!(text(program).starts_with(program), "{}", text(program));
}

#[test]
fn a_value_that_is_written_stays_one_expression() {
    let rewritten = text("<?= $a ?><?= $b = 1 ?>");
    assert!(!rewritten.contains("<?= if"), "{rewritten}");
    assert_eq!(rewritten.matches("trc0_e").count(), 2, "{rewritten}");
}

#[test]
fn nothing_is_inserted_behind_the_halt() {
    let program = "<?php f(); __halt_compiler(); if ($a) { $b = 1; }";
    let rewritten = text(program);
    let (_, data) = rewritten.split_once("__halt_compiler").expect("a halt");
    assert!(data.contains("if ($a) { $b = 1; }"), "{rewritten}");
}

#[test]
fn every_kind_of_site_is_made() {
    let done = rewrite(
        b"<?php function f($a) { try { if ($a) throw $a; } catch (E $e) { return $e; } }\n\
          for ($i = 0; $i < 2; $i++) f($i); $l = []; sort($l);",
        Detail::State,
    );
    for kind in [
        Kind::In,
        Kind::Out,
        Kind::Var,
        Kind::Branch,
        Kind::Loop,
        Kind::Err,
        Kind::Transform,
        Kind::Step,
    ] {
        assert!(done.sites.iter().any(|site| site.kind == kind), "{kind:?}");
    }
}

#[test]
fn odd_files_are_rewritten() {
    for source in [
        &b""[..],
        b"\xef\xbb\xbf<?php $a = 1;",
        b"<?php $a = 1;\r\n$b = $a\r\n",
        b"<?php $s = '\xe9'; /* \xff */ $s + 1",
        b"<?php $a\0 = 1;",
        b"<?php }}}}((((",
        b"<?php // only a comment ?> text <?",
        b"only text",
        b"#!/usr/bin/php\n<?php echo 1 ?>",
        b"<?php if (1): ?>a<?php elseif (2): ?>b<?php else: ?>c<?php endif",
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
