//! What a language's import statements look like, as data: the part of a language's value that
//! `tracer-libraries` reads. Nothing here looks for a library.

/// How a language's files name what they need.
///
/// The query's captures have fixed names:
///
/// | capture | meaning |
/// | --- | --- |
/// | `@import` | the name of what is imported, with or without quotes |
/// | `@import.relative` | the same, and it is the name of a file of the project |
/// | `@import.quoted` | the same; a file of the project, or else a library's |
/// | `@import.member` | the same; the last part names something inside it |
/// | `@import.dynamic` | an expression that gives the name at run time, or a name that is a call's |
/// | `@optional` | what stands inside may fail without harm |
/// | `@conditional` | what stands inside is only sometimes reached |
/// | `@own` | the name of the package that this file belongs to |
/// | `@defined` | a name that this file defines itself, and that is then no library |
#[derive(Debug, Clone, Copy)]
pub struct Imports {
    /// The query. Every one of the language's grammars must take it. Without patterns nothing is
    /// ever imported.
    pub query: &'static str,
    /// Names of the standard library, one a line; lines with `#` say how the list was made.
    /// Without a name here its library counts as somebody else's.
    pub standard: &'static str,
    /// How a name is compared with that list.
    pub standard_by: StandardBy,
    /// What stands between the parts of a name, e.g. `.`; empty where names have no parts.
    pub separator: &'static str,
    /// Beginnings of names that mean the standard library whatever follows.
    pub standard_prefixes: &'static [&'static str],
    /// Beginnings of names that mean files of the project.
    pub relative: &'static [&'static str],
    /// Where a file of the project may stand; `{}` is the name with its parts as folders. Looked
    /// for beside the file and in the folders above.
    pub files: &'static [&'static str],
    /// How many parts a name must share with [`@own`](Self) to be the project's; 0 for never.
    pub own_parts: usize,
    /// Files beside a program, or in a folder above it, that say which versions it wants.
    pub hints: &'static [(&'static str, HintForm)],
}

/// How a name is compared with the standard library's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandardBy {
    /// The whole name is in the list.
    Whole,
    /// Its first part is.
    FirstPart,
    /// The name, or its beginning up to some separator, is.
    AnyPrefix,
}

/// Forms of files that name wanted versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintForm {
    /// `requirements.txt`.
    Requirements,
    /// `pyproject.toml`.
    Pyproject,
    /// `package.json`.
    PackageJson,
    /// `go.mod`.
    GoMod,
    /// `pom.xml`.
    Pom,
    /// `Cargo.toml`.
    Cargo,
    /// `composer.json`.
    Composer,
    /// `Gemfile`.
    Gemfile,
    /// `tsconfig.json`: names that the project gives to its own files.
    TsConfig,
}

impl Imports {
    /// For a language without libraries of its own to import.
    pub const NONE: Self = Self {
        query: "",
        standard: "",
        standard_by: StandardBy::Whole,
        separator: "",
        standard_prefixes: &[],
        relative: &[],
        files: &["{}"],
        own_parts: 0,
        hints: &[],
    };
}
