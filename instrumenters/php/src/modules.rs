//! Which files of the program's own folder a file pulls in.

use std::path::{Path, PathBuf};

use tracer_instrument::normal;
use tree_sitter::{Node, Tree};

/// Deepest folder below the file's own that an autoloaded class is looked for in.
const SOURCE_FOLDERS: [&str; 5] = ["", "src", "lib", "app", "classes"];

/// Files that `include` and the like name by a path that can be worked out from the text, and the
/// usual places of classes that an autoloader would load.
pub(crate) fn local_modules(
    tree: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let mut found: Vec<PathBuf> = Vec::new();
    let mut add = |candidate: PathBuf| {
        let candidate = normal(&candidate);
        if candidate != path && !found.contains(&candidate) && exists(&candidate) {
            found.push(candidate);
        }
    };
    let autoloads = source
        .windows(21)
        .any(|window| window == b"spl_autoload_register");
    let mut cursor = tree.root_node().walk();
    let mut stack = vec![tree.root_node()];
    while let Some(node) = stack.pop() {
        match node.kind() {
            "include_expression"
            | "include_once_expression"
            | "require_expression"
            | "require_once_expression" => {
                if let Some(text) = node
                    .named_child(0)
                    .and_then(|value| constant(value, source, path))
                {
                    add(folder.join(text));
                }
            }
            "qualified_name" | "name" if autoloads => {
                for candidate in class_files(&source[node.start_byte()..node.end_byte()]) {
                    for base in SOURCE_FOLDERS {
                        add(folder.join(base).join(&candidate));
                    }
                }
            }
            _ => {}
        }
        let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
        stack.extend(children.into_iter().rev());
    }
    found
}

/// `A\B\C` may be in `A/B/C.php`, `B/C.php` or `C.php`.
fn class_files(name: &[u8]) -> Vec<PathBuf> {
    let Ok(name) = std::str::from_utf8(name) else {
        return Vec::new();
    };
    let parts: Vec<&str> = name.split('\\').filter(|part| !part.is_empty()).collect();
    (0..parts.len())
        .map(|from| PathBuf::from(format!("{}.php", parts[from..].join("/"))))
        .collect()
}

/// The text of an expression made of strings, `__DIR__`, `__FILE__` and `dirname`.
fn constant(node: Node<'_>, source: &[u8], path: &Path) -> Option<String> {
    let text = node.utf8_text(source).ok()?;
    match node.kind() {
        "parenthesized_expression" => constant(node.named_child(0)?, source, path),
        "string" | "encapsed_string" => {
            let inner = text.get(1..text.len().checked_sub(1)?)?;
            (!inner.contains(['\\', '$', '{'])).then(|| inner.to_owned())
        }
        "name" if text == "__DIR__" => Some(path.parent()?.to_str()?.to_owned()),
        "name" if text == "__FILE__" => Some(path.to_str()?.to_owned()),
        "name" if text == "DIRECTORY_SEPARATOR" => Some("/".into()),
        "binary_expression" => {
            if node.child_by_field_name("operator")?.kind() != "." {
                return None;
            }
            let left = constant(node.child_by_field_name("left")?, source, path)?;
            let right = constant(node.child_by_field_name("right")?, source, path)?;
            Some(left + &right)
        }
        "function_call_expression" => {
            let name = node
                .child_by_field_name("function")?
                .utf8_text(source)
                .ok()?;
            if name.trim_start_matches('\\') != "dirname" {
                return None;
            }
            let arguments = node.child_by_field_name("arguments")?;
            let of = constant(arguments.named_child(0)?.named_child(0)?, source, path)?;
            let levels: usize = match arguments.named_child(1) {
                Some(levels) => levels.utf8_text(source).ok()?.parse().ok()?,
                None => 1,
            };
            let mut folder = PathBuf::from(of);
            for _ in 0..levels {
                folder.pop();
            }
            Some(folder.to_str()?.to_owned())
        }
        _ => None,
    }
}
