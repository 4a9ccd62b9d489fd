//! `tracer image`: builds, lists, proves, moves and removes sandbox images.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use indicatif::{HumanBytes, HumanDuration};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use tracer_engine::image;
use tracer_engine::images::{
    self, BuildOptions, Cancel, Declaration, ImageError, ImportOptions, Layer, Manifest, Origin,
    Prune, Store, Verified, declaration,
};

use crate::args::{ImageBuildArgs, ImageChoice, ImageCommand, ImageVerifyArgs, ListArgs};
use crate::printer::Printer;
use crate::progress::Bar;

/// One image in `list --json`.
#[derive(Serialize)]
struct Row<'a> {
    language: &'a str,
    digest: String,
    /// Bytes of its files, shared ones included.
    size: u64,
    /// Seconds since 1970.
    built: u64,
    toolchain: String,
    layers: &'a [Layer],
    origin: &'a Origin,
}

impl<'a> Row<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        Self {
            language: &manifest.language,
            digest: manifest.digest().to_string(),
            size: manifest.size(),
            built: manifest.built,
            toolchain: version(manifest),
            layers: &manifest.layers,
            origin: &manifest.origin,
        }
    }
}

pub(crate) fn run(command: &ImageCommand, printer: &Printer) -> anyhow::Result<u8> {
    let store = Store::open()?;
    match command {
        ImageCommand::Build(args) => build(&store, args, printer),
        ImageCommand::List(args) => list(&store, args, printer),
        ImageCommand::Verify(args) => verify(&store, args, printer),
        ImageCommand::Import {
            archive,
            language,
            trust,
        } => import(&store, archive, language.as_deref(), *trust, printer),
        ImageCommand::Export { which, out } => {
            // Layers of libraries go by their own names, `python+core`.
            let (layers, languages): (Vec<String>, Vec<String>) = (which.languages.iter().cloned())
                .partition(|name| images::libraries::is_layer(name));
            let which = ImageChoice {
                languages,
                all: which.all,
            };
            let images = built(&store, &which)?.into_iter();
            let mut languages: Vec<String> = images.map(|manifest| manifest.language).collect();
            languages.extend(layers);
            let bar = Bar::new(printer);
            images::export(&store, &languages, out, &bar, &cancel()?)?;
            bar.finish();
            let size = out.metadata().map_or(0, |data| data.len());
            printer.say(&format!("{}: {}", out.display(), HumanBytes(size)));
            Ok(0)
        }
        &ImageCommand::Prune {
            all,
            packages,
            dry_run,
        } => {
            let what = Prune {
                all,
                packages,
                dry_run,
            };
            prune(&store, what, printer)
        }
        ImageCommand::Lock { which, out, mirror } => lock(which, out, mirror.as_deref(), printer),
    }
}

/// Stops on Ctrl-C after cleaning up; a second one stops at once.
pub(super) fn cancel() -> anyhow::Result<Cancel> {
    let cancel = Cancel::new();
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, cancel.flag())
            .and_then(|_| signal_hook::flag::register(signal, cancel.flag()))
            .context("cannot listen for Ctrl-C")?;
    }
    Ok(cancel)
}

/// Languages asked for, by their ids, each once.
fn chosen(which: &ImageChoice) -> anyhow::Result<Vec<&'static str>> {
    if which.all {
        return Ok(declaration::languages());
    }
    let mut chosen = Vec::new();
    for name in &which.languages {
        let language = image::language(name)?;
        if !chosen.contains(&language) {
            chosen.push(language);
        }
    }
    Ok(chosen)
}

/// Images asked for that are there.
fn built(store: &Store, which: &ImageChoice) -> anyhow::Result<Vec<Manifest>> {
    if which.all {
        let mut all = store.manifests();
        all.retain(|manifest| !images::libraries::is_layer(&manifest.language));
        if all.is_empty() {
            bail!("no image is built (`tracer image build --all`)");
        }
        return Ok(all);
    }
    chosen(which)?
        .into_iter()
        .map(|language| {
            let missing = || ImageError::NotBuilt {
                language: language.into(),
            };
            Ok(store.manifest(language).ok_or_else(missing)?)
        })
        .collect()
}

fn build(store: &Store, args: &ImageBuildArgs, printer: &Printer) -> anyhow::Result<u8> {
    let options = BuildOptions {
        mirror: args.mirror.clone(),
        locked: args.locked,
        rebuild: args.rebuild,
        base: None,
    };
    let cancel = cancel()?;
    let languages = chosen(&args.which)?;
    let mut failed = Vec::new();
    for language in &languages {
        let bar = Bar::new(printer);
        let result = image::build(store, language, &options, &bar, &cancel);
        let took = bar.finish();
        match result {
            Ok(manifest) => row(printer, &manifest, took)?,
            // One language that fails does not cost the others theirs.
            Err(error) if languages.len() > 1 && !cancel.flag().load(Ordering::Relaxed) => {
                printer.failure(&anyhow::Error::new(error).context(format!("{language} failed")));
                failed.push(*language);
            }
            Err(error) => return Err(error.into()),
        }
    }
    if failed.is_empty() {
        return Ok(0);
    }
    bail!("not built: {}", failed.join(", "));
}

/// What the toolchain says of itself; what the declaration says where it has not been asked.
fn version(manifest: &Manifest) -> String {
    match &manifest.toolchain {
        Some(toolchain) => toolchain.version.clone(),
        None if images::libraries::is_layer(&manifest.language) => {
            images::libraries::summary(&manifest.language).unwrap_or_default()
        }
        None => Declaration::find(&manifest.language)
            .map(|declaration| declaration.image.summary)
            .unwrap_or_default(),
    }
}

fn list(store: &Store, args: &ListArgs, printer: &Printer) -> anyhow::Result<u8> {
    let manifests = store.manifests();
    let rows: Vec<Row<'_>> = manifests.iter().map(Row::of).collect();
    printer.data(|out| {
        if args.json {
            serde_json::to_writer_pretty(&mut *out, &rows)?;
            return writeln!(out);
        }
        if rows.is_empty() {
            return writeln!(out, "no image is built (`tracer image build LANGUAGE`)");
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| now.as_secs());
        for row in &rows {
            let age = Duration::from_secs(now.saturating_sub(row.built));
            writeln!(
                out,
                "{:<16} {}  {:>10}  {:<16}  {}",
                row.language,
                &row.digest["sha256:".len()..][..12],
                HumanBytes(row.size).to_string(),
                format!("{} ago", HumanDuration(age)),
                row.toolchain,
            )?;
        }
        let mut files = std::collections::BTreeMap::new();
        for layer in rows.iter().flat_map(|row| row.layers) {
            files.insert(&layer.digest, layer.size);
        }
        let total: u64 = files.values().sum();
        let layers = rows.iter();
        let layers = layers.filter(|row| images::libraries::is_layer(row.language));
        let layers = layers.count();
        writeln!(
            out,
            "{} images and {layers} layers of libraries, {} on disk in {}",
            rows.len() - layers,
            HumanBytes(total),
            store.root().display()
        )
    })?;
    Ok(0)
}

fn verify(store: &Store, args: &ImageVerifyArgs, printer: &Printer) -> anyhow::Result<u8> {
    #[derive(Serialize)]
    struct Report<'a> {
        language: &'a str,
        digest: String,
        verified: Option<Verified>,
        problem: Option<String>,
    }
    let manifests = built(store, &args.which)?;
    let mut reports = Vec::new();
    for manifest in &manifests {
        let (verified, problem) = match image::verify(store, manifest) {
            Ok(verified) => (Some(verified), None),
            Err(error) => (None, Some(tracer_engine::check::describe(&error))),
        };
        reports.push(Report {
            language: &manifest.language,
            digest: manifest.digest().to_string(),
            verified,
            problem,
        });
    }
    let sound = |report: &Report<'_>| report.verified.as_ref().is_some_and(Verified::passed);
    printer.data(|out| {
        if args.json {
            serde_json::to_writer_pretty(&mut *out, &reports)?;
            return writeln!(out);
        }
        for report in &reports {
            let mark = if sound(report) { "ok     " } else { "broken " };
            let said = report
                .verified
                .as_ref()
                .map(|verified| verified.version.as_str())
                .or(report.problem.as_deref())
                .unwrap_or_default();
            writeln!(out, "{mark} {:<12} {said}", report.language)?;
            for proof in report.verified.iter().flat_map(|all| &all.programs) {
                let problem = proof.problem.as_deref().unwrap_or("as expected");
                writeln!(
                    out,
                    "          {:<20} {:>7.2} s  {problem}",
                    proof.name, proof.seconds
                )?;
            }
        }
        Ok(())
    })?;
    Ok(u8::from(!reports.iter().all(sound)))
}

fn import(
    store: &Store,
    archive: &Path,
    language: Option<&str>,
    trusted: bool,
    printer: &Printer,
) -> anyhow::Result<u8> {
    let cancel = cancel()?;
    let languages: Vec<String> = match language {
        Some(name) => vec![image::language(name)?.to_owned()],
        None => images::import::languages(archive, &cancel)?,
    };
    if languages.is_empty() {
        bail!(
            "{} does not say whose toolchain it has: name it with --language",
            archive.display()
        );
    }
    let options = ImportOptions {
        trusted,
        ..ImportOptions::default()
    };
    for language in languages
        .iter()
        .filter(|language| *language != declaration::BASE)
    {
        let bar = Bar::new(printer);
        let manifest = image::import(store, archive, language, &options, &bar, &cancel)?;
        let took = bar.finish();
        row(printer, &manifest, took)?;
    }
    Ok(0)
}

/// One image that was made.
fn row(printer: &Printer, manifest: &Manifest, took: Duration) -> anyhow::Result<()> {
    printer.data(|out| {
        writeln!(
            out,
            "{:<12} {}  {:>10}  {:>8}  {}",
            manifest.language,
            manifest.digest().short(),
            HumanBytes(manifest.size()).to_string(),
            format!("{:.1} s", took.as_secs_f64()),
            version(manifest),
        )
    })
}

fn prune(store: &Store, what: Prune, printer: &Printer) -> anyhow::Result<u8> {
    let pruned = store.prune(what)?;
    printer.data(|out| {
        for (name, size) in &pruned.removed {
            writeln!(out, "{:>10}  {name}", HumanBytes(*size).to_string())?;
        }
        let freed = HumanBytes(pruned.freed);
        if what.dry_run {
            writeln!(out, "{freed} would be freed")
        } else {
            writeln!(out, "{freed} freed")
        }
    })?;
    Ok(0)
}

fn lock(
    which: &ImageChoice,
    out: &Path,
    mirror: Option<&str>,
    printer: &Printer,
) -> anyhow::Result<u8> {
    let mut options = BuildOptions {
        mirror: mirror.map(str::to_owned),
        ..BuildOptions::default()
    };
    let cancel = cancel()?;
    let mut folders = chosen(which)?;
    if which.all {
        folders.insert(0, declaration::BASE);
    }
    for folder in folders {
        let bar = Bar::new(printer);
        let lock = images::lock(folder, &options, &bar, &cancel)?;
        bar.finish();
        let file = out.join(folder).join("packages.lock");
        std::fs::create_dir_all(out.join(folder))
            .and_then(|()| std::fs::write(&file, lock.text()))
            .with_context(|| format!("cannot write {}", file.display()))?;
        printer.say(&format!(
            "{}: {} packages",
            file.display(),
            lock.packages.len()
        ));
        if folder == declaration::BASE {
            options.base = Some(lock);
        }
    }
    Ok(0)
}
