//! What hooks work with: node text, sites, functions, loops and insertions.
//!
//! It keeps the scopes (functions, loops, classes) that the current node lies in, so that a hook
//! only says what is special about its own construct.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use tracer_model::{Chain, Detail, Dropped, Function, FunctionKind, Kind, Site, Span, Value};
use tree_sitter::Node;

use crate::Edit;
use crate::calls::LibraryCall;
use crate::engine::Options;
use crate::family::{Family, Mixer, Parent};

/// Longest source text kept in a site, bytes.
const TEXT_LIMIT: usize = 160;

/// Numbers by node and role.
type ByNode = HashMap<(usize, &'static str), u32, BuildHasherDefault<Mixer>>;

#[derive(Debug, Clone, Copy)]
struct Scope {
    end: usize,
    what: ScopeKind,
}

#[derive(Debug, Clone, Copy)]
enum ScopeKind {
    Function(u32),
    Class,
    Loop(u32),
}

/// Children of one node, and where each stands among them.
#[derive(Debug)]
pub struct Children<'a> {
    /// In source order.
    pub nodes: Vec<Node<'a>>,
    places: HashMap<usize, usize>,
}

impl Children<'_> {
    /// Position of a child.
    pub fn place(&self, child: Node<'_>) -> Option<usize> {
        self.places.get(&child.id()).copied()
    }
}

/// The state of one file's rewriting.
pub struct Rewriter<'a> {
    /// The original bytes.
    pub source: &'a [u8],
    /// What was asked for.
    pub options: &'a Options,
    root: Node<'a>,
    blocks: &'static [&'static str],
    pub(crate) edits: Vec<Edit>,
    pub(crate) sites: Vec<Site>,
    pub(crate) functions: Vec<Function>,
    pub(crate) dropped: Vec<Dropped>,
    scopes: Vec<Scope>,
    names: Vec<(usize, String)>,
    by_node: ByNode,
    children: HashMap<usize, Rc<Children<'a>>, BuildHasherDefault<Mixer>>,
    opaque: Vec<(usize, usize)>,
    facts: ByNode,
    pub(crate) group: u32,
    memos: Vec<Rc<dyn Any>>,
    pub(crate) calls: Vec<LibraryCall>,
    pub(crate) calls_left: BTreeMap<&'static str, u32>,
    family: Family<'a>,
    pub(crate) refusal: Option<String>,
}

impl<'a> Rewriter<'a> {
    pub(crate) fn new(
        source: &'a [u8],
        options: &'a Options,
        root: Node<'a>,
        blocks: &'static [&'static str],
        opaque: Vec<(usize, usize)>,
        family: Family<'a>,
    ) -> Self {
        let mut rewriter = Self {
            source,
            options,
            root,
            blocks,
            edits: Vec::new(),
            sites: Vec::new(),
            functions: Vec::new(),
            dropped: Vec::new(),
            scopes: Vec::new(),
            names: Vec::new(),
            by_node: ByNode::default(),
            children: HashMap::default(),
            opaque,
            facts: ByNode::default(),
            group: 0,
            memos: Vec::new(),
            calls: Vec::new(),
            calls_left: BTreeMap::new(),
            family,
            refusal: None,
        };
        rewriter.functions.push(Function {
            name: "<module>".into(),
            qualified: "<module>".into(),
            file: options.file,
            span: rewriter.span(root),
            kind: FunctionKind::Module,
        });
        rewriter.scopes.push(Scope {
            end: usize::MAX,
            what: ScopeKind::Function(options.first_function),
        });
        rewriter
    }

    /// The file's root node.
    pub fn root(&self) -> Node<'a> {
        self.root
    }

    /// The node that contains this one: what [`Node::parent`] gives, but at once for captured
    /// nodes and those around them, however long the file is.
    pub fn parent<'n>(&self, node: Node<'n>) -> Option<Node<'n>>
    where
        'a: 'n,
    {
        match self.family.parent(node) {
            Parent::Is(parent) => Some(parent),
            Parent::Root => None,
            Parent::Unknown => node.parent(),
        }
    }

    /// What a language's hooks need to know of the whole file, made on first use. One of each
    /// type.
    pub fn memo<T: Any>(&mut self, make: impl FnOnce(&Self) -> T) -> Rc<T> {
        let mut known = self.memos.iter();
        if let Some(made) = known.find_map(|memo| memo.clone().downcast::<T>().ok()) {
            return made;
        }
        let made = Rc::new(make(self));
        self.memos.push(made.clone());
        made
    }

    /// Detail asked for.
    pub fn detail(&self) -> Detail {
        self.options.detail
    }

    /// Whether this much detail was asked for.
    pub fn wants(&self, detail: Detail) -> bool {
        self.options.detail >= detail
    }

    /// Source text of a node; bytes that are not UTF-8 are replaced.
    pub fn text(&self, node: Node<'_>) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(&self.source[node.start_byte()..node.end_byte()])
    }

    /// Source text of a node on one line, bounded, for a site.
    pub fn label(&self, node: Node<'_>) -> String {
        let end = node.end_byte().min(node.start_byte() + 4 * TEXT_LIMIT);
        let text = String::from_utf8_lossy(&self.source[node.start_byte()..end]);
        let mut label = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if label.len() > TEXT_LIMIT {
            let mut cut = TEXT_LIMIT;
            while !label.is_char_boundary(cut) {
                cut -= 1;
            }
            label.truncate(cut);
            label.push('…');
        }
        label
    }

    /// Place of a node.
    pub fn span(&self, node: Node<'_>) -> Span {
        let (start, end) = (node.start_position(), node.end_position());
        Span {
            start: node.start_byte() as u32,
            end: node.end_byte() as u32,
            line: start.row as u32 + 1,
            column: start.column as u32 + 1,
            end_line: end.row as u32 + 1,
        }
    }

    /// Whether the parser could not read the node's own part. An unreadable statement inside a
    /// block of the node does not count.
    pub fn is_broken(&self, node: Node<'_>) -> bool {
        if node.is_error() || node.is_missing() {
            return true;
        }
        if !node.has_error() || self.blocks.contains(&node.kind()) {
            return false;
        }
        let mut cursor = node.walk();
        node.children(&mut cursor)
            .any(|child| child.has_error() && self.is_broken(child))
    }

    /// Whether the node lies in a region marked `@opaque`.
    pub fn is_opaque(&self, node: Node<'_>) -> bool {
        let before = self
            .opaque
            .partition_point(|&(start, _)| start <= node.start_byte());
        self.opaque[..before]
            .last()
            .is_some_and(|&(_, end)| node.end_byte() <= end)
    }

    /// The named children of a node that are neither comments nor unreadable, with their
    /// positions. Found once per node: asking each child for its siblings would take time in the
    /// square of their number.
    pub fn children(&mut self, parent: Node<'a>) -> Rc<Children<'a>> {
        if let Some(known) = self.children.get(&parent.id()) {
            return Rc::clone(known);
        }
        let mut cursor = parent.walk();
        let nodes: Vec<Node<'a>> = parent
            .named_children(&mut cursor)
            .filter(|node| !node.is_extra() && !node.is_error() && !node.is_missing())
            .collect();
        let places = nodes
            .iter()
            .enumerate()
            .map(|(at, node)| (node.id(), at))
            .collect();
        let found = Rc::new(Children { nodes, places });
        self.children.insert(parent.id(), Rc::clone(&found));
        found
    }

    // Scopes.

    pub(crate) fn arrive(&mut self, start: usize) {
        while let Some(scope) = self.scopes.last().filter(|scope| scope.end <= start) {
            let scope = *scope;
            self.scopes.pop();
            self.leave(scope);
        }
    }

    pub(crate) fn leave_all(&mut self) {
        while let Some(scope) = self.scopes.pop() {
            self.leave(scope);
        }
    }

    fn leave(&mut self, scope: Scope) {
        match scope.what {
            ScopeKind::Loop(site) => {
                let last = self.next_site() - 1;
                self.site_mut(site).inner = Some((site, last));
            }
            ScopeKind::Class | ScopeKind::Function(_) => {
                self.names.retain(|(depth, _)| *depth <= self.scopes.len());
            }
        }
    }

    fn qualify(&self, name: &str, separator: &str) -> String {
        let mut parts: Vec<&str> = self.names.iter().map(|(_, name)| name.as_str()).collect();
        parts.push(name);
        parts.join(separator)
    }

    /// Registers a function whose frame runs `body`; sites inside `body` belong to it.
    /// `enclosing` joins the names of enclosing classes and functions, e.g. `.`.
    pub fn enter_function(
        &mut self,
        whole: Node<'a>,
        body: Node<'a>,
        name: &str,
        enclosing: &str,
        kind: FunctionKind,
    ) -> u32 {
        let id = self.options.first_function + self.functions.len() as u32;
        let span = self.span(whole);
        self.functions.push(Function {
            name: name.into(),
            qualified: self.qualify(name, enclosing),
            file: self.options.file,
            span,
            kind,
        });
        self.scopes.push(Scope {
            end: body.end_byte(),
            what: ScopeKind::Function(id),
        });
        self.names.push((self.scopes.len(), name.into()));
        id
    }

    /// Names a function in full, where joining the enclosing names is not how the language does it.
    pub fn set_qualified(&mut self, function: u32, qualified: String) {
        let index = function.checked_sub(self.options.first_function);
        if let Some(entry) = index.and_then(|index| self.functions.get_mut(index as usize)) {
            entry.qualified = qualified;
        }
    }

    /// Names what is inside the function entered last by this, in place of the function's own name.
    pub fn name_inside(&mut self, name: String) {
        if let Some((_, known)) = self.names.last_mut() {
            *known = name;
        }
    }

    /// Goes on with a function that is known already: sites inside `body` belong to it. For bodies
    /// that the language runs in one frame though they stand apart, as the initialisers of a class.
    pub fn enter_again(&mut self, body: Node<'a>, function: u32) {
        self.scopes.push(Scope {
            end: body.end_byte(),
            what: ScopeKind::Function(function),
        });
    }

    /// Registers a class, whose name qualifies what is inside `body`. Where the body runs as a
    /// frame of its own, use [`Self::enter_function`] with [`FunctionKind::Class`] instead.
    pub fn enter_class(&mut self, body: Node<'a>, name: &str) {
        self.scopes.push(Scope {
            end: body.end_byte(),
            what: ScopeKind::Class,
        });
        self.names.push((self.scopes.len(), name.into()));
    }

    /// Registers a loop: the sites made until the end of `node` are inside it.
    pub fn enter_loop(&mut self, node: Node<'a>, site: u32) {
        self.scopes.push(Scope {
            end: node.end_byte(),
            what: ScopeKind::Loop(site),
        });
    }

    /// Id of the function the current node's code runs in.
    pub fn function(&self) -> u32 {
        self.scopes
            .iter()
            .rev()
            .find_map(|scope| match scope.what {
                ScopeKind::Function(id) => Some(id),
                ScopeKind::Class | ScopeKind::Loop(_) => None,
            })
            .unwrap_or(self.options.first_function)
    }

    /// The entry of a function of this file.
    pub fn function_entry(&self, id: u32) -> Option<&Function> {
        self.functions
            .get(id.checked_sub(self.options.first_function)? as usize)
    }

    // What hooks find out.

    /// Keeps a number about a node, so that other hooks need not work it out again.
    pub fn remember(&mut self, node: Node<'_>, what: &'static str, number: u32) {
        self.facts.insert((node.id(), what), number);
    }

    /// What was kept about a node.
    pub fn recall(&self, node: Node<'_>, what: &'static str) -> Option<u32> {
        self.facts.get(&(node.id(), what)).copied()
    }

    // Sites.

    /// The sites of this file so far.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The functions of this file so far.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    fn next_site(&self) -> u32 {
        self.options.first_site + self.sites.len() as u32
    }

    /// A new site for a node, in the current function.
    pub fn site(&mut self, kind: Kind, node: Node<'a>) -> u32 {
        self.site_at(kind, self.function(), self.span(node))
    }

    /// A new site at a place that no node stands for, in a function. For languages whose own
    /// tokenizer reads more than the grammar does.
    pub fn site_at(&mut self, kind: Kind, function: u32, span: Span) -> u32 {
        let id = self.next_site();
        self.sites.push(Site {
            id,
            kind,
            file: self.options.file,
            function,
            span,
            names: Vec::new(),
            text: String::new(),
            arms: Vec::new(),
            expression: false,
            inner: None,
            implied_value: None,
            chain: Chain::default(),
        });
        id
    }

    /// A new function that no node stands for; its sites are made with [`Self::site_at`].
    pub fn function_at(&mut self, name: &str, span: Span, kind: FunctionKind) -> u32 {
        let id = self.options.first_function + self.functions.len() as u32;
        self.functions.push(Function {
            name: name.into(),
            qualified: name.into(),
            file: self.options.file,
            span,
            kind,
        });
        id
    }

    /// Refuses the file: nothing here could run it. `why` is said to the user, e.g. `it is written
    /// for MySQL (DELIMITER, line 3)`.
    pub fn refuse(&mut self, why: String) {
        self.refusal.get_or_insert(why);
    }

    /// The site of this role for a node, made on first use. Lets one hook refer to a site that
    /// another hook reports.
    pub fn site_of(&mut self, kind: Kind, node: Node<'a>, role: &'static str) -> u32 {
        if let Some(&id) = self.by_node.get(&(node.id(), role)) {
            return id;
        }
        let id = self.site(kind, node);
        self.by_node.insert((node.id(), role), id);
        id
    }

    /// The site of this role for a node, if there is one.
    pub fn known_site(&self, node: Node<'_>, role: &'static str) -> Option<u32> {
        self.by_node.get(&(node.id(), role)).copied()
    }

    /// Access to a site of this file.
    pub fn site_mut(&mut self, id: u32) -> &mut Site {
        let index = (id - self.options.first_site) as usize;
        self.sites.get_mut(index).expect("a site id of this file")
    }

    /// Sets the names of the values a site carries.
    pub fn set_names(&mut self, id: u32, names: impl IntoIterator<Item = String>) {
        self.site_mut(id).names = names.into_iter().collect();
    }

    /// Sets the value an implied `OUT` has.
    pub fn set_implied_value(&mut self, id: u32, value: Value) {
        self.site_mut(id).implied_value = Some(value);
    }

    // Edits.

    /// Inserts text in front of a node.
    pub fn open(&mut self, node: Node<'_>, text: impl Into<String>) {
        let extent = node.end_byte() - node.start_byte();
        self.insert(Edit::open(
            node.start_byte(),
            extent,
            text.into(),
            self.group,
            self.serial(),
        ));
    }

    /// Inserts text behind a node.
    pub fn close(&mut self, node: Node<'_>, text: impl Into<String>) {
        let extent = node.end_byte() - node.start_byte();
        self.insert(Edit::close(
            node.end_byte(),
            extent,
            text.into(),
            self.group,
            self.serial(),
        ));
    }

    /// Inserts text in front of and behind a node.
    pub fn wrap(&mut self, node: Node<'_>, before: impl Into<String>, after: impl Into<String>) {
        self.open(node, before);
        self.close(node, after);
    }

    /// Inserts what other probes rely on (the braces they stand in) around a node. It belongs to no
    /// probe and is never shed.
    pub fn enclose(&mut self, node: Node<'_>, before: &str, after: &str) {
        let group = std::mem::replace(&mut self.group, 0);
        self.wrap(node, before, after);
        self.group = group;
    }

    /// Inserts text at an offset, before any opener there if `extent` is large, after them if it
    /// is 0.
    pub fn open_at(&mut self, offset: usize, extent: usize, text: impl Into<String>) {
        self.insert(Edit::open(
            offset,
            extent,
            text.into(),
            self.group,
            self.serial(),
        ));
    }

    /// Inserts at an offset what other probes rely on, as [`Self::open_at`] does. It belongs to no
    /// probe and is never shed.
    pub fn rely_at(&mut self, offset: usize, extent: usize, text: impl Into<String>) {
        let group = std::mem::replace(&mut self.group, 0);
        self.open_at(offset, extent, text);
        self.group = group;
    }

    /// Inserts text at an offset, after the closers of shorter nodes that end there.
    pub fn close_at(&mut self, offset: usize, extent: usize, text: impl Into<String>) {
        self.insert(Edit::close(
            offset,
            extent,
            text.into(),
            self.group,
            self.serial(),
        ));
    }

    fn serial(&self) -> u32 {
        self.edits.len() as u32
    }

    fn insert(&mut self, edit: Edit) {
        debug_assert!(
            !edit.text.contains('\n'),
            "an insertion must not change line numbers"
        );
        self.edits.push(edit);
    }

    /// Notes what has no probe, where no node stands for it.
    pub fn drop_at(&mut self, dropped: Dropped) {
        self.dropped.push(dropped);
    }

    /// Notes a place that has no probe, and why (a fixed word).
    pub fn drop_probe(&mut self, node: Node<'_>, reason: &str) {
        self.dropped.push(Dropped {
            file: self.options.file,
            line: node.start_position().row as u32 + 1,
            reason: reason.into(),
            detail: self.label(node),
        });
    }
}
