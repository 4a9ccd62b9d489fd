//! Blocks: where statements stand, and where text can go in front of, behind and at the end of them.

use tracer_instrument::{Node, Rewriter};

use crate::calls::torn;
use crate::caution::{self, Mode};

/// Extent of what follows a statement, in front of the next one.
const BEHIND: usize = 3_000_000_000;
/// Extent of what leads a statement.
const AHEAD: usize = 2_000_000_000;
/// Extent of what ends a block.
const TAIL: usize = 1_500_000_000;

/// Completes a probe's call: status, `$_` and xtrace stay what they were.
pub(crate) fn probe(r: &mut Rewriter<'_>, call: &str) -> String {
    let caution = caution::of(r);
    let mut text = call.to_owned();
    if caution.underscore {
        text = format!("_tr_d=1 {text} \"${{_-}}\"");
    }
    text.push_str("&&((1))");
    quiet(caution.quiet || caution.reads_reference(call), text)
}

/// The same for a probe whose own status counts.
pub(crate) fn operand(r: &mut Rewriter<'_>, call: &str) -> String {
    let caution = caution::of(r);
    let mut text = call.to_owned();
    if caution.underscore {
        text = format!("_tr_d=1 {text} \"${{_-}}\"");
    }
    quiet(caution.quiet || caution.reads_reference(call), text)
}

fn quiet(quiet: bool, text: String) -> String {
    if quiet {
        format!("{{ {text};}} 2>/dev/null")
    } else {
        text
    }
}

/// Whether probes go into this file at all.
pub(crate) fn edits(r: &mut Rewriter<'_>) -> bool {
    caution::of(r).mode == Mode::Probes
}

/// Inserts text at an offset, if the file takes probes, and the place does.
fn insert(r: &mut Rewriter<'_>, at: usize, extent: usize, text: String) {
    if edits(r) && !is_kept(r, at) {
        r.open_at(at, extent, text);
    }
}

/// Whether nothing may be inserted at an offset.
pub(crate) fn is_kept(r: &mut Rewriter<'_>, at: usize) -> bool {
    let caution = caution::of(r);
    let mut kept = caution.kept.iter();
    kept.any(|&(after, upto)| after < at && at <= upto)
}

/// The statements of a block: what stands where a command may begin.
pub(crate) fn statements(block: Node<'_>) -> Vec<Node<'_>> {
    let opener = match block.kind() {
        "program" => None,
        "compound_statement" => Some("{"),
        "do_group" => Some("do"),
        "subshell" | "process_substitution" => Some("("),
        "command_substitution" => Some("$("),
        "if_statement" | "elif_clause" => Some("then"),
        "else_clause" => Some("else"),
        "case_item" => Some(")"),
        _ => return Vec::new(),
    };
    let mut begun = opener.is_none();
    let mut cursor = block.walk();
    let mut found = Vec::new();
    for child in block.children(&mut cursor) {
        if !begun {
            begun = opener == Some(child.kind())
                || block.kind() == "process_substitution" && !child.is_named();
            continue;
        }
        if child.is_named()
            && !child.is_extra()
            && !child.is_error()
            && !child.is_missing()
            && !matches!(child.kind(), "comment" | "elif_clause" | "else_clause")
        {
            found.push(child);
        }
    }
    found
}

/// The block in which a node stands as a statement that text can be put in front of.
pub(crate) fn block_of<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let parent = r.parent(node)?;
    if parent.is_error() || !is_member(r, parent, node) || !is_free(r, node) {
        return None;
    }
    Some(parent)
}

fn is_member<'a>(r: &mut Rewriter<'a>, block: Node<'a>, node: Node<'a>) -> bool {
    match block.kind() {
        "if_statement" | "elif_clause" | "case_item" => {
            // Conditions and patterns are children, too.
            statements(block).iter().any(|own| own.id() == node.id())
        }
        "compound_statement" => block
            .child(0)
            .is_some_and(|first| first.kind() == "{" && opens(r, first)),
        "command_substitution" => {
            // `$(<file)` reads the file only if nothing else stands there.
            r.source.get(block.start_byte()) == Some(&b'$')
                && !(node.kind() == "redirected_statement"
                    && node.child_by_field_name("body").is_none())
                && node.kind() != "file_redirect"
        }
        "program" | "do_group" | "subshell" | "else_clause" | "process_substitution" => true,
        _ => false,
    }
}

/// Whether text may stand there: not in backquotes, whose quoting differs.
fn is_free<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let source = r.source;
    let start = node.start_byte();
    let line = source[..start]
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t'));
    let fits = match line.map(|at| (at, source[at])) {
        None | Some((_, b';' | b'&' | b')')) => true,
        // A line that the one before continues into is no line of its own.
        Some((at, b'\n')) => at == 0 || source[at - 1] != b'\\' || is_comment_line(source, at),
        // `@(…)` is a pattern.
        Some((at, b'(')) => at == 0 || !matches!(source[at - 1], b'@' | b'!' | b'?' | b'+' | b'*'),
        Some((at, b'{')) => at + 1 < start,
        Some((at, byte)) if byte.is_ascii_alphabetic() => ["then", "do", "else"]
            .iter()
            .any(|word| source[..=at].ends_with(word.as_bytes())),
        Some(_) => false,
    };
    fits && !in_backquotes(r, node) && !is_reserved(r, node) && !is_beside_error(r, node)
}

/// Whether the parser lost its way on the line that leads up to a node.
fn is_beside_error<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    if r.parent(node).is_none_or(|parent| !parent.has_error()) {
        return false;
    }
    let line = node.start_position().row;
    let mut before = node.prev_sibling();
    while let Some(sibling) = before.filter(|sibling| sibling.end_position().row == line) {
        if sibling.is_error() || sibling.has_error() {
            return true;
        }
        before = sibling.prev_sibling();
    }
    false
}

/// Whether a command's name is a reserved word: then it is none, and the parser lost its way.
fn is_reserved(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    const RESERVED: &[&str] = &[
        "do", "done", "then", "fi", "else", "elif", "esac", "in", "}", "{", "!", "if", "while",
        "until", "for", "case", "select", "function",
    ];
    node.kind() == "command"
        && node
            .child_by_field_name("name")
            .is_some_and(|name| RESERVED.contains(&r.text(name).as_ref()))
}

fn is_comment_line(source: &[u8], newline: usize) -> bool {
    let start = source[..newline]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |end| end + 1);
    source[start..newline]
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        == Some(&b'#')
}

/// Whether a node lies in backquotes, in what the parser takes for a subshell in a subshell and bash
/// for arithmetic, or in the target of a redirection, whose text complaints show. The nodes around
/// it are few.
pub(crate) fn in_backquotes<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let mut inner = node;
    let mut around = r.parent(node);
    while let Some(parent) = around {
        if parent.kind() == "command_substitution" && r.source[parent.start_byte()] == b'`' {
            return true;
        }
        if parent.kind() == "file_redirect" && inner.kind() != "process_substitution" {
            return true;
        }
        let text = &r.source[parent.start_byte()..parent.end_byte()];
        if parent.kind() == "subshell" && text.starts_with(b"((")
            || parent.kind() == "command_substitution" && text.starts_with(b"$((")
        {
            return true;
        }
        inner = parent;
        around = r.parent(parent);
    }
    false
}

/// Puts a probe in front of a statement.
pub(crate) fn ahead(r: &mut Rewriter<'_>, statement: Node<'_>, call: &str) {
    let place = torn(r, statement).unwrap_or(statement);
    ahead_of_text(r, place, call);
}

/// Puts a probe in front of a node's text.
pub(crate) fn ahead_of_text(r: &mut Rewriter<'_>, node: Node<'_>, call: &str) {
    let text = probe(r, call);
    insert(r, node.start_byte(), AHEAD, format!("{text};"));
}

/// Puts an operand and its operator in front of another operand.
pub(crate) fn ahead_in_list(r: &mut Rewriter<'_>, right: Node<'_>, call: &str, operator: &str) {
    let text = operand(r, call);
    insert(r, right.start_byte(), AHEAD, format!("{text}{operator} "));
}

/// Puts a probe behind a keyword or opening bracket.
pub(crate) fn behind_token(r: &mut Rewriter<'_>, token: Node<'_>, call: &str) {
    let text = probe(r, call);
    insert(r, token.end_byte(), AHEAD + 1, format!(" {text};"));
}

/// Inserts plain text behind a token.
pub(crate) fn after_token(r: &mut Rewriter<'_>, token: Node<'_>, text: String) {
    insert(r, token.end_byte(), AHEAD + 1, text);
}

/// Puts a probe behind an operand of a list that cannot fail.
pub(crate) fn behind_operand(r: &mut Rewriter<'_>, node: Node<'_>, call: &str) {
    if edits(r) {
        let text = operand(r, call);
        r.close(node, format!("&&{text}"));
    }
}

/// Inserts plain text in front of a token.
pub(crate) fn before_token(r: &mut Rewriter<'_>, token: Node<'_>, text: String) {
    insert(r, token.start_byte(), TAIL - 1, text);
}

/// Whether the first command of a block runs in the background: it keeps the block's input only as
/// long as it is the first.
pub(crate) fn begins_async(r: &Rewriter<'_>, block: Node<'_>) -> bool {
    block.kind() != "program"
        && statements(block)
            .first()
            .is_some_and(|first| is_async(r, *first))
}

/// Whether a block opens as one: `{"a"` is a word.
pub(crate) fn opens(r: &Rewriter<'_>, opener: Node<'_>) -> bool {
    opener.kind() != "{"
        || r.source
            .get(opener.end_byte())
            .is_some_and(u8::is_ascii_whitespace)
}

/// Whether a statement runs in the background.
pub(crate) fn is_async(r: &Rewriter<'_>, statement: Node<'_>) -> bool {
    let behind = &r.source[statement.end_byte()..];
    let blank = behind
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    behind.get(blank) == Some(&b'&') && behind.get(blank + 1) != Some(&b'&')
}

/// Puts a probe behind a statement: in front of the next one, or at the block's end. False where
/// there is no place for it.
pub(crate) fn behind<'a>(r: &mut Rewriter<'a>, statement: Node<'a>, call: &str) -> bool {
    let Some(block) = r.parent(statement) else {
        return false;
    };
    if is_async(r, statement) {
        return false;
    }
    let whole = matches!(
        block.kind(),
        "program" | "do_group" | "compound_statement" | "subshell"
    );
    let next = if whole {
        // Found once a block: a line may hold many thousand statements.
        let children = r.children(block);
        let Some(at) = children.place(statement) else {
            return false;
        };
        children.nodes.get(at + 1).copied()
    } else {
        let members = statements(block);
        let Some(at) = members.iter().position(|own| own.id() == statement.id()) else {
            return false;
        };
        members.get(at + 1).copied()
    };
    let text = probe(r, call);
    if let Some(next) = next {
        // Any command overwrites `PIPESTATUS`.
        let kept = caution::of(r)
            .kept
            .iter()
            .any(|&(_, upto)| upto == next.start_byte());
        if kept || !is_free(r, next) {
            return false;
        }
        insert(r, next.start_byte(), BEHIND, format!("{text};"));
        return true;
    }
    tail(r, block, statement, &text, TAIL + 1)
}

/// Puts a probe at the end of a block.
pub(crate) fn at_end<'a>(r: &mut Rewriter<'a>, block: Node<'a>, call: &str) -> bool {
    let Some(&last) = statements(block).last() else {
        return false;
    };
    let text = probe(r, call);
    tail(r, block, last, &text, TAIL)
}

fn tail<'a>(
    r: &mut Rewriter<'a>,
    block: Node<'a>,
    last: Node<'a>,
    text: &str,
    extent: usize,
) -> bool {
    let (offset, closes) = match end_of(block) {
        Some(token) => (token.start_byte(), true),
        None if block.kind() == "program" => (r.source.len(), false),
        None => return false,
    };
    if offset < last.end_byte() {
        return false;
    }
    let between = &r.source[last.end_byte()..offset];
    let open_line = r.source[..offset]
        .iter()
        .rev()
        .take_while(|&&byte| byte != b'\n')
        .any(|byte| !byte.is_ascii_whitespace());
    // Behind a comment there is no place on its line.
    if !closes && (open_line && between.contains(&b'#')) {
        return false;
    }
    let separator = match between.iter().rfind(|byte| !matches!(byte, b' ' | b'\t')) {
        Some(b'\n' | b';' | b'&') => "",
        Some(_) if !open_line => "",
        None if r.source[..offset].ends_with(b"\n") => "",
        _ => ";",
    };
    // `;` in front of `;;` would make another token.
    let behind = if r.source.get(offset) == Some(&b';') {
        " "
    } else {
        ";"
    };
    insert(r, offset, extent, format!("{separator}{text}{behind}"));
    true
}

/// The token that closes a block.
fn end_of(block: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = block.walk();
    let mut children = block.children(&mut cursor);
    match block.kind() {
        "if_statement" => {
            children.find(|child| matches!(child.kind(), "elif_clause" | "else_clause" | "fi"))
        }
        "elif_clause" | "else_clause" => {
            // What follows belongs to the parent.
            let mut next = block.next_sibling();
            while let Some(node) = next {
                if matches!(node.kind(), "elif_clause" | "else_clause" | "fi") {
                    return Some(node);
                }
                next = node.next_sibling();
            }
            None
        }
        "case_item" => children
            .find(|child| matches!(child.kind(), ";;" | ";&" | ";;&"))
            .or_else(|| {
                let next = block.next_sibling()?;
                (next.kind() == "esac").then_some(next)
            }),
        "do_group" => last_of(block, "done"),
        "compound_statement" => last_of(block, "}"),
        "subshell" | "command_substitution" | "process_substitution" => last_of(block, ")"),
        _ => None,
    }
}

fn last_of<'a>(block: Node<'a>, kind: &str) -> Option<Node<'a>> {
    let last = block.child(block.child_count().checked_sub(1)?)?;
    (last.kind() == kind && !last.is_missing()).then_some(last)
}
