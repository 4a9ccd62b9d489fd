//! Finds the modules of the program's own folder that a file imports.
//!
//! It reads names only; whether a module is really imported is decided when the program runs.

use std::path::{Path, PathBuf};

use tree_sitter::{Node, Tree};

/// Local files that a file's import statements name.
pub(crate) fn local_modules(
    tree: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Some(folder) = path.parent() else {
        return found;
    };
    let mut stack = vec![tree.root_node()];
    while let Some(node) = stack.pop() {
        match node.kind() {
            "import_statement" => {
                let mut cursor = node.walk();
                for name in node.children_by_field_name("name", &mut cursor) {
                    let dotted = name.child_by_field_name("name").unwrap_or(name);
                    add(folder, &words(dotted, source), exists, &mut found);
                }
            }
            "import_from_statement" => from_import(node, source, folder, exists, &mut found),
            _ => {
                let mut cursor = node.walk();
                stack.extend(node.named_children(&mut cursor));
            }
        }
    }
    found.sort();
    found.dedup();
    found.retain(|module| module != path);
    found
}

fn from_import(
    node: Node<'_>,
    source: &[u8],
    folder: &Path,
    exists: &dyn Fn(&Path) -> bool,
    found: &mut Vec<PathBuf>,
) {
    let Some(module) = node.child_by_field_name("module_name") else {
        return;
    };
    let text = String::from_utf8_lossy(&source[module.start_byte()..module.end_byte()]);
    let dots = text.chars().take_while(|&c| c == '.').count();
    let mut base = folder.to_path_buf();
    for _ in 1..dots {
        base.pop();
    }
    let parts: Vec<String> = text
        .trim_start_matches('.')
        .split('.')
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    add(&base, &parts, exists, found);
    let mut cursor = node.walk();
    for name in node.children_by_field_name("name", &mut cursor) {
        let dotted = name.child_by_field_name("name").unwrap_or(name);
        let mut whole = parts.clone();
        whole.extend(words(dotted, source));
        add(&base, &whole, exists, found);
    }
}

fn words(dotted: Node<'_>, source: &[u8]) -> Vec<String> {
    let mut cursor = dotted.walk();
    dotted
        .named_children(&mut cursor)
        .map(|part| {
            String::from_utf8_lossy(&source[part.start_byte()..part.end_byte()]).into_owned()
        })
        .collect()
}

/// Adds the module or package and the packages around it.
fn add(folder: &Path, words: &[String], exists: &dyn Fn(&Path) -> bool, found: &mut Vec<PathBuf>) {
    let mut at = folder.to_path_buf();
    for word in words {
        let package = at.join(word).join("__init__.py");
        let module = at.join(format!("{word}.py"));
        at.push(word);
        if exists(&package) {
            found.push(package);
        } else if exists(&module) {
            found.push(module);
        }
    }
}
