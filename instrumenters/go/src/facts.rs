//! What the hooks need to know of the whole file: which names are variables.
//!
//! Names are not resolved by scope: a name counts as what it is declared as anywhere in the file.

use std::collections::BTreeSet;
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};

/// Names of a file.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The package's name.
    pub(crate) package: String,
    /// Declared as variables, parameters or results.
    variables: BTreeSet<String>,
    /// Constants, functions, types and imports.
    others: BTreeSet<String>,
    /// Variables that a call may change: of the package, used in a function literal, or whose
    /// address is taken.
    shared: BTreeSet<String>,
    /// Functions of the file, and names declared at its top.
    pub(crate) functions: BTreeSet<String>,
}

impl Facts {
    pub(crate) fn of(rewriter: &mut Rewriter<'_>) -> Rc<Self> {
        rewriter.memo(|rewriter| {
            let mut facts = Self::default();
            facts.collect(rewriter, rewriter.root(), false, false);
            facts
        })
    }

    /// Whether a name is certainly that of a variable.
    pub(crate) fn is_variable(&self, name: &str) -> bool {
        self.variables.contains(name) && !self.others.contains(name)
    }

    /// Whether no call can change it: a variable of the running function alone.
    pub(crate) fn is_own(&self, name: &str) -> bool {
        self.is_variable(name) && !self.shared.contains(name)
    }

    fn collect(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>, local: bool, literal: bool) {
        let text = |node: Node<'_>| rewriter.text(node).into_owned();
        match node.kind() {
            "package_clause" => {
                self.package = node.named_child(0).map(text).unwrap_or_default();
                return;
            }
            "import_spec" => {
                let name = node.child_by_field_name("name").map(text);
                let path = node.child_by_field_name("path").map(text);
                let last = path.as_deref().map(|path| {
                    let path = path.trim_matches(['"', '`']);
                    path.rsplit('/').next().unwrap_or(path).to_owned()
                });
                self.others.extend(name.or(last));
                return;
            }
            "const_spec"
            | "type_spec"
            | "type_alias"
            | "function_declaration"
            | "type_parameter_declaration" => {
                let mut cursor = node.walk();
                let names: Vec<String> = node
                    .children_by_field_name("name", &mut cursor)
                    .map(text)
                    .collect();
                if node.kind() == "function_declaration" {
                    self.functions.extend(names.iter().cloned());
                }
                self.others.extend(names);
            }
            "var_spec" | "parameter_declaration" | "variadic_parameter_declaration" => {
                let mut cursor = node.walk();
                let names: Vec<String> = node
                    .children_by_field_name("name", &mut cursor)
                    .map(text)
                    .collect();
                if !local && node.kind() == "var_spec" {
                    self.shared.extend(names.iter().cloned());
                }
                self.variables.extend(names);
            }
            "short_var_declaration" | "range_clause" | "receive_statement" => {
                if let Some(left) = node.child_by_field_name("left") {
                    let mut cursor = left.walk();
                    let names = left
                        .named_children(&mut cursor)
                        .filter(|name| name.kind() == "identifier")
                        .map(text);
                    self.variables.extend(names);
                }
            }
            "type_switch_statement" => {
                if let Some(name) = node
                    .child_by_field_name("alias")
                    .and_then(|a| a.named_child(0))
                {
                    self.variables.insert(text(name));
                }
            }
            "unary_expression" => {
                let is_address = node
                    .child_by_field_name("operator")
                    .is_some_and(|operator| operator.kind() == "&");
                if let Some(name) = node
                    .child_by_field_name("operand")
                    .filter(|operand| is_address && operand.kind() == "identifier")
                {
                    self.shared.insert(text(name));
                }
            }
            "identifier" if literal => {
                self.shared.insert(text(node));
            }
            _ => {}
        }
        let local = local || node.kind() == "block";
        let literal = literal || node.kind() == "func_literal";
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            self.collect(rewriter, child, local, literal);
        }
    }
}

/// The names that a parameter or result list declares; an empty one where there is none.
pub(crate) fn declared_names(list: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = list.walk();
    let mut names = Vec::new();
    for declaration in list.named_children(&mut cursor) {
        let mut inner = declaration.walk();
        names.extend(declaration.children_by_field_name("name", &mut inner));
    }
    names
}
