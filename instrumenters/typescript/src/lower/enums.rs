//! Enums: an object with the members, filled in where they stand.

use oxc_ast::ast::{
    BinaryOperator, Expression, TSEnumDeclaration, TSEnumMember, TSEnumMemberName, UnaryOperator,
};
use oxc_ast_visit::Visit;
use oxc_semantic::SymbolId;
use oxc_span::GetSpan;

use super::erase::{Lowerer, range};
use super::text::mark;

/// The value of a member, known without running anything.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Number(f64),
    Text(String),
}

impl<'a> Lowerer<'_> {
    /// `enum E { A, B = 2 }`. `export` is where an export of it begins.
    pub(crate) fn enumeration(&mut self, it: &TSEnumDeclaration<'a>, export: Option<usize>) {
        let name = it.id.name.as_str();
        let symbol = it.id.symbol_id();
        let start = export.unwrap_or(it.span.start as usize);
        let body = range(it.body.span);
        let own = if it
            .body
            .members
            .iter()
            .any(|member| member_name(member) == name)
        {
            self.hidden_name()
        } else {
            name.to_owned()
        };
        let head = self.opening(symbol, name, export.is_some());
        self.edits
            .replace(start..body.start + 1, format!("{head};(function({own}){{"));
        let mut previous = Some(Constant::Number(-1.0));
        let mut last_name: Option<String> = None;
        let mut at = body.start + 1;
        for member in &it.body.members {
            self.blank_commas(at, member.span.start as usize);
            at = member.span.end as usize;
            let member_name = member_name(member);
            let key = quoted(&member_name);
            let value = match &member.initializer {
                Some(value) => self.constant(value, symbol),
                None => match &previous {
                    Some(Constant::Number(number)) => Some(Constant::Number(number + 1.0)),
                    _ => None,
                },
            };
            match (&member.initializer, &value) {
                (Some(init), Some(Constant::Text(_))) => {
                    let init = range(init.span());
                    self.edits.replace(
                        member.span.start as usize..init.start,
                        format!("{own}[{key}]="),
                    );
                    self.edits.close(init.end, ";");
                }
                (Some(init), _) => {
                    let init = range(init.span());
                    self.edits.replace(
                        member.span.start as usize..init.start,
                        format!("{own}[{own}[{key}]="),
                    );
                    self.edits.close(init.end, format!("]={key};"));
                }
                (None, Some(Constant::Number(number))) => {
                    let text = format!("{own}[{own}[{key}]={number}]={key};");
                    self.edits.replace(range(member.span), text);
                }
                (None, _) => {
                    let before = quoted(last_name.as_deref().unwrap_or_default());
                    let text = format!("{own}[{own}[{key}]={own}[{before}]+1]={key};");
                    self.edits.replace(range(member.span), text);
                }
            }
            if let Some(init) = &member.initializer {
                self.members_of(symbol, &own);
                self.visit_expression(init);
            }
            if let Some(value) = &value {
                let known = self.constants.entry(symbol).or_default();
                known.insert(member_name.clone(), value.clone());
            }
            previous = value;
            last_name = Some(member_name);
        }
        self.blank_commas(at, body.end - 1);
        let tail = self.closing(name, export.is_some());
        self.edits
            .replace(body.end - 1..body.end, format!("}}){tail}"));
    }

    fn blank_commas(&mut self, from: usize, to: usize) {
        if let Some(comma) = mark(self.source, from, to, ',') {
            self.blank(comma..comma + 1);
        }
    }

    /// Makes references to members inside an enum read its object.
    fn members_of(&mut self, owner: SymbolId, object: &str) {
        let Some(scope) = self.enum_scope(owner) else {
            return;
        };
        let members: Vec<SymbolId> = self.scoping.iter_bindings_in(scope).collect();
        for member in members {
            let name = self.scoping.symbol_name(member);
            self.members.insert(member, format!("{object}.{name}"));
        }
    }

    fn constant(&self, value: &Expression<'a>, owner: SymbolId) -> Option<Constant> {
        Some(match value {
            Expression::NumericLiteral(it) => Constant::Number(it.value),
            Expression::StringLiteral(it) => Constant::Text(it.value.to_string()),
            Expression::ParenthesizedExpression(it) => self.constant(&it.expression, owner)?,
            Expression::TemplateLiteral(it) => {
                let mut text = String::new();
                for (index, quasi) in it.quasis.iter().enumerate() {
                    text.push_str(quasi.value.cooked.as_ref()?.as_str());
                    if let Some(inner) = it.expressions.get(index) {
                        match self.constant(inner, owner)? {
                            Constant::Text(inner) => text.push_str(&inner),
                            Constant::Number(inner) => text.push_str(&inner.to_string()),
                        }
                    }
                }
                Constant::Text(text)
            }
            Expression::UnaryExpression(it) => {
                let Constant::Number(inner) = self.constant(&it.argument, owner)? else {
                    return None;
                };
                Constant::Number(match it.operator {
                    UnaryOperator::UnaryNegation => -inner,
                    UnaryOperator::UnaryPlus => inner,
                    UnaryOperator::BitwiseNot => f64::from(!to_int(inner)),
                    _ => return None,
                })
            }
            Expression::BinaryExpression(it) => {
                let left = self.constant(&it.left, owner)?;
                let right = self.constant(&it.right, owner)?;
                binary(it.operator, left, right)?
            }
            Expression::Identifier(it) => {
                match it.name.as_str() {
                    "NaN" => return Some(Constant::Number(f64::NAN)),
                    "Infinity" => return Some(Constant::Number(f64::INFINITY)),
                    _ => {}
                }
                self.constants.get(&owner)?.get(it.name.as_str())?.clone()
            }
            Expression::StaticMemberExpression(it) => {
                let Expression::Identifier(object) = &it.object else {
                    return None;
                };
                let other = self.symbol_of(object)?;
                self.constants
                    .get(&other)?
                    .get(it.property.name.as_str())?
                    .clone()
            }
            Expression::ComputedMemberExpression(it) => {
                let (Expression::Identifier(object), Expression::StringLiteral(key)) =
                    (&it.object, &it.expression)
                else {
                    return None;
                };
                let other = self.symbol_of(object)?;
                self.constants.get(&other)?.get(key.value.as_str())?.clone()
            }
            _ => return None,
        })
    }
}

fn binary(operator: BinaryOperator, left: Constant, right: Constant) -> Option<Constant> {
    let (a, b) = match (left, right) {
        (Constant::Number(a), Constant::Number(b)) => (a, b),
        (left, right) if operator == BinaryOperator::Addition => {
            let text = |value| match value {
                Constant::Text(text) => text,
                Constant::Number(number) => number.to_string(),
            };
            return Some(Constant::Text(text(left) + &text(right)));
        }
        _ => return None,
    };
    let shift = (to_int(b) & 31) as u32;
    Some(Constant::Number(match operator {
        BinaryOperator::Addition => a + b,
        BinaryOperator::Subtraction => a - b,
        BinaryOperator::Multiplication => a * b,
        BinaryOperator::Division => a / b,
        BinaryOperator::Remainder => a % b,
        BinaryOperator::Exponential => a.powf(b),
        BinaryOperator::BitwiseOR => f64::from(to_int(a) | to_int(b)),
        BinaryOperator::BitwiseAnd => f64::from(to_int(a) & to_int(b)),
        BinaryOperator::BitwiseXOR => f64::from(to_int(a) ^ to_int(b)),
        BinaryOperator::ShiftLeft => f64::from(to_int(a).wrapping_shl(shift)),
        BinaryOperator::ShiftRight => f64::from(to_int(a).wrapping_shr(shift)),
        BinaryOperator::ShiftRightZeroFill => f64::from((to_int(a) as u32).wrapping_shr(shift)),
        _ => return None,
    }))
}

/// As JavaScript turns a number into 32 bits.
fn to_int(number: f64) -> i32 {
    if !number.is_finite() {
        return 0;
    }
    let wrapped = number.trunc().rem_euclid(4_294_967_296.0);
    wrapped as u32 as i32
}

fn member_name(member: &TSEnumMember<'_>) -> String {
    match &member.id {
        TSEnumMemberName::Identifier(name) => name.name.to_string(),
        TSEnumMemberName::String(name) | TSEnumMemberName::ComputedString(name) => {
            name.value.to_string()
        }
        TSEnumMemberName::ComputedTemplateString(name) => name
            .quasis
            .first()
            .and_then(|quasi| quasi.value.cooked.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// A string literal.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
