//! The dataset card: what the folder holds, how it came about, what was lost.

use crate::assemble::{CONFIGURATION, Facts};
use crate::funnel::{Counts, Funnel};
use crate::options::Form;
use crate::output::Fields;
use crate::{Options, Reason, row, tokens};

/// The funnel as a Markdown table: a row a reason, a column a language.
pub(crate) fn funnel_table(funnel: &Funnel) -> String {
    let mut text = String::from("| | all |");
    for language in funnel.languages.keys() {
        text.push_str(&format!(" {language} |"));
    }
    text.push_str("\n| --- | ---: |");
    text.push_str(&" ---: |".repeat(funnel.languages.len()));
    text.push('\n');
    let mut line = |name: &str, value: &dyn Fn(&Counts) -> String| {
        text.push_str(&format!("| {name} | {} |", value(&funnel.total)));
        for counts in funnel.languages.values() {
            text.push_str(&format!(" {} |", value(counts)));
        }
        text.push('\n');
    };
    line("input", &|counts| counts.input.to_string());
    for reason in Reason::ALL {
        let lost = |counts: &Counts| counts.rejected.get(reason).copied().unwrap_or(0);
        if lost(&funnel.total) > 0 {
            line(reason.name(), &|counts| lost(counts).to_string());
        }
    }
    line("**kept**", &|counts| counts.kept.to_string());
    line("of these pinned", &|counts| counts.pinned.to_string());
    line("share kept", &|counts| {
        format!("{:.1} %", counts.share() * 100.0)
    });
    text
}

/// The card.
pub(crate) fn card(
    options: &Options,
    funnel: &Funnel,
    facts: &Facts,
    fields: &Fields,
    table: &str,
) -> String {
    let extension = match options.form {
        Form::Jsonl => "jsonl.zst",
        Form::Parquet => "parquet",
    };
    let mut text = format!("---\nconfigs:\n- config_name: {CONFIGURATION}\n  data_files:\n");
    for (split, rows) in [("train", facts.train), ("validation", facts.validation)] {
        if rows > 0 {
            text.push_str(&format!(
                "  - split: {split}\n    path: {CONFIGURATION}/{split}-*.{extension}\n"
            ));
        }
    }
    text.push_str("tags:\n- code\n- execution-traces\n---\n\n# Execution traces\n\n");
    text.push_str(&format!(
        "{} programs with verified traces, {} tokens ({} of the tokenizer `{}` a row), made by \
         tracer {}. Each program ran as it is and traced, with the same output, exit status and \
         files; traced again under other circumstances (hash seed, time zone, locale, process number, uptime, time of day, addresses, \
         working folder), it gave the same trace.\n\n",
        funnel.total.kept,
        facts.tokens,
        facts.tokens.checked_div(funnel.total.kept).unwrap_or(0),
        tokens::NAME,
        env!("CARGO_PKG_VERSION"),
    ));
    text.push_str(&format!(
        "View `{}`, at most {} tokens a row, rows of all languages shuffled (seed {}). Split by \
         repository: {} train, {} validation. Rows with `deterministic: pinned` give the same trace \
         in a fixed environment only; `checks.depends_on` names what they depend on.\n\n",
        options.view.name(),
        options.token_budget,
        options.seed,
        facts.train,
        facts.validation,
    ));
    text.push_str("## Yield\n\n");
    text.push_str(table);
    text.push_str("\nReasons, in the order of the gates:\n\n");
    for reason in Reason::ALL {
        text.push_str(&format!("- `{}`: {}\n", reason.name(), reason.about()));
    }
    text.push_str(
        "\nEvery row of the input is in one place: in a shard, or in `_rejects/` with its reason.\n",
    );
    text.push_str("\n## Licences\n\nAs the input states them, of the programs:\n\n");
    for (license, rows) in &facts.licenses {
        text.push_str(&format!("- {license}: {rows}\n"));
    }
    text.push_str(&format!(
        "\n## Columns\n\nSchema {}.\n\n",
        row::SCHEMA_VERSION
    ));
    text.push_str("| column | type | from |\n| --- | --- | --- |\n");
    for (name, kind) in &fields.fields {
        let from = if row::OWN.contains(&name.as_str()) {
            "tracer"
        } else {
            "input"
        };
        text.push_str(&format!("| `{name}` | {} | {from} |\n", kind.name()));
    }
    text
}
