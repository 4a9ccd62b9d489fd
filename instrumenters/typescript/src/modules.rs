//! Which files of the program's own folder a file pulls in.

use std::path::{Path, PathBuf};

use tracer_instrument::normal;
use tree_sitter::{Node, Tree};

use crate::settings::Settings;

/// What an extension that is written may stand for, best first.
const STAND_INS: [(&str, &[&str]); 4] = [
    ("js", &["ts", "tsx", "js"]),
    ("jsx", &["tsx", "jsx"]),
    ("mjs", &["mts", "mjs"]),
    ("cjs", &["cts", "cjs"]),
];

/// Extensions that need not be written, best first.
const IMPLIED: [&str; 4] = ["ts", "tsx", "js", "jsx"];

/// Relative specifiers of imports, re-exports and `require`, resolved as TypeScript resolves them.
/// The emitter resolves alike (`runtimes/typescript/lowered.cjs`).
pub(crate) fn local_modules(
    tree: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let none = Settings::default();
    files(tree, source, &|specifier| {
        target(path, specifier, &none, exists)
    })
}

/// Those that `tsconfig.json` gives a meaning to.
pub(crate) fn named_modules(
    settings: &[u8],
    tree: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let settings = Settings::of(settings);
    if settings.paths.is_empty() && settings.base.is_none() {
        return Vec::new();
    }
    let mut found = files(tree, source, &|specifier| {
        let named = !is_relative(specifier);
        named.then(|| target(path, specifier, &settings, exists))?
    });
    // What JSX imports by itself.
    if settings.jsx_imports
        && let Some(source) = &settings.jsx_source
    {
        for implied in [format!("{source}/jsx-runtime"), source.clone()] {
            found.extend(target(path, &implied, &settings, exists));
        }
    }
    found
}

fn files(tree: &Tree, source: &[u8], target: &dyn Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut stack = vec![tree.root_node()];
    let mut cursor = tree.root_node().walk();
    while let Some(node) = stack.pop() {
        if let Some(specifier) = specifier(node, source)
            && let Some(file) = target(&specifier)
            && !found.contains(&file)
        {
            found.push(file);
        }
        let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
        stack.extend(children.into_iter().rev());
    }
    found
}

fn is_relative(specifier: &str) -> bool {
    let mut starts = ["./", "../"].iter();
    specifier == "." || specifier == ".." || starts.any(|start| specifier.starts_with(start))
}

/// The file that a file's specifier leads to, if it is relative or the settings know it.
pub(crate) fn target(
    from: &Path,
    specifier: &str,
    settings: &Settings,
    exists: &dyn Fn(&Path) -> bool,
) -> Option<PathBuf> {
    if !is_relative(specifier) {
        let mut meanings = settings.meanings(specifier).into_iter();
        return meanings.find_map(|meaning| resolve(&meaning, exists));
    }
    let folder = from.parent().unwrap_or_else(|| Path::new(""));
    resolve(&normal(&folder.join(specifier)), exists)
}

fn specifier(node: Node<'_>, source: &[u8]) -> Option<String> {
    let literal = match node.kind() {
        "import_statement" | "export_statement" | "import_require_clause" => {
            node.child_by_field_name("source")?
        }
        "call_expression" => {
            let callee = node.child_by_field_name("function")?;
            if callee.utf8_text(source).ok()? != "require" && callee.kind() != "import" {
                return None;
            }
            node.child_by_field_name("arguments")?.named_child(0)?
        }
        _ => return None,
    };
    if literal.kind() != "string" {
        return None;
    }
    let text = literal.utf8_text(source).ok()?;
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    // A specifier with an escape or a query is left to the original.
    (!inner.contains(['\\', '?', '#'])).then(|| inner.to_owned())
}

fn resolve(path: &Path, exists: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
    let mut candidates = Vec::new();
    if let Some(written) = path.extension().and_then(|extension| extension.to_str()) {
        match STAND_INS.iter().find(|(known, _)| *known == written) {
            Some((_, others)) => {
                candidates.extend(others.iter().map(|other| path.with_extension(other)));
            }
            None if matches!(written, "ts" | "tsx" | "mts" | "cts") => {
                candidates.push(path.to_owned());
            }
            None => {}
        }
    }
    let with = |extension: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        PathBuf::from(name)
    };
    candidates.extend(IMPLIED.map(with));
    candidates.extend(IMPLIED.map(|extension| path.join(format!("index.{extension}"))));
    let is_code = |path: &PathBuf| !path.to_string_lossy().ends_with(".d.ts");
    candidates
        .into_iter()
        .filter(is_code)
        .find(|path| exists(path))
}
