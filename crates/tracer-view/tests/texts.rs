//! The views for people: `cases/<name>.jsonl` rendered, against `cases/<name>.<view>`.
//! `TRACER_BLESS=1` rewrites what is expected.

mod common;

use std::path::PathBuf;

use tracer_model::Trace;
use tracer_view::{calls, frames, html, inline, jsonl, lines, pretty};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn expect(name: &str, got: &str) {
    let path = folder().join(name);
    if std::env::var_os("TRACER_BLESS").is_some() {
        std::fs::write(&path, got).expect("the case can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(got == expected, "{name} is now\n{got}");
}

fn check(name: &str, trace: &Trace) {
    expect(
        &format!("{name}.pretty"),
        &pretty::render(trace, &pretty::Options::default()),
    );
    expect(
        &format!("{name}.lines"),
        &lines::render(trace, &lines::Options::default()),
    );
    expect(
        &format!("{name}.frames"),
        &frames::render(trace, &frames::Options::default()),
    );
    expect(
        &format!("{name}.inline"),
        &inline::render(trace, &inline::Options::new(trace)),
    );
}

fn recorded(name: &str) -> Trace {
    let file = std::fs::File::open(folder().join(format!("{name}.jsonl"))).expect("the case");
    jsonl::read(std::io::BufReader::new(file)).expect("a trace")
}

#[test]
fn one_of_everything() {
    check("everything", &common::trace());
}

#[test]
fn a_python_program() {
    check("stack", &recorded("stack"));
}

#[test]
fn calls_into_libraries() {
    let trace = recorded("calls");
    check("calls", &trace);
    let mut out = Vec::new();
    calls::write(&trace, &mut out).expect("memory takes it");
    expect("calls.calls", &String::from_utf8(out).expect("JSON"));
    // The same program again adds calls, and no examples.
    let (once, twice) = (
        calls::functions([&trace]),
        calls::functions([&trace, &trace]),
    );
    for (once, twice) in once.iter().zip(&twice) {
        assert_eq!(once.calls * 2, twice.calls);
        assert_eq!(once.examples, twice.examples);
    }
}

#[test]
fn a_crashing_c_program() {
    check("crash", &recorded("crash"));
}

#[test]
fn nothing_but_output_is_wider_than_asked() {
    for trace in [common::trace(), recorded("stack"), recorded("crash")] {
        for width in [60, 80, 100, 200] {
            let options = pretty::Options {
                width,
                ..pretty::Options::default()
            };
            for line in pretty::render(&trace, &options).lines() {
                let size = line.chars().count();
                assert!(
                    size <= width || line.contains('»'),
                    "{size} > {width}: {line}"
                );
            }
        }
    }
}

#[test]
fn no_control_character_of_the_program_reaches_the_terminal() {
    let plain = pretty::render(&common::trace(), &pretty::Options::default());
    let lines = lines::render(&common::trace(), &lines::Options::default());
    let frames = frames::render(&common::trace(), &frames::Options::default());
    let inline = inline::render(&common::trace(), &inline::Options::new(&common::trace()));
    for text in [plain, lines, frames, inline] {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
    }
}

#[test]
fn a_page_holds_the_program_and_cannot_be_left_by_it() {
    let mut trace = common::trace();
    trace.table.files[0]
        .text
        .push_str("x = '</script><script>alert(1)</script>'\n");
    let page = html::render(&trace);
    assert_eq!(page.matches("</script>").count(), 2);
    let data = page.split_once("id=\"trace\">").expect("the data").1;
    let data = data.split_once("</script>").expect("its end").0;
    let data: serde_json::Value = serde_json::from_str(data).expect("the data is JSON");
    assert_eq!(data["files"][0]["text"], trace.table.files[0].text.as_str());
    assert_eq!(data["rows"][1]["s"], "    total += f(i)");
}

#[test]
fn colours_change_nothing_else() {
    let options = pretty::Options {
        color: true,
        ..pretty::Options::default()
    };
    let mut colored = pretty::render(&common::trace(), &options);
    while let Some(start) = colored.find('\u{1b}') {
        let end = start + colored[start..].find('m').expect("a whole sequence");
        colored.replace_range(start..=end, "");
    }
    assert_eq!(
        colored,
        pretty::render(&common::trace(), &pretty::Options::default())
    );
}

#[test]
fn comments_are_those_of_the_language() {
    let mut trace = common::trace();
    for (language, comment) in [("bash", "#"), ("ruby", "#"), ("sql", "--"), ("java", "//")] {
        trace.environment.language = language.into();
        assert_eq!(inline::Options::new(&trace).comment, comment, "{language}");
    }
}
