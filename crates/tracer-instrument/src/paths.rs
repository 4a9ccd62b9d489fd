//! Paths as text: what two files of one project call each other. Asks no file system.

use std::path::{Component, Path, PathBuf};

/// A path without `.` and `..`. A `..` takes the name before it away, as if that were no link.
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_resolved() {
        for (given, expected) in [("/a/./b/../c", "/a/c"), ("a/../../b", "b"), ("/..", "/")] {
            assert_eq!(normal(Path::new(given)), Path::new(expected), "{given}");
        }
    }
}
