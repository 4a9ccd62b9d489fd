//! TypeScript against V8's block coverage of the text it is lowered to: every statement and every
//! function ran as often as V8 counted. V8 knows nothing of tracer, and the text holds no probe.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a missing toolchain is said")]

use std::path::{Path, PathBuf};

use tracer_engine::{find_toolchain, languages};
use tracer_lang_typescript::lower::{Format, Lowered, lower};
use tracer_tests::coverage::{compare, count};
use tracer_tests::oracle::{self, Verdict};
use tracer_tests::{fixture, repository};

/// Writes what a program is lowered to beside it.
fn write_lowered(program: &Path) -> (PathBuf, String, Lowered) {
    let lowered = lower(program, &std::fs::read(program).unwrap());
    let text = String::from_utf8(lowered.plain().text).unwrap();
    let extension = match lowered.format {
        Format::Module => "mjs",
        Format::Common | Format::Script => "cjs",
    };
    let path = program.with_extension(extension);
    std::fs::write(&path, &text).unwrap();
    (path, text, lowered)
}

#[test]
fn traces_agree_with_block_coverage() {
    let spec = languages::by_name("typescript").unwrap();
    let found = match find_toolchain(spec) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut verdict = Verdict::default();
    for (name, path) in subjects(scratch.path()) {
        let (run, text, lowered) = write_lowered(&path);
        if text.contains("$ts_") {
            Verdict::skip(&name, "needs helpers");
            continue;
        }
        let Some(theirs) = count(&run, &found.program, &found.roots) else {
            Verdict::skip(&name, "leaves no counts");
            continue;
        };
        let trace = oracle::record(&path);
        // What the parser cannot read has no probes.
        let unread = |reason: &str| reason == "syntax_error";
        if trace
            .coverage
            .dropped
            .iter()
            .any(|dropped| unread(&dropped.reason))
        {
            Verdict::skip(&name, "not all of it is traced");
            continue;
        }
        // Where modifiers were, there is nothing.
        let place = |offset: usize| {
            let offset = lowered.place(offset);
            let spaces = text[offset..].len() - text[offset..].trim_start_matches(' ').len();
            text[..offset + spaces].encode_utf16().count()
        };
        let outcome = compare(&trace, &theirs, &place);
        verdict.add(&name, outcome.map(|visits| visits as usize));
    }
    verdict.close("visits agree with V8's block coverage");
}

/// The fixture programs and every single-file fixture case. `TRACER_ORACLE` names a further folder.
/// All are copied, since what they are lowered to is written beside them.
fn subjects(scratch: &Path) -> Vec<(String, PathBuf)> {
    let folder = repository()
        .join("fixtures/typescript")
        .canonicalize()
        .unwrap();
    let mut folders = vec![folder.join("programs")];
    folders.extend(std::env::var_os("TRACER_ORACLE").map(PathBuf::from));
    let mut texts = Vec::new();
    for folder in folders {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "ts"))
            .collect();
        paths.sort();
        for path in paths {
            let text = std::fs::read(&path).unwrap();
            texts.push((path.display().to_string(), text, "ts".to_owned()));
        }
    }
    for fixture in fixture::load(&folder, "typescript", "ts").unwrap() {
        let stem = fixture
            .path
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        for case in &fixture.cases {
            let (name, text) = &case.files[0];
            // Under the oracle a program is not the main module.
            if case.files.len() > 1 || text.contains("require.main") {
                continue;
            }
            let extension = name.rsplit('.').next().unwrap_or("ts").to_owned();
            let name = format!("{stem}/{}", case.name);
            texts.push((name, text.clone().into_bytes(), extension));
        }
    }
    let write = |(index, (name, text, extension)): (usize, (String, Vec<u8>, String))| {
        let path = scratch.join(format!("program_{index}.{extension}"));
        std::fs::write(&path, text).unwrap();
        (name, path)
    };
    texts.into_iter().enumerate().map(write).collect()
}
