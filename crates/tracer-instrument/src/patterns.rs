//! Matches a probe query's plain patterns during one walk of the tree.
//!
//! Nearly every probe pattern names a kind of node and at most one of its children. The query
//! engine pays for each of them at every node; here a node's kind number leads to its patterns
//! directly. Patterns of any other form stay with the query engine, so that a query may use all of
//! tree-sitter's language.

use tree_sitter::{Language, Node, Query};

/// What a capture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The hook at this index of the language's hooks.
    Hook(u32),
    /// Never edited inside.
    Opaque,
}

/// The plain patterns, by the kind number of the node that they are about.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    /// What a node of this kind is captured as.
    own: Vec<Vec<Role>>,
    /// What a child says of a node of this kind.
    children: Vec<Vec<ChildRule>>,
}

/// A pattern with a child in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChildRule {
    /// The child's field; `None` for a child in any place.
    field: Option<u16>,
    /// Kind numbers that the child may have; empty for any named node.
    kinds: Vec<u16>,
    /// What the parent is captured as.
    pub(crate) parent: Vec<Role>,
    /// What the child is captured as.
    pub(crate) child: Vec<Role>,
}

impl ChildRule {
    /// Whether the rule needs a field at all.
    pub(crate) fn has_field(&self) -> bool {
        self.field.is_some()
    }

    pub(crate) fn fits(&self, field: Option<u16>, child: Node<'_>) -> bool {
        (self.field.is_none() || self.field == field)
            && if self.kinds.is_empty() {
                child.is_named()
            } else {
                self.kinds.contains(&child.kind_id())
            }
    }
}

impl Patterns {
    /// Takes the plain patterns out of a query; whether any others are left in it.
    pub(crate) fn take(
        language: &Language,
        source: &str,
        query: &mut Query,
        role: &dyn Fn(&str) -> Option<Role>,
    ) -> (Self, bool) {
        let kinds = language.node_kind_count();
        let mut patterns = Self {
            own: vec![Vec::new(); kinds],
            children: vec![Vec::new(); kinds],
        };
        let mut left = false;
        for index in 0..query.pattern_count() {
            let text =
                &source[query.start_byte_for_pattern(index)..query.end_byte_for_pattern(index)];
            match Reader::new(language, role, text).pattern() {
                Some(parsed) => {
                    patterns.add(parsed);
                    query.disable_pattern(index);
                }
                None => left = true,
            }
        }
        (patterns, left)
    }

    fn add(&mut self, parsed: Vec<Plain>) {
        for Plain {
            kind,
            captures,
            child,
        } in parsed
        {
            match child {
                None => self.own[usize::from(kind)].extend(captures),
                Some(rule) => {
                    self.children[usize::from(kind)].push(ChildRule {
                        parent: captures,
                        ..rule
                    });
                }
            }
        }
    }

    /// What a node of this kind is captured as, whatever its children.
    pub(crate) fn own(&self, kind: u16) -> &[Role] {
        self.own.get(usize::from(kind)).map_or(&[], Vec::as_slice)
    }

    /// What the children of a node of this kind say.
    pub(crate) fn children(&self, kind: u16) -> &[ChildRule] {
        self.children
            .get(usize::from(kind))
            .map_or(&[], Vec::as_slice)
    }
}

/// A plain pattern for one kind of node.
struct Plain {
    kind: u16,
    captures: Vec<Role>,
    child: Option<ChildRule>,
}

/// Reads the text of a pattern; gives up at whatever is not plain.
struct Reader<'s> {
    language: &'s Language,
    role: &'s dyn Fn(&str) -> Option<Role>,
    words: Vec<&'s str>,
    at: usize,
}

impl<'s> Reader<'s> {
    fn new(language: &'s Language, role: &'s dyn Fn(&str) -> Option<Role>, text: &'s str) -> Self {
        Self {
            language,
            role,
            words: words(text),
            at: 0,
        }
    }

    fn peek(&self) -> &'s str {
        self.words.get(self.at).copied().unwrap_or_default()
    }

    fn accept(&mut self, word: &str) -> bool {
        let here = self.peek() == word;
        self.at += usize::from(here);
        here
    }

    /// `(kind child?) @name…` or `[ … ] @name…`, and nothing behind it.
    fn pattern(mut self) -> Option<Vec<Plain>> {
        let mut plain = Vec::new();
        if self.accept("[") {
            while !self.accept("]") {
                plain.push(self.node()?);
            }
        } else {
            plain.push(self.node()?);
        }
        let captures = self.captures()?;
        if self.at < self.words.len() || plain.is_empty() {
            return None;
        }
        for one in &mut plain {
            one.captures.extend(&captures);
        }
        Some(plain)
    }

    fn node(&mut self) -> Option<Plain> {
        if !self.accept("(") {
            return None;
        }
        let kind = self.kind()?;
        let child = if self.peek() == ")" {
            None
        } else {
            Some(self.child()?)
        };
        self.accept(")").then_some(())?;
        let captures = self.captures()?;
        Some(Plain {
            kind,
            captures,
            child,
        })
    }

    fn child(&mut self) -> Option<ChildRule> {
        let field = match self.peek().strip_suffix(':') {
            Some(name) => {
                self.at += 1;
                Some(self.language.field_id_for_name(name)?.get())
            }
            None => None,
        };
        let mut kinds = Vec::new();
        if self.words.get(self.at..self.at + 3) == Some(&["(", "_", ")"]) {
            self.at += 3;
        } else if self.accept("[") {
            while !self.accept("]") {
                kinds.push(self.leaf()?);
            }
            (!kinds.is_empty()).then_some(())?;
        } else {
            kinds.push(self.leaf()?);
        }
        let child = self.captures()?;
        Some(ChildRule {
            field,
            kinds,
            parent: Vec::new(),
            child,
        })
    }

    /// `(kind)` or `"text"`.
    fn leaf(&mut self) -> Option<u16> {
        if let Some(text) = self
            .peek()
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
        {
            self.at += 1;
            return known(self.language.id_for_node_kind(text, false));
        }
        self.accept("(").then_some(())?;
        let kind = self.kind()?;
        self.accept(")").then_some(kind)
    }

    fn kind(&mut self) -> Option<u16> {
        let kind = known(self.language.id_for_node_kind(self.peek(), true))?;
        self.at += 1;
        (!self.language.node_kind_is_supertype(kind)).then_some(kind)
    }

    /// Captures that nothing handles are only for predicates, which no plain pattern has.
    fn captures(&mut self) -> Option<Vec<Role>> {
        let mut captures = Vec::new();
        while let Some(name) = self.peek().strip_prefix('@') {
            self.at += 1;
            captures.push((self.role)(name)?);
        }
        Some(captures)
    }
}

/// Numbers of real kinds: not the end of the file, which stands for "no such kind", nor errors.
fn known(kind: u16) -> Option<u16> {
    (kind != 0 && kind != u16::MAX).then_some(kind)
}

/// Brackets, strings and whatever stands between them; comments are left out.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for line in text.lines() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next().filter(|first| *first != ';') {
            let length = match first {
                '(' | ')' | '[' | ']' => 1,
                '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
                _ => rest
                    .find(|c: char| c.is_whitespace() || "()[]\";".contains(c))
                    .unwrap_or(rest.len()),
            };
            words.push(&rest[..length]);
            rest = rest[length..].trim_start();
        }
    }
    words
}
