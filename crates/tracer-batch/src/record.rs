//! One row of the input.

use std::path::Path;

use serde_json::{Map, Value};

/// Columns whose values name the file a row was.
const PATHS: &[&str] = &[
    "path",
    "file_path",
    "max_stars_repo_path",
    "filename",
    "file_name",
];

/// Columns that name the repository.
const REPOSITORIES: &[&str] = &[
    "repo_name",
    "repository_name",
    "repository",
    "repo",
    "max_stars_repo_name",
];

/// Columns that name the licence.
const LICENSES: &[&str] = &[
    "license_type",
    "license",
    "licenses",
    "detected_licenses",
    "max_stars_repo_licenses",
];

/// A row before anything was done with it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its number in the input, from 0.
    pub(crate) at: u64,
    /// What its id tells it from the same row elsewhere by.
    pub(crate) number: u64,
    /// The source; what is wrong with it where it has none.
    pub(crate) text: Result<String, String>,
    /// The language that its column names.
    pub(crate) language: Option<String>,
    /// All columns but the source's.
    pub(crate) columns: Map<String, Value>,
}

impl Record {
    fn first(&self, names: &[&str]) -> Option<&str> {
        names
            .iter()
            .find_map(|name| self.columns.get(*name)?.as_str())
            .filter(|text| !text.is_empty())
    }

    /// The path it had in its repository.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.first(PATHS).map(Path::new)
    }

    /// The repository it is from; its own path where that is all there is.
    pub(crate) fn repository(&self) -> &str {
        self.first(REPOSITORIES).unwrap_or_default()
    }

    /// What it may be used under, as the input says.
    pub(crate) fn license(&self) -> String {
        let named = LICENSES.iter().find_map(|name| self.columns.get(*name));
        match named {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(Value::Array(all)) if !all.is_empty() => {
                let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
                all.join(", ")
            }
            _ => "not stated".to_owned(),
        }
    }

    /// A number that is another if anything in the row is.
    pub(crate) fn key(&self) -> u64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        hasher.update(&self.at.to_le_bytes());
        match &self.text {
            Ok(text) => hasher.update(text.as_bytes()),
            Err(why) => hasher.update(why.as_bytes()),
        }
        hasher.update(&[0xff]);
        hasher.update(Value::Object(self.columns.clone()).to_string().as_bytes());
        hasher.digest()
    }
}
