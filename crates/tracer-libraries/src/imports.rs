//! Finds what a source file imports, by the language's query. Where that comes from is not asked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use streaming_iterator::StreamingIterator;
use tracer_instrument::{LanguageSpec, engine};
use tree_sitter::{Query, QueryCursor};

use crate::LibrariesError;

/// Longest text taken for a name, bytes: longer ones are expressions.
const NAME_LIMIT: usize = 200;

/// One import of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Import {
    /// As the file has it, without quotes, e.g. `os.path`, `./util`, `sys/types.h`. For
    /// [`Kind::Dynamic`] with a name that only the run knows: the expression's text.
    pub name: String,
    /// How it is imported.
    pub kind: Kind,
    /// Line of the name, from 1.
    pub line: u32,
    /// How the name is to be read.
    #[serde(skip)]
    pub form: Form,
}

/// How something is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Whenever the file is loaded.
    Plain,
    /// Whenever it is loaded, but the file goes on without it.
    Optional,
    /// Only on some paths: in a function, under a condition.
    Conditional,
    /// By a call, or by a name made at run time.
    Dynamic,
    /// By its place in the project.
    Relative,
}

/// How a name is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// It names what is imported.
    Whole,
    /// Its last part is something inside what is imported.
    Member,
    /// A file of the project, else a library's.
    Quoted,
    /// An expression, not a name.
    Expression,
}

/// What a file says about names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its imports, by line, each name once per line.
    pub imports: Vec<Import>,
    /// Names of the packages or namespaces that it belongs to.
    pub own: Vec<String>,
    /// Names that it defines itself.
    pub defined: Vec<String>,
}

/// The imports of a file. `path` tells which of the language's grammars reads it.
pub fn imports(
    spec: &'static LanguageSpec,
    path: &Path,
    source: &[u8],
) -> Result<Found, LibrariesError> {
    let mut found = Found::default();
    if spec.imports.query.is_empty() {
        return Ok(found);
    }
    let grammar = spec.grammar_of(path);
    let query = compiled(spec, grammar)?;
    let unparsed = LibrariesError::Unparsed { language: spec.id };
    let tree = engine::parse_masked(spec, grammar, source).ok_or(unparsed)?;
    let names = query.capture_names();
    let mut optional: Vec<Range<usize>> = Vec::new();
    let mut conditional: Vec<Range<usize>> = Vec::new();
    let mut raw = Vec::new();
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(query, tree.root_node(), source);
    while let Some(one) = matches.next() {
        for capture in one.captures() {
            let node = capture.node;
            let text = &source[node.byte_range()];
            match names[capture.index as usize] {
                "optional" => optional.push(node.byte_range()),
                "conditional" => conditional.push(node.byte_range()),
                "own" => found.own.push(plain(text)),
                "defined" => found.defined.push(plain(text)),
                name if name == "import" || name.starts_with("import.") => {
                    let role = name.strip_prefix("import.").unwrap_or_default();
                    raw.push((node.byte_range(), node.start_position().row, role, text));
                }
                _ => {}
            }
        }
    }
    // A more telling capture of the same node wins: they are longer words.
    raw.sort_by(|one, other| {
        let key = |each: &(Range<usize>, usize, &str, &[u8])| (each.0.start, each.0.end);
        key(one)
            .cmp(&key(other))
            .then(other.2.len().cmp(&one.2.len()))
    });
    raw.dedup_by(|next, kept| next.0 == kept.0);
    let within = |ranges: &[Range<usize>], place: &Range<usize>| {
        let around = |range: &Range<usize>| range.start <= place.start && place.end <= range.end;
        ranges.iter().any(around)
    };
    for (place, row, role, text) in raw {
        let expression = role == "dynamic" && !is_literal(text) || text.len() > NAME_LIMIT;
        let name = if expression {
            clipped(text)
        } else {
            plain(text)
        };
        let relative = role == "relative" || begins(&name, spec.imports.relative);
        if name.is_empty() {
            continue;
        }
        let kind = match role {
            "dynamic" => Kind::Dynamic,
            _ if relative => Kind::Relative,
            _ if within(&optional, &place) => Kind::Optional,
            _ if within(&conditional, &place) => Kind::Conditional,
            _ => Kind::Plain,
        };
        let form = match role {
            _ if expression => Form::Expression,
            "member" => Form::Member,
            "quoted" => Form::Quoted,
            _ => Form::Whole,
        };
        found.imports.push(Import {
            name,
            kind,
            line: row as u32 + 1,
            form,
        });
    }
    found.imports.sort_by(|one, other| {
        (one.line, &one.name, one.kind).cmp(&(other.line, &other.name, other.kind))
    });
    found
        .imports
        .dedup_by(|next, kept| next.line == kept.line && next.name == kept.name);
    Ok(found)
}

/// Whether a name begins like one of these; a word only as a whole part.
pub(crate) fn begins(name: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|start| {
        name.strip_prefix(start).is_some_and(|rest| {
            let word = start.ends_with(|last: char| last.is_alphanumeric());
            !word || !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
        })
    })
}

/// The query of one of the language's grammars; compiled once per process.
fn compiled(spec: &'static LanguageSpec, grammar: usize) -> Result<&'static Query, LibrariesError> {
    static COMPILED: Mutex<BTreeMap<(&'static str, usize), &'static Query>> =
        Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(query) = compiled.get(&(spec.id, grammar)) {
        return Ok(query);
    }
    let query = Query::new(&spec.language(grammar), spec.imports.query).map_err(|error| {
        LibrariesError::Query {
            language: spec.id,
            message: error.to_string(),
        }
    })?;
    let query: &'static Query = Box::leak(Box::new(query));
    compiled.insert((spec.id, grammar), query);
    Ok(query)
}

/// Whether the text is one string without anything computed in it.
fn is_literal(text: &[u8]) -> bool {
    let [first @ (b'"' | b'\'' | b'`'), inner @ .., last] = text else {
        return false;
    };
    first == last && !inner.contains(first) && !inner.contains(&b'$')
}

/// A name without what stands around it: quotes, brackets, a list of members, an alias.
fn plain(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let text = text.split(['{', ';']).next().unwrap_or_default();
    let text = text.split(" as ").next().unwrap_or_default();
    let around = |c: char| c.is_whitespace() || "\"'`<>()*".contains(c);
    let text = text.trim_matches(around).trim_start_matches('\\');
    let text = text.trim_end_matches("::").trim_start_matches("::");
    text.chars().filter(|c| !c.is_control()).collect()
}

fn clipped(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let text = text.lines().next().unwrap_or_default();
    text.chars().take(NAME_LIMIT / 2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kind name` of each import.
    fn found(language: &str, file: &str, source: &str) -> Vec<String> {
        let spec = tracer_languages::by_name(language).unwrap();
        let found = imports(spec, Path::new(file), source.as_bytes()).unwrap();
        let each = found.imports.iter();
        each.map(|import| format!("{:?} {}", import.kind, import.name))
            .collect()
    }

    #[test]
    fn every_query_fits_every_grammar() {
        for spec in tracer_languages::all() {
            for grammar in 0..=spec.other_grammars.len() {
                if !spec.imports.query.is_empty() {
                    compiled(spec, grammar).unwrap();
                }
            }
        }
    }

    #[test]
    fn python_in_all_its_ways() {
        let source = "import os, numpy as np\nfrom a.b import c\nfrom .. import d\n\
            try:\n    import ujson\nexcept ImportError:\n    import json as ujson\n\
            def f():\n    import lazy\nx = __import__('yaml')\nimportlib.import_module(name)\n";
        let expected = [
            "Plain numpy",
            "Plain os",
            "Plain a.b",
            "Relative ..",
            "Optional ujson",
            "Optional json",
            "Conditional lazy",
            "Dynamic yaml",
            "Dynamic name",
        ];
        assert_eq!(found("python", "a.py", source), expected);
    }

    #[test]
    fn the_languages_of_the_web() {
        let source = "import a, {b} from '@s/a/b';\nexport * from './c';\nconst d = require('d');\n\
            try { require('e') } catch {}\nif (x) require('f');\nrequire(g);\nimport('h');\n";
        let expected = [
            "Plain @s/a/b",
            "Relative ./c",
            "Plain d",
            "Optional e",
            "Conditional f",
            "Dynamic g",
            "Dynamic h",
        ];
        assert_eq!(found("javascript", "a.js", source), expected);
        for file in ["a.ts", "a.tsx"] {
            assert_eq!(found("typescript", file, source), expected, "{file}");
        }
        let php = "<?php namespace A\\B;\nuse C\\D, \\E;\nuse F\\{G, H};\nuse function I\\j;\n\
            require_once __DIR__ . '/k.php';\ninclude $l;\n";
        let expected = [
            "Plain C\\D",
            "Plain E",
            "Plain F",
            "Plain I\\j",
            "Relative /k.php",
            "Dynamic $l",
        ];
        assert_eq!(found("php", "a.php", php), expected);
    }

    #[test]
    fn compiled_languages() {
        let rust = "use serde::{de, ser};\nuse {a::b, c};\nextern crate d;\nuse crate::e;\n\
            #[cfg(unix)]\nuse nix::libc as l;\nuse f::*;\n";
        let expected = [
            "Plain serde",
            "Plain a::b",
            "Plain c",
            "Plain d",
            "Relative crate::e",
            "Conditional nix::libc",
            "Plain f",
        ];
        assert_eq!(found("rust", "a.rs", rust), expected);
        let go = "package p\nimport (\n\"fmt\"\nx \"a.org/b/c\"\n_ `d`\n)\n";
        assert_eq!(
            found("go", "a.go", go),
            ["Plain fmt", "Plain a.org/b/c", "Plain d"]
        );
        let java = "package a.b;\nimport java.util.*;\nimport static org.x.Y.z;\nimport com.q.R;\n";
        assert_eq!(
            found("java", "A.java", java),
            ["Plain java.util", "Plain org.x.Y.z", "Plain com.q.R"]
        );
        let c = "#ifndef G\n#include <stdio.h>\n#include \"a.h\"\n#ifdef X\n#include <x.h>\n#endif\n#endif\n";
        for (language, file) in [("c", "a.c"), ("cpp", "a.cpp")] {
            assert_eq!(
                found(language, file, c),
                ["Plain stdio.h", "Plain a.h", "Conditional x.h"]
            );
        }
        let csharp =
            "using System;\nusing A.B;\nusing static C.D;\nusing E = F.G;\nnamespace H.I;\n";
        assert_eq!(
            found("csharp", "a.cs", csharp),
            ["Plain System", "Plain A.B", "Plain C.D", "Plain F.G"]
        );
        let swift = "import Foundation\n@testable import A\nimport struct B.C\n";
        assert_eq!(
            found("swift", "a.swift", swift),
            ["Plain Foundation", "Plain A", "Plain B.C"]
        );
    }

    #[test]
    fn scripts() {
        let ruby = "require 'json'\nrequire_relative 'a'\nbegin\n  require 'b'\nrescue LoadError\nend\n\
            require 'c' if x\ngem 'd', '~> 1'\nrequire File.join('e')\nautoload :F, 'f'\n";
        let expected = [
            "Plain json",
            "Relative a",
            "Optional b",
            "Conditional c",
            "Plain d",
            "Dynamic File.join('e')",
            "Plain f",
        ];
        assert_eq!(found("ruby", "a.rb", ruby), expected);
        let bash = "source ./a.sh\n. \"b.sh\"\n[ -f c ] && . c\nsource $d\necho . e\n";
        assert_eq!(
            found("bash", "a.sh", bash),
            [
                "Relative ./a.sh",
                "Relative b.sh",
                "Relative c",
                "Dynamic $d"
            ]
        );
        let sql = "CREATE EXTENSION pgcrypto;\nCREATE EXTENSION IF NOT EXISTS hstore;\n";
        assert_eq!(
            found("sql", "a.sql", sql),
            ["Plain pgcrypto", "Optional hstore"]
        );
    }
}
