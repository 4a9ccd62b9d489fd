//! The file's own types and variables: what a name means at a place, as far as the file shows.
//!
//! Types that come from system headers stay [`Type::Unknown`]; the compiler then picks the capture
//! by `_Generic`. Reads the syntax tree only; inserts nothing.

use std::collections::BTreeMap;
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};

use crate::context::declared_name;

/// A type, as far as the file tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    /// A basic type: the suffix of its description in the emitter, and its name.
    Scalar(&'static str, &'static str),
    Void,
    /// A struct or union of the file.
    Record(usize),
    /// An enumeration of the file.
    Enum(usize),
    Pointer(Rc<Type>),
    /// With the text of its size.
    Array(Rc<Type>, Option<String>),
    Function(Rc<Type>),
    /// A typedef name of the file, and what it stands for.
    Alias(String, Rc<Type>),
    /// Something else of this name.
    Unknown(String),
}

/// A field of a struct or union.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) type_: Type,
    pub(crate) bits: bool,
}

/// A struct, union or enumeration with a body in this file.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    /// As C would name it: `struct node`, `Point`.
    pub(crate) name: Option<String>,
    pub(crate) union: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) members: Vec<String>,
    /// Typedef names for it.
    pub(crate) aliases: Vec<String>,
    /// Where the specifier starts.
    pub(crate) start: usize,
    /// Defined where no description can stand: inside a function, or badly readable.
    pub(crate) local: bool,
}

#[derive(Debug, Clone)]
struct Declared {
    from: usize,
    to: usize,
    type_: Type,
    is_type: bool,
    addressable: bool,
}

/// All of a file's types and declarations.
#[derive(Debug, Default)]
pub(crate) struct Types {
    pub(crate) definitions: Vec<Definition>,
    names: BTreeMap<String, Vec<Declared>>,
    tags: BTreeMap<String, Vec<Declared>>,
}

impl Type {
    /// Without the typedef names around it.
    pub(crate) fn resolved(&self) -> &Self {
        match self {
            Self::Alias(_, inner) => inner.resolved(),
            other => other,
        }
    }

    /// What a pointer points at, or an array holds.
    pub(crate) fn target(&self) -> Option<&Self> {
        match self.resolved() {
            Self::Pointer(inner) | Self::Array(inner, _) => Some(inner),
            _ => None,
        }
    }
}

const BASIC: &[(&str, &str, &str)] = &[
    ("char", "c", "char"),
    ("signed char", "sc", "signed char"),
    ("unsigned char", "uc", "unsigned char"),
    ("short", "h", "short"),
    ("unsigned short", "uh", "unsigned short"),
    ("int", "i", "int"),
    ("unsigned int", "u", "unsigned int"),
    ("long", "l", "long"),
    ("unsigned long", "ul", "unsigned long"),
    ("long long", "ll", "long long"),
    ("unsigned long long", "ull", "unsigned long long"),
    ("float", "f", "float"),
    ("double", "d", "double"),
    ("long double", "ld", "long double"),
    ("_Bool", "b", "_Bool"),
    ("bool", "b", "_Bool"),
];

fn basic(name: &str) -> Option<Type> {
    BASIC
        .iter()
        .find(|(spelled, _, _)| *spelled == name)
        .map(|(_, code, shown)| Type::Scalar(code, shown))
}

/// `long unsigned int` and the like in their usual spelling.
fn sized(text: &str) -> Type {
    let mut longs = 0;
    let (mut unsigned, mut signed, mut short) = (false, false, false);
    let mut base = "int";
    for word in text.split_whitespace() {
        match word {
            "long" => longs += 1,
            "unsigned" => unsigned = true,
            "signed" => signed = true,
            "short" => short = true,
            "char" | "double" => base = if word == "char" { "char" } else { "double" },
            "int" => {}
            _ => return Type::Unknown(text.to_owned()),
        }
    }
    let name = match (base, longs, short) {
        ("double", 1, _) => "long double".to_owned(),
        ("char", ..) if signed => "signed char".to_owned(),
        (base, 0, false) => base.to_owned(),
        (_, 0, true) => "short".to_owned(),
        (_, 1, _) => "long".to_owned(),
        _ => "long long".to_owned(),
    };
    let name = if unsigned {
        format!("unsigned {name}")
    } else {
        name
    };
    basic(&name).unwrap_or(Type::Unknown(name))
}

impl Types {
    pub(crate) fn of(rewriter: &Rewriter<'_>) -> Self {
        let mut types = Self::default();
        types.walk(rewriter, rewriter.root(), usize::MAX, false);
        types.collect_aliases();
        types
    }

    /// Typedefs may stand before or behind the definition.
    fn collect_aliases(&mut self) {
        for (name, entries) in &self.names {
            for entry in entries
                .iter()
                .filter(|entry| entry.is_type && entry.to == usize::MAX)
            {
                let at = match &entry.type_ {
                    Type::Record(at) | Type::Enum(at) => Some(*at),
                    Type::Unknown(tag) => self.definitions.iter().position(|definition| {
                        !definition.local && definition.name.as_deref() == Some(tag)
                    }),
                    _ => None,
                };
                let Some(definition) = at.and_then(|at| self.definitions.get_mut(at)) else {
                    continue;
                };
                if definition.name.as_deref() != Some(name) && !definition.aliases.contains(name) {
                    definition.aliases.push(name.clone());
                }
            }
        }
    }

    fn walk(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>, end: usize, local: bool) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "declaration" | "type_definition" => {
                    self.declare(rewriter, child, end, local);
                    self.walk_expressions(rewriter, child, end);
                }
                "struct_specifier" | "union_specifier" | "enum_specifier" => {
                    let ends = child.next_sibling().is_some_and(|next| next.kind() == ";");
                    self.specifier(rewriter, child, end, local || !ends || child.has_error());
                }
                "function_definition" => self.function(rewriter, child, end),
                "compound_statement" | "for_statement" => {
                    self.walk(rewriter, child, child.end_byte(), true);
                }
                "field_declaration_list" | "enumerator_list" | "parameter_list" => {}
                _ => self.walk(rewriter, child, end, local),
            }
        }
    }

    /// Statement expressions inside initialisers have scopes of their own.
    fn walk_expressions(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>, end: usize) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            if child.kind() == "init_declarator" {
                self.walk(rewriter, child, end, true);
            }
        }
    }

    fn function(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>, end: usize) {
        let Some(declarator) = node.child_by_field_name("declarator") else {
            return;
        };
        let body_end = node.end_byte();
        let base = self.base(rewriter, node, end, true);
        let (name, type_) = Self::derive(rewriter, base, declarator);
        if let Some(name) = name {
            self.add(rewriter, name, node.start_byte(), end, type_, false, true);
        }
        if let Some(list) = crate::definition::function_declarator(node)
            .and_then(|declarator| declarator.child_by_field_name("parameters"))
        {
            let mut cursor = list.walk();
            for parameter in list.named_children(&mut cursor) {
                if parameter.kind() == "parameter_declaration" {
                    self.parameter(rewriter, parameter, body_end);
                } else if parameter.kind() == "identifier" {
                    // K&R: `int` unless a declaration follows.
                    let int = Type::Scalar("i", "int");
                    self.add(
                        rewriter,
                        parameter,
                        parameter.start_byte(),
                        body_end,
                        int,
                        false,
                        true,
                    );
                }
            }
        }
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            if child.kind() == "declaration" {
                let base = self.base(rewriter, child, body_end, true);
                let mut inner = child.walk();
                for declarator in child.children_by_field_name("declarator", &mut inner) {
                    let (name, type_) = Self::derive(rewriter, base.clone(), declarator);
                    if let Some(name) = name {
                        let from = child.start_byte();
                        let type_ = as_parameter(type_);
                        self.add(rewriter, name, from, body_end, type_, false, true);
                    }
                }
            }
        }
        if let Some(body) = node.child_by_field_name("body") {
            self.walk(rewriter, body, body.end_byte(), true);
        }
    }

    fn parameter(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>, end: usize) {
        let base = self.base(rewriter, node, end, true);
        let Some(declarator) = node.child_by_field_name("declarator") else {
            return;
        };
        let (name, type_) = Self::derive(rewriter, base, declarator);
        if let Some(name) = name {
            let addressable = !is_register(rewriter, node);
            let type_ = as_parameter(type_);
            self.add(
                rewriter,
                name,
                node.start_byte(),
                end,
                type_,
                false,
                addressable,
            );
        }
    }

    fn declare(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>, end: usize, local: bool) {
        let local = local || node.has_error();
        let base = self.base(rewriter, node, end, local);
        let is_type = node.kind() == "type_definition";
        let addressable = !is_register(rewriter, node);
        let mut cursor = node.walk();
        for declarator in node.children_by_field_name("declarator", &mut cursor) {
            let (declarator, from) = if declarator.kind() == "init_declarator" {
                match declarator.child_by_field_name("declarator") {
                    Some(inner) => (inner, inner.end_byte()),
                    None => continue,
                }
            } else {
                (declarator, declarator.end_byte())
            };
            let (name, type_) = Self::derive(rewriter, base.clone(), declarator);
            let Some(name) = name else { continue };
            if let (true, Type::Record(at) | Type::Enum(at)) = (is_type, &type_) {
                let definition = &mut self.definitions[*at];
                if definition.name.is_none() {
                    definition.name = Some(rewriter.text(name).into_owned());
                }
            }
            self.add(rewriter, name, from, end, type_, is_type, addressable);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one entry's fields")]
    fn add(
        &mut self,
        rewriter: &Rewriter<'_>,
        name: Node<'_>,
        from: usize,
        to: usize,
        type_: Type,
        is_type: bool,
        addressable: bool,
    ) {
        let entry = Declared {
            from,
            to,
            type_,
            is_type,
            addressable,
        };
        insert(
            self.names
                .entry(rewriter.text(name).into_owned())
                .or_default(),
            entry,
        );
    }

    /// The type that a declaration's specifiers name.
    fn base(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>, end: usize, local: bool) -> Type {
        match node.child_by_field_name("type") {
            Some(specifier) => self.specifier(rewriter, specifier, end, local),
            None => Type::Scalar("i", "int"),
        }
    }

    fn specifier(
        &mut self,
        rewriter: &Rewriter<'_>,
        node: Node<'_>,
        end: usize,
        local: bool,
    ) -> Type {
        let text = rewriter.text(node);
        match node.kind() {
            "primitive_type" => match &*text {
                "void" => Type::Void,
                name => basic(name).unwrap_or_else(|| Type::Unknown(name.to_owned())),
            },
            "sized_type_specifier" => sized(&text),
            "type_identifier" => match self.find_type(&text, node.start_byte()) {
                Some(type_) => Type::Alias(text.into_owned(), Rc::new(type_)),
                None => Type::Unknown(text.into_owned()),
            },
            "struct_specifier" | "union_specifier" | "enum_specifier" => {
                self.tagged(rewriter, node, end, local)
            }
            _ => Type::Unknown(text.into_owned()),
        }
    }

    fn tagged(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>, end: usize, local: bool) -> Type {
        let keyword = node.kind().trim_end_matches("_specifier");
        let tag = node
            .child_by_field_name("name")
            .map(|name| format!("{keyword} {}", rewriter.text(name)));
        let Some(body) = node.child_by_field_name("body") else {
            let name = tag.unwrap_or_default();
            return self
                .find_tag(&name, node.start_byte())
                .unwrap_or(Type::Unknown(name));
        };
        let at = self.definitions.len();
        self.definitions.push(Definition {
            name: tag.clone(),
            union: keyword == "union",
            fields: Vec::new(),
            members: Vec::new(),
            aliases: Vec::new(),
            start: node.start_byte(),
            local,
        });
        let type_ = if keyword == "enum" {
            Type::Enum(at)
        } else {
            Type::Record(at)
        };
        if let Some(tag) = tag {
            let entry = Declared {
                from: node.start_byte(),
                to: end,
                type_: type_.clone(),
                is_type: true,
                addressable: false,
            };
            insert(self.tags.entry(tag).or_default(), entry);
        }
        if keyword == "enum" {
            let mut cursor = body.walk();
            let members = body
                .named_children(&mut cursor)
                .filter(|child| child.kind() == "enumerator")
                .filter_map(|child| child.child_by_field_name("name"))
                .map(|name| rewriter.text(name).into_owned())
                .collect();
            self.definitions[at].members = members;
        } else {
            let fields = self.fields(rewriter, body, end, local);
            self.definitions[at].fields = fields;
        }
        type_
    }

    fn fields(
        &mut self,
        rewriter: &Rewriter<'_>,
        body: Node<'_>,
        end: usize,
        local: bool,
    ) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut cursor = body.walk();
        for child in body.named_children(&mut cursor) {
            if child.kind() != "field_declaration" || child.has_error() {
                continue;
            }
            let base = self.base(rewriter, child, end, local);
            let mut inner = child.walk();
            let declarators: Vec<Node<'_>> = child
                .children_by_field_name("declarator", &mut inner)
                .collect();
            let mut parts = child.walk();
            let has_bits = child
                .named_children(&mut parts)
                .any(|part| part.kind() == "bitfield_clause");
            if let (true, Type::Record(at)) = (declarators.is_empty() && !has_bits, &base) {
                // An anonymous member's fields are the outer one's.
                fields.extend(self.definitions[*at].fields.clone());
                continue;
            }
            for declarator in declarators {
                let bits = declarator
                    .next_named_sibling()
                    .is_some_and(|next| next.kind() == "bitfield_clause");
                let (name, type_) = Self::derive(rewriter, base.clone(), declarator);
                if let Some(name) = name {
                    let name = rewriter.text(name).into_owned();
                    fields.push(Field { name, type_, bits });
                }
            }
        }
        fields
    }

    /// Follows a declarator from the outside in.
    fn derive<'a>(
        rewriter: &Rewriter<'_>,
        base: Type,
        declarator: Node<'a>,
    ) -> (Option<Node<'a>>, Type) {
        let inner = declarator.child_by_field_name("declarator");
        let type_ = match declarator.kind() {
            "pointer_declarator" => Type::Pointer(Rc::new(base)),
            "array_declarator" => {
                let size = declarator
                    .child_by_field_name("size")
                    .map(|size| rewriter.text(size).into_owned());
                Type::Array(Rc::new(base), size)
            }
            "function_declarator" => Type::Function(Rc::new(base)),
            "parenthesized_declarator" | "attributed_declarator" => {
                let mut cursor = declarator.walk();
                let inner = declarator
                    .named_children(&mut cursor)
                    .find(|child| declared_name(*child).is_some());
                return match inner {
                    Some(inner) => Self::derive(rewriter, base, inner),
                    None => (None, base),
                };
            }
            "identifier" | "field_identifier" | "type_identifier" | "primitive_type" => {
                return (Some(declarator), base);
            }
            _ => return (None, base),
        };
        match inner {
            Some(inner) => Self::derive(rewriter, type_, inner),
            None => (None, type_),
        }
    }

    fn look_up<'t>(
        table: &'t BTreeMap<String, Vec<Declared>>,
        name: &str,
        at: usize,
    ) -> Option<&'t Declared> {
        // Scopes nest: of those open here, the one that began last is the innermost.
        let entries = table.get(name)?;
        let before = entries.partition_point(|entry| entry.from <= at);
        entries[..before].iter().rev().find(|entry| at < entry.to)
    }

    fn find_type(&self, name: &str, at: usize) -> Option<Type> {
        Self::look_up(&self.names, name, at)
            .filter(|entry| entry.is_type)
            .map(|entry| entry.type_.clone())
    }

    fn find_tag(&self, name: &str, at: usize) -> Option<Type> {
        Self::look_up(&self.tags, name, at).map(|entry| entry.type_.clone())
    }

    /// The type of a variable at a place, and whether its address may be taken.
    pub(crate) fn variable(&self, name: &str, at: usize) -> Option<(Type, bool)> {
        Self::look_up(&self.names, name, at)
            .filter(|entry| !entry.is_type)
            .map(|entry| (entry.type_.clone(), entry.addressable))
    }

    /// A tag that was only forward declared where it was used may be defined by now.
    pub(crate) fn settled(&self, type_: &Type, at: usize) -> Type {
        match type_.resolved() {
            Type::Unknown(name) => self
                .find_tag(name, at)
                .or_else(|| self.find_type(name, at))
                .unwrap_or_else(|| type_.clone()),
            _ => type_.clone(),
        }
    }

    /// The type of an expression, as far as it can be told, and whether it has an address.
    pub(crate) fn of_expression(
        &self,
        rewriter: &Rewriter<'_>,
        node: Node<'_>,
    ) -> Option<(Type, bool)> {
        let at = node.start_byte();
        let part = |field| node.child_by_field_name(field);
        match node.kind() {
            "identifier" => self.variable(&rewriter.text(node), at),
            "parenthesized_expression" => self.of_expression(rewriter, node.named_child(0)?),
            "field_expression" => {
                let (base, addressable) = self.of_expression(rewriter, part("argument")?)?;
                let arrow = part("operator")?.kind() == "->";
                let base = if arrow { base.target()?.clone() } else { base };
                let base = self.settled(&base, at);
                let Type::Record(index) = base.resolved() else {
                    return None;
                };
                let name = rewriter.text(part("field")?);
                let field = self.definitions[*index]
                    .fields
                    .iter()
                    .find(|field| field.name == name)?;
                Some((field.type_.clone(), !field.bits && (arrow || addressable)))
            }
            "subscript_expression" => {
                let (base, _) = self.of_expression(rewriter, part("argument")?)?;
                Some((base.target()?.clone(), true))
            }
            "pointer_expression" => {
                let (inner, _) = self.of_expression(rewriter, part("argument")?)?;
                if part("operator")?.kind() == "*" {
                    Some((inner.target()?.clone(), true))
                } else {
                    Some((Type::Pointer(Rc::new(inner)), false))
                }
            }
            "assignment_expression" => self.of_expression(rewriter, part("left")?),
            "update_expression" => self.of_expression(rewriter, part("argument")?),
            _ => None,
        }
    }

    /// A type as C writes it.
    pub(crate) fn show(&self, type_: &Type) -> String {
        let (mut before, mut after) = (String::new(), String::new());
        let mut type_ = type_;
        loop {
            match type_ {
                Type::Pointer(inner) => {
                    before.insert(0, '*');
                    if matches!(**inner, Type::Array(..) | Type::Function(_)) {
                        before.insert(0, '(');
                        after.push(')');
                    }
                    type_ = inner;
                }
                Type::Array(inner, size) => {
                    after.push('[');
                    after.push_str(size.as_deref().unwrap_or(""));
                    after.push(']');
                    type_ = inner;
                }
                Type::Function(inner) => {
                    after.push_str("()");
                    type_ = inner;
                }
                _ => break,
            }
        }
        let name = match type_ {
            Type::Scalar(_, name) => (*name).to_owned(),
            Type::Void => "void".to_owned(),
            Type::Record(at) | Type::Enum(at) => self.definitions[*at]
                .name
                .clone()
                .unwrap_or_else(|| "struct".to_owned()),
            Type::Alias(name, _) | Type::Unknown(name) => name.clone(),
            _ => String::new(),
        };
        let rest = format!("{before}{after}");
        if rest.is_empty() {
            name
        } else {
            format!("{name} {rest}")
        }
    }
}

/// Keeps the entries in the order in which they begin, which is nearly that of arrival.
fn insert(entries: &mut Vec<Declared>, entry: Declared) {
    let at = entries.partition_point(|known| known.from <= entry.from);
    entries.insert(at, entry);
}

/// Arrays and functions as parameters are pointers.
fn as_parameter(type_: Type) -> Type {
    match type_ {
        Type::Array(inner, _) => Type::Pointer(inner),
        Type::Function(_) => Type::Pointer(Rc::new(type_)),
        other => other,
    }
}

fn is_register(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| {
        child.kind() == "storage_class_specifier" && rewriter.text(child) == "register"
    })
}
