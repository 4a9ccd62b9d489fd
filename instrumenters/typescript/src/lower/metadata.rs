//! Types that decorators are told at run time (`emitDecoratorMetadata`): what a class, a member or a
//! parameter is declared as, as the function that makes such values.
//!
//! Classes of other packages are told as `Object`: whether a name of theirs is a class is not known
//! here, and importing one that is none would end the program.

use std::collections::BTreeSet;

use oxc_ast::ast::{
    Class, ClassElement, FormalParameters, Function, MethodDefinition, MethodDefinitionKind,
    Program, PropertyDefinition, TSLiteral, TSType, TSTypeName, TSTypeOperatorOperator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::GetSpan;
use oxc_syntax::scope::ScopeFlags;
use oxc_syntax::symbol::SymbolFlags;

use super::enums::Constant;
use super::erase::{Lowerer, range};

type Types<'t, 'a> = Vec<Option<&'t TSType<'a>>>;

/// The declared types of parameters; of a rest parameter, that of its elements.
fn parameters<'t, 'a>(it: &'t FormalParameters<'a>) -> Types<'t, 'a> {
    let of = |pattern: &'t oxc_ast::ast::BindingPattern<'a>| {
        let annotation = pattern.type_annotation.as_ref();
        annotation.map(|annotation| &annotation.type_annotation)
    };
    let mut types: Types<'t, 'a> = it.items.iter().map(|item| of(&item.pattern)).collect();
    if let Some(rest) = &it.rest {
        types.push(match of(&rest.argument) {
            Some(TSType::TSArrayType(array)) => Some(&array.element_type),
            _ => None,
        });
    }
    types
}

fn has_decorators(it: &Function<'_>) -> bool {
    let mut items = it.params.items.iter();
    items.any(|item| !item.decorators.is_empty())
}

/// Finds the names whose values are told, so that importing them is no import of a type.
struct Told<'s> {
    scoping: &'s Scoping,
    names: BTreeSet<SymbolId>,
}

impl Told<'_> {
    fn note(&mut self, it: Option<&TSType<'_>>) {
        match it {
            Some(TSType::TSTypeReference(it)) => {
                let mut name = &it.type_name;
                while let TSTypeName::QualifiedName(path) = name {
                    name = &path.left;
                }
                if let TSTypeName::IdentifierReference(name) = name
                    && let Some(reference) = name.reference_id.get()
                    && let Some(symbol) = self.scoping.get_reference(reference).symbol_id()
                {
                    self.names.insert(symbol);
                }
            }
            Some(TSType::TSUnionType(it)) => it.types.iter().for_each(|it| self.note(Some(it))),
            Some(TSType::TSParenthesizedType(it)) => self.note(Some(&it.type_annotation)),
            _ => {}
        }
    }

    fn function(&mut self, it: &Function<'_>) {
        for of in parameters(&it.params) {
            self.note(of);
        }
        self.note(it.return_type.as_ref().map(|it| &it.type_annotation));
    }
}

impl<'a> Visit<'a> for Told<'_> {
    fn visit_class(&mut self, it: &Class<'a>) {
        for element in &it.body.body {
            match element {
                ClassElement::MethodDefinition(method) => {
                    let is_constructor = method.kind == MethodDefinitionKind::Constructor;
                    if !method.decorators.is_empty()
                        || has_decorators(&method.value)
                        || is_constructor && !it.decorators.is_empty()
                    {
                        self.function(&method.value);
                    }
                }
                ClassElement::PropertyDefinition(field) if !field.decorators.is_empty() => {
                    self.note(field.type_annotation.as_ref().map(|it| &it.type_annotation));
                }
                _ => {}
            }
        }
        walk::walk_class(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        walk::walk_function(self, it, flags);
    }
}

/// The names whose values the decorators of a file are told.
pub(crate) fn told(scoping: &Scoping, program: &Program<'_>) -> BTreeSet<SymbolId> {
    let mut finder = Told {
        scoping,
        names: BTreeSet::new(),
    };
    finder.visit_program(program);
    finder.names
}

impl<'a> Lowerer<'_> {
    fn tells(&self) -> bool {
        self.legacy && self.settings.metadata
    }

    /// What a class's constructor takes, where decorators of the class or of a parameter may ask.
    pub(crate) fn told_constructor(&self, it: &Function<'a>) -> String {
        if !self.tells() {
            return String::new();
        }
        self.told_parameters(&it.params)
    }

    fn told_parameters(&self, it: &FormalParameters<'a>) -> String {
        let types: Vec<String> = parameters(it).into_iter().map(|it| self.told(it)).collect();
        format!(",$ts_metadata(\"design:paramtypes\",[{}])", types.join(","))
    }

    /// What a method or accessor takes and gives back.
    pub(crate) fn told_method(&self, it: &MethodDefinition<'a>) -> String {
        if !self.tells() {
            return String::new();
        }
        let returned = it.value.return_type.as_ref();
        let returned = returned.map(|it| &it.type_annotation);
        let taken = self.told_parameters(&it.value.params);
        let own = match it.kind {
            MethodDefinitionKind::Get => self.told(returned),
            MethodDefinitionKind::Set => {
                self.told(parameters(&it.value.params).into_iter().next().flatten())
            }
            _ => "Function".to_owned(),
        };
        let mut text = format!(",$ts_metadata(\"design:type\",{own}){taken}");
        if own == "Function" {
            let returned = match returned {
                None if it.value.r#async => "Promise".to_owned(),
                None => "void 0".to_owned(),
                returned => self.told(returned),
            };
            text += &format!(",$ts_metadata(\"design:returntype\",{returned})");
        }
        text
    }

    /// What a field holds.
    pub(crate) fn told_field(&self, it: &PropertyDefinition<'a>) -> String {
        if !self.tells() {
            return String::new();
        }
        let annotation = it.type_annotation.as_ref();
        let own = self.told(annotation.map(|it| &it.type_annotation));
        format!(",$ts_metadata(\"design:type\",{own})")
    }

    fn told(&self, it: Option<&TSType<'a>>) -> String {
        let Some(it) = it else {
            return "Object".to_owned();
        };
        let known = match it {
            TSType::TSStringKeyword(_) | TSType::TSTemplateLiteralType(_) => "String",
            TSType::TSNumberKeyword(_) => "Number",
            TSType::TSBooleanKeyword(_) | TSType::TSTypePredicate(_) => "Boolean",
            TSType::TSBigIntKeyword(_) => "BigInt",
            TSType::TSSymbolKeyword(_) => "Symbol",
            TSType::TSVoidKeyword(_)
            | TSType::TSUndefinedKeyword(_)
            | TSType::TSNullKeyword(_)
            | TSType::TSNeverKeyword(_) => "void 0",
            TSType::TSArrayType(_) | TSType::TSTupleType(_) => "Array",
            TSType::TSFunctionType(_) | TSType::TSConstructorType(_) => "Function",
            TSType::TSLiteralType(it) => match &it.literal {
                TSLiteral::StringLiteral(_) | TSLiteral::TemplateLiteral(_) => "String",
                TSLiteral::BooleanLiteral(_) => "Boolean",
                TSLiteral::BigIntLiteral(_) => "BigInt",
                TSLiteral::NumericLiteral(_) | TSLiteral::UnaryExpression(_) => "Number",
            },
            TSType::TSParenthesizedType(it) => return self.told(Some(&it.type_annotation)),
            TSType::TSTypeOperatorType(it) if it.operator == TSTypeOperatorOperator::Readonly => {
                return self.told(Some(&it.type_annotation));
            }
            TSType::TSUnionType(it) => {
                let mut told: Vec<String> = it.types.iter().map(|it| self.told(Some(it))).collect();
                told.retain(|one| one != "void 0");
                told.dedup();
                match told.len() {
                    0 => "void 0",
                    1 => return told.swap_remove(0),
                    _ => "Object",
                }
            }
            TSType::TSTypeReference(it) => return self.told_name(&it.type_name),
            _ => "Object",
        };
        known.to_owned()
    }

    fn told_name(&self, it: &TSTypeName<'a>) -> String {
        let mut first = it;
        while let TSTypeName::QualifiedName(path) = first {
            first = &path.left;
        }
        let TSTypeName::IdentifierReference(name) = first else {
            return "Object".to_owned();
        };
        if let Some(symbol) = self.symbol_of(name) {
            if let Some(members) = self.constants.get(&symbol) {
                let is_text = |value: &Constant| matches!(value, Constant::Text(_));
                let texts = members.values().filter(|value| is_text(value)).count();
                return match texts {
                    0 => "Number",
                    count if count == members.len() => "String",
                    _ => "Object",
                }
                .to_owned();
            }
            let flags = self.scoping.symbol_flags(symbol);
            let is_value = if flags.contains(SymbolFlags::Import) {
                self.own_imports.contains(&symbol) && !self.type_imports.contains(&symbol)
            } else {
                flags.intersects(SymbolFlags::Value | SymbolFlags::NamespaceModule)
            };
            if !is_value {
                return "Object".to_owned();
            }
        }
        let text = self.text(range(it.span()));
        let plain: String = text.split_whitespace().collect();
        format!("$ts_type(()=>{plain})")
    }
}
