//! The files of the script's own folder that it reads with `.read`, or includes with `\i`.

use std::path::{Path, PathBuf};

use tracer_runtime_sql::dot;
use tracer_runtime_sql::postgresql;
use tracer_runtime_sql::split::{Piece, Text, split};
use tree_sitter::Tree;

pub(crate) fn local_modules(
    _: &Tree,
    source: &[u8],
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let text = Text::new(source);
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut found = Vec::new();
    let mut add = |name: &str| {
        let file = folder.join(name);
        // The runner knows files by their real path.
        let file = file.canonicalize().unwrap_or(file);
        if exists(&file) && !found.contains(&file) {
            found.push(file);
        }
    };
    let included = postgresql::split::split(source).into_iter();
    for piece in included.filter(|piece| piece.command) {
        let said = String::from_utf8_lossy(&source[piece.span]);
        let mut words = said.split_ascii_whitespace();
        if let (Some("\\i" | "\\ir" | "\\include" | "\\include_relative"), Some(name)) =
            (words.next(), words.next())
        {
            add(name.trim_matches('\''));
        }
    }
    for piece in split(&text.bytes) {
        let Piece::Dot { span, .. } = piece else {
            continue;
        };
        let Some(name) = dot::reads(&String::from_utf8_lossy(&text.bytes[span])) else {
            continue;
        };
        add(&name);
    }
    found
}
