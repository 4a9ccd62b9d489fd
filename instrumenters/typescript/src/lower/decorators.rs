//! Decorators.

use std::ops::Range;

use oxc_ast::ast::{Class, Decorator, MethodDefinition, PropertyDefinition};

use super::erase::{Lowerer, range};

/// Whether a file's decorators are those of before the standard.
pub(crate) fn are_legacy(source: &str) -> bool {
    let _ = source;
    true
}

impl<'a> Lowerer<'_> {
    /// Erases decorators.
    pub(crate) fn drop_decorators(&mut self, decorators: &[Decorator<'a>]) {
        for decorator in decorators {
            self.blank(range(decorator.span));
        }
    }

    pub(crate) fn decorate_class(
        &mut self,
        it: &Class<'a>,
        _export: Option<Range<usize>>,
        _default: bool,
    ) {
        self.drop_decorators(&it.decorators);
    }

    pub(crate) fn decorate_method(&mut self, it: &MethodDefinition<'a>) -> bool {
        self.drop_decorators(&it.decorators);
        false
    }

    pub(crate) fn decorate_property(&mut self, it: &PropertyDefinition<'a>) -> bool {
        self.drop_decorators(&it.decorators);
        false
    }
}
