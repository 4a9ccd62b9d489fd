//! Which versions a project asks for, read from the files that its own tools read.
//!
//! A hint is a preference: what cannot be read is passed over, and nothing is ever installed
//! because of one.

use serde::Serialize;
use tracer_instrument::HintForm;

/// A wanted version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hint {
    /// The package, by its registry's name.
    pub package: String,
    /// The requirement in the file's own words, e.g. `>=1.2`, `^4.17.0`; empty for any version.
    pub wanted: String,
    /// Name of the file that says so.
    pub file: String,
}

/// What one such file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Names under which the project imports its own parts.
    pub own: Vec<String>,
    /// Wanted versions, in the order of the file.
    pub hints: Vec<Hint>,
}

/// Reads a file of this form; `name` is put into the hints.
pub fn read(form: HintForm, name: &str, text: &str) -> Manifest {
    let (own, pairs) = match form {
        HintForm::Requirements => (Vec::new(), requirements(text)),
        HintForm::Pyproject => pyproject(text),
        HintForm::PackageJson => package_json(text),
        HintForm::GoMod => go_mod(text),
        HintForm::Pom => pom(text),
        HintForm::Cargo => cargo(text),
        HintForm::Composer => composer(text),
        HintForm::Gemfile => (Vec::new(), gemfile(text)),
        HintForm::TsConfig => (tsconfig(text), Vec::new()),
    };
    let hints = pairs.into_iter().map(|(package, wanted)| Hint {
        package,
        wanted,
        file: name.to_owned(),
    });
    Manifest {
        own,
        hints: hints.collect(),
    }
}

/// Names that `paths` gives to files, up to their star; what a configuration builds upon is not read. The
/// file is JSON with comments and commas behind the last of a list.
fn tsconfig(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let mut length = letter.len_utf8();
        if letter == '"' {
            length = quoted(rest);
            plain.push_str(&rest[..length]);
        } else if rest.starts_with("//") {
            length = rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            length = rest.find("*/").map_or(rest.len(), |at| at + 2);
        } else {
            if matches!(letter, '}' | ']') {
                let kept = plain.trim_end();
                plain.truncate(kept.strip_suffix(',').unwrap_or(kept).len());
            }
            plain.push(letter);
        }
        rest = &rest[length..];
    }
    let json: serde_json::Value = serde_json::from_str(&plain).unwrap_or_default();
    let paths = json.pointer("/compilerOptions/paths");
    let patterns = paths
        .and_then(serde_json::Value::as_object)
        .into_iter()
        .flatten();
    let names = patterns.filter_map(|(pattern, places)| {
        // What `node_modules` holds stays a library whatever it is called.
        let mut places = places.as_array()?.iter().filter_map(|place| place.as_str());
        let own = places.all(|place| !place.contains("node_modules"));
        let name = pattern.split('*').next()?.trim_end_matches('/');
        (own && !name.is_empty()).then(|| name.to_owned())
    });
    names.collect()
}

/// The length of the string that a text begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if !escaped => return at + 1,
            _ => escaped = letter == '\\' && !escaped,
        }
    }
    text.len()
}

type Pairs = Vec<(String, String)>;

/// `name[extra] >= 1, < 2 ; marker`.
fn requirement(text: &str) -> Option<(String, String)> {
    let text = text.split(" #").next()?.split(';').next()?.trim();
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name.starts_with('-') {
        return None;
    }
    let rest = match rest.trim_start().strip_prefix('[') {
        Some(extras) => extras.split_once(']').map_or("", |(_, rest)| rest),
        None => rest,
    };
    let wanted = rest.split("--").next().unwrap_or_default();
    Some((
        name.to_owned(),
        wanted.trim_matches([' ', '\\', '(', ')']).to_owned(),
    ))
}

fn requirements(text: &str) -> Pairs {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with(['#', '-']) && !line.contains("://"))
        .filter_map(requirement)
        .collect()
}

fn pyproject(text: &str) -> (Vec<String>, Pairs) {
    let Ok(table) = text.parse::<toml::Table>() else {
        return Default::default();
    };
    let project = table.get("project");
    let poetry = table.get("tool").and_then(|tool| tool.get("poetry"));
    let mut pairs: Pairs = (project.and_then(|project| project.get("dependencies")))
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|each| requirement(each.as_str()?))
        .collect();
    if let Some(wanted) = poetry.and_then(|poetry| poetry.get("dependencies")) {
        pairs.extend(versions(wanted));
        pairs.retain(|(name, _)| name != "python");
    }
    let name = [project, poetry].into_iter().flatten();
    let own = name.filter_map(|table| Some(table.get("name")?.as_str()?.replace('-', "_")));
    (own.collect(), pairs)
}

/// A table of `name = "version"` or `name = { version = "…" }`.
fn versions(table: &toml::Value) -> Pairs {
    let each = table.as_table().into_iter().flatten();
    each.map(|(name, value)| {
        let version = value.get("version").unwrap_or(value).as_str();
        (name.clone(), version.unwrap_or_default().to_owned())
    })
    .collect()
}

fn cargo(text: &str) -> (Vec<String>, Pairs) {
    let Ok(table) = text.parse::<toml::Table>() else {
        return Default::default();
    };
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let pairs = kinds.iter().filter_map(|kind| table.get(*kind));
    let names = ["package", "lib"]
        .iter()
        .filter_map(|part| table.get(*part));
    let own = names.filter_map(|part| Some(part.get("name")?.as_str()?.replace('-', "_")));
    (own.collect(), pairs.flat_map(versions).collect())
}

fn package_json(text: &str) -> (Vec<String>, Pairs) {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
        return Default::default();
    };
    let kinds = [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
    ];
    let own = json.get("name").and_then(|name| name.as_str());
    (
        own.map(str::to_owned).into_iter().collect(),
        kinds
            .iter()
            .flat_map(|kind| strings(json.get(*kind)))
            .collect(),
    )
}

fn composer(text: &str) -> (Vec<String>, Pairs) {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
        return Default::default();
    };
    let wanted = ["require", "require-dev"].iter();
    let loaded = ["autoload", "autoload-dev"].iter();
    let own = loaded
        .filter_map(|kind| json.get(*kind)?.get("psr-4")?.as_object())
        .flat_map(|table| table.keys())
        .map(|prefix| prefix.trim_matches('\\').to_owned())
        .filter(|prefix| !prefix.is_empty());
    let pairs = wanted.flat_map(|kind| strings(json.get(*kind)));
    // The others are PHP itself and its extensions.
    (
        own.collect(),
        pairs.filter(|(name, _)| name.contains('/')).collect(),
    )
}

fn strings(table: Option<&serde_json::Value>) -> Pairs {
    let table = table.and_then(|table| table.as_object());
    let each = table.into_iter().flatten();
    each.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

fn go_mod(text: &str) -> (Vec<String>, Pairs) {
    let mut own = Vec::new();
    let mut pairs = Vec::new();
    let mut block = "";
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        match (block, &words[..]) {
            (_, ["module", name]) => own.push((*name).trim_matches('"').to_owned()),
            ("", [kind @ ("require" | "replace" | "exclude" | "retract"), "("]) => block = kind,
            (_, [")"]) => block = "",
            ("", ["require", name, version]) | ("require", [name, version, ..]) => {
                pairs.push(((*name).to_owned(), (*version).to_owned()));
            }
            _ => {}
        }
    }
    (own, pairs)
}

fn pom(text: &str) -> (Vec<String>, Pairs) {
    let inner = |text: &str, tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        let (value, _) = rest.split_once(&format!("</{tag}>"))?;
        Some(value.trim().to_owned())
    };
    let mut blocks = text.split("<dependency>");
    let head = blocks.next().unwrap_or_default();
    let own = inner(
        head.split("</parent>").last().unwrap_or_default(),
        "groupId",
    );
    let pairs = blocks.filter_map(|block| {
        let block = block.split("</dependency>").next()?;
        let name = format!(
            "{}:{}",
            inner(block, "groupId")?,
            inner(block, "artifactId")?
        );
        let mut wanted = inner(block, "version").unwrap_or_default();
        if let Some(property) = wanted
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
        {
            wanted = inner(text, property).unwrap_or_default();
        }
        Some((name, wanted))
    });
    (own.into_iter().collect(), pairs.collect())
}

fn gemfile(text: &str) -> Pairs {
    let quoted = |text: &str| {
        let text = text.trim().trim_start_matches('(').trim();
        let quote = text.chars().next().filter(|c| "\"'".contains(*c))?;
        let (inner, rest) = text[1..].split_once(quote)?;
        Some((inner.to_owned(), rest.to_owned()))
    };
    let lines = text.lines().map(str::trim);
    lines
        .filter_map(|line| {
            let (name, rest) = quoted(line.strip_prefix("gem")?)?;
            let wanted = rest.trim_start().strip_prefix(',').and_then(quoted);
            Some((name, wanted.map(|(wanted, _)| wanted).unwrap_or_default()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `package wanted` of each hint; own names behind a bar.
    fn said(form: HintForm, text: &str) -> String {
        let manifest = read(form, "x", text);
        let hints = manifest.hints.iter();
        let hints: Vec<String> = hints
            .map(|hint| {
                format!("{} {}", hint.package, hint.wanted)
                    .trim()
                    .to_owned()
            })
            .collect();
        format!("{} | {}", hints.join(", "), manifest.own.join(", "))
    }

    #[test]
    fn every_form_is_read() {
        let text = "# x\nflask[async]==2.0 # y\n-e .\ngit+https://a.example/x\nsix\nnumpy>=1,<2; python_version<'4'\n";
        assert_eq!(
            said(HintForm::Requirements, text),
            "flask ==2.0, six, numpy >=1,<2 | "
        );
        let text = "[project]\nname='my-app'\ndependencies=['rich>=10']\n[tool.poetry.dependencies]\npython='3'\nattrs={version='^1'}\n";
        assert_eq!(
            said(HintForm::Pyproject, text),
            "rich >=10, attrs ^1 | my_app"
        );
        let text = r#"{"name":"me","dependencies":{"a":"^1"},"devDependencies":{"@s/b":"2"}}"#;
        assert_eq!(said(HintForm::PackageJson, text), "a ^1, @s/b 2 | me");
        let text = "module a.org/m\n\ngo 1.21\nrequire x.org/y v1.0.0\nrequire (\n\tz.org/q v2.0.0 // indirect\n)\nreplace (\n\tz.org/q v2 => ../q\n)\n";
        assert_eq!(
            said(HintForm::GoMod, text),
            "x.org/y v1.0.0, z.org/q v2.0.0 | a.org/m"
        );
        let text = "<project><parent><groupId>p</groupId></parent><groupId>me.org</groupId><properties><v>4.1</v></properties>\
            <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>${v}</version></dependency></project>";
        assert_eq!(said(HintForm::Pom, text), "junit:junit 4.1 | me.org");
        let text = "[package]\nname='my-crate'\n[dependencies]\nserde={version='1',features=['derive']}\nlog='0.4'\n";
        assert_eq!(said(HintForm::Cargo, text), "log 0.4, serde 1 | my_crate");
        let text = r#"{"require":{"php":">=8","a/b":"^2"},"autoload":{"psr-4":{"Me\\":"src/"}}}"#;
        assert_eq!(said(HintForm::Composer, text), "a/b ^2 | Me");
        let text = "source 'https://x'\ngem 'rails', '~> 7.0'\ngem \"pg\"\n";
        assert_eq!(said(HintForm::Gemfile, text), "rails ~> 7.0, pg | ");
        for form in [HintForm::Pyproject, HintForm::Cargo, HintForm::PackageJson] {
            assert_eq!(said(form, "{ broken"), " | ");
        }
    }

    #[test]
    fn names_that_a_configuration_gives_to_files_are_the_projects() {
        let text = r#"{ // of the compiler
            "compilerOptions": { "paths": {
                "@shapes/*": ["./src/shapes/*"], /* one */ "util": ["./u.ts"],
                "*": ["./any/*"], "lib": ["./node_modules/lib"],
            }, },
        }"#;
        assert_eq!(
            read(HintForm::TsConfig, "tsconfig.json", text).own,
            ["@shapes", "util"]
        );
        assert!(
            read(HintForm::TsConfig, "tsconfig.json", "{")
                .own
                .is_empty()
        );
    }
}
