//! What the rewriter promises for Ruby, over every fixture and random edits of them:
//! insertions come out again, lines stay, and what the parser could read it still can.

use proptest::prelude::*;
use tracer_instrument::{Instrumented, strip};
use tracer_lang_ruby::SPEC;
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
fn the_text_names_the_emitter_only() {
    for checks::Program { case, text, .. } in programs() {
        let done = rewrite(text.as_bytes(), Detail::Full);
        let mut read = 0usize;
        let mut original = 0usize;
        for insertion in &done.rewritten.insertions {
            let start = read + insertion.at as usize - original;
            let end = start + insertion.length as usize;
            let text = String::from_utf8_lossy(&done.rewritten.text[start..end]).into_owned();
            let own = text
                .replace("::RubyVM::T.", "")
                .replace("::RubyVM::N[", "")
                .replace("::RubyVM::L[", "");
            assert!(!own.contains("::"), "{case}: {text}");
            read = end;
            original = insertion.at as usize;
        }
    }
}

#[test]
fn text_before_a_heredoc_stays_on_its_line() {
    let rewritten = text("x[0] = foo(<<~A, 1)\n  body\nA\ny[0] = <<~B\n  b\nB\nz = <<~C\n  c\nC\n");
    assert!(
        rewritten.contains("(foo(<<~A, 1)))\n  body\nA\n"),
        "{rewritten}"
    );
    assert!(rewritten.contains("(<<~B))\n  b\nB\n"), "{rewritten}");
    assert!(rewritten.contains("z = <<~C;"), "{rewritten}");
    assert!(rewritten.contains(",z)\n  c\nC\n"), "{rewritten}");
}

#[test]
fn an_assignment_whose_value_is_wanted_is_told_from_inside() {
    assert!(text("x = 1\nputs x\n").contains("x = 1;"));
    for program in [
        "def f\n  x = 1\nend\n",
        "puts(x = 1)\n",
        "x = 1 if y\n",
        "x[0] = 1\n",
    ] {
        assert!(!text(program).contains("x = 1;"), "{}", text(program));
        assert!(text(program).contains("T.v("), "{}", text(program));
    }
}

#[test]
fn operators_that_the_text_uses_are_not_refined() {
    let program = "module M\n  refine Integer do\n    def -(other) = 7\n  end\nend\n";
    assert_eq!(text(program).trim_end_matches(['#', '|', ' ']), program);
}

#[test]
fn magic_comments_and_begin_blocks_keep_their_places() {
    let rewritten =
        text("# frozen_string_literal: true\nBEGIN { a = 1 }\nputs 1\n__END__\nx = 1\n");
    assert!(
        rewritten.starts_with("# frozen_string_literal: true\nBEGIN {"),
        "{rewritten}"
    );
    assert!(rewritten.contains("\n__END__\nx = 1\n"), "{rewritten}");
}

#[test]
fn conditions_with_a_meaning_of_their_own_are_left_alone() {
    for program in ["puts 1 if a..b", "x unless /re/", "1 if !(a...b) and c"] {
        assert!(!text(program).contains("T.b("), "{}", text(program));
    }
    assert!(text("y = 1 if a").contains("T.b("));
}

#[test]
fn what_gives_no_value_is_not_asked_for_one() {
    let rewritten = text("def f(a)\n  if a\n    return 1\n  else\n    return 2\n  end\nend\n");
    assert!(!rewritten.contains("(begin;"), "{rewritten}");
    assert!(text("def f\n  return 1 if a\nend\n").contains("(begin;"));
}

#[test]
fn programs_that_watch_themselves_get_no_probes() {
    for program in [
        "TracePoint.new(:line) { }\n",
        "class Integer\n  def +(o) = 1\nend\n",
    ] {
        let done = rewrite(program.as_bytes(), Detail::State);
        assert!(done.sites.is_empty(), "{program}");
        assert_eq!(done.dropped.len(), 1);
    }
}

#[test]
fn every_kind_of_site_is_made() {
    let done = rewrite(
        b"def f(a)\n  raise a if a\nrescue => e\n  return e\nend\nl = []\nfor i in 1..2 do f(i) end\n\
          l << 1\n",
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
        b"\xef\xbb\xbfa = 1",
        b"a = 1\r\nb = a\r\n",
        b"s = '\xe9' # \xff",
        b"a\0 = 1",
        b"end end end ((((",
        b"#!",
        b"# only a comment",
        b"__END__\ndef f",
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
