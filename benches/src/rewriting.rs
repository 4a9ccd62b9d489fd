//! Rewriting a file, against parsing it with tree-sitter and doing nothing with the tree.

use std::hint::black_box;

use tracer_instrument::{LanguageSpec, Options, engine};
use tree_sitter::Parser;

use crate::programs;
use crate::report::{Report, count, ratio, time};
use crate::sample::{Sample, Variant, interleave};
use crate::settings::Settings;

/// Least size of the large file, bytes.
const LARGE: usize = 1 << 20;

/// Bytes read in one repetition of the small files, so that the clock's grain does not show.
const BATCH: usize = 400 << 10;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    report.say(
        "Processor time of one thread. Parsing reuses one parser and drops the tree. Rewriting \
         includes parsing, the site table and the rewritten bytes; detail `state`.",
    );
    let mut rows = Vec::new();
    for spec in tracer_languages::all() {
        let texts: Vec<Vec<u8>> = programs::all(spec)?
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        let mut large = Vec::new();
        while large.len() < if settings.quick { LARGE / 16 } else { LARGE } {
            for text in &texts {
                large.extend_from_slice(text);
            }
        }
        let small: usize = texts.iter().map(Vec::len).sum();
        let repeats = BATCH.div_ceil(small);
        let rounds = settings.rounds(40);
        rows.extend(compare(spec, "small files", &texts, repeats, rounds)?);
        rows.extend(compare(spec, "one large file", &[large], 1, rounds)?);
    }
    report.table(
        &[
            "",
            "median",
            "least",
            "files/s",
            "MB/s",
            "× median",
            "× least",
        ],
        &rows,
    );
    Ok(())
}

fn compare(
    spec: &'static LanguageSpec,
    what: &str,
    texts: &[Vec<u8>],
    repeats: usize,
    rounds: usize,
) -> anyhow::Result<Vec<Vec<String>>> {
    let mut parser = Parser::new();
    parser.set_language(&(spec.grammar)())?;
    let options = Options::default();
    let variants = vec![
        Variant::new(format!("{} {what}: parse", spec.name), move || {
            for text in texts.iter().cycle().take(texts.len() * repeats) {
                black_box(parser.parse(black_box(text), None));
            }
            Ok(())
        }),
        Variant::new(format!("{} {what}: rewrite", spec.name), move || {
            for text in texts.iter().cycle().take(texts.len() * repeats) {
                black_box(engine::instrument(spec, black_box(text), &options)?);
            }
            Ok(())
        }),
    ];
    let files = (texts.len() * repeats) as f64;
    let bytes = texts.iter().map(Vec::len).sum::<usize>() as f64 * repeats as f64;
    let samples = interleave(rounds, variants)?;
    let parse = &samples[0];
    let row = |sample: &Sample| {
        vec![
            sample.name.clone(),
            time(sample.median_cpu() / files),
            time(sample.least_cpu() / files),
            count(files / sample.least_cpu()),
            format!("{:.1}", bytes / sample.least_cpu() / 1e6),
            ratio(sample.median_cpu(), parse.median_cpu()),
            ratio(sample.least_cpu(), parse.least_cpu()),
        ]
    };
    Ok(samples.iter().map(row).collect())
}
