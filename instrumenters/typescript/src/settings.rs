//! What `tsconfig.json` says about how a program runs: names of modules, decorators, class fields,
//! JSX. Whatever only the type checker reads is ignored, and so is which files it lists.
//!
//! The nearest one at or above the main file holds for all files, as for `tsx` and `ts-node`; the
//! search ends at the top of a repository. Files are read by who calls.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tracer_instrument::normal;

/// How many configurations one may build upon.
const REACH: usize = 16;

/// Reads a file, if there is one.
type Read<'r> = &'r dyn Fn(&Path) -> Option<Vec<u8>>;

/// What matters of a project's configuration.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Whether there is one at all. Without it the files themselves are asked.
    pub found: bool,
    /// Folder that bare names are looked up in.
    pub base: Option<PathBuf>,
    /// Patterns of names, and what they may stand for, best first.
    pub paths: Vec<(String, Vec<PathBuf>)>,
    /// Whether decorators are those of before the standard.
    pub legacy_decorators: bool,
    /// Whether decorators are told types.
    pub metadata: bool,
    /// Whether class fields are defined or assigned, where that is said.
    pub defines: Option<bool>,
    /// Whether imports stay that nothing uses.
    pub verbatim: bool,
    /// Whether JSX imports its functions by itself.
    pub jsx_imports: bool,
    /// What JSX calls otherwise, for elements and for fragments.
    pub jsx_factories: (Option<String>, Option<String>),
    /// The package whose functions JSX imports.
    pub jsx_source: Option<String>,
}

/// The settings that hold for a main file, in the form that [`Settings::of`] reads.
pub(crate) fn read(main: &Path, read: Read<'_>) -> Vec<u8> {
    let settings = find(main, read).unwrap_or_default();
    serde_json::to_vec(&settings).unwrap_or_default()
}

fn find(main: &Path, read: Read<'_>) -> Option<Settings> {
    for folder in main.ancestors().skip(1) {
        let path = folder.join("tsconfig.json");
        if let Some(text) = read(&path) {
            let options = merged(&path, &text, read, REACH);
            return Some(Settings::from_options(&options, folder));
        }
        if [".git", ".git/HEAD"]
            .iter()
            .any(|name| read(&folder.join(name)).is_some())
        {
            return None;
        }
    }
    None
}

/// A configuration's options on top of those it builds upon, their paths absolute.
fn merged(path: &Path, text: &[u8], read: Read<'_>, reach: usize) -> Map<String, Value> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let text = String::from_utf8_lossy(text);
    let text = text.trim_start_matches('\u{feff}');
    // One that cannot be read says nothing.
    let config: Value = serde_json::from_str(&plain_json(text)).unwrap_or_default();
    let mut options = Map::new();
    let parents = match config.get("extends") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for parent in parents {
        let found = candidates(folder, parent)
            .into_iter()
            .find_map(|path| read(&path).map(|text| (path, text)));
        if let Some((path, text)) = found.filter(|_| reach > 0) {
            options.extend(merged(&path, &text, read, reach - 1));
        }
    }
    let own = config.get("compilerOptions").and_then(Value::as_object);
    for (name, value) in own.into_iter().flatten() {
        let mut value = value.clone();
        match (name.as_str(), value.as_str()) {
            ("baseUrl", Some(base)) if !base.starts_with("${configDir}") => {
                value = normal(&folder.join(base)).to_string_lossy().into();
            }
            ("paths", _) => {
                options.insert("pathsBase".into(), folder.to_string_lossy().into());
            }
            _ => {}
        }
        options.insert(name.clone(), value);
    }
    options
}

/// What `extends` may mean: a file, or one of a package.
fn candidates(folder: &Path, name: &str) -> Vec<PathBuf> {
    let with = |path: PathBuf| {
        let mut longer = path.clone().into_os_string();
        longer.push(".json");
        [
            PathBuf::from(longer),
            path.clone(),
            path.join("tsconfig.json"),
        ]
    };
    if name.starts_with('.') || name.starts_with('/') {
        let [longer, path, _] = with(normal(&folder.join(name)));
        return vec![path, longer];
    }
    let modules = folder.ancestors().map(|above| above.join("node_modules"));
    modules.flat_map(|at| with(at.join(name))).collect()
}

impl Settings {
    /// Settings as [`crate::SPEC`] hands them on; the default for anything else.
    pub fn of(text: &[u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }

    fn from_options(options: &Map<String, Value>, folder: &Path) -> Self {
        let text = |name: &str| options.get(name).and_then(Value::as_str);
        let flag = |name: &str| options.get(name).and_then(Value::as_bool);
        let place = |from: &Path, path: &str| match path.strip_prefix("${configDir}") {
            Some(rest) => normal(&folder.join(rest.trim_start_matches('/'))),
            None => normal(&from.join(path)),
        };
        let base = text("baseUrl").map(|base| place(folder, base));
        let from = base
            .clone()
            .or_else(|| text("pathsBase").map(PathBuf::from))
            .unwrap_or_else(|| folder.to_path_buf());
        let listed = options.get("paths").and_then(Value::as_object);
        let mut paths: Vec<(String, Vec<PathBuf>)> = listed
            .into_iter()
            .flatten()
            .map(|(pattern, targets)| {
                let targets = targets.as_array().into_iter().flatten();
                let targets = targets.filter_map(Value::as_str);
                (
                    pattern.clone(),
                    targets.map(|to| place(&from, to)).collect(),
                )
            })
            .collect();
        // A whole name before a pattern, and the longest beginning first.
        let beginning = |pattern: &str| pattern.find('*').unwrap_or(usize::MAX);
        paths.sort_by_key(|(pattern, _)| std::cmp::Reverse(beginning(pattern)));
        let jsx = text("jsx").unwrap_or_default().to_ascii_lowercase();
        Self {
            found: true,
            base,
            paths,
            legacy_decorators: flag("experimentalDecorators") == Some(true),
            metadata: flag("emitDecoratorMetadata") == Some(true),
            defines: flag("useDefineForClassFields")
                .or_else(|| text("target").map(defines_by_target)),
            verbatim: ["verbatimModuleSyntax", "preserveValueImports"]
                .iter()
                .any(|name| flag(name) == Some(true)),
            jsx_imports: jsx.starts_with("react-jsx"),
            jsx_factories: (
                text("jsxFactory")
                    .map(str::to_owned)
                    .or_else(|| text("reactNamespace").map(|name| format!("{name}.createElement"))),
                text("jsxFragmentFactory").map(str::to_owned),
            ),
            jsx_source: text("jsxImportSource").map(str::to_owned),
        }
    }

    /// What a name that is not relative may stand for, best first.
    pub(crate) fn meanings(&self, name: &str) -> Vec<PathBuf> {
        if name.starts_with('.') || name.starts_with('/') {
            return Vec::new();
        }
        let mut meanings = Vec::new();
        let found = self
            .paths
            .iter()
            .find_map(|(pattern, targets)| matched(pattern, name).map(|middle| (middle, targets)));
        if let Some((middle, targets)) = found {
            meanings.extend(
                targets
                    .iter()
                    .map(|target| PathBuf::from(target.to_string_lossy().replacen('*', middle, 1))),
            );
        }
        meanings.extend(self.base.iter().map(|base| base.join(name)));
        meanings
    }
}

/// What the `*` of a pattern stands for in a name; nothing where the whole name is the pattern.
fn matched<'n>(pattern: &str, name: &'n str) -> Option<&'n str> {
    match pattern.split_once('*') {
        Some((start, end)) => name.strip_prefix(start)?.strip_suffix(end),
        None => (pattern == name).then_some(""),
    }
}

fn defines_by_target(target: &str) -> bool {
    let target = target.to_ascii_lowercase();
    match target.strip_prefix("es").map(str::parse::<u32>) {
        Some(Ok(year)) => year >= 2022,
        _ => target == "esnext",
    }
}

/// JSON without comments and without commas in front of a closing bracket.
fn plain_json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let mut length = letter.len_utf8();
        if letter == '"' {
            length = string_end(rest);
            plain.push_str(&rest[..length]);
        } else if rest.starts_with("//") {
            length = rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            length = rest.find("*/").map_or(rest.len(), |at| at + 2);
        } else {
            if matches!(letter, '}' | ']') {
                let kept = plain.trim_end();
                let kept = kept.strip_suffix(',').unwrap_or(kept).len();
                plain.truncate(kept);
            }
            plain.push(letter);
        }
        rest = &rest[length..];
    }
    plain
}

/// The length of the string that a text begins with.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if !escaped => return at + 1,
            _ => escaped = letter == '\\' && !escaped,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(files: &[(&str, &str)], main: &str) -> Settings {
        let given = |path: &Path| {
            let mut files = files.iter();
            let found = files.find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| text.as_bytes().to_vec())
        };
        Settings::of(&read(Path::new(main), &given))
    }

    #[test]
    fn comments_commas_and_strings() {
        let text = "{ // a\n \"a//b\": [1, 2, /* c */ ], \"c\\\"\": \"/*\", }";
        let value: Value = serde_json::from_str(&plain_json(text)).expect("JSON");
        assert_eq!(value["a//b"][1], 2);
        assert_eq!(value["c\""], "/*");
    }

    #[test]
    fn one_that_builds_upon_others() {
        let files = [
            (
                "/p/tsconfig.json",
                r#"{"extends": ["./base", "kit/strict.json"], "compilerOptions": {"target": "ES2020"}}"#,
            ),
            (
                "/p/base.json",
                r#"{"compilerOptions": {"paths": {"@/*": ["./src/*"], "@/a/*": ["./b/*"]}, "jsx": "react"}}"#,
            ),
            (
                "/node_modules/kit/strict.json",
                r#"{"compilerOptions": {"experimentalDecorators": true, "jsx": "react-jsx"}}"#,
            ),
        ];
        let settings = settings(&files, "/p/src/main.ts");
        assert!(settings.found && settings.legacy_decorators && settings.jsx_imports);
        assert_eq!(settings.defines, Some(false));
        assert_eq!(settings.meanings("@/x"), [PathBuf::from("/p/src/x")]);
        assert_eq!(settings.meanings("@/a/x"), [PathBuf::from("/p/b/x")]);
        assert!(settings.meanings("./x").is_empty());
    }

    #[test]
    fn the_search_ends_at_the_top_of_a_repository() {
        let files = [("/tsconfig.json", "{}"), ("/p/.git/HEAD", "")];
        assert!(!settings(&files, "/p/src/main.ts").found);
        assert!(settings(&files[..1], "/p/src/main.ts").found);
    }

    #[test]
    fn bare_names_are_looked_up_in_the_base_folder() {
        let files = [(
            "/p/tsconfig.json",
            r#"{"compilerOptions": {"baseUrl": "src", "paths": {"x": ["y/z"]}}}"#,
        )];
        let settings = settings(&files, "/p/main.ts");
        assert_eq!(settings.meanings("a/b"), [PathBuf::from("/p/src/a/b")]);
        let both = ["/p/src/y/z", "/p/src/x"].map(PathBuf::from);
        assert_eq!(settings.meanings("x"), both);
    }
}
