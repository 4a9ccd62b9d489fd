//! JSX: calls of the factory, where the elements stand.

use oxc_ast::ast::{JSXElement, JSXFragment, Program};
use oxc_ast_visit::walk;

use super::erase::Lowerer;

/// How a file's JSX becomes calls.
#[derive(Debug, Clone)]
pub(crate) struct Jsx {
    base: Option<String>,
}

impl Jsx {
    pub(crate) fn of(_source: &str, _program: &Program<'_>) -> Self {
        Self { base: None }
    }

    /// Whether elements call something of this name.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.base.as_deref() == Some(name)
    }
}

impl<'a> Lowerer<'_> {
    pub(crate) fn jsx_element(&mut self, it: &JSXElement<'a>) {
        walk::walk_jsx_element(self, it);
    }

    pub(crate) fn jsx_fragment(&mut self, it: &JSXFragment<'a>) {
        walk::walk_jsx_fragment(self, it);
    }
}
