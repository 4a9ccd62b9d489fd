//! Walks the syntax tree and erases types; hands over what needs more than erasing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use oxc_ast::ast::{
    ArrowFunctionExpression, AssignmentTargetPropertyIdentifier, BindingPattern,
    BindingPatternKind, CallExpression, CatchClause, Class, ClassElement, Declaration,
    ExportDefaultDeclarationKind, Expression, FormalParameter, Function, IdentifierReference,
    JSXElement, JSXFragment, ObjectProperty, Program, Statement, TSAsExpression, TSEnumDeclaration,
    TSImportEqualsDeclaration, TSInstantiationExpression, TSModuleDeclaration, TSNonNullExpression,
    TSSatisfiesExpression, TSTypeAnnotation, TSTypeAssertion, TSTypeParameterDeclaration,
    TSTypeParameterInstantiation, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, Semantic, SymbolId};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use super::Format;
use super::decorators::Decorated;
use super::edits::Edits;
use super::enums::Constant;
use super::jsx::Jsx;
use super::names::Names;
use super::namespaces::Space;
use super::text::{line_ends_behind, mark, skip_trivia};
use crate::settings::Settings;

/// The state of one file's lowering.
pub(crate) struct Lowerer<'s> {
    pub(crate) source: &'s str,
    pub(crate) scoping: &'s Scoping,
    pub(crate) format: Format,
    pub(crate) edits: Edits,
    pub(crate) names: Names,
    /// Namespaces around the current node, innermost last.
    pub(crate) spaces: Vec<Space>,
    /// What a name that became a member reads: exported variables of namespaces, enum members.
    pub(crate) members: BTreeMap<SymbolId, String>,
    /// What each namespace of the file exports, by its full name.
    pub(crate) exported: BTreeMap<String, BTreeSet<String>>,
    /// Imports that are types where they come from.
    pub(crate) type_imports: BTreeSet<SymbolId>,
    /// Imports from files of the program.
    pub(crate) own_imports: BTreeSet<SymbolId>,
    /// Names whose values decorators are told.
    pub(crate) told: BTreeSet<SymbolId>,
    /// Re-exports that are, by where they stand.
    pub(crate) type_exports: BTreeSet<u32>,
    /// Enums and namespaces that have their variable.
    pub(crate) declared: BTreeSet<SymbolId>,
    /// Members of enums whose value is known, by enum.
    pub(crate) constants: BTreeMap<SymbolId, BTreeMap<String, Constant>>,
    /// Assignments of the initial values that wait for parameter properties, in such a class.
    pub(crate) late_fields: Option<String>,
    pub(crate) jsx: Jsx,
    pub(crate) settings: &'s Settings,
    /// Whether decorators are those of before the standard.
    pub(crate) legacy: bool,
    /// Makes hidden names unique.
    pub(crate) counter: u32,
    /// Classes around the current node, innermost last.
    pub(crate) classes: Vec<Decorated>,
    /// Closing texts of the member at hand that must come behind those of its value.
    pub(crate) late_closes: Vec<(usize, String)>,
    /// Whether something calls `require`.
    pub(crate) needs_require: bool,
}

/// The range of a span.
pub(crate) fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

impl<'s> Lowerer<'s> {
    pub(crate) fn new(
        source: &'s str,
        semantic: &'s Semantic<'_>,
        program: &Program<'_>,
        format: Format,
        settings: &'s Settings,
    ) -> Self {
        let mut lowerer = Self {
            source,
            scoping: semantic.scoping(),
            format,
            edits: Edits::default(),
            names: Names::default(),
            spaces: Vec::new(),
            members: BTreeMap::new(),
            exported: BTreeMap::new(),
            type_imports: BTreeSet::new(),
            own_imports: BTreeSet::new(),
            told: BTreeSet::new(),
            type_exports: BTreeSet::new(),
            declared: BTreeSet::new(),
            constants: BTreeMap::new(),
            late_fields: None,
            jsx: Jsx::default(),
            settings,
            legacy: super::decorators::are_legacy(source, settings),
            counter: 0,
            classes: Vec::new(),
            late_closes: Vec::new(),
            needs_require: false,
        };
        if lowerer.legacy && settings.metadata {
            lowerer.told = super::metadata::told(lowerer.scoping, program);
        }
        super::namespaces::collect(&mut lowerer, program);
        super::namespaces::hide_shadowed(&mut lowerer, semantic);
        lowerer
    }

    pub(crate) fn finish(mut self, program: &Program<'_>) -> (Edits, Names) {
        super::imports::supply_common(&mut self, program);
        super::imports::supply_jsx(&mut self, program);
        (self.edits, self.names)
    }

    /// The original text of a stretch.
    pub(crate) fn text(&self, range: Range<usize>) -> &'s str {
        &self.source[range]
    }

    /// Erases a stretch.
    pub(crate) fn blank(&mut self, range: Range<usize>) {
        self.edits.blank(range);
    }

    /// Erases a statement or a member of a class; a semicolon stays, since what is in front may
    /// end by it.
    pub(crate) fn blank_statement(&mut self, range: Range<usize>) {
        let first = self.text(range.clone()).chars().next();
        let first = first.map_or(0, char::len_utf8);
        self.edits.replace(range.start..range.start + first, ";");
        self.blank(range.start + first..range.end);
    }

    /// Erases a stretch and leaves a semicolon as its last character.
    pub(crate) fn blank_to_semicolon(&mut self, range: Range<usize>) {
        let last = self.text(range.clone()).chars().next_back();
        let last = last.map_or(0, char::len_utf8);
        self.blank(range.start..range.end - last);
        self.edits.replace(range.end - last..range.end, ";");
    }

    /// Erases a type at whose end a statement may end without a semicolon.
    fn blank_type(&mut self, range: Range<usize>) {
        let next = skip_trivia(self.source, range.end);
        let continues = matches!(self.source.as_bytes().get(next), Some(b'(' | b'[' | b'`'));
        if continues && line_ends_behind(self.source, range.end) {
            self.blank_to_semicolon(range);
        } else {
            self.blank(range);
        }
    }

    /// Erases the `?` or `!` behind a name that begins at `from`, in front of `to`.
    pub(crate) fn blank_mark(&mut self, from: usize, to: usize, wanted: char) {
        if let Some(at) = mark(self.source, from, to, wanted) {
            self.blank(at..at + 1);
        }
    }

    /// Puts text behind an expression, in front of whatever a probe puts there: what such a probe
    /// ends may be more than the expression.
    pub(crate) fn close_inside(&mut self, it: &Expression<'_>, text: &str) {
        let end = it.span().end as usize;
        let last = self.source[..end].chars().next_back();
        // What is erased there comes with a text of its own.
        match last.filter(|last| matches!(last, '}' | ')' | ']')) {
            Some(last) if !it.is_typescript_syntax() => {
                self.edits.replace(end - 1..end, format!("{last}{text}"));
            }
            _ => self.edits.close(end, text),
        }
    }

    /// A name nobody can see.
    pub(crate) fn hidden_name(&mut self) -> String {
        self.counter += 1;
        format!("$ts_{}", self.counter)
    }

    fn pattern_mark(&mut self, pattern: &BindingPattern<'_>, end: usize, wanted: char) {
        let until = pattern
            .type_annotation
            .as_ref()
            .map_or(end, |annotation| annotation.span.start as usize);
        match &pattern.kind {
            BindingPatternKind::BindingIdentifier(name) => {
                let from = name.span.start as usize + name.name.len();
                self.blank_mark(from, until, wanted);
            }
            _ => {
                let text = &self.source[..until];
                let at = text.trim_end().len();
                if text[..at].ends_with(wanted) {
                    self.blank(at - 1..at);
                }
            }
        }
    }

    /// A parameter list's closing or an opening parenthesis moves over newlines that a type leaves.
    fn blank_arrow_types(&mut self, it: &ArrowFunctionExpression<'_>) {
        let parameters = range(it.params.span);
        if let Some(types) = &it.type_parameters
            && it.r#async
            && self
                .text(types.span.start as usize..parameters.start)
                .contains('\n')
        {
            let types = range(types.span);
            self.edits.replace(types.start..types.start + 1, "(");
            self.blank(types.start + 1..types.end);
            self.blank(parameters.start..parameters.start + 1);
        } else if let Some(types) = &it.type_parameters {
            self.blank(range(types.span));
        }
        if let Some(types) = &it.return_type {
            let annotation = range(types.span);
            if self.text(parameters.end..annotation.end).contains('\n') {
                let last = self.text(annotation.clone()).chars().next_back();
                let last = last.map_or(1, char::len_utf8);
                self.blank(parameters.end - 1..parameters.end);
                self.blank(annotation.start..annotation.end - last);
                self.edits
                    .replace(annotation.end - last..annotation.end, ")");
            } else {
                self.blank(annotation);
            }
        }
    }

    /// Whether a declaration leaves nothing behind.
    pub(crate) fn is_erased(&self, declaration: &Declaration<'_>) -> bool {
        match declaration {
            Declaration::VariableDeclaration(it) => it.declare,
            Declaration::FunctionDeclaration(it) => it.declare || it.body.is_none(),
            Declaration::ClassDeclaration(it) => it.declare,
            Declaration::TSEnumDeclaration(it) => it.declare,
            Declaration::TSModuleDeclaration(it) => !super::namespaces::runs(it),
            Declaration::TSTypeAliasDeclaration(_) | Declaration::TSInterfaceDeclaration(_) => true,
            Declaration::TSImportEqualsDeclaration(_) => false,
        }
    }
}

/// The call that an expression begins with, if a name is called there.
fn first_call<'t, 'a>(it: &'t Expression<'a>) -> Option<&'t IdentifierReference<'a>> {
    match it {
        Expression::CallExpression(call) => match &call.callee {
            Expression::Identifier(name) => Some(name),
            callee => first_call(callee),
        },
        Expression::StaticMemberExpression(it) => first_call(&it.object),
        Expression::ComputedMemberExpression(it) => first_call(&it.object),
        Expression::TSNonNullExpression(it) => first_call(&it.expression),
        Expression::TSAsExpression(it) => first_call(&it.expression),
        _ => None,
    }
}

impl<'a> Visit<'a> for Lowerer<'_> {
    fn visit_statements(&mut self, it: &oxc_allocator::Vec<'a, Statement<'a>>) {
        for statement in it {
            // The line in front may end without a semicolon, and a parenthesis would go on.
            if let Statement::ExpressionStatement(it) = statement
                && first_call(&it.expression).is_some_and(|name| self.member_of(name).is_some())
            {
                self.edits.open(it.span.start as usize, ";");
            }
            self.visit_statement(statement);
        }
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        if let Some(declaration) = it.as_declaration()
            && self.is_erased(declaration)
        {
            self.blank_statement(range(it.span()));
            return;
        }
        match it {
            Statement::ImportDeclaration(it) => self.import(it),
            Statement::ExportNamedDeclaration(it) => self.export_named(it),
            Statement::ExportAllDeclaration(it) => self.export_all(it),
            Statement::TSExportAssignment(it) => {
                self.export_assignment(it);
                walk::walk_ts_export_assignment(self, it);
            }
            Statement::TSNamespaceExportDeclaration(it) => self.blank_statement(range(it.span)),
            Statement::ExportDefaultDeclaration(default) => match &default.declaration {
                ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => {
                    self.blank_statement(range(default.span));
                }
                ExportDefaultDeclarationKind::FunctionDeclaration(function)
                    if function.body.is_none() =>
                {
                    self.blank_statement(range(default.span));
                }
                ExportDefaultDeclarationKind::Identifier(name) if self.is_type_only(name) => {
                    self.blank_statement(range(default.span));
                }
                ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                    self.class(class, Some(default.span.start as usize), true);
                }
                _ => walk::walk_statement(self, it),
            },
            Statement::ClassDeclaration(it) => self.class(it, None, false),
            _ => walk::walk_statement(self, it),
        }
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        self.enumeration(it, None);
    }

    fn visit_ts_module_declaration(&mut self, it: &TSModuleDeclaration<'a>) {
        self.namespace(it, None);
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        self.import_equals(it, None);
    }

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.blank(range(it.span));
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.blank(range(it.span));
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.blank(range(it.span));
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_type(it.expression.span().end as usize..it.span.end as usize);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_type(it.expression.span().end as usize..it.span.end as usize);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank(it.span.end as usize - 1..it.span.end as usize);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        let (start, inner) = (it.span.start as usize, range(it.expression.span()));
        let begins = matches!(
            it.expression,
            Expression::ObjectExpression(_)
                | Expression::FunctionExpression(_)
                | Expression::ClassExpression(_)
        );
        // What would begin a block, and what would end a `return`, keeps a parenthesis.
        if begins || self.text(start..inner.start).contains('\n') {
            self.edits.replace(start..start + 1, "(");
            self.blank(start + 1..inner.start);
            self.visit_expression(&it.expression);
            self.close_inside(&it.expression, ")");
        } else {
            self.blank(start..inner.start);
            self.visit_expression(&it.expression);
        }
    }

    fn visit_ts_instantiation_expression(&mut self, it: &TSInstantiationExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank(range(it.type_arguments.span));
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if let Some(this) = &it.this_param {
            let end = range(this.span).end;
            let comma = skip_trivia(self.source, end);
            let last = it.params.items.is_empty() && it.params.rest.is_none();
            let followed = self.source.as_bytes().get(comma) == Some(&b',');
            self.blank(range(this.span).start..if followed { comma + 1 } else { end });
            debug_assert!(followed || last, "another parameter follows a comma");
        }
        if let Some(types) = &it.type_parameters {
            self.blank(range(types.span));
        }
        if let Some(types) = &it.return_type {
            self.blank(range(types.span));
        }
        self.visit_formal_parameters(&it.params);
        if let Some(body) = &it.body {
            self.visit_function_body(body);
        }
        let _ = flags;
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.blank_arrow_types(it);
        self.visit_formal_parameters(&it.params);
        self.visit_function_body(&it.body);
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        // What they do is said elsewhere: at the method's key.
        for decorator in &it.decorators {
            self.visit_expression(&decorator.expression);
            self.blank(range(decorator.span));
        }
        let from = super::classes::decorated_end(&it.decorators, it.span.start);
        let start = it.pattern.span().start as usize;
        self.blank_modifiers(from, start);
        if it.pattern.optional {
            self.pattern_mark(&it.pattern, it.span.end as usize, '?');
        }
        self.visit_binding_pattern(&it.pattern);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if it.definite {
            self.pattern_mark(&it.id, it.span.end as usize, '!');
        }
        if let Some(types) = &it.id.type_annotation
            && it.init.is_none()
        {
            self.visit_binding_pattern_kind(&it.id.kind);
            self.blank_type(range(types.span));
            return;
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_catch_clause(&mut self, it: &CatchClause<'a>) {
        walk::walk_catch_clause(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        self.class(it, None, false);
    }

    fn visit_class_element(&mut self, it: &ClassElement<'a>) {
        self.class_element(it);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        if let Some(path) = self.member_of(it) {
            self.edits.open(
                it.span.start as usize,
                path[..path.len() - it.name.len()].to_owned(),
            );
        }
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        if it.shorthand
            && let Expression::Identifier(name) = &it.value
        {
            if let Some(path) = self.member_of(name) {
                let own = path.len() - name.name.len();
                let text = format!("{}:{}", name.name, &path[..own]);
                self.edits.open(name.span.start as usize, text);
            }
            return;
        }
        walk::walk_object_property(self, it);
    }

    fn visit_assignment_target_property_identifier(
        &mut self,
        it: &AssignmentTargetPropertyIdentifier<'a>,
    ) {
        if let Some(path) = self.member_of(&it.binding) {
            let name = &it.binding.name;
            let text = format!("{name}:{}", &path[..path.len() - name.len()]);
            self.edits.open(it.binding.span.start as usize, text);
        }
        if let Some(init) = &it.init {
            self.visit_expression(init);
        }
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        // A call of what became a member must not get a `this`.
        if let Expression::Identifier(name) = &it.callee
            && self.member_of(name).is_some()
        {
            self.edits.open(name.span.start as usize, "(0,");
            walk::walk_call_expression(self, it);
            self.edits.close(name.span.end as usize, ")");
            return;
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_jsx_element(&mut self, it: &JSXElement<'a>) {
        self.jsx_element(it);
    }

    fn visit_jsx_fragment(&mut self, it: &JSXFragment<'a>) {
        self.jsx_fragment(it);
    }
}
