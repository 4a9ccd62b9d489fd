//! From TypeScript to the JavaScript that Node.js runs, by edits that keep every line and nearly
//! every column: types become spaces, and what has no counterpart is rewritten where it stands.
//!
//! `oxc` reads the source and resolves its names; it prints nothing. Types are not checked.
//! Nothing here knows of probes except that the rendering carries them along.

mod automatic;
mod classes;
mod decorators;
mod edits;
mod enums;
mod erase;
mod exports;
mod imports;
mod jsx;
mod metadata;
mod names;
mod namespaces;
mod text;

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast_visit::Visit;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;

pub use edits::Rendered;
use edits::{Edits, Probe};
use erase::Lowerer;
pub use exports::Types;
use jsx::Jsx;
use names::Names;

/// How Node.js has to load a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As an ES module.
    Module,
    /// As a `CommonJS` module.
    Common,
    /// As its package says: it neither imports nor exports.
    Script,
}

/// A lowered file.
#[derive(Debug)]
pub struct Lowered {
    source: String,
    edits: Edits,
    names: Names,
    /// How to load it.
    pub format: Format,
    /// Whether it could be read at all.
    pub readable: bool,
}

/// Lowers a file that stands alone.
pub fn lower(path: &Path, source: &[u8]) -> Lowered {
    lower_among(path, source, &Types::default())
}

/// Lowers a file of a program whose exported types are known. What cannot be read stays as it is:
/// Node.js will refuse it.
pub fn lower_among(path: &Path, source: &[u8], types: &Types) -> Lowered {
    let source = text_of(source);
    let allocator = Allocator::default();
    let kind = source_type(path);
    let parsed = Parser::new(&allocator, &source, kind).parse();
    if parsed.panicked {
        return Lowered {
            source,
            edits: Edits::default(),
            names: Names::default(),
            format: by_extension(path).unwrap_or(Format::Script),
            readable: false,
        };
    }
    let semantic = SemanticBuilder::new().build(&parsed.program).semantic;
    let jsx = Jsx::of(&source, &parsed.program, &types.settings);
    let format = by_extension(path).unwrap_or_else(|| {
        let format = imports::format_of(&parsed.program, &parsed.module_record);
        // JSX that imports makes a module.
        let imports = format == Format::Script && jsx.imports();
        if imports { Format::Module } else { format }
    });
    let (mut edits, names) = {
        let settings = &types.settings;
        let mut lowerer = Lowerer::new(&source, &semantic, &parsed.program, format, settings);
        lowerer.jsx = jsx;
        imports::find_types(&mut lowerer, &parsed.program, path, types);
        lowerer.visit_program(&parsed.program);
        lowerer.finish(&parsed.program)
    };
    edits.settle();
    Lowered {
        source,
        edits,
        names,
        format,
        readable: true,
    }
}

impl Lowered {
    /// The lowered text.
    pub fn plain(&self) -> Rendered {
        edits::render(&self.source, &self.edits, &[])
    }

    /// The lowered text with instrumentation: pairs of a place in the original and what is
    /// inserted there, in order.
    pub fn instrumented(&self, insertions: impl IntoIterator<Item = (usize, String)>) -> Rendered {
        let probes: Vec<Probe> = insertions
            .into_iter()
            .map(|(at, text)| {
                // Between bytes that are not UTF-8 the parsers may see different letters.
                let mut at = at.min(self.source.len());
                while !self.source.is_char_boundary(at) {
                    at -= 1;
                }
                let text = self.names.adapt(at, text);
                Probe { at, text }
            })
            .collect();
        edits::render(&self.source, &self.edits, &probes)
    }

    /// Where an offset of the original is in the lowered text.
    pub fn place(&self, offset: usize) -> usize {
        let plain = self.plain();
        let runs = plain.runs.iter().filter(|(_, here)| *here <= offset);
        let nearest = runs.max_by_key(|(_, here)| *here);
        let place = nearest.map_or(0, |(there, here)| there + offset - here);
        place.min(plain.text.len())
    }

    /// Where lines and columns of the lowered text differ from the original's: see
    /// `runtimes/typescript`.
    pub fn moves(&self) -> Vec<u32> {
        let plain = self.plain();
        let text = String::from_utf8_lossy(&plain.text);
        edits::moves(&self.source, &text, &plain.runs)
    }
}

/// The text with each byte that is not UTF-8 replaced by one that is, so that places stay.
fn text_of(source: &[u8]) -> String {
    let mut text = String::with_capacity(source.len());
    for chunk in source.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

fn source_type(path: &Path) -> SourceType {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("tsx") => SourceType::tsx(),
        Some("mts") => SourceType::ts().with_module(true),
        Some("js" | "mjs" | "cjs" | "jsx") => SourceType::jsx().with_unambiguous(true),
        _ => SourceType::ts(),
    }
}

fn by_extension(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "mts" | "mjs" => Some(Format::Module),
        "cts" | "cjs" => Some(Format::Common),
        _ => None,
    }
}
