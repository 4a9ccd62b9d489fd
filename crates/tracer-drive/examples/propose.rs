//! Writes the proposals for files into a folder, for looking at them and for trying them out:
//! `propose OUT FILE…` makes `OUT/<number>/` with the example's files and prints a line of JSON for
//! each. It runs nothing.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let out = PathBuf::from(words.next().context("usage: propose OUT FILE…")?);
    for (number, file) in words.enumerate() {
        propose(&out.join(format!("{number:04}")), Path::new(&file))
            .with_context(|| file.clone())?;
    }
    Ok(())
}

fn propose(folder: &Path, file: &Path) -> anyhow::Result<()> {
    let source = std::fs::read(file)?;
    let Some(spec) = tracer_languages::detect(file, &source) else {
        return Ok(());
    };
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .context("no name")?;
    let proposal = tracer_drive::propose(spec, name, &source);
    let files = match &proposal.driver {
        Some(driver) => driver.files(&source),
        None => vec![(name.to_owned(), source.clone())],
    };
    for (path, text) in &files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().context("no folder")?)?;
        std::fs::write(path, text)?;
    }
    let runs: Vec<String> = proposal
        .inputs
        .iter()
        .map(|input| {
            let stdin = String::from_utf8_lossy(&input.stdin);
            format!(
                "{{\"args\": {}, \"stdin\": {}, \"why\": {}}}",
                list(&input.args),
                text(&stdin),
                text(&input.why)
            )
        })
        .collect();
    let skipped = proposal.driver.iter().flat_map(|driver| &driver.skipped);
    let skipped: Vec<String> = skipped
        .map(|skipped| format!("{}: {}", skipped.name, skipped.reason))
        .collect();
    #[expect(clippy::print_stdout, reason = "this is what it is for")]
    {
        println!(
            "{{\"file\": {}, \"folder\": {}, \"main\": {}, \"driven\": {}, \"undriven\": {}, \"skipped\": {}, \"inputs\": [{}]}}",
            text(&file.to_string_lossy()),
            text(&folder.to_string_lossy()),
            text(&files[0].0),
            proposal.driver.is_some(),
            text(&proposal.undriven),
            list(&skipped),
            runs.join(", ")
        );
    }
    Ok(())
}

fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| text(word)).collect();
    format!("[{}]", words.join(", "))
}

fn text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04x}", letter as u32)),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
