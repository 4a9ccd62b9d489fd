//! Function definitions, in every form C has had: prototypes, K&R, and those without a return type,
//! which the grammar does not read and only the text before the body shows.

use tracer_instrument::{Node, Rewriter};

use crate::context::{declared_name, previous};

/// A function definition.
pub(crate) struct Definition {
    pub(crate) name: String,
    /// In order; `None` for one without a name.
    pub(crate) parameters: Vec<Option<String>>,
    /// Whether it says that it returns nothing.
    pub(crate) void: bool,
}

/// The body that a node lies in, or is.
pub(crate) fn enclosing_body<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let mut at = Some(node);
    while let Some(inner) = at {
        let parent = rewriter.parent(inner)?;
        if inner.kind() == "compound_statement" {
            if parent.kind() == "function_definition" {
                return Some(inner);
            }
            if is_top_level(parent) {
                return implied_header(rewriter, inner).map(|_| inner);
            }
        }
        at = Some(parent);
    }
    None
}

/// Where the definition at file level starts that a node belongs to.
pub(crate) fn outermost_definition(rewriter: &Rewriter<'_>, node: Node<'_>) -> Option<usize> {
    let mut body = enclosing_body(rewriter, node);
    let mut found = None;
    while let Some(inner) = body {
        let parent = inner.parent()?;
        found = if parent.kind() == "function_definition" {
            body = enclosing_body(rewriter, parent);
            Some(parent.start_byte())
        } else {
            body = None;
            header_start(inner).map(|first| first.start_byte())
        };
    }
    found
}

/// The first node of an implied header.
fn header_start(body: Node<'_>) -> Option<Node<'_>> {
    let mut first = previous(body)?;
    while first.kind() == "declaration" {
        first = previous(first)?;
    }
    Some(first)
}

fn is_top_level(node: Node<'_>) -> bool {
    let mut at = node;
    loop {
        match at.kind() {
            "translation_unit" => return true,
            kind if kind.starts_with("preproc_") || kind == "declaration_list" => {}
            "linkage_specification" => {}
            _ => return false,
        }
        match at.parent() {
            Some(parent) => at = parent,
            None => return false,
        }
    }
}

impl Definition {
    /// The definition whose body this is.
    pub(crate) fn of(rewriter: &Rewriter<'_>, body: Node<'_>) -> Option<Self> {
        let parent = body.parent()?;
        if parent.kind() != "function_definition" {
            if !is_top_level(parent) {
                return None;
            }
            let (name, parameters, void) = implied_header(rewriter, body)?;
            return Some(Self {
                name,
                parameters,
                void,
            });
        }
        if rewriter.is_broken(parent) {
            return None;
        }
        let declarator = parent.child_by_field_name("declarator")?;
        let name = rewriter.text(declared_name(declarator)?).into_owned();
        let Some(function) = function_declarator(parent) else {
            // `f(v) { … }` reads like a variable `v` of type `f`.
            let type_ = parent.child_by_field_name("type")?;
            let implied = declarator.kind() == "parenthesized_declarator"
                && type_.kind() == "type_identifier";
            return implied.then(|| Self {
                name: rewriter.text(type_).into_owned(),
                parameters: vec![Some(name)],
                void: false,
            });
        };
        let parameters = function
            .child_by_field_name("parameters")
            .map(|list| listed(rewriter, list))
            .unwrap_or_default();
        Some(Self {
            name,
            parameters,
            void: returns_void(rewriter, parent),
        })
    }

    /// The definition that a node's code belongs to.
    pub(crate) fn around(rewriter: &Rewriter<'_>, node: Node<'_>) -> Option<Self> {
        Self::of(rewriter, enclosing_body(rewriter, node)?)
    }

    /// Whether a call with its own parameters has the type of its result.
    pub(crate) fn has_result_type(&self) -> bool {
        // A parameter of the function's own name hides it.
        let usable = |name: &Option<String>| name.as_ref().is_some_and(|name| *name != self.name);
        !self.void && self.parameters.iter().all(usable)
    }
}

fn listed(rewriter: &Rewriter<'_>, list: Node<'_>) -> Vec<Option<String>> {
    let mut cursor = list.walk();
    let mut names = Vec::new();
    for child in list.named_children(&mut cursor) {
        match child.kind() {
            // K&R definitions list bare names.
            "identifier" => names.push(Some(rewriter.text(child).into_owned())),
            "parameter_declaration" => {
                let declarator = child.child_by_field_name("declarator");
                let name = declarator.and_then(declared_name);
                if declarator.is_some() || rewriter.text(child) != "void" {
                    names.push(name.map(|name| rewriter.text(name).into_owned()));
                }
            }
            _ => {}
        }
    }
    names
}

/// The function declarator of a definition: `f(int a)` in `int *f(int a)`.
pub(crate) fn function_declarator(definition: Node<'_>) -> Option<Node<'_>> {
    let mut node = definition.child_by_field_name("declarator")?;
    // The innermost: `int (*f(int a))(int b)` is a function of `a`.
    let mut found = None;
    loop {
        if node.kind() == "function_declarator" {
            found = Some(node);
        }
        let inner = match node.kind() {
            "identifier" => None,
            "parenthesized_declarator" | "attributed_declarator" => {
                let mut cursor = node.walk();
                node.named_children(&mut cursor).find(|child| {
                    child.kind().ends_with("declarator") || child.kind() == "identifier"
                })
            }
            _ => node.child_by_field_name("declarator"),
        };
        match inner {
            Some(inner) => node = inner,
            None => return found,
        }
    }
}

fn returns_void(rewriter: &Rewriter<'_>, definition: Node<'_>) -> bool {
    let is_void = definition
        .child_by_field_name("type")
        .is_some_and(|node| rewriter.text(node) == "void");
    let mut declarator = definition.child_by_field_name("declarator");
    while let Some(node) = declarator {
        match node.kind() {
            "pointer_declarator" => return false,
            "function_declarator" => break,
            _ => declarator = node.child_by_field_name("declarator"),
        }
    }
    is_void
}

/// Name, parameters and whether it returns nothing, from what the parser could not join to the
/// body: `main() {`, `add(a, b) int a; {`.
fn implied_header(
    rewriter: &Rewriter<'_>,
    body: Node<'_>,
) -> Option<(String, Vec<Option<String>>, bool)> {
    let first = header_start(body)?;
    if !matches!(first.kind(), "ERROR" | "expression_statement") || !first.has_error() {
        return None;
    }
    let text = std::str::from_utf8(&rewriter.source[first.start_byte()..body.start_byte()]).ok()?;
    if text.contains(['{', '}', '#', '"']) || text.contains("/*") || text.contains("//") {
        return None;
    }
    let (head, rest) = text.split_once('(')?;
    let head = head.trim_end();
    let name = last_word(head)?;
    let mut depth = 1;
    let close = rest.find(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    })?;
    let declared = rest[close + 1..].trim();
    if !(declared.is_empty() || declared.ends_with(';')) || head.contains(['=', ';', '(', ',']) {
        return None;
    }
    let list = rest[..close].trim();
    let parameters = if list.is_empty() || list == "void" {
        Vec::new()
    } else if list.contains('(') {
        vec![None]
    } else {
        list.split(',')
            .map(str::trim)
            .filter(|part| *part != "...")
            .map(|part| last_word(part.split('[').next().unwrap_or(part).trim_end()))
            .collect()
    };
    let void = head.split_whitespace().any(|word| word == "void") && !head.contains('*');
    Some((name, parameters, void))
}

fn last_word(text: &str) -> Option<String> {
    let word = text
        .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .next()?;
    let begins = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::last_word;

    #[test]
    fn the_last_word_may_stand_beside_other_scripts() {
        assert_eq!(last_word("unsigned n").as_deref(), Some("n"));
        assert_eq!(last_word("char *p_1").as_deref(), Some("p_1"));
        assert_eq!(last_word("é\u{c43c9}n").as_deref(), Some("n"));
        assert_eq!(last_word("main^\u{c43c9}"), None);
        assert_eq!(last_word("4"), None);
    }
}
