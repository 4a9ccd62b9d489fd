//! The text form: what each line means, and that no line can do harm.

use proptest::prelude::*;
use tracer_stream::lines::{LineSites, Said, read};
use tracer_stream::{Decoded, RawValue, Record, Transcript};

fn nowhere(_: Said<'_>) -> LineSites {
    LineSites::default()
}

fn transcript(text: &str) -> Transcript {
    read(text.as_bytes(), &nowhere)
}

fn records<'a>(decoded: &'a Decoded<'a>, stream: usize) -> Vec<Record<'a>> {
    decoded.streams[stream]
        .records()
        .map(|record| record.expect("what was read can be read"))
        .filter(|record| !matches!(record, Record::Intern { .. }))
        .collect()
}

fn strings(values: &[RawValue<'_>]) -> Vec<String> {
    values
        .iter()
        .map(|value| match value {
            RawValue::String(text) => String::from_utf8_lossy(text.shown).into_owned(),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn quoted_words_are_read_as_the_shell_writes_them() {
    let text = "7 V 3 =a\\ b ='it'\\''s' =$'x\\ny\\t\\303\\244\\u00e4' ='' =plain\n";
    let transcript = transcript(text);
    let decoded = transcript.decoded();
    let [Record::Var { site: 3, values }] = &records(&decoded, 0)[..] else {
        panic!("one record");
    };
    assert_eq!(
        strings(values),
        ["a b", "it's", "x\ny\t\u{e4}\u{e4}", "", "plain"]
    );
}

#[test]
fn arrays_numbers_and_cut_strings() {
    let transcript = transcript("7 V 3 (3 =a =b ) {1 =k =v } #-5 ! ~250=abc ?thing +4\n");
    let decoded = transcript.decoded();
    let [Record::Var { values, .. }] = &records(&decoded, 0)[..] else {
        panic!("one record");
    };
    assert!(matches!(&values[0], RawValue::Sequence(items)
        if items.length == 3 && items.items.len() == 2 && items.digest.is_some()));
    assert!(matches!(&values[1], RawValue::Map(items) if items.unordered));
    assert_eq!(values[2], RawValue::Int(-5));
    assert_eq!(values[3], RawValue::Unbound);
    assert!(
        matches!(&values[4], RawValue::String(text) if text.total == 250 && text.digest == Some(0))
    );
    assert!(matches!(&values[5], RawValue::Opaque { .. }));
    assert!(matches!(&values[6], RawValue::Opaque { text: b"4", .. }));
}

#[test]
fn children_are_told_of_where_they_were_begun() {
    // Two siblings begun at one place: the first site decides, not who came first.
    let text = "7 S 1\n7 S 2\n9 P 7 1\n9 S 5\n8 P 7 1\n8 S 4\n7 S 3\n";
    let transcript = transcript(text);
    let decoded = transcript.decoded();
    assert_eq!(decoded.streams.len(), 3);
    assert_eq!(
        (decoded.streams[1].ordinal, decoded.streams[2].ordinal),
        (1, 0)
    );
    assert_eq!(decoded.streams[1].began_at_site, 1);
    let kinds: Vec<bool> = records(&decoded, 0)
        .iter()
        .map(|record| matches!(record, Record::Task { phase: 0, .. }))
        .collect();
    assert_eq!(kinds, [false, true, true, false, false]);
}

#[test]
fn visits_left_out_are_told_once() {
    let transcript = transcript("7 M 4 1\n7 M 4 2\n7 G 4 3 V =x\n7 M 5 8\n");
    let decoded = transcript.decoded();
    assert!(matches!(
        records(&decoded, 0)[..],
        [Record::Elide {
            site: 4,
            count: 3,
            ..
        }]
    ));
    assert_eq!(decoded.slots.len(), 1);
    assert_eq!((decoded.slots[0].site, decoded.slots[0].count), (5, 8));
}

#[test]
fn a_torn_line_is_left_out() {
    let transcript = transcript("7 S 1\n7 S 2");
    assert_eq!(records(&transcript.decoded(), 0).len(), 1);
    assert!(transcript.decoded().problems.is_empty());
}

#[test]
fn lines_of_the_hook_find_their_sites() {
    let sites = |Said { line, .. }: Said<'_>| LineSites {
        step: line * 10,
        call: line * 10 + 1,
    };
    let text = b"+7 H 2 :echo 'a b'\n++7 H 3 :x=5\n+7 Hlib.sh 4 :echo\n";
    let transcript = read(text, &sites);
    let decoded = transcript.decoded();
    let records = records(&decoded, 0);
    assert!(matches!(records[0], Record::Step { site: 20 }));
    assert!(matches!(&records[1], Record::Call { site: 21, args, .. } if strings(args) == ["a b"]));
    assert!(matches!(records[2], Record::Step { site: 30 }));
    assert_eq!(records.len(), 3);
    assert!(decoded.problems.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let sites = |said: Said<'_>| LineSites { step: said.line, call: said.line };
        let transcript = read(&bytes, &sites);
        for stream in &transcript.decoded().streams {
            prop_assert!(stream.parent.is_none_or(|parent| parent < stream.number));
            prop_assert!(stream.records().count() <= 4 * bytes.len());
        }
    }

    #[test]
    fn any_lines_are_read(
        lines in prop::collection::vec(
            "\\+?[0-9]{1,3} [PSVIOBLCEDXGMNHQ] ([0-9]{1,12} ){0,3}[ =~#!?+(){}$'\\\\a-c0-9]{0,30}",
            0..60,
        ),
    ) {
        let sites = |said: Said<'_>| LineSites { step: said.line, call: said.line };
        let text = lines.join("\n") + "\n";
        let transcript = read(text.as_bytes(), &sites);
        for stream in &transcript.decoded().streams {
            prop_assert!(stream.parent.is_none_or(|parent| parent < stream.number));
            for record in stream.records() {
                prop_assert!(record.is_ok(), "{record:?}");
            }
        }
    }
}

#[test]
fn words_of_the_hook_may_hold_line_feeds() {
    let text =
        "+7 H 2 :IFS='\n\t'\n+7 H 3 :echo 'a\nb' c\n+7 H 4 :echo 'x\n2 y\n'\n+7 H 5 :echo z\n";
    let met = std::cell::RefCell::new(Vec::new());
    let transcript = read(text.as_bytes(), &|said: Said<'_>| {
        met.borrow_mut().push((said.line, said.words.to_vec()));
        LineSites {
            step: said.line,
            call: said.line,
        }
    });
    let decoded = transcript.decoded();
    assert!(decoded.problems.is_empty(), "{:?}", decoded.problems);
    let lines: Vec<u32> = met.borrow().iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    assert_eq!(met.borrow()[1].1, b"echo 'a\nb' c");
    let calls = records(&decoded, 0);
    let calls = calls.iter().filter_map(|record| match record {
        Record::Call { site: 3, args, .. } => Some(strings(args)),
        _ => None,
    });
    assert_eq!(calls.collect::<Vec<_>>(), [["a\nb", "c"]]);
}
