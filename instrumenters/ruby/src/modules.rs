//! Which files of the program's own folder a file pulls in.

use std::path::{Component, Path, PathBuf};

use tree_sitter::{Node, Tree};

/// Literal arguments of `require_relative`, and of `require`, `load` and `autoload` where they
/// name a file beside this one.
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
    let mut cursor = tree.root_node().walk();
    while let Some(node) = stack.pop() {
        if let Some(name) = required(node, source)
            && let Some(file) = resolve(&normal(&folder.join(&name)), exists)
            && file != path
            && !found.contains(&file)
        {
            found.push(file);
        }
        let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
        stack.extend(children.into_iter().rev());
    }
    found
}

fn required(node: Node<'_>, source: &[u8]) -> Option<String> {
    if node.kind() != "call" || node.child_by_field_name("receiver").is_some() {
        return None;
    }
    let method = node.child_by_field_name("method")?.utf8_text(source).ok()?;
    let list = node.child_by_field_name("arguments")?;
    let literal = match method {
        "require_relative" | "require" | "load" => list.named_child(0)?,
        "autoload" => list.named_child(1)?,
        _ => return None,
    };
    if literal.kind() != "string" || literal.named_child_count() != 1 {
        return None;
    }
    let content = literal.named_child(0)?;
    if content.kind() != "string_content" {
        return None;
    }
    content.utf8_text(source).ok().map(str::to_owned)
}

fn resolve(path: &Path, exists: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(".rb");
    let is_script = path.extension().is_some_and(|extension| extension == "rb");
    [(path.to_owned(), is_script), (PathBuf::from(name), true)]
        .into_iter()
        .find(|(candidate, fits)| *fits && exists(candidate))
        .map(|(candidate, _)| candidate)
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
