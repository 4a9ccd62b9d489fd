//! Which names other files of the program export as types only: importing or handing on such a name
//! would ask Node.js for something that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    Declaration, ExportNamedDeclaration, ImportDeclarationSpecifier, ImportOrExportKind,
    ModuleExportName, Statement,
};
use oxc_parser::Parser;

use crate::settings::Settings;

/// How far a name is followed from file to file.
const REACH: usize = 16;

/// What one file exports, as far as it matters here.
#[derive(Debug, Default)]
struct Surface {
    types: BTreeSet<String>,
    values: BTreeSet<String>,
    /// Exported name to the specifier and the name there.
    forwarded: BTreeMap<String, (String, String)>,
    /// Specifiers of `export *`.
    whole: Vec<String>,
}

/// The exports of a program's files, and what its project says.
#[derive(Debug, Default)]
pub struct Types {
    pub(crate) settings: Settings,
    files: BTreeMap<PathBuf, Surface>,
}

impl Types {
    /// Reads the files of a program.
    pub fn of<'s>(
        files: impl IntoIterator<Item = (&'s Path, &'s [u8])>,
        settings: Settings,
    ) -> Self {
        let surface = |(path, source): (&Path, &[u8])| (path.to_owned(), read(path, source));
        Self {
            settings,
            files: files.into_iter().map(surface).collect(),
        }
    }

    /// Whether a file's specifier leads to a file that exports the name as a type only.
    pub(crate) fn is_type(&self, from: &Path, specifier: &str, name: &str) -> bool {
        self.follow(from, specifier, name, REACH)
    }

    /// Whether a specifier leads to a file of the program.
    pub(crate) fn knows(&self, from: &Path, specifier: &str) -> bool {
        let known = |path: &Path| self.files.contains_key(path);
        crate::modules::target(from, specifier, &self.settings, &known).is_some()
    }

    fn follow(&self, from: &Path, specifier: &str, name: &str, reach: usize) -> bool {
        let known = |path: &Path| self.files.contains_key(path);
        let target = crate::modules::target(from, specifier, &self.settings, &known);
        let Some((path, surface)) = target.and_then(|path| self.files.get_key_value(&path)) else {
            return false;
        };
        if reach == 0 || surface.values.contains(name) {
            return false;
        }
        if surface.types.contains(name) {
            return true;
        }
        if let Some((specifier, name)) = surface.forwarded.get(name) {
            return self.follow(path, specifier, name, reach - 1);
        }
        let mut whole = surface.whole.iter();
        whole.any(|specifier| self.follow(path, specifier, name, reach - 1))
    }
}

fn read(path: &Path, source: &[u8]) -> Surface {
    let source = super::text_of(source);
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, &source, super::source_type(path)).parse();
    let mut surface = Surface::default();
    let mut imported: BTreeMap<String, (String, String)> = BTreeMap::new();
    let (mut types, mut values) = (BTreeSet::new(), BTreeSet::new());
    for statement in &parsed.program.body {
        match statement {
            Statement::ImportDeclaration(it) => {
                for specifier in it.specifiers.iter().flatten() {
                    if let ImportDeclarationSpecifier::ImportSpecifier(item) = specifier {
                        let from = (
                            it.source.value.to_string(),
                            item.imported.name().to_string(),
                        );
                        imported.insert(item.local.name.to_string(), from);
                    }
                }
            }
            Statement::ExportAllDeclaration(it) if it.exported.is_none() => {
                surface.whole.push(it.source.value.to_string());
            }
            Statement::ExportNamedDeclaration(it) => {
                if let Some(declaration) = &it.declaration {
                    sort(declaration, &mut surface.types, &mut surface.values);
                    sort(declaration, &mut types, &mut values);
                }
            }
            other => {
                if let Some(declaration) = other.as_declaration() {
                    sort(declaration, &mut types, &mut values);
                }
            }
        }
    }
    for statement in &parsed.program.body {
        if let Statement::ExportNamedDeclaration(it) = statement {
            hand_on(it, &imported, &types, &values, &mut surface);
        }
    }
    // A name may be both, as a class and an interface are.
    let both = |name: &String| surface.values.contains(name);
    surface.types = std::mem::take(&mut surface.types)
        .into_iter()
        .filter(|name| !both(name))
        .collect();
    surface
}

/// What `export { … }` says of its names.
fn hand_on(
    it: &ExportNamedDeclaration<'_>,
    imported: &BTreeMap<String, (String, String)>,
    types: &BTreeSet<String>,
    values: &BTreeSet<String>,
    surface: &mut Surface,
) {
    for item in &it.specifiers {
        let (local, exported) = (name_of(&item.local), name_of(&item.exported));
        let is_type = it.export_kind == ImportOrExportKind::Type
            || item.export_kind == ImportOrExportKind::Type;
        if is_type {
            surface.types.insert(exported);
        } else if let Some(source) = &it.source {
            let from = (source.value.to_string(), local);
            surface.forwarded.insert(exported, from);
        } else if values.contains(&local) {
            surface.values.insert(exported);
        } else if types.contains(&local) {
            surface.types.insert(exported);
        } else if let Some(from) = imported.get(&local) {
            surface.forwarded.insert(exported, from.clone());
        }
    }
}

fn name_of(name: &ModuleExportName<'_>) -> String {
    name.name().to_string()
}

/// Notes the names of a declaration as types or values.
fn sort(it: &Declaration<'_>, types: &mut BTreeSet<String>, values: &mut BTreeSet<String>) {
    let names: Vec<String> = match it {
        Declaration::VariableDeclaration(it) => it
            .declarations
            .iter()
            .flat_map(|declarator| declarator.id.get_binding_identifiers())
            .map(|id| id.name.to_string())
            .collect(),
        other => other
            .id()
            .map(|id| id.name.to_string())
            .into_iter()
            .collect(),
    };
    let is_type = match it {
        Declaration::TSInterfaceDeclaration(_) | Declaration::TSTypeAliasDeclaration(_) => true,
        Declaration::TSModuleDeclaration(it) => !super::namespaces::runs(it),
        _ => it.declare(),
    };
    if is_type {
        types.extend(names);
    } else {
        values.extend(names);
    }
}
