//! Which files of the program's own folder a file pulls in.

use std::path::{Component, Path, PathBuf};

use tree_sitter::{Node, Tree};

/// Specifiers of `import`, `export … from`, `import()` and `require()` that are relative, resolved
/// as Node resolves them.
pub(crate) fn local_modules(
    tree: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let mut stack = vec![tree.root_node()];
    let mut cursor = tree.root_node().walk();
    while let Some(node) = stack.pop() {
        if let Some(specifier) = specifier(node, source)
            && (specifier.starts_with("./") || specifier.starts_with("../"))
            && let Some(file) = resolve(&normal(&folder.join(&specifier)), exists)
            && !found.contains(&file)
        {
            found.push(file);
        }
        let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
        stack.extend(children.into_iter().rev());
    }
    found
}

fn specifier(node: Node<'_>, source: &[u8]) -> Option<String> {
    let literal = match node.kind() {
        "import_statement" | "export_statement" => node.child_by_field_name("source")?,
        "call_expression" => {
            let callee = node.child_by_field_name("function")?;
            let name = callee.utf8_text(source).ok()?;
            if name != "require" && callee.kind() != "import" {
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
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let is_script = |path: &Path| {
        path.extension()
            .is_some_and(|extension| extension == "js" || extension == "mjs" || extension == "cjs")
    };
    [path.to_owned(), with(".js"), path.join("index.js")]
        .into_iter()
        .find(|candidate| is_script(candidate) && exists(candidate))
}

fn normal(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}
