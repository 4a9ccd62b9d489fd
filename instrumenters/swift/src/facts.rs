//! What hooks need to know of the whole file: which names are plain variables, whose reading runs
//! no code.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};

use crate::bodies;
use crate::syntax::{bound_names, child, children};
use crate::toolchain::has_main_type;

/// Facts about one file.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Plain stored properties by type.
    stored: BTreeMap<String, BTreeSet<String>>,
    /// Properties that a subclass of the file may have replaced.
    overridden: BTreeSet<String>,
    /// Plain variables of a script.
    globals: BTreeSet<String>,
    /// Whether the file's top level is code.
    pub(crate) script: bool,
    /// Whether the file uses tasks.
    pub(crate) tasks: bool,
    /// Whether a result builder may be at work.
    pub(crate) builders: bool,
}

impl Facts {
    /// The facts, gathered on first use.
    pub(crate) fn of(rewriter: &mut Rewriter<'_>) -> Rc<Self> {
        rewriter.memo(|rewriter| {
            let has = |word: &[u8]| rewriter.source.windows(word.len()).any(|at| at == word);
            let mut facts = Self {
                script: rewriter.options.file == 0 && !has_main_type(rewriter.source),
                tasks: has(b"await") || has(b"Task"),
                builders: has(b"Builder"),
                ..Self::default()
            };
            facts.gather(rewriter, rewriter.root(), None);
            facts
        })
    }

    fn gather(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>, owner: Option<&str>) {
        let mut cursor = node.walk();
        for inner in node.named_children(&mut cursor) {
            match inner.kind() {
                "class_declaration" => {
                    let name = inner.child_by_field_name("name");
                    let name = name.map(|name| rewriter.text(name).into_owned());
                    if let Some(body) = inner.child_by_field_name("body") {
                        self.gather(rewriter, body, name.as_deref());
                    }
                }
                "property_declaration" => {
                    let modifiers = child(inner, "modifiers");
                    let text = modifiers.map_or("".into(), |node| rewriter.text(node));
                    let names = bound_names(rewriter, inner);
                    if text.contains("override") {
                        self.overridden.extend(names);
                    } else if is_plain(rewriter, inner) {
                        match owner {
                            Some(owner) => {
                                self.stored.entry(owner.into()).or_default().extend(names);
                            }
                            None => self.globals.extend(names),
                        }
                    }
                }
                "statements" | "function_body" if owner.is_some() => {}
                // Types may be declared anywhere.
                _ if inner.named_child_count() > 0 && owner.is_none() => {
                    if matches!(inner.kind(), "function_declaration" | "lambda_literal") {
                        continue;
                    }
                    self.gather(rewriter, inner, None);
                }
                _ => {}
            }
        }
    }

    fn is_stored(&self, owner: &str, name: &str) -> bool {
        !self.overridden.contains(name)
            && self
                .stored
                .get(owner)
                .is_some_and(|names| names.contains(name))
    }
}

/// Whether a property is a variable and nothing else: no accessor, wrapper or laziness.
pub(crate) fn is_plain(rewriter: &Rewriter<'_>, property: Node<'_>) -> bool {
    let text = child(property, "modifiers").map_or("".into(), |node| rewriter.text(node));
    property.child_by_field_name("computed_value").is_none()
        && !text.contains('@')
        && !text.contains("lazy")
        && !text.contains("unowned")
        && !rewriter.text(property).starts_with("async ")
}

/// Whether reading the variable that a target names runs no code of the program.
pub(crate) fn is_readable(rewriter: &mut Rewriter<'_>, target: Node<'_>) -> bool {
    match target.kind() {
        "directly_assignable_expression" => target
            .named_child(0)
            .filter(|_| target.named_child_count() == 1)
            .is_some_and(|inner| is_readable(rewriter, inner)),
        "simple_identifier" => {
            let name = rewriter.text(target).into_owned();
            is_local(rewriter, target, &name) || {
                let facts = Facts::of(rewriter);
                match type_around(rewriter, target) {
                    Some(owner) => facts.is_stored(&owner, &name),
                    None => facts.globals.contains(&name),
                }
            }
        }
        "navigation_expression" => {
            let of_self = target
                .child_by_field_name("target")
                .is_some_and(|inner| inner.kind() == "self_expression");
            let name = target
                .child_by_field_name("suffix")
                .and_then(|suffix| suffix.child_by_field_name("suffix"))
                .map(|name| rewriter.text(name).into_owned());
            let owner = type_around(rewriter, target);
            match (of_self, name, owner) {
                (true, Some(name), Some(owner)) => Facts::of(rewriter).is_stored(&owner, &name),
                _ => false,
            }
        }
        _ => false,
    }
}

/// The type whose member a node stands in.
fn type_around(rewriter: &Rewriter<'_>, node: Node<'_>) -> Option<String> {
    let mut at = rewriter.parent(node);
    while let Some(node) = at {
        if node.kind() == "class_declaration" {
            return node
                .child_by_field_name("name")
                .map(|name| rewriter.text(name).into_owned());
        }
        at = rewriter.parent(node);
    }
    None
}

/// Whether a function around the node declares this name, as a parameter or a plain variable.
pub(crate) fn is_local(rewriter: &Rewriter<'_>, node: Node<'_>, name: &str) -> bool {
    let mut at = rewriter.parent(node);
    while let Some(node) = at {
        if node.kind() == "class_declaration" {
            return false;
        }
        if bodies::is_function(node)
            && (bodies::parameters(rewriter, node)
                .iter()
                .any(|known| known == name)
                || declares(rewriter, node, name))
        {
            return true;
        }
        at = rewriter.parent(node);
    }
    false
}

/// Whether something below a node declares this name as a plain variable, nested functions left out.
fn declares(rewriter: &Rewriter<'_>, node: Node<'_>, name: &str) -> bool {
    children(node).into_iter().any(|inner| match inner.kind() {
        "property_declaration" => {
            (is_plain(rewriter, inner)
                && bound_names(rewriter, inner)
                    .iter()
                    .any(|known| known == name))
                || declares(rewriter, inner, name)
        }
        "if_statement" | "guard_statement" | "while_statement" | "switch_entry" | "catch_block" => {
            bound_names(rewriter, inner)
                .iter()
                .any(|known| known == name)
                || declares(rewriter, inner, name)
        }
        "for_statement" => {
            let item = inner.child_by_field_name("item");
            item.is_some_and(|item| {
                crate::syntax::item_names(rewriter, item)
                    .iter()
                    .any(|known| known == name)
            }) || declares(rewriter, inner, name)
        }
        "function_declaration" | "class_declaration" => false,
        _ if inner.is_named() => declares(rewriter, inner, name),
        _ => false,
    })
}
