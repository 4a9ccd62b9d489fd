//! The page of counts, `sandbox-images/LIBRARIES.md`. It is made from the catalogues, never typed.

use std::collections::{BTreeMap, BTreeSet};

use tracer_image::{Declaration, declaration, libraries};

use crate::Catalogue;

/// What stands above the table.
const HEAD: &str = "# Libraries in the images

Made from the catalogues by `TRACER_BLESS=1 cargo test -p tracer-libraries page`. A library is verified if it
was loaded (compiled against, for compiled languages) inside the sandbox, without a network. Why others are
not is in `<language>/libraries/catalogue.tsv`, and `tracer libraries list LANGUAGE` says it.

| language | libraries | verified | on | layers |
| --- | ---: | ---: | --- | --- |
";

/// Its text. A language that takes another one's catalogue says so and is not counted again.
pub fn text() -> String {
    let mut text = HEAD.to_owned();
    let (mut libraries, mut verified) = (0, 0);
    for language in declaration::languages() {
        let Some(declared) = libraries::declared(language).ok().flatten() else {
            continue;
        };
        let catalogue = Catalogue::of(language);
        if catalogue.entries.is_empty() {
            continue;
        }
        let borrowed = declared.owner != language
            && Catalogue::of(&declared.owner).layers == catalogue.layers
            && Catalogue::of(&declared.owner).entries.len() == catalogue.entries.len();
        if borrowed {
            text.push_str(&format!("| {language} | as {} | | | |\n", declared.owner));
            continue;
        }
        let works = catalogue.entries.iter().filter(|entry| entry.verified);
        let works = works.count();
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &catalogue.entries {
            *sizes.entry(&entry.layer).or_default() += 1;
        }
        let layers = catalogue.layers.iter().map(|(layer, digest)| {
            let short = digest.trim_start_matches("sha256:");
            let short = short.get(..12).unwrap_or(short);
            let size = sizes.get(layer.as_str()).copied().unwrap_or_default();
            format!("{layer} {size} (`{short}`)")
        });
        text.push_str(&format!(
            "| {language} | {} | {works} | {} | {} |\n",
            catalogue.entries.len(),
            catalogue.made,
            layers.collect::<Vec<_>>().join(", "),
        ));
        libraries += catalogue.entries.len();
        verified += works;
    }
    text.push_str(&format!("| all | {libraries} | {verified} | | |\n"));
    text.push_str(TOP);
    for language in declaration::languages() {
        text.push_str(&top(language).unwrap_or_default());
    }
    text
}

/// What stands above the second table.
const TOP: &str = "
## The hundred that are used most

From `<language>/libraries/top.tsv`, which says what it counts: downloads where a registry's counts are to be
had, else dependants.

| language | of | verified | not |
| --- | ---: | ---: | --- |
";

/// The row of a language that names its most used packages.
fn top(language: &str) -> Option<String> {
    let file = Declaration::find(language).ok()?;
    let listed = String::from_utf8_lossy(file.file("libraries/top.tsv")?).into_owned();
    let catalogue = Catalogue::of(language);
    // Registries do not tell these apart, nor do people.
    let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
    for entry in &catalogue.entries {
        known.insert(plain(&entry.package), entry.reason.clone());
    }
    // Packed already, but nobody has tried them.
    let declared = libraries::declared(language).ok().flatten()?;
    let tried = |name: &str| catalogue.layers.iter().any(|(known, _)| known == name);
    let layers = declared.layers.iter().filter(|layer| !tried(&layer.name));
    let untried: BTreeSet<String> = layers
        .filter_map(|layer| libraries::locked(language, &layer.name).ok())
        .flatten()
        .map(|package| plain(&package.name))
        .collect();
    let (mut count, mut verified, mut missing) = (0, 0, Vec::new());
    for line in listed.lines().filter(|line| !line.starts_with('#')) {
        let (name, why) = line.split_once('\t').unwrap_or((line, ""));
        count += 1;
        let why = match known.get(&plain(name)) {
            Some(None) => {
                verified += 1;
                continue;
            }
            Some(Some(reason)) => reason.replace('|', "/"),
            None if untried.contains(&plain(name)) => "in a layer that is not tried yet".to_owned(),
            None if why.is_empty() => "offers nothing to import".to_owned(),
            None => why.to_owned(),
        };
        missing.push(format!("`{name}` ({why})"));
    }
    let missing = missing.join(", ");
    Some(format!(
        "| {language} | {count} | {verified} | {missing} |\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_committed_page_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sandbox-images/LIBRARIES.md");
        if std::env::var_os("TRACER_BLESS").is_some() {
            std::fs::write(&path, text()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, text(), "TRACER_BLESS=1 writes it anew");
    }
}
