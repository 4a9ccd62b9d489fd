//! A folder with a folder a repository.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use tracer_engine::languages;

use super::{Candidate, Corpus, LONGEST_SOURCE, Text, entries};
use crate::EvalError;

/// Most files of a repository that are looked at.
const OF_A_REPOSITORY: usize = 4000;

pub(super) fn gather(corpus: &Path, into: &mut Corpus) -> Result<(), EvalError> {
    for repository in entries(corpus)? {
        if !repository.is_dir() {
            continue;
        }
        let name = repository.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let mut folders = VecDeque::from([repository.clone()]);
        let mut count = 0;
        while let Some(folder) = folders.pop_front() {
            // A folder that cannot be read has no files for us.
            for path in entries(&folder).unwrap_or_default() {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let Ok(kind) = fs::symlink_metadata(&path) else {
                    continue;
                };
                if kind.is_dir() && !file.starts_with('.') {
                    folders.push_back(path);
                } else if kind.is_file()
                    && kind.len() <= LONGEST_SOURCE
                    && count < OF_A_REPOSITORY
                    && let Some(spec) = languages::by_extension(&path)
                {
                    count += 1;
                    let within = path.strip_prefix(&repository).unwrap_or(&path);
                    into.add(Candidate {
                        spec,
                        repository: name.clone(),
                        path: within.to_string_lossy().into_owned(),
                        name: file.into_owned(),
                        text: Text::File(path.clone()),
                        inputs: None,
                        driver: String::new(),
                    });
                }
            }
        }
    }
    Ok(())
}
