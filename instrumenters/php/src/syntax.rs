//! Questions about the syntax tree that several hooks ask.

use tracer_instrument::{Node, Rewriter};

/// The local that holds a function's frame, in functions that catch or yield.
pub(crate) const FRAME: &str = "$trc0F";

/// What the hooks must know of a whole file.
#[derive(Debug)]
pub(crate) struct File {
    /// Where `__halt_compiler()` ends the code.
    pub(crate) halt: Option<usize>,
    /// Whether there is a `declare(ticks=…)`, which counts statements.
    pub(crate) ticks: bool,
    /// Statements `if (a) if (b) …; else …;`, whose `else` the grammar gives to the wrong `if`.
    pub(crate) misread: Vec<(usize, usize)>,
    /// Namespaces: from, to, name. The last that holds a place is its own.
    namespaces: Vec<(usize, usize, String)>,
    /// Whether there is a `<?` that is PHP only where the configuration says so.
    pub(crate) short: bool,
}

impl File {
    fn read(r: &Rewriter<'_>) -> Self {
        let mut file = Self {
            halt: None,
            ticks: false,
            misread: Vec::new(),
            namespaces: Vec::new(),
            short: false,
        };
        let mut cursor = r.root().walk();
        let mut stack = vec![r.root()];
        while let Some(node) = stack.pop() {
            if file.halt.is_some_and(|halt| node.start_byte() > halt) {
                continue;
            }
            match node.kind() {
                "function_call_expression" => {
                    let callee = node.child_by_field_name("function");
                    if callee
                        .is_some_and(|name| r.text(name).eq_ignore_ascii_case("__halt_compiler"))
                    {
                        let end = node.end_byte();
                        file.halt = Some(file.halt.map_or(end, |known| known.min(end)));
                    }
                }
                "namespace_definition" => {
                    let name = node
                        .child_by_field_name("name")
                        .map_or_else(String::new, |name| r.text(name).into_owned());
                    let to = node
                        .child_by_field_name("body")
                        .map_or(usize::MAX, |body| body.end_byte());
                    file.namespaces.push((node.start_byte(), to, name));
                }
                "declare_directive" => file.ticks |= r.text(node).starts_with("ticks"),
                "if_statement" if is_misread(node) => {
                    file.misread.push((node.start_byte(), node.end_byte()));
                    continue;
                }
                "php_tag" => file.short |= r.text(node) == "<?",
                _ => {}
            }
            stack.extend(node.children(&mut cursor));
        }
        file
    }
}

/// Whether an `else` or `elseif` belongs to an `if` further inside.
pub(crate) fn is_misread(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    let alternatives: Vec<Node<'_>> = node
        .children_by_field_name("alternative", &mut cursor)
        .collect();
    let bodies = std::iter::once(node).chain(alternatives.iter().copied());
    bodies
        .take(alternatives.len())
        .filter_map(|part| part.child_by_field_name("body"))
        .any(ends_open)
}

/// Whether a statement without braces ends in an `if` that an `else` behind it would belong to.
fn ends_open(body: Node<'_>) -> bool {
    match body.kind() {
        "if_statement" => {
            let mut cursor = body.walk();
            let last = body
                .children_by_field_name("alternative", &mut cursor)
                .last();
            if body
                .child_by_field_name("body")
                .is_some_and(|body| body.kind() == "colon_block")
            {
                return false;
            }
            match last {
                Some(last) if last.kind() == "else_clause" => {
                    last.child_by_field_name("body").is_some_and(ends_open)
                }
                _ => true,
            }
        }
        "while_statement" | "for_statement" | "foreach_statement" => {
            body.child_by_field_name("body").is_some_and(ends_open)
        }
        _ => false,
    }
}

/// What is known of the file.
pub(crate) fn file(r: &mut Rewriter<'_>) -> std::rc::Rc<File> {
    r.memo(File::read)
}

/// A declared name with its namespace.
pub(crate) fn spelled(r: &mut Rewriter<'_>, node: Node<'_>, name: &str) -> String {
    let at = node.start_byte();
    let file = file(r);
    let around = file
        .namespaces
        .iter()
        .filter(|(from, to, _)| (*from..*to).contains(&at))
        .max_by_key(|(from, _, _)| *from);
    match around {
        Some((_, _, space)) if !space.is_empty() => format!("{space}\\{name}"),
        _ => name.to_owned(),
    }
}

/// Whether the node is code that runs as it stands.
pub(crate) fn is_live<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let file = file(r);
    if file.halt.is_some_and(|halt| node.start_byte() >= halt) {
        return false;
    }
    let (start, end) = (node.start_byte(), node.end_byte());
    let misread = |&(from, to): &(usize, usize)| from <= start && end <= to;
    if file.misread.iter().any(misread) {
        if file.misread.contains(&(start, end)) && node.kind() == "if_statement" {
            r.drop_probe(node, "unsupported");
        }
        return false;
    }
    !in_broken(r, node)
}

/// Whether the parser could not read the statement that the node belongs to.
fn in_broken<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    if !r.root().has_error() {
        return false;
    }
    let mut child = node;
    while let Some(parent) = r.parent(child) {
        if crate::SPEC.blocks.contains(&parent.kind()) {
            // What the parser could not read may go on here.
            return child.prev_sibling().is_some_and(|before| before.is_error());
        }
        if r.is_broken(parent) {
            return true;
        }
        child = parent;
    }
    false
}

pub(crate) fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "function_definition"
            | "method_declaration"
            | "anonymous_function"
            | "arrow_function"
            | "property_hook"
    )
}

/// Whether a node's children are a list of statements.
pub(crate) fn is_list(kind: &str) -> bool {
    matches!(
        kind,
        "program" | "compound_statement" | "colon_block" | "case_statement" | "default_statement"
    )
}

/// Whether the body of a statement is a list, in braces or behind a colon.
pub(crate) fn is_block(node: Node<'_>) -> bool {
    matches!(node.kind(), "compound_statement" | "colon_block")
}

/// The innermost function (or the program) whose frame runs the node.
pub(crate) fn enclosing_function<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Node<'a> {
    let mut child = node;
    while let Some(parent) = r.parent(child) {
        if is_function(parent.kind()) {
            return parent;
        }
        child = parent;
    }
    child
}

/// The expression without parentheses around it.
pub(crate) fn bare(node: Node<'_>) -> Node<'_> {
    let mut inner = node;
    while inner.kind() == "parenthesized_expression" {
        match expression_child(inner) {
            Some(child) => inner = child,
            None => break,
        }
    }
    inner
}

/// The expressions of a comma list, which the grammar nests.
pub(crate) fn listed<'a>(node: Node<'a>, found: &mut Vec<Node<'a>>) {
    if node.kind() != "sequence_expression" {
        found.push(node);
        return;
    }
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if !child.is_extra() {
            listed(child, found);
        }
    }
}

/// The first named child that is code.
pub(crate) fn expression_child(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| !child.is_extra())
}

pub(crate) fn has_token(node: Node<'_>, token: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .any(|child| child.kind() == token)
}

/// A variable by its plain name, other than `$this`, or one that PHP fills.
pub(crate) fn is_plain(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    node.kind() == "variable_name"
        && !matches!(
            r.text(node).as_ref(),
            "$this"
                | "$GLOBALS"
                | "$_SERVER"
                | "$_GET"
                | "$_POST"
                | "$_FILES"
                | "$_COOKIE"
                | "$_SESSION"
                | "$_REQUEST"
                | "$_ENV"
        )
}

/// The plain variables that a target writes, in order.
pub(crate) fn targets<'a>(r: &Rewriter<'a>, node: Node<'a>, found: &mut Vec<Node<'a>>) {
    match node.kind() {
        "variable_name" if is_plain(r, node) => found.push(node),
        "list_literal" | "array_creation_expression" | "by_ref" => {
            let mut cursor = node.walk();
            let children: Vec<Node<'a>> = node.children(&mut cursor).collect();
            for (at, child) in children.iter().enumerate() {
                // `[$key => $target]`: the key is read.
                let key = children.get(at + 1).is_some_and(|next| next.kind() == "=>");
                if child.is_named() && !key {
                    targets(r, *child, found);
                }
            }
        }
        "array_element_initializer" | "pair" => {
            let count = node.named_child_count();
            if let Some(last) = (0..count)
                .rev()
                .find_map(|at| node.named_child(at as _).filter(|child| !child.is_extra()))
            {
                targets(r, last, found);
            }
        }
        _ => {}
    }
}

/// The texts of nodes.
pub(crate) fn texts(r: &Rewriter<'_>, nodes: &[Node<'_>]) -> Vec<String> {
    nodes
        .iter()
        .map(|node| r.text(*node).into_owned())
        .collect()
}

/// Calls `visit` for the nodes of a function's own code, not those of functions and classes
/// inside it. Stops when `visit` says so.
pub(crate) fn own_code<'a>(root: Node<'a>, visit: &mut dyn FnMut(Node<'a>) -> bool) -> bool {
    let mut cursor = root.walk();
    let mut stack: Vec<Node<'a>> = root.children(&mut cursor).collect();
    stack.reverse();
    while let Some(node) = stack.pop() {
        if visit(node) {
            return true;
        }
        if is_function(node.kind()) || node.kind() == "declaration_list" {
            continue;
        }
        let mut children: Vec<Node<'a>> = node.children(&mut cursor).collect();
        children.reverse();
        stack.append(&mut children);
    }
    false
}

/// Whether a statement stands behind `<?=`, so that its value is written.
pub(crate) fn is_echoed(r: &Rewriter<'_>, statement: Node<'_>) -> bool {
    let before = r.source[..statement.start_byte()].trim_ascii_end();
    before.ends_with(b"<?=")
}

/// Whether `if` branches may stand in front of and behind the statement.
pub(crate) fn is_listed<'a>(r: &Rewriter<'a>, statement: Node<'a>) -> bool {
    r.parent(statement)
        .is_some_and(|parent| is_list(parent.kind()) || is_braced(statement, parent))
}

/// Whether a lone statement gets braces.
pub(crate) fn is_braced(node: Node<'_>, parent: Node<'_>) -> bool {
    match parent.kind() {
        "else_clause" | "if_statement" | "else_if_clause" | "for_statement"
        | "foreach_statement" | "while_statement" | "do_statement" => {
            parent.child_by_field_name("body") == Some(node) && !is_block(node)
        }
        _ => false,
    }
}

/// Inserts statements behind one, which may have no semicolon before `?>`.
pub(crate) fn close_statement(r: &mut Rewriter<'_>, node: Node<'_>, text: &str) {
    let ended = matches!(r.source.get(node.end_byte() - 1), Some(b';' | b'}'));
    let semicolon = if ended { "" } else { ";" };
    let text = match text {
        "}" => text.to_owned(),
        _ => unticked(r, text),
    };
    r.close(node, format!("{semicolon}{text}"));
}

/// Statements to insert, such that `declare(ticks=…)` does not count them: behind each of its
/// statements PHP puts an instruction that counts, unless the last one is such already. Inserted
/// ones have none, and end in one that is jumped over, as the statement before them did.
pub(crate) fn unticked(r: &mut Rewriter<'_>, text: &str) -> String {
    if text.is_empty() || !file(r).ticks {
        return text.to_owned();
    }
    format!("declare(ticks=0){{{text}if(0)declare(ticks=1){{0;}}}}")
}

/// Whether nothing may be inserted into a block since none of its statements is counted: what
/// stands around it would then be counted no more.
pub(crate) fn is_uncounted(r: &mut Rewriter<'_>, block: Node<'_>) -> bool {
    if !file(r).ticks {
        return false;
    }
    let mut cursor = block.walk();
    !block.named_children(&mut cursor).any(|child| {
        child.kind().ends_with("_statement")
            && !matches!(child.kind(), "named_label_statement" | "empty_statement")
    })
}

/// `if(--\Trc0::$f[N]<0)` and what then reports. A further semicolon keeps an `else:` behind it
/// from belonging to it.
pub(crate) fn guarded(site: u32, call: &str) -> String {
    format!("if(--\\Trc0::$f[{site}]<0)\\trc0_{call};;")
}

/// Wraps an expression as the last argument of a probe.
pub(crate) fn wrap_probe<'a>(r: &mut Rewriter<'a>, node: Node<'a>, before: &str) {
    // An argument that is no call may not be taken by reference; a call's result may, with a notice.
    let bound = r
        .parent(node)
        .is_some_and(|parent| parent.kind() == "argument")
        && !node.kind().ends_with("call_expression");
    let (open, close) = if bound { ("(1?", "):0)") } else { ("", ")") };
    r.wrap(node, format!("{open}\\trc0_{before}"), close);
}
