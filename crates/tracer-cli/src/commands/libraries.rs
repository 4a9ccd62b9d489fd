//! `tracer libraries`: the catalogue, and the layers that it was made from.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use indicatif::HumanBytes;
use tracer_engine::catalogue::{Catalogue, Entry, verify};
use tracer_engine::image;
use tracer_engine::images::{Store, declaration, libraries};

use super::image::cancel;
use crate::args::LibrariesCommand;
use crate::printer::Printer;
use crate::progress::Bar;

pub(crate) fn run(command: &LibrariesCommand, printer: &Printer) -> anyhow::Result<u8> {
    match command {
        LibrariesCommand::List {
            languages,
            verified,
            json,
        } => {
            let mut chosen = Vec::new();
            for name in languages {
                chosen.push(image::language(name)?);
            }
            if chosen.is_empty() {
                chosen = declaration::languages();
            }
            let mut entries = entries(&chosen);
            entries.retain(|entry| entry.verified || !verified);
            show(&entries, *json, printer)
        }
        LibrariesCommand::Search { text, json } => {
            let text = text.to_lowercase();
            let mut entries = entries(&declaration::languages());
            entries.retain(|entry| {
                let mut names = entry.imports.iter().chain([&entry.package]);
                names.any(|name| name.to_lowercase().contains(&text))
            });
            show(&entries, *json, printer)
        }
        LibrariesCommand::Lock { language, out } => lock(language, out, printer),
        LibrariesCommand::Build {
            language,
            layers,
            rebuild,
        } => build(language, layers, *rebuild, printer),
        LibrariesCommand::Verify {
            language,
            out,
            again,
        } => {
            let store = Store::open()?;
            let language = image::language(language)?;
            let known = match again {
                true => Catalogue::default(),
                false => Catalogue::own(language),
            };
            let catalogue = verify::catalogue(&store, language, &today(), &known)?;
            if catalogue.layers.is_empty() {
                bail!("no layer of {language} is built (`tracer libraries build {language}`)");
            }
            let verified = catalogue.entries.iter().filter(|entry| entry.verified);
            let verified = verified.count();
            match out {
                Some(path) => std::fs::write(path, catalogue.text())
                    .with_context(|| format!("cannot write {}", path.display()))?,
                None => printer.data(|out| write!(out, "{}", catalogue.text()))?,
            }
            let all = catalogue.entries.len();
            printer.say(&format!("{language}: {verified} of {all} libraries load"));
            Ok(0)
        }
    }
}

fn entries(languages: &[&str]) -> Vec<Entry> {
    let catalogues = languages.iter().map(|language| Catalogue::of(language));
    catalogues.flat_map(|catalogue| catalogue.entries).collect()
}

fn show(entries: &[Entry], json: bool, printer: &Printer) -> anyhow::Result<u8> {
    printer.data(|out| {
        if json {
            serde_json::to_writer_pretty(&mut *out, entries)?;
            return writeln!(out);
        }
        for entry in entries {
            let said = entry.reason.as_deref().unwrap_or("ok");
            writeln!(
                out,
                "{:<11} {:<28} {:<14} {:<9} {:<30} {said}",
                entry.language,
                entry.package,
                entry.version,
                entry.layer,
                entry.imports.join(" "),
            )?;
        }
        let verified = entries.iter().filter(|entry| entry.verified).count();
        writeln!(out, "{} libraries, {verified} verified", entries.len())
    })?;
    Ok(0)
}

fn lock(language: &str, out: &Path, printer: &Printer) -> anyhow::Result<u8> {
    let language = image::language(language)?;
    let Some(declared) = libraries::declared(language)? else {
        bail!("no library layers are declared for {language} yet");
    };
    let bar = Bar::new(printer);
    let locks = libraries::lock(&Store::open()?, language, &bar, &cancel()?)?;
    bar.finish();
    for (layer, text) in locks {
        let folder = out.join(&declared.owner).join("libraries");
        let file = folder.join(format!("{layer}.lock"));
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&file, &text))
            .with_context(|| format!("cannot write {}", file.display()))?;
        let packages = text.lines().filter(|line| !line.starts_with('#')).count();
        printer.say(&format!("{}: {packages} packages", file.display()));
    }
    Ok(0)
}

fn build(
    language: &str,
    layers: &[String],
    rebuild: bool,
    printer: &Printer,
) -> anyhow::Result<u8> {
    let store = Store::open()?;
    let language = image::language(language)?;
    let Some(declared) = libraries::declared(language)? else {
        bail!("no library layers are declared for {language} yet");
    };
    let known: Vec<&str> = declared.layers.iter().map(|each| &*each.name).collect();
    let unknown = layers.iter().find(|layer| !known.contains(&layer.as_str()));
    if let Some(layer) = unknown {
        bail!("{language} has no layer {layer}, but {}", known.join(", "));
    }
    let cancel = cancel()?;
    for layer in known {
        if !layers.is_empty() && !layers.iter().any(|wanted| wanted == layer) {
            continue;
        }
        let bar = Bar::new(printer);
        let manifest = libraries::build(&store, language, layer, rebuild, &bar, &cancel)?;
        let took = bar.finish();
        printer.data(|out| {
            writeln!(
                out,
                "{:<20} {}  {:>10}  {:>8}",
                manifest.language,
                manifest.digest().short(),
                HumanBytes(manifest.size()).to_string(),
                format!("{:.1} s", took.as_secs_f64()),
            )
        })?;
    }
    Ok(0)
}

/// The day, in UTC, `YYYY-MM-DD`: a catalogue is as good as its day.
fn today() -> String {
    DateTime::<Utc>::from(SystemTime::now())
        .date_naive()
        .to_string()
}
