//! Namespaces: functions that fill an object. Exported variables become its members, and so do
//! references to them.

use std::collections::BTreeSet;

use oxc_ast::ast::{
    BindingPattern, BindingPatternKind, Declaration, ExportNamedDeclaration, IdentifierReference,
    Program, Statement, TSModuleDeclaration, TSModuleDeclarationBody, TSModuleDeclarationKind,
    TSModuleDeclarationName, VariableDeclaration,
};
use oxc_ast_visit::Visit;
use oxc_semantic::{ScopeId, Semantic, SymbolId};
use oxc_span::GetSpan;
use oxc_syntax::symbol::SymbolFlags;

use super::erase::{Lowerer, range};

/// A namespace around the current node.
#[derive(Debug, Clone)]
pub(crate) struct Space {
    /// What its object is called inside.
    pub(crate) object: String,
    /// Its full name.
    pub(crate) path: String,
}

/// Whether a namespace leaves anything behind.
pub(crate) fn runs(it: &TSModuleDeclaration<'_>) -> bool {
    if it.declare || it.kind == TSModuleDeclarationKind::Global {
        return false;
    }
    if matches!(it.id, TSModuleDeclarationName::StringLiteral(_)) {
        return false;
    }
    match &it.body {
        Some(TSModuleDeclarationBody::TSModuleDeclaration(inner)) => runs(inner),
        Some(TSModuleDeclarationBody::TSModuleBlock(block)) => {
            block.body.iter().any(statement_runs)
        }
        None => false,
    }
}

fn statement_runs(statement: &Statement<'_>) -> bool {
    let declaration = match statement {
        Statement::ExportNamedDeclaration(it) => match &it.declaration {
            Some(declaration) => declaration,
            None => return false,
        },
        other => match other.as_declaration() {
            Some(declaration) => declaration,
            None => return true,
        },
    };
    match declaration {
        Declaration::TSModuleDeclaration(it) => runs(it),
        Declaration::TSInterfaceDeclaration(_) | Declaration::TSTypeAliasDeclaration(_) => false,
        Declaration::VariableDeclaration(it) => !it.declare,
        Declaration::FunctionDeclaration(it) => !it.declare && it.body.is_some(),
        Declaration::ClassDeclaration(it) => !it.declare,
        Declaration::TSEnumDeclaration(it) => !it.declare,
        Declaration::TSImportEqualsDeclaration(_) => true,
    }
}

/// Finds what the namespaces of a file export.
pub(crate) fn collect(lowerer: &mut Lowerer<'_>, program: &Program<'_>) {
    let mut blocks = Vec::new();
    for statement in &program.body {
        collect_statement(lowerer, statement, "", &mut blocks);
    }
    // What one block of a namespace exports, its other blocks can read.
    for Block {
        place,
        space,
        scope,
    } in blocks
    {
        for name in lowerer.exported.get(&space.path).into_iter().flatten() {
            let own = scope.is_some_and(|scope| lowerer.scoping.scope_has_binding(scope, name));
            if !own {
                let member = format!("{}.{name}", space.object);
                lowerer.names.add(place.start, place.end, name, member);
            }
        }
    }
}

/// A block of a namespace.
struct Block {
    place: std::ops::Range<usize>,
    space: Space,
    scope: Option<ScopeId>,
}

fn collect_statement(
    lowerer: &mut Lowerer<'_>,
    statement: &Statement<'_>,
    path: &str,
    blocks: &mut Vec<Block>,
) {
    let declaration = match statement {
        Statement::ExportNamedDeclaration(it) => it.declaration.as_ref(),
        other => other.as_declaration(),
    };
    if let Some(Declaration::TSModuleDeclaration(it)) = declaration
        && runs(it)
    {
        collect_namespace(lowerer, it, path, blocks);
    }
}

fn collect_namespace(
    lowerer: &mut Lowerer<'_>,
    it: &TSModuleDeclaration<'_>,
    outer: &str,
    blocks: &mut Vec<Block>,
) {
    let TSModuleDeclarationName::Identifier(id) = &it.id else {
        return;
    };
    let path = format!("{outer}.{}", id.name);
    let object = lowerer.object_name(id.name.as_str(), it.scope_id.get());
    match &it.body {
        Some(TSModuleDeclarationBody::TSModuleDeclaration(inner)) => {
            if let TSModuleDeclarationName::Identifier(id) = &inner.id {
                let exported = lowerer.exported.entry(path.clone()).or_default();
                exported.insert(id.name.to_string());
            }
            collect_namespace(lowerer, inner, &path, blocks);
        }
        Some(TSModuleDeclarationBody::TSModuleBlock(block)) => {
            let (start, end) = (block.span.start as usize, block.span.end as usize);
            blocks.push(Block {
                place: start..end,
                space: Space {
                    object: object.clone(),
                    path: path.clone(),
                },
                scope: it.scope_id.get(),
            });
            for statement in &block.body {
                collect_statement(lowerer, statement, &path, blocks);
                let Statement::ExportNamedDeclaration(export) = statement else {
                    continue;
                };
                let mut names = BTreeSet::new();
                match &export.declaration {
                    Some(Declaration::VariableDeclaration(it)) if !it.declare => {
                        for declarator in &it.declarations {
                            for binding in declarator.id.get_binding_identifiers() {
                                let member = format!("{object}.{}", binding.name);
                                lowerer.members.insert(binding.symbol_id(), member.clone());
                                lowerer.names.add(start, end, binding.name.as_str(), member);
                                names.insert(binding.name.to_string());
                            }
                        }
                    }
                    Some(Declaration::TSImportEqualsDeclaration(it)) => {
                        let member = format!("{object}.{}", it.id.name);
                        lowerer.members.insert(it.id.symbol_id(), member.clone());
                        lowerer.names.add(start, end, it.id.name.as_str(), member);
                        names.insert(it.id.name.to_string());
                    }
                    Some(declaration) if !lowerer.is_erased(declaration) => {
                        names.extend(declaration.id().map(|id| id.name.to_string()));
                        if let Declaration::TSModuleDeclaration(it) = declaration
                            && let TSModuleDeclarationName::Identifier(id) = &it.id
                        {
                            names.insert(id.name.to_string());
                        }
                    }
                    _ => {}
                }
                let exported = lowerer.exported.entry(path.clone()).or_default();
                exported.append(&mut names);
            }
        }
        None => {}
    }
}

/// Finds where a name that became a member is another's: a parameter or variable further in.
pub(crate) fn hide_shadowed(lowerer: &mut Lowerer<'_>, semantic: &Semantic<'_>) {
    if lowerer.members.is_empty() {
        return;
    }
    let scoping = semantic.scoping();
    for (scope, bindings) in scoping.iter_bindings() {
        let place = range(semantic.nodes().kind(scoping.get_node_id(scope)).span());
        for (name, symbol) in bindings {
            if !lowerer.members.contains_key(symbol) && scope != scoping.root_scope_id() {
                lowerer.names.hide(place.start, place.end, name);
            }
        }
    }
}

impl<'a> Lowerer<'_> {
    /// What a namespace's object is called inside it.
    fn object_name(&self, name: &str, scope: Option<ScopeId>) -> String {
        let taken = scope.is_some_and(|scope| self.scoping.scope_has_binding(scope, name));
        if taken {
            format!("{name}_1")
        } else {
            name.to_owned()
        }
    }

    /// What a name reads that became a member of an object.
    pub(crate) fn member_of(&self, it: &IdentifierReference<'_>) -> Option<String> {
        if self.members.is_empty() && self.spaces.is_empty() {
            return None;
        }
        match self.symbol_of(it) {
            Some(symbol) => self.members.get(&symbol).cloned(),
            // Another block of the same namespace may export it.
            None => self.spaces.iter().rev().find_map(|space| {
                let exported = self.exported.get(&space.path)?;
                let known = exported.contains(it.name.as_str());
                known.then(|| format!("{}.{}", space.object, it.name))
            }),
        }
    }

    /// What a name refers to in this file.
    pub(crate) fn symbol_of(&self, it: &IdentifierReference<'_>) -> Option<SymbolId> {
        let reference = it.reference_id.get()?;
        self.scoping.get_reference(reference).symbol_id()
    }

    /// The scope of an enum's members.
    pub(crate) fn enum_scope(&self, owner: SymbolId) -> Option<ScopeId> {
        let declaration = self.scoping.symbol_declaration(owner);
        self.scoping
            .scope_descendants_from_root()
            .find(|scope| self.scoping.get_node_id(*scope) == declaration)
    }

    /// The declaration of the variable that an enum or namespace fills, if this is the first.
    pub(crate) fn opening(&mut self, symbol: SymbolId, name: &str, exported: bool) -> String {
        let flags = self.scoping.symbol_flags(symbol);
        if flags.intersects(SymbolFlags::Class | SymbolFlags::Function)
            || !self.declared.insert(symbol)
        {
            return String::new();
        }
        let at_top = self.scoping.symbol_scope_id(symbol) == self.scoping.root_scope_id();
        let export = if exported && self.spaces.is_empty() {
            "export "
        } else {
            ""
        };
        let keyword = if at_top { "var" } else { "let" };
        format!("{export}{keyword} {name};")
    }

    /// The call that fills it.
    pub(crate) fn closing(&self, name: &str, exported: bool) -> String {
        match self.spaces.last() {
            Some(Space { object, .. }) if exported => {
                format!("({name}={object}.{name}||({object}.{name}={{}}));")
            }
            _ => format!("({name}||({name}={{}}));"),
        }
    }

    /// `namespace A.B { … }`. `export` is where an export of it begins.
    pub(crate) fn namespace(&mut self, it: &TSModuleDeclaration<'a>, export: Option<usize>) {
        let start = export.unwrap_or(it.span.start as usize);
        let depth = self.spaces.len();
        let mut exported = export.is_some();
        let (mut head, mut tail) = (String::new(), String::new());
        let mut current = it;
        let block = loop {
            let TSModuleDeclarationName::Identifier(id) = &current.id else {
                return;
            };
            let name = id.name.as_str();
            let object = self.object_name(name, current.scope_id.get());
            head += &self.opening(id.symbol_id(), name, exported);
            head += &format!(";(function({object}){{");
            tail = format!("}}){}{tail}", self.closing(name, exported));
            let outer = self.spaces.last().map_or("", |space| space.path.as_str());
            let path = format!("{outer}.{name}");
            self.spaces.push(Space { object, path });
            match &current.body {
                Some(TSModuleDeclarationBody::TSModuleDeclaration(inner)) => current = inner,
                Some(TSModuleDeclarationBody::TSModuleBlock(block)) => break block,
                None => return,
            }
            exported = true;
        };
        let body = range(block.span);
        self.edits.replace(start..body.start + 1, head);
        self.visit_statements(&block.body);
        self.edits.replace(body.end - 1..body.end, tail);
        self.spaces.truncate(depth);
    }

    /// An export inside a namespace.
    pub(crate) fn export_member(&mut self, it: &ExportNamedDeclaration<'a>) {
        let Some(declaration) = &it.declaration else {
            return;
        };
        let start = it.span.start as usize;
        let inner = range(declaration.span());
        let object = self
            .spaces
            .last()
            .map_or_else(String::new, |space| space.object.clone());
        match declaration {
            declaration if self.is_erased(declaration) => self.blank_statement(range(it.span)),
            Declaration::TSEnumDeclaration(it) => self.enumeration(it, Some(start)),
            Declaration::TSModuleDeclaration(it) => self.namespace(it, Some(start)),
            Declaration::TSImportEqualsDeclaration(it) => self.import_equals(it, Some(start)),
            Declaration::VariableDeclaration(it) => self.export_variables(it, start),
            Declaration::FunctionDeclaration(function) => {
                self.blank(start..inner.start);
                self.visit_declaration(declaration);
                if let Some(id) = &function.id {
                    self.edits
                        .close(inner.end, format!("{object}.{0}={0};", id.name));
                }
            }
            Declaration::ClassDeclaration(class) => {
                self.blank(start..inner.start.max(start));
                self.class(class, None, false);
                if let Some(id) = &class.id {
                    self.edits
                        .close(inner.end, format!("{object}.{0}={0};", id.name));
                }
            }
            Declaration::TSTypeAliasDeclaration(_) | Declaration::TSInterfaceDeclaration(_) => {}
        }
    }

    /// `export const a = 1, { b } = c` as assignments to members.
    fn export_variables(&mut self, it: &VariableDeclaration<'a>, start: usize) {
        let mut from = start;
        for declarator in &it.declarations {
            let whole = range(declarator.span);
            // A comma between two of them stays.
            let keep = if from == start { whole.start } else { from };
            self.edits.replace(from..keep, "");
            if from == start {
                self.blank(start..whole.start);
            }
            from = whole.end;
            let Some(init) = &declarator.init else {
                let text = "void 0".to_owned();
                self.edits.replace(whole, text);
                continue;
            };
            if declarator.definite {
                self.blank_mark(whole.start, init.span().start as usize, '!');
            }
            if let Some(types) = &declarator.id.type_annotation {
                self.blank(range(types.span));
            }
            match &declarator.id.kind {
                BindingPatternKind::BindingIdentifier(_) => self.member_pattern(&declarator.id),
                _ => {
                    let first = whole.start == it.declarations[0].span.start as usize;
                    self.edits.open(whole.start, if first { ";(" } else { "(" });
                    self.member_pattern(&declarator.id);
                    self.close_inside(init, ")");
                }
            }
            self.visit_expression(init);
        }
    }

    /// Turns the names a pattern binds into members.
    fn member_pattern(&mut self, it: &BindingPattern<'a>) {
        match &it.kind {
            BindingPatternKind::BindingIdentifier(name) => {
                if let Some(path) = self.members.get(&name.symbol_id()) {
                    let own = path.len() - name.name.len();
                    let text = path[..own].to_owned();
                    self.edits.open(name.span.start as usize, text);
                }
            }
            BindingPatternKind::ObjectPattern(pattern) => {
                for property in &pattern.properties {
                    if property.shorthand {
                        let name = property.key.span();
                        let text = self.text(range(name)).to_owned();
                        self.edits.open(name.start as usize, format!("{text}:"));
                    } else {
                        self.visit_property_key(&property.key);
                    }
                    self.member_pattern(&property.value);
                }
                if let Some(rest) = &pattern.rest {
                    self.member_pattern(&rest.argument);
                }
            }
            BindingPatternKind::ArrayPattern(pattern) => {
                for element in pattern.elements.iter().flatten() {
                    self.member_pattern(element);
                }
                if let Some(rest) = &pattern.rest {
                    self.member_pattern(&rest.argument);
                }
            }
            BindingPatternKind::AssignmentPattern(pattern) => {
                self.member_pattern(&pattern.left);
                self.visit_expression(&pattern.right);
            }
        }
    }
}
