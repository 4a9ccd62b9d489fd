//! What the file says about names: their declared types, and whether they may be constants.
//!
//! Names are looked at without scopes: a name counts as something only if every declaration of it
//! in the file agrees.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};

use crate::syntax::has_modifier;

/// What is known of one name.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    declared: bool,
    /// Some declaration is not of a primitive type.
    reference: bool,
    /// Some declaration may be a constant.
    constant: bool,
}

/// All names of a file.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: BTreeMap<String, Known>,
    /// Methods whose every declaration is `void`.
    void: BTreeSet<String>,
}

impl Names {
    /// The file's names, found once.
    pub(crate) fn of(r: &mut Rewriter<'_>) -> Rc<Self> {
        r.memo(|r| {
            let mut names = Self::default();
            let mut valued = BTreeSet::new();
            names.collect(r, r.root(), &mut valued);
            names.void.retain(|name| !valued.contains(name));
            names
        })
    }

    fn collect(&mut self, r: &Rewriter<'_>, root: Node<'_>, valued: &mut BTreeSet<String>) {
        // Not by recursion: files may nest deeper than the stack.
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            self.look(r, node, valued);
            let mut cursor = node.walk();
            waiting.extend(node.named_children(&mut cursor));
        }
    }

    fn look(&mut self, r: &Rewriter<'_>, node: Node<'_>, valued: &mut BTreeSet<String>) {
        match node.kind() {
            "variable_declarator" => {
                let Some(parent) = node.parent() else { return };
                let fixed =
                    parent.kind() == "constant_declaration" || has_modifier(parent, "final");
                let constant = fixed && node.child_by_field_name("value").is_some();
                let array = node.child_by_field_name("dimensions").is_some();
                let primitive = !array && is_primitive(parent.child_by_field_name("type"));
                self.add(r, node.child_by_field_name("name"), primitive, constant);
            }
            "formal_parameter"
            | "enhanced_for_statement"
            | "resource"
            | "catch_formal_parameter" => {
                let array = node.child_by_field_name("dimensions").is_some();
                let primitive = !array && is_primitive(node.child_by_field_name("type"));
                self.add(r, node.child_by_field_name("name"), primitive, false);
            }
            "inferred_parameters" => {
                let mut cursor = node.walk();
                for child in node.named_children(&mut cursor) {
                    self.add(r, Some(child), false, false);
                }
            }
            "lambda_expression" => {
                let parameter = node
                    .child_by_field_name("parameters")
                    .filter(|parameter| parameter.kind() == "identifier");
                self.add(r, parameter, false, false);
            }
            "instanceof_expression" => {
                self.add(r, node.child_by_field_name("name"), false, false);
            }
            "type_pattern" | "record_pattern_component" => {
                let mut cursor = node.walk();
                let name = node
                    .named_children(&mut cursor)
                    .filter(|child| child.kind() == "identifier")
                    .last();
                self.add(r, name, false, false);
            }
            "method_declaration" => {
                let Some(name) = node.child_by_field_name("name") else {
                    return;
                };
                let name = r.text(name).into_owned();
                let void = node
                    .child_by_field_name("type")
                    .is_some_and(|kind| kind.kind() == "void_type");
                if void {
                    self.void.insert(name);
                } else {
                    valued.insert(name);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, r: &Rewriter<'_>, name: Option<Node<'_>>, primitive: bool, constant: bool) {
        let Some(name) = name.filter(|name| name.kind() == "identifier") else {
            return;
        };
        let known = self.known.entry(r.text(name).into_owned()).or_default();
        known.declared = true;
        known.reference |= !primitive;
        known.constant |= constant;
    }

    /// Whether a name may stand for a compile-time constant.
    pub(crate) fn may_be_constant(&self, name: &str) -> bool {
        self.known
            .get(name)
            .is_none_or(|known| known.constant || !known.declared)
    }

    /// Whether a name is a variable that this file declares.
    pub(crate) fn is_variable(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// Whether a name is a variable of a primitive type, wherever it is declared in this file.
    pub(crate) fn is_primitive(&self, name: &str) -> bool {
        self.known
            .get(name)
            .is_some_and(|known| known.declared && !known.reference)
    }

    /// Whether a method of this name gives no value, and no other of the name does.
    pub(crate) fn is_void(&self, method: &str) -> bool {
        self.void.contains(method)
    }
}

fn is_primitive(kind: Option<Node<'_>>) -> bool {
    kind.is_some_and(|kind| {
        matches!(
            kind.kind(),
            "integral_type" | "floating_point_type" | "boolean_type"
        )
    })
}
