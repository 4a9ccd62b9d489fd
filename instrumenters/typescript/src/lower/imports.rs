//! Imports and exports: those of types go, the older forms become calls of `require`.

use oxc_ast::ast::Declaration;
use std::path::Path;

use oxc_ast::ast::{
    ExportAllDeclaration, ExportNamedDeclaration, Expression, IdentifierReference,
    ImportDeclaration, ImportDeclarationSpecifier, ImportOrExportKind, ModuleExportName, Program,
    Statement, TSExportAssignment, TSImportEqualsDeclaration, TSModuleReference, TSTypeName,
};
use oxc_ast_visit::Visit;
use oxc_semantic::SymbolId;
use oxc_span::{GetSpan, Span};
use oxc_syntax::module_record::ModuleRecord;
use oxc_syntax::symbol::SymbolFlags;

use super::enums::quoted;
use super::erase::{Lowerer, range};
use super::text::{mark, skip_trivia};
use super::{Format, Types};

/// The names that a `CommonJS` module has.
const COMMON: [&str; 5] = ["require", "module", "exports", "__filename", "__dirname"];

/// What a file's own syntax says about how to load it.
pub(crate) fn format_of(program: &Program<'_>, record: &ModuleRecord<'_>) -> Format {
    let assigns = |statement: &Statement<'_>| matches!(statement, Statement::TSExportAssignment(_));
    if program.body.iter().any(assigns) {
        return Format::Common;
    }
    let modern = |statement: &Statement<'_>| {
        statement.as_module_declaration().is_some()
            && !matches!(
                statement,
                Statement::ExportNamedDeclaration(it)
                    if matches!(it.declaration, Some(Declaration::TSImportEqualsDeclaration(_)))
            )
    };
    if record.has_module_syntax && program.body.iter().any(modern)
        || !record.import_metas.is_empty()
    {
        return Format::Module;
    }
    let requires = |statement: &Statement<'_>| {
        matches!(
            statement,
            Statement::TSImportEqualsDeclaration(it)
                if matches!(it.module_reference, TSModuleReference::ExternalModuleReference(_))
        )
    };
    if program.body.iter().any(requires) {
        return Format::Common;
    }
    if record.has_module_syntax {
        return Format::Module;
    }
    Format::Script
}

/// Finds the imports and re-exports that are types where they come from.
pub(crate) fn find_types(
    lowerer: &mut Lowerer<'_>,
    program: &Program<'_>,
    path: &Path,
    types: &Types,
) {
    for statement in &program.body {
        match statement {
            Statement::ImportDeclaration(it) => {
                let is_own = types.knows(path, &it.source.value);
                for specifier in it.specifiers.iter().flatten() {
                    if is_own {
                        let symbol = specifier.local().symbol_id();
                        lowerer.own_imports.insert(symbol);
                    }
                    if let ImportDeclarationSpecifier::ImportSpecifier(item) = specifier
                        && types.is_type(path, &it.source.value, &item.imported.name())
                    {
                        lowerer.type_imports.insert(item.local.symbol_id());
                    }
                }
            }
            Statement::ExportNamedDeclaration(it) => {
                let Some(source) = &it.source else { continue };
                for item in &it.specifiers {
                    if types.is_type(path, &source.value, &item.local.name()) {
                        lowerer.type_exports.insert(item.span.start);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Gives an ES module the names of a `CommonJS` one that it uses.
pub(crate) fn supply_common(lowerer: &mut Lowerer<'_>, program: &Program<'_>) {
    if lowerer.format != Format::Module {
        return;
    }
    let scoping = lowerer.scoping;
    let is_used = |name: &&str| {
        let ambient = scoping.get_root_binding(name).is_some_and(|symbol| {
            scoping.symbol_flags(symbol).contains(SymbolFlags::Ambient)
                && lowerer.is_used(symbol, name)
        });
        let unresolved = scoping.root_unresolved_references().get(*name);
        ambient
            || unresolved.is_some_and(|references| {
                let mut references = references.iter();
                references.any(|reference| scoping.get_reference(*reference).is_value())
            })
            || (*name == "require" && lowerer.needs_require)
    };
    let used: Vec<&str> = COMMON.into_iter().filter(is_used).collect();
    let Some(first) = program.body.first() else {
        return;
    };
    if !used.is_empty() {
        let text = format!("const {{{}}}=$ts_common(import.meta.url);", used.join(","));
        lowerer.edits.open(first.span().start as usize, text);
    }
}

/// Imports what JSX calls, where it does so by itself.
pub(crate) fn supply_jsx(lowerer: &mut Lowerer<'_>, program: &Program<'_>) {
    let Some(first) = program.body.first() else {
        return;
    };
    let mut text = String::new();
    for (source, imported, local) in lowerer.jsx.needs() {
        let source = quoted(&source);
        text += &match lowerer.format {
            Format::Module => format!("import {{{imported} as {local}}} from {source};"),
            _ => format!("const {{{imported}:{local}}}=require({source});"),
        };
    }
    if !text.is_empty() {
        lowerer.edits.open(first.span().start as usize, text);
    }
}

impl<'a> Lowerer<'_> {
    /// Whether a name is used for more than types.
    pub(crate) fn is_used(&self, symbol: SymbolId, name: &str) -> bool {
        self.jsx.uses(name)
            || self
                .scoping
                .get_resolved_references(symbol)
                .any(oxc_semantic::Reference::is_value)
    }

    /// Whether a name is used by what decorators are told.
    fn is_told(&self, symbol: SymbolId) -> bool {
        self.told.contains(&symbol) && self.own_imports.contains(&symbol)
    }

    /// Whether a name stands for a type and nothing else.
    pub(crate) fn is_type_only(&self, it: &IdentifierReference<'_>) -> bool {
        self.symbol_of(it).is_some_and(|symbol| {
            if self.type_imports.contains(&symbol) {
                return true;
            }
            let flags = self.scoping.symbol_flags(symbol);
            !flags.intersects(
                SymbolFlags::Value
                    | SymbolFlags::Import
                    | SymbolFlags::NamespaceModule
                    | SymbolFlags::CatchVariable,
            )
        })
    }

    /// `import …`.
    pub(crate) fn import(&mut self, it: &ImportDeclaration<'a>) {
        let Some(specifiers) = &it.specifiers else {
            self.common_import(it, &[]);
            return;
        };
        let is_kept = |lowerer: &Self, specifier: &ImportDeclarationSpecifier<'_>| {
            let (local, kind) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => (&it.local, it.import_kind),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => {
                    (&it.local, ImportOrExportKind::Value)
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => {
                    (&it.local, ImportOrExportKind::Value)
                }
            };
            kind == ImportOrExportKind::Value
                && (lowerer.settings.verbatim
                    || !lowerer.type_imports.contains(&local.symbol_id())
                        && (lowerer.is_used(local.symbol_id(), local.name.as_str())
                            || lowerer.is_told(local.symbol_id())))
        };
        let kept: Vec<bool> = specifiers.iter().map(|it| is_kept(self, it)).collect();
        let empty = !kept.contains(&true) && !self.settings.verbatim;
        if it.import_kind == ImportOrExportKind::Type || empty {
            self.blank_statement(range(it.span));
            return;
        }
        if self.format == Format::Common {
            let kept: Vec<&ImportDeclarationSpecifier<'_>> = specifiers
                .iter()
                .zip(&kept)
                .filter_map(|(specifier, kept)| kept.then_some(specifier))
                .collect();
            self.common_import(it, &kept);
            return;
        }
        for (specifier, kept) in specifiers.iter().zip(kept) {
            if kept {
                continue;
            }
            match specifier {
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(namespace) => {
                    // It follows a default import and a comma.
                    let from = it.span.start as usize;
                    let comma = mark(self.source, from, namespace.span.start as usize, ',');
                    let start = comma.unwrap_or(namespace.span.start as usize);
                    self.blank(start..namespace.span.end as usize);
                }
                other => self.blank_item(other.span()),
            }
        }
        if it.source.value.ends_with(".json") && it.with_clause.is_none() {
            let end = it.source.span.end as usize;
            self.edits.close(end, " with{type:\"json\"}");
        }
    }

    /// An import in a file that is a `CommonJS` module.
    fn common_import(
        &mut self,
        it: &ImportDeclaration<'a>,
        kept: &[&ImportDeclarationSpecifier<'a>],
    ) {
        if self.format != Format::Common {
            return;
        }
        let source = quoted(it.source.value.as_str());
        let mut text = String::new();
        let mut named = Vec::new();
        for specifier in kept {
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => {
                    let imported = match &it.imported {
                        ModuleExportName::IdentifierName(name) => name.name.to_string(),
                        ModuleExportName::IdentifierReference(name) => name.name.to_string(),
                        ModuleExportName::StringLiteral(name) => quoted(name.value.as_str()),
                    };
                    named.push(format!("{imported}:{}", it.local.name));
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => {
                    let local = &it.local.name;
                    text += &format!("const {local}=$ts_default(require({source}));");
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => {
                    text += &format!("const {}=require({source});", it.local.name);
                }
            }
        }
        if !named.is_empty() {
            text += &format!("const {{{}}}=require({source});", named.join(","));
        }
        if kept.is_empty() {
            text = format!("require({source});");
        }
        self.edits.replace(range(it.span), text);
    }

    /// Erases an item of a list in braces, with the comma behind it.
    fn blank_item(&mut self, span: Span) {
        let end = span.end as usize;
        let next = skip_trivia(self.source, end);
        let comma = self.source.as_bytes().get(next) == Some(&b',');
        self.blank(span.start as usize..if comma { next + 1 } else { end });
    }

    /// `export { … }` and `export` in front of a declaration.
    pub(crate) fn export_named(&mut self, it: &ExportNamedDeclaration<'a>) {
        if !self.spaces.is_empty() {
            self.export_member(it);
            return;
        }
        let start = it.span.start as usize;
        if let Some(declaration) = &it.declaration {
            match declaration {
                declaration if self.is_erased(declaration) => {
                    self.blank_export(range(it.span));
                }
                Declaration::TSEnumDeclaration(it) => self.enumeration(it, Some(start)),
                Declaration::TSModuleDeclaration(it) => self.namespace(it, Some(start)),
                Declaration::TSImportEqualsDeclaration(it) => self.import_equals(it, Some(start)),
                Declaration::ClassDeclaration(class) => {
                    self.class(class, Some(start), false);
                }
                declaration => self.visit_declaration(declaration),
            }
            return;
        }
        if it.export_kind == ImportOrExportKind::Type {
            self.blank_export(range(it.span));
            return;
        }
        let is_type = |lowerer: &Self, kind, local: &ModuleExportName<'_>| {
            kind == ImportOrExportKind::Type
                || matches!(local, ModuleExportName::IdentifierReference(name)
                    if lowerer.is_type_only(name))
        };
        let gone: Vec<Span> = it
            .specifiers
            .iter()
            .filter(|item| {
                is_type(self, item.export_kind, &item.local)
                    || self.type_exports.contains(&item.span.start)
            })
            .map(|item| item.span)
            .collect();
        if it.source.is_some() && !gone.is_empty() && gone.len() == it.specifiers.len() {
            self.blank_export(range(it.span));
            return;
        }
        for span in gone {
            self.blank_item(span);
        }
    }

    /// Erases an export; the file stays a module.
    fn blank_export(&mut self, range: std::ops::Range<usize>) {
        self.blank_statement(range);
    }

    /// `export * from …`.
    pub(crate) fn export_all(&mut self, it: &ExportAllDeclaration<'a>) {
        if it.export_kind == ImportOrExportKind::Type {
            self.blank_statement(range(it.span));
        }
    }

    /// `export = …`.
    pub(crate) fn export_assignment(&mut self, it: &TSExportAssignment<'a>) {
        if let Expression::Identifier(name) = &it.expression
            && self.is_type_only(name)
        {
            self.blank_statement(range(it.span));
            return;
        }
        let start = it.span.start as usize;
        self.edits
            .replace(start..start + "export".len(), "module.exports");
    }

    /// `import a = require("b")` and `import a = b.c`.
    pub(crate) fn import_equals(
        &mut self,
        it: &TSImportEqualsDeclaration<'a>,
        export: Option<usize>,
    ) {
        let start = export.unwrap_or(it.span.start as usize);
        let whole = start..it.span.end as usize;
        let used = self.is_used(it.id.symbol_id(), it.id.name.as_str());
        if it.import_kind == ImportOrExportKind::Type || (export.is_none() && !used) {
            self.blank_statement(whole);
            return;
        }
        let name = it.id.span.start as usize;
        let exports = export.is_some();
        let head = match self.spaces.last() {
            Some(space) if exports => format!("{}.", space.object),
            _ if exports && self.format == Format::Module => "export const ".to_owned(),
            _ if exports => format!("exports.{}=exports.{0};const ", it.id.name),
            _ => "const ".to_owned(),
        };
        self.edits.replace(start..name, head);
        match &it.module_reference {
            TSModuleReference::ExternalModuleReference(_) => self.needs_require = true,
            TSModuleReference::IdentifierReference(name) => self.visit_identifier_reference(name),
            TSModuleReference::QualifiedName(path) => {
                let mut first = &path.left;
                while let TSTypeName::QualifiedName(inner) = first {
                    first = &inner.left;
                }
                if let TSTypeName::IdentifierReference(name) = first {
                    self.visit_identifier_reference(name);
                }
            }
            TSModuleReference::ThisExpression(_) => {}
        }
    }
}
