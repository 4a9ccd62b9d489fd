//! The Debian mirrors that the system is configured with.
//!
//! Which of its sources are Debian's own is judged by suite and component here, and by the origin
//! that the mirror's signed release file states after the download. Host names play no part.

use std::fs;
use std::path::Path;

use crate::ImageError;
use crate::staging::children;

/// Names of releases and of their moving aliases, as suites are called.
const RELEASES: [&str; 14] = [
    "oldoldstable",
    "oldstable",
    "stable",
    "testing",
    "unstable",
    "sid",
    "buster",
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "experimental",
    "rc-buggy",
];

/// One source of packages, as apt is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Where the archive starts.
    pub(crate) uri: String,
    /// What to take from it, e.g. `trixie-updates`.
    pub(crate) suite: String,
    /// The keys that sign it: a file, or a key in text form; apt's own choice if absent.
    pub(crate) signed_by: Option<String>,
    /// The user has said that it needs no signature.
    pub(crate) trusted: bool,
}

/// An entry of the system's configuration.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    signed_by: Option<String>,
    trusted: bool,
}

/// The sources for `suite` from what is configured below `etc/apt`, or from `mirror` alone.
pub(crate) fn sources(
    apt: &Path,
    mirror: Option<&str>,
    suite: &str,
) -> Result<Vec<Source>, ImageError> {
    if let Some(mirror) = mirror {
        let keys =
            ["gpg", "pgp"].map(|end| format!("/usr/share/keyrings/debian-archive-keyring.{end}"));
        let signed_by = keys.into_iter().find(|path| Path::new(path).is_file());
        let source = |suite: String| Source {
            uri: mirror.to_owned(),
            suite,
            signed_by: signed_by.clone(),
            trusted: false,
        };
        let ends = ["", "-updates", "-security"];
        return Ok(ends.map(|end| source(format!("{suite}{end}"))).into());
    }
    let mut entries = Vec::new();
    let list = apt.join("sources.list");
    let mut files = vec![list];
    files.extend(children(&apt.join("sources.list.d")));
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|end| end.to_str()) {
            Some("list") => entries.extend(text.lines().filter_map(line)),
            Some("sources") => entries.extend(stanzas(&text)),
            _ => {}
        }
    }
    let found = debian(&entries, suite);
    if found.is_empty() {
        return Err(ImageError::NoMirror);
    }
    Ok(found)
}

/// What of the configuration can be Debian's archive, asked for `suite`.
fn debian(entries: &[Entry], suite: &str) -> Vec<Source> {
    let mut found: Vec<Source> = Vec::new();
    for entry in entries {
        if !entry.components.iter().any(|component| component == "main") {
            continue;
        }
        for configured in &entry.suites {
            let Some(wanted) = wanted(configured, suite) else {
                continue;
            };
            for (uri, suite) in entry
                .uris
                .iter()
                .flat_map(|uri| wanted.iter().map(move |suite| (uri, suite)))
            {
                if found
                    .iter()
                    .all(|source| source.uri != *uri || source.suite != *suite)
                {
                    found.push(Source {
                        uri: uri.clone(),
                        suite: suite.clone(),
                        signed_by: entry.signed_by.clone(),
                        trusted: entry.trusted,
                    });
                }
            }
        }
    }
    found
}

/// The suites of our release that stand where the system has `configured`.
fn wanted(configured: &str, suite: &str) -> Option<Vec<String>> {
    let (release, security) = match configured.split_once(['-', '/']) {
        None => (configured, false),
        // Before bullseye the security archive's suites were called `buster/updates`.
        Some((release, "security")) => (release, true),
        Some((release, "updates")) => (release, configured.contains('/')),
        Some(_) => return None,
    };
    RELEASES.contains(&release).then(|| {
        if security {
            vec![format!("{suite}-security")]
        } else {
            vec![suite.to_owned(), format!("{suite}-updates")]
        }
    })
}

/// `deb [option=value …] uri suite component…`
fn line(text: &str) -> Option<Entry> {
    let text = text.split('#').next()?.trim();
    let mut rest = text.strip_prefix("deb")?;
    if !rest.starts_with([' ', '\t', '[']) {
        return None;
    }
    rest = rest.trim_start();
    let mut entry = Entry::default();
    if let Some(after) = rest.strip_prefix('[') {
        let (options, after) = after.split_once(']')?;
        for (name, value) in options
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
        {
            match name {
                "signed-by" => entry.signed_by = Some(value.to_owned()),
                "trusted" => entry.trusted = value == "yes",
                _ => {}
            }
        }
        rest = after;
    }
    let mut words = rest.split_whitespace().map(str::to_owned);
    entry.uris.push(words.next()?);
    entry.suites.push(words.next()?);
    entry.components.extend(words);
    Some(entry)
}

/// The deb822 form: stanzas of `Name: value`, further lines of a value indented.
fn stanzas(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for stanza in paragraphs(text) {
        let mut entry = Entry::default();
        let (mut enabled, mut binary) = (true, false);
        for (name, value) in fields(stanza) {
            let words = || value.split_whitespace().map(str::to_owned).collect();
            match &name.to_ascii_lowercase()[..] {
                "types" => binary = value.split_whitespace().any(|kind| kind == "deb"),
                "uris" => entry.uris = words(),
                "suites" => entry.suites = words(),
                "components" => entry.components = words(),
                "signed-by" => entry.signed_by = Some(value.clone()),
                "trusted" => entry.trusted = value == "yes",
                "enabled" => enabled = value != "no",
                _ => {}
            }
        }
        if enabled && binary {
            entries.push(entry);
        }
    }
    entries
}

/// The stanzas of a control file.
pub(crate) fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n")
        .filter(|stanza| !stanza.trim().is_empty())
}

/// The fields of a stanza; the value of one with several lines keeps their form.
pub(crate) fn fields(stanza: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in stanza.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name, value.trim().to_owned()));
        }
    }
    fields
}

/// The text of a file in deb822 form that tells apt of these sources.
pub(crate) fn text(sources: &[Source]) -> String {
    let mut text = String::new();
    for source in sources {
        text.push_str(&format!(
            "Types: deb\nURIs: {}\nSuites: {}\nComponents: main\nTargets: Packages\n",
            source.uri, source.suite
        ));
        if let Some(keys) = &source.signed_by {
            text.push_str(&format!("Signed-By: {keys}\n"));
        }
        if source.trusted {
            text.push_str("Trusted: yes\n");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<Source> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sources.list.d")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        sources(folder.path(), None, "trixie").unwrap_or_default()
    }

    fn names(sources: &[Source]) -> Vec<String> {
        sources
            .iter()
            .map(|source| format!("{} {}", source.uri, source.suite))
            .collect()
    }

    #[test]
    fn both_forms_say_the_same() {
        let lines = "# deb http://old.example/debian bookworm main\n\
            deb-src http://a.example/debian bookworm main\n\
            deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian bookworm main contrib # why\n\
            deb [signed-by=/k.gpg] http://a.example/debian bookworm-updates main\n\
            deb [signed-by=/k.gpg] http://s.example/debian-security bookworm-security main\n";
        let stanzas = "Types: deb deb-src\nURIs: http://a.example/debian\n# no\nSuites: bookworm\n  bookworm-updates\n\
            Components: main\nSigned-By: /k.gpg\n\nTypes: deb\nURIs: http://s.example/debian-security\n\
            Suites: bookworm-security\nComponents: main\nSigned-By: /k.gpg\n";
        let first = found(&[("sources.list", lines)]);
        assert_eq!(
            names(&first),
            [
                "http://a.example/debian trixie",
                "http://a.example/debian trixie-updates",
                "http://s.example/debian-security trixie-security",
            ]
        );
        assert_eq!(first[0].signed_by.as_deref(), Some("/k.gpg"));
        assert_eq!(first, found(&[("sources.list.d/debian.sources", stanzas)]));
    }

    #[test]
    fn other_archives_are_left_out() {
        let lines = "deb http://x.example/apt cloud-bookworm main\n\
            deb http://x.example/node nodistro main\n\
            deb http://x.example/docker bookworm stable\n\
            deb http://x.example/ubuntu noble main\n\
            deb http://x.example/pg bookworm-pgdg main\n\
            deb http://x.example/flat ./\n";
        let off = "Types: deb\nEnabled: no\nURIs: http://x.example/debian\nSuites: trixie\nComponents: main\n";
        assert!(found(&[("sources.list", lines), ("sources.list.d/off.sources", off)]).is_empty());
        let folder = tempfile::tempdir().unwrap();
        let error = sources(folder.path(), None, "trixie").unwrap_err();
        assert!(error.hint().unwrap().contains("--mirror"), "{error}");
    }

    #[test]
    fn a_mirror_that_is_named_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let list = "deb http://a.example/debian trixie main\n";
        fs::write(folder.path().join("sources.list"), list).unwrap();
        let sources = sources(folder.path(), Some("http://m.example/d"), "trixie").unwrap();
        assert_eq!(names(&sources)[2], "http://m.example/d trixie-security");
        assert!(
            sources
                .iter()
                .all(|source| source.uri == "http://m.example/d")
        );
    }

    #[test]
    fn keys_in_text_form_survive() {
        let stanza = "Types: deb\nURIs: http://a.example/debian\nSuites: stable\nComponents: main\n\
            Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----\n";
        let sources = found(&[("sources.list.d/a.sources", stanza)]);
        let again = super::stanzas(&text(&sources));
        assert_eq!(again[0].signed_by, sources[0].signed_by);
        assert!(text(&sources).contains("Signed-By: \n -----BEGIN"));
    }
}
