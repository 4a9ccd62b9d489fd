//! Files at the edge of what a file can be, in every language: each is rewritten reversibly and
//! runs as it does untraced, or is refused with a reason.

use std::fs;

use crate::skipped;
use libtest_mimic::{Failed, Trial};
use tracer_engine::{CheckOptions, ProgramOptions, RunOptions, Status, check_file, languages};
use tracer_instrument::{InstrumentError, LanguageSpec, Options, engine, strip};
use tracer_tests::{missing, settings};

/// A small valid program that prints, as the body of the odd file.
fn program(language: &str) -> &'static str {
    match language {
        "python" => "x = 1\nfor i in range(3):\n    x += i\nprint(x)\n",
        "javascript" | "typescript" => {
            "let x = 1;\nfor (let i = 0; i < 3; i++) {\n  x += i;\n}\nconsole.log(x);\n"
        }
        "php" => {
            "<?php\n$x = 1;\nfor ($i = 0; $i < 3; $i++) {\n    $x += $i;\n}\necho $x, \"\\n\";\n"
        }
        "ruby" => "x = 1\n3.times do |i|\n  x += i\nend\nputs x\n",
        "c" | "cpp" => {
            "#include <stdio.h>\nint main(void) {\n  int x = 1;\n  for (int i = 0; i < 3; i++) {\n    \
             x += i;\n  }\n  printf(\"%d\\n\", x);\n  return 0;\n}\n"
        }
        "swift" => "var x = 1\nfor i in 0..<3 {\n    x += i\n}\nprint(x)\n",
        "go" => {
            "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tx := 1\n\tfor i := 0; i < 3; i++ {\n\t\t\
             x += i\n\t}\n\tfmt.Println(x)\n}\n"
        }
        "java" => {
            "class Main {\n  public static void main(String[] args) {\n    int x = 1;\n    \
             for (int i = 0; i < 3; i++) {\n      x += i;\n    }\n    System.out.println(x);\n  }\n}\n"
        }
        "csharp" => {
            "class P {\n  static void Main() {\n    int x = 1;\n    for (int i = 0; i < 3; i++) {\n      \
             x += i;\n    }\n    System.Console.WriteLine(x);\n  }\n}\n"
        }
        "sql" => "CREATE TABLE t(x);\nINSERT INTO t VALUES (1), (2);\nSELECT sum(x) FROM t;\n",
        "bash" => "x=1\nfor i in 1 2 3; do\n  x=$((x + i))\ndone\necho \"$x\"\n",
        "rust" => {
            "fn main() {\n    let mut x = 1;\n    for i in 0..3 {\n        x += i;\n    }\n    \
             println!(\"{x}\");\n}\n"
        }
        other => panic!("write an odd-file program for {other}"),
    }
}

/// A comment around bytes that are not text.
fn comment(language: &str, bytes: &[u8]) -> Vec<u8> {
    let (open, close): (&[u8], &[u8]) = match language {
        "python" | "ruby" | "bash" => (b"# ", b"\n"),
        _ => (b"/* ", b" */\n"),
    };
    [open, bytes, close].concat()
}

/// One line of five megabytes: many statements, then one with very many elements.
fn long_line(language: &str) -> Vec<u8> {
    let statement = match language {
        "c" | "cpp" | "go" | "rust" => "x = x + 1; ",
        "php" => "$x = 1; ",
        "sql" => "SELECT 1; ",
        "bash" => "x=1; ",
        _ => "x = 1; ",
    };
    let statements = statement.repeat(1_000_000 / statement.len());
    let elements = "10, ".repeat(1_000_000);
    match language {
        "c" | "cpp" => {
            format!("int main(void) {{ int x = 0; {statements}int y[] = {{ {elements}0 }}; }}\n")
        }
        "go" => {
            format!(
                "package main; func main() {{ x := 0; {statements}_ = []int{{ {elements}0 }} }}\n"
            )
        }
        "java" => {
            format!(
                "class Main {{ void f(int x) {{ {statements}int[] y = {{ {elements}0 }}; }} }}\n"
            )
        }
        "rust" => format!("fn main() {{ let mut x = 0; {statements}let y = [{elements}0]; }}\n"),
        "bash" => format!("{statements}y=({})\n", elements.replace(',', "")),
        "javascript" | "typescript" => format!("let x; {statements}const y = [ {elements}0 ];\n"),
        "csharp" => format!(
            "class P {{ static void Main() {{ int x; {statements}int[] y = {{ {elements}0 }}; }} }}\n"
        ),
        "php" => format!("<?php {statements}$y = [ {elements}0 ];\n"),
        "sql" => format!("{}VALUES ({elements}0);\n", statement.repeat(1_000_000 / 9)),
        "swift" => format!("var x = 0; {statements}let y = [ {elements}0 ]\n"),
        _ => format!("{statements}y = [ {elements}0 ]\n"),
    }
    .into_bytes()
}

fn odd_files(language: &str) -> Vec<(&'static str, Vec<u8>)> {
    let text = program(language).as_bytes();
    let with = |front: &[u8]| [front, text].concat();
    vec![
        ("empty", Vec::new()),
        ("only_newlines", b"\n\n\n".to_vec()),
        ("no_final_newline", text[..text.len() - 1].to_vec()),
        ("byte_order_mark", with(b"\xef\xbb\xbf")),
        (
            "carriage_returns",
            program(language).replace('\n', "\r\n").into_bytes(),
        ),
        (
            "invalid_utf8_in_comment",
            with(&comment(language, b"caf\xe9 \xff\xfe")),
        ),
        ("nul_in_comment", with(&comment(language, b"a\0b"))),
        ("shebang", with(b"#!/usr/bin/env something\n")),
        ("syntax_error", with(b"((((\n")),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for spec in languages::all().iter().copied() {
        let missing = missing(spec);
        for (name, bytes) in odd_files(spec.id) {
            let name = format!("{}/{name}", spec.id);
            let text = bytes.clone();
            trials.push(Trial::test(
                format!("odd_files/reversible/{name}"),
                move || reversible(spec, &text),
            ));
            if let Some(why) = &missing {
                trials.push(skipped(&format!("odd_files/same/{name}"), why));
            } else {
                trials.push(Trial::test(format!("odd_files/same/{name}"), move || {
                    same(spec, &bytes)
                }));
            }
        }
        trials.push(Trial::test(
            format!("odd_files/reversible/{}/five_megabyte_line", spec.id),
            move || reversible(spec, &long_line(spec.id)),
        ));
        trials.push(Trial::test(
            format!("odd_files/refused/{}/utf_16", spec.id),
            move || {
                let text: Vec<u8> = "\u{feff}x = 1\n"
                    .encode_utf16()
                    .flat_map(u16::to_le_bytes)
                    .collect();
                match engine::instrument(spec, &text, &Options::default()) {
                    Err(InstrumentError::Encoding { encoding: "UTF-16" }) => Ok(()),
                    other => Err(format!("{other:?}").into()),
                }
            },
        ));
    }
    trials
}

fn reversible(spec: &LanguageSpec, text: &[u8]) -> Result<(), Failed> {
    let done = engine::instrument(spec, text, &Options::default())?;
    if strip(&done.rewritten) != text {
        return Err("taking the insertions out does not give the original back".into());
    }
    let lines = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count();
    if lines(&done.rewritten.text) != lines(text) {
        return Err("the number of lines changed".into());
    }
    Ok(())
}

fn same(spec: &LanguageSpec, text: &[u8]) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(format!("main.{}", spec.extensions[0]));
    fs::write(&path, text)?;
    let settings = settings(folder.path())?;
    let run = RunOptions {
        program: ProgramOptions::default(),
        settings,
    };
    let checked = check_file(&path, &CheckOptions { run });
    match checked.status {
        Status::Same => Ok(()),
        // The compiler refuses some of these; what counts is that it says so by itself.
        Status::BuildFailed if spec.toolchain.diagnostics.is_some() => Ok(()),
        status => Err(format!("{status:?}: {}: {}", checked.reason, checked.detail).into()),
    }
}
