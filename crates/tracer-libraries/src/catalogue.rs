//! The catalogue: what is in the layers, and whether it works. It is made, never typed.
//!
//! One file a language, `sandbox-images/<language>/libraries/catalogue.tsv`: lines with `#` name the
//! day and the layers' digests, all others are packages.

use serde::Serialize;
use tracer_image::{Declaration, libraries};
use tracer_instrument::LanguageSpec;

use crate::classify::is_below;

/// First line of the file: the columns.
const COLUMNS: &str = "# layer\tpackage\tversion\tlicence\timports\tverified\tflags";
/// In the last column, for a library that loads.
const OK: &str = "ok";

/// One library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Language id.
    pub language: String,
    /// Names that programs import.
    pub imports: Vec<String>,
    /// Name at its registry.
    pub package: String,
    /// Version.
    pub version: String,
    /// Its own word on its licence.
    pub licence: String,
    /// The layer it stands in.
    pub layer: String,
    /// Of that layer.
    pub digest: String,
    /// Whether an import of it worked inside the sandbox, without a network.
    pub verified: bool,
    /// Why it did not.
    pub reason: Option<String>,
    /// What the language's compiler needs to be told to build a program with it.
    pub flags: Vec<String>,
}

/// The catalogue of one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// The day it was made, `YYYY-MM-DD`.
    pub made: String,
    /// Layers and their digests.
    pub layers: Vec<(String, String)>,
    /// Sorted by layer and package.
    pub entries: Vec<Entry>,
}

impl Catalogue {
    /// The one that was compiled in; empty for a language without. One that takes another one's
    /// layers may take its catalogue, too.
    pub fn of(language: &str) -> Self {
        let owners = || {
            let declared = libraries::declared(language).ok().flatten()?;
            file(&declared.owner)
        };
        file(language)
            .or_else(owners)
            .map(|text| Self::parse(language, &String::from_utf8_lossy(text)))
            .unwrap_or_default()
    }

    /// The one that was compiled in and is the language's own; empty for others.
    pub fn own(language: &str) -> Self {
        file(language)
            .map(|text| Self::parse(language, &String::from_utf8_lossy(text)))
            .unwrap_or_default()
    }

    /// Reads a catalogue; lines of another form are passed over.
    pub fn parse(language: &str, text: &str) -> Self {
        let mut all = Self::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# made ") {
                rest.clone_into(&mut all.made);
            } else if let Some(rest) = line.strip_prefix("# digest ") {
                if let Some((layer, digest)) = rest.split_once(' ') {
                    all.layers.push((layer.to_owned(), digest.to_owned()));
                }
            } else if let [
                layer,
                package,
                version,
                licence,
                imports,
                said,
                ref flags @ ..,
            ] = line.split('\t').collect::<Vec<_>>()[..]
                && !line.starts_with('#')
            {
                let flags = flags.iter().flat_map(|flags| flags.split_whitespace());
                let mut layers = all.layers.iter();
                let digest = layers.find(|(name, _)| name == layer);
                all.entries.push(Entry {
                    language: language.to_owned(),
                    imports: imports.split_whitespace().map(str::to_owned).collect(),
                    package: package.to_owned(),
                    version: version.to_owned(),
                    licence: licence.to_owned(),
                    layer: layer.to_owned(),
                    digest: digest.map(|(_, digest)| digest.clone()).unwrap_or_default(),
                    verified: said == OK,
                    reason: (said != OK).then(|| said.to_owned()),
                    flags: flags.map(str::to_owned).collect(),
                });
            }
        }
        all
    }

    /// The text of the file. The same libraries give the same bytes.
    pub fn text(&self) -> String {
        let mut text = format!("{COLUMNS}\n# made {}\n", self.made);
        for (layer, digest) in &self.layers {
            text.push_str(&format!("# digest {layer} {digest}\n"));
        }
        for entry in &self.entries {
            let said = entry.reason.as_deref().unwrap_or(OK);
            let words = [
                &entry.layer,
                &entry.package,
                &entry.version,
                &entry.licence,
                &entry.imports.join(" "),
                said,
            ];
            text.push_str(&words.map(|word| word.replace(['\t', '\n'], " ")).join("\t"));
            if !entry.flags.is_empty() {
                text.push_str(&format!("\t{}", entry.flags.join(" ")));
            }
            text.push('\n');
        }
        text
    }

    /// The library that an import of this name means: of those whose import name it begins with,
    /// one that works, with the longest.
    pub fn provider(&self, spec: &LanguageSpec, name: &str) -> Option<&Entry> {
        let fits = self.entries.iter().filter_map(|entry| {
            let names = entry.imports.iter();
            let longest = names
                .filter(|import| is_below(&spec.imports, name, import))
                .map(String::len)
                .max()?;
            Some((entry.verified, longest, entry))
        });
        let best = fits.max_by_key(|(verified, longest, entry)| {
            (*verified, *longest, std::cmp::Reverse(&entry.package))
        });
        best.map(|(_, _, entry)| entry)
            .or_else(|| self.space(spec, name))
    }

    /// For a name that libraries only share, such as `google.cloud`: the first below it.
    fn space(&self, spec: &LanguageSpec, name: &str) -> Option<&Entry> {
        let below = |import: &String| is_below(&spec.imports, import, name);
        let mut entries = self.entries.iter();
        entries.find(|entry| entry.verified && entry.imports.iter().any(below))
    }
}

/// What a compiler is told, word for word, without what it is told twice: a word without a dash belongs to
/// the one with a dash before it, as in `-isystem /usr/include/x`.
pub fn flags<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for word in words {
        match groups.last_mut() {
            Some(group)
                if group.len() == 1 && group[0].starts_with('-') && !word.starts_with('-') =>
            {
                group.push(word);
            }
            _ => groups.push(vec![word]),
        }
    }
    let mut kept: Vec<Vec<&str>> = Vec::new();
    for group in groups {
        if !kept.contains(&group) {
            kept.push(group);
        }
    }
    kept.concat()
}

fn file(folder: &str) -> Option<&'static [u8]> {
    Declaration::find(folder)
        .ok()?
        .file("libraries/catalogue.tsv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_reads_as_it_is_written() {
        let text = "# layer\tpackage\tversion\tlicence\timports\tverified\tflags\n# made 2026-01-02\n\
            # digest common sha256:00\ncommon\tPyYAML\t6.0\tMIT\tyaml _yaml\tok\n\
            common\tbroken\t1\t\tyaml.broken x\tImportError: no\n\
            common\tcurl\t2\t\tcurl\tok\t-lcurl -lz\n";
        let catalogue = Catalogue::parse("python", text);
        assert_eq!(catalogue.text(), text);
        let spec = tracer_languages::by_name("python").unwrap();
        let found = |name| {
            let entry = catalogue.provider(spec, name);
            entry.map(|entry| (&*entry.package, entry.verified))
        };
        assert_eq!(found("yaml"), Some(("PyYAML", true)));
        assert_eq!(found("yaml.loader"), Some(("PyYAML", true)));
        assert_eq!(found("x"), Some(("broken", false)));
        assert_eq!(found("yamlx"), None);
    }

    #[test]
    fn flags_are_kept_with_what_belongs_to_them() {
        let given = "-isystem /a -isystem /b -isystem /a -lx -lx /j.jar /j.jar";
        let kept = flags(given.split(' ')).join(" ");
        assert_eq!(kept, "-isystem /a -isystem /b -lx -lx /j.jar /j.jar");
        let kept = flags("/a.jar /b.jar /a.jar -la -lb -la".split(' '));
        assert_eq!(kept, ["/a.jar", "/b.jar", "-la", "-lb"]);
    }

    #[test]
    fn every_committed_catalogue_is_whole() {
        for spec in tracer_languages::all() {
            let catalogue = Catalogue::of(spec.id);
            for entry in &catalogue.entries {
                assert!(entry.digest.starts_with("sha256:"), "{}", entry.package);
                assert!(!entry.version.is_empty(), "{}", entry.package);
            }
        }
    }
}
