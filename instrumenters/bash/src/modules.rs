//! Local files that a script sources, so that they are instrumented too.

use std::path::{Path, PathBuf};

use tracer_instrument::Node;
use tree_sitter::Tree;

/// Files named by `source` and `.`, found by their literal text or by the literal end of it.
pub(crate) fn local_modules(
    tree: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut found = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.kind() == "command"
            && let Some(name) = sourced(node, source)
        {
            let name = Path::new(&name);
            let module = folder.join(name);
            let climbs = name
                .components()
                .any(|part| part == std::path::Component::ParentDir);
            if !climbs && exists(&module) && module != path && !found.contains(&module) {
                found.push(module);
            }
        }
        if cursor.goto_first_child() || cursor.goto_next_sibling() {
            continue;
        }
        loop {
            if !cursor.goto_parent() {
                return found;
            }
            if cursor.goto_next_sibling() {
                break;
            }
        }
    }
}

/// The file that a command sources: its literal name, without what is expanded in front of it.
fn sourced(command: Node<'_>, source: &[u8]) -> Option<String> {
    let text = |node: Node<'_>| {
        String::from_utf8_lossy(&source[node.start_byte()..node.end_byte()]).into_owned()
    };
    let name = text(command.child_by_field_name("name")?);
    if name != "source" && name != "." {
        return None;
    }
    let word = text(command.child_by_field_name("argument")?);
    let bare = word.trim_matches(['"', '\'']);
    let literal = match bare.rfind(['}', ')', '"', '\'']) {
        Some(end) => bare[end + 1..].strip_prefix('/')?,
        None => match bare.strip_prefix('$') {
            Some(rest) => rest.split_once('/')?.1,
            None => bare,
        },
    };
    let literal = literal.strip_prefix("./").unwrap_or(literal);
    let plain = !literal.is_empty() && !literal.contains(['$', '`', '*', '\\']);
    plain.then(|| literal.to_owned())
}
