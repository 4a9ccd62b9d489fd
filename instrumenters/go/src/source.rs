//! A Go file as far as its text tells line by line: package, imports, and what it declares at its
//! top. For finding the files of a program, before any is parsed.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// A file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) package: String,
    pub(crate) imports: Vec<String>,
    /// Functions, types, variables and constants of the file's top.
    pub(crate) declares: BTreeSet<String>,
    /// Whether a `//go:build ignore` keeps it out of its package.
    pub(crate) ignored: bool,
}

impl Source {
    pub(crate) fn read(path: PathBuf, text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text).into_owned();
        let mut source = Self {
            path,
            imports: imports(&text),
            ..Self::default()
        };
        let mut group = false;
        for line in text.lines() {
            if line.starts_with("//go:build ignore") || line.starts_with("// +build ignore") {
                source.ignored = true;
            }
            if let Some(name) = line.strip_prefix("package ")
                && source.package.is_empty()
            {
                source.package = first_word(name).to_owned();
            }
            // Declarations begin in the first column, or are a tab inside a group.
            let inside = line.strip_prefix('\t').filter(|_| group);
            let declared = ["func ", "type ", "var ", "const "]
                .iter()
                .find_map(|keyword| line.strip_prefix(keyword))
                .or(inside.filter(|rest| !rest.starts_with(['\t', '}', ')', '/'])));
            if line.starts_with("var (")
                || line.starts_with("const (")
                || line.starts_with("type (")
            {
                group = true;
            } else if line.starts_with(')') {
                group = false;
            } else if let Some(name) = declared.map(first_word).filter(|name| !name.is_empty()) {
                source.declares.insert(name.to_owned());
            }
        }
        source.declares.remove("init");
        source.declares.remove("_");
        source.text = text;
        source
    }
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Every word of a text.
pub(crate) fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The paths that a file imports, as far as they stand one a line.
pub(crate) fn imports(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("import (") {
            inside = true;
        } else if line.starts_with(')') {
            inside = false;
        } else if line.starts_with("func ") || line.starts_with("type ") {
            break;
        }
        if (inside || line.starts_with("import"))
            && let Some(path) = line.split('"').nth(1)
        {
            found.push(path.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_and_imports_are_found() {
        let text = "package p // x\n\nimport (\n\tf \"fmt\"\n)\nimport \"os\"\n\nvar (\n\ta, b = 1, 2\n)\n\
                    type t struct {\n\tx int\n}\nfunc (t) m() {}\nfunc g[T any]() {\n\tvar y int\n}\n";
        let source = Source::read(PathBuf::new(), text.as_bytes());
        assert_eq!(source.package, "p");
        assert_eq!(source.imports, ["fmt", "os"]);
        let declared: Vec<&str> = source.declares.iter().map(String::as_str).collect();
        assert_eq!(declared, ["a", "g", "t"]);
    }
}
