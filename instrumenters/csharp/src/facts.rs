//! What names mean: locals of a function, members that the file declares.
//!
//! Known only as far as the file's own text tells.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};

use crate::context::is_function;

/// What is known of the whole file.
pub(crate) struct Facts {
    /// Methods by name: whether all of them are `void`, or none is.
    pub(crate) methods: BTreeMap<String, Option<bool>>,
    pub(crate) events: BTreeSet<String>,
    pub(crate) constants: BTreeSet<String>,
    /// Expression-bodied lambdas may be data rather than code.
    pub(crate) expression_trees: bool,
    /// Branches of switches by the node of a section.
    pub(crate) sections: RefCell<BTreeMap<usize, (u32, u32, Option<String>)>>,
    locals: RefCell<BTreeMap<usize, Rc<Locals>>>,
}

/// Locals and parameters of a function by name, with their types where they are written.
pub(crate) type Locals = BTreeMap<String, Option<String>>;

impl Facts {
    pub(crate) fn of(r: &mut Rewriter<'_>) -> Rc<Self> {
        r.memo(|r| {
            let mut facts = Self {
                methods: BTreeMap::new(),
                events: BTreeSet::new(),
                constants: BTreeSet::new(),
                expression_trees: mentions(r.source, b"System.Linq.Expressions")
                    || mentions(r.source, b"Expression<")
                    || mentions(r.source, b"IQueryable"),
                sections: RefCell::default(),
                locals: RefCell::default(),
            };
            facts.collect(r, r.root());
            facts
        })
    }

    fn collect(&mut self, r: &Rewriter<'_>, node: Node<'_>) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "method_declaration" | "local_function_statement" => {
                    let returns = child
                        .child_by_field_name("returns")
                        .or_else(|| child.child_by_field_name("type"));
                    if let (Some(name), Some(returns)) =
                        (child.child_by_field_name("name"), returns)
                    {
                        let void = r.text(returns) == "void";
                        self.methods
                            .entry(r.text(name).into_owned())
                            .and_modify(|known| {
                                if *known != Some(void) {
                                    *known = None;
                                }
                            })
                            .or_insert(Some(void));
                    }
                }
                "event_field_declaration" | "event_declaration" => {
                    names_in(r, child, &mut self.events);
                }
                "field_declaration" | "local_declaration_statement"
                    if crate::context::has_word(r, child, "const") =>
                {
                    names_in(r, child, &mut self.constants);
                }
                _ => {}
            }
            self.collect(r, child);
        }
    }

    /// The locals that code of this function can name, its own and those of functions around it.
    pub(crate) fn locals<'a>(&self, r: &Rewriter<'a>, function: Node<'a>) -> Rc<Locals> {
        let mut outermost = function;
        let mut at = Some(function);
        while let Some(node) = at {
            if is_function(node.kind()) {
                outermost = node;
            }
            at = r.parent(node);
        }
        if let Some(known) = self.locals.borrow().get(&outermost.id()) {
            return Rc::clone(known);
        }
        let mut locals = Locals::new();
        declared_in(r, outermost, &mut locals);
        if outermost.kind() == "accessor_declaration" {
            locals.insert("value".into(), None);
        }
        let locals = Rc::new(locals);
        self.locals
            .borrow_mut()
            .insert(outermost.id(), Rc::clone(&locals));
        locals
    }
}

fn mentions(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

fn names_in(r: &Rewriter<'_>, node: Node<'_>, names: &mut BTreeSet<String>) {
    if matches!(node.kind(), "variable_declarator" | "event_declaration")
        && let Some(name) = node.child_by_field_name("name")
    {
        names.insert(r.text(name).into_owned());
    }
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        names_in(r, child, names);
    }
}

fn declared_in(r: &Rewriter<'_>, node: Node<'_>, locals: &mut Locals) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        match child.kind() {
            "parameter"
            | "declaration_expression"
            | "declaration_pattern"
            | "catch_declaration" => {
                if let Some(name) = child.child_by_field_name("name") {
                    let of = child
                        .child_by_field_name("type")
                        .map(|of| r.text(of).into_owned())
                        .filter(|of| of != "var");
                    locals.insert(r.text(name).into_owned(), of);
                }
            }
            "implicit_parameter" => {
                locals.insert(r.text(child).into_owned(), None);
            }
            "variable_declaration" => {
                let of = child
                    .child_by_field_name("type")
                    .map(|of| r.text(of).into_owned())
                    .filter(|of| of != "var");
                let mut inner = child.walk();
                for declarator in child.named_children(&mut inner) {
                    if let Some(name) = declarator.child_by_field_name("name") {
                        locals.insert(r.text(name).into_owned(), of.clone());
                    }
                }
            }
            "foreach_statement" => {
                if let Some(name) = child
                    .child_by_field_name("left")
                    .filter(|name| name.kind() == "identifier")
                {
                    let of = child
                        .child_by_field_name("type")
                        .map(|of| r.text(of).into_owned())
                        .filter(|of| of != "var");
                    locals.insert(r.text(name).into_owned(), of);
                }
            }
            _ => {}
        }
        declared_in(r, child, locals);
    }
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Local {
    /// It is no local or parameter.
    Not,
    /// A local whose type is not written.
    Inferred,
    /// A local declared with this type.
    Typed(String),
}

/// What a name is, where it stands.
pub(crate) fn local<'a>(r: &mut Rewriter<'a>, name: Node<'a>) -> Local {
    if name.kind() != "identifier" {
        return Local::Not;
    }
    let facts = Facts::of(r);
    let Some(function) = crate::context::enclosing_function(r, name) else {
        return Local::Not;
    };
    match facts.locals(r, function).get(&*r.text(name)) {
        None => Local::Not,
        Some(None) => Local::Inferred,
        Some(Some(of)) => Local::Typed(of.clone()),
    }
}

/// Whether a name is a local or parameter, so that reading it runs no code.
pub(crate) fn is_local<'a>(r: &mut Rewriter<'a>, name: Node<'a>) -> bool {
    local(r, name) != Local::Not
}

/// Whether a name is a local whose value may pass through a generic method.
pub(crate) fn is_plain_local<'a>(r: &mut Rewriter<'a>, name: Node<'a>) -> bool {
    match local(r, name) {
        Local::Not => false,
        Local::Inferred => true,
        Local::Typed(of) => !crate::context::is_special_type(&of) && of != "dynamic",
    }
}
