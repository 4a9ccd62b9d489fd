//! Finds what a language's probe query captures: one walk over the tree for the plain patterns,
//! the query engine for the others.

use streaming_iterator::StreamingIterator;
use tree_sitter::{Node, QueryCursor, Tree};

use crate::family::Family;
use crate::patterns::Role;
use crate::spec::Probes;

/// A node that a hook is called for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capture<'t> {
    /// Index of the hook.
    pub(crate) hook: u32,
    pub(crate) node: Node<'t>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Finds<'t> {
    /// In the order of the calls: by place, outermost first, then by hook.
    pub(crate) captures: Vec<Capture<'t>>,
    /// The outermost opaque regions by start.
    pub(crate) opaque: Vec<(usize, usize)>,
    pub(crate) family: Family<'t>,
}

/// A capture with its place: start, end, hook, node id.
type Placed<'t> = (u32, std::cmp::Reverse<u32>, u32, usize, Node<'t>);

/// A node on the way from the root to the current one.
struct Ancestor<'t> {
    node: Node<'t>,
    kind: u16,
    /// Its number in the family, once something inside it was captured.
    member: Option<u32>,
}

#[derive(Default)]
struct Walk<'t> {
    placed: Vec<Placed<'t>>,
    opaque: Vec<(usize, usize)>,
    family: Family<'t>,
    path: Vec<Ancestor<'t>>,
}

/// All captures of a file.
pub(crate) fn find<'t>(probes: &Probes, tree: &'t Tree, source: &[u8]) -> Finds<'t> {
    let mut walk = Walk::default();
    walk.plain(probes, tree);
    if probes.others {
        walk.others(probes, tree, source);
    }
    let Walk {
        mut placed,
        mut opaque,
        family,
        ..
    } = walk;
    placed.sort_by_key(|&(start, end, hook, id, _)| (start, end, hook, id));
    placed.dedup_by_key(|&mut (_, _, hook, id, _)| (hook, id));
    opaque.sort_unstable();
    // Nested regions add nothing; without them one binary search answers.
    opaque.dedup_by(|inner, outer| inner.1 <= outer.1);
    let captures = placed
        .into_iter()
        .map(|(_, _, hook, _, node)| Capture { hook, node });
    Finds {
        captures: captures.collect(),
        opaque,
        family,
    }
}

impl<'t> Walk<'t> {
    fn plain(&mut self, probes: &Probes, tree: &'t Tree) {
        let patterns = &probes.patterns;
        let mut cursor = tree.walk();
        loop {
            let node = cursor.node();
            let kind = node.kind_id();
            if let Some(parent) = self.path.last() {
                let (above, rules) = (parent.node, patterns.children(parent.kind));
                for rule in rules {
                    let field = if rule.has_field() {
                        cursor.field_id()
                    } else {
                        None
                    };
                    if rule.fits(field.map(std::num::NonZero::get), node) {
                        for &role in &rule.parent {
                            self.take_parent(role, above);
                        }
                        for &role in &rule.child {
                            self.take(role, node);
                        }
                    }
                }
            }
            for &role in patterns.own(kind) {
                self.take(role, node);
            }
            if cursor.goto_first_child() {
                self.path.push(Ancestor {
                    node,
                    kind,
                    member: None,
                });
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                self.path.pop();
            }
        }
    }

    /// A capture of the node the walk stands at.
    fn take(&mut self, role: Role, node: Node<'t>) {
        if let Role::Hook(_) = role {
            let parent = self.member(self.path.len());
            self.family.add(node, parent);
        }
        self.place(role, node);
    }

    /// A capture of the node that contains the one the walk stands at.
    fn take_parent(&mut self, role: Role, node: Node<'t>) {
        self.member(self.path.len());
        self.place(role, node);
    }

    fn place(&mut self, role: Role, node: Node<'t>) {
        let (start, end) = (node.start_byte(), node.end_byte());
        match role {
            Role::Hook(hook) => {
                let place = (start as u32, std::cmp::Reverse(end as u32));
                self.placed.push((place.0, place.1, hook, node.id(), node));
            }
            Role::Opaque => self.opaque.push((start, end)),
        }
    }

    /// The family number of the last of the first `depth` nodes of the path.
    fn member(&mut self, depth: usize) -> Option<u32> {
        let known = self.path[..depth]
            .iter()
            .rposition(|ancestor| ancestor.member.is_some());
        let mut parent = known.and_then(|index| self.path[index].member);
        for ancestor in &mut self.path[known.map_or(0, |index| index + 1)..depth] {
            parent = Some(self.family.add(ancestor.node, parent));
            ancestor.member = parent;
        }
        parent
    }

    fn others(&mut self, probes: &Probes, tree: &'t Tree, source: &[u8]) {
        let mut cursor = QueryCursor::new();
        let mut matches = cursor.matches(&probes.query, tree.root_node(), source);
        while let Some(found) = matches.next() {
            for capture in found.captures() {
                if let Some(role) = probes.roles[capture.index as usize] {
                    self.place(role, capture.node);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::family::Parent;
    use crate::patterns::Patterns;

    /// Plain patterns of every form, and two that are not plain.
    const QUERY: &str = r#"
        (module) @a
        [(expression_statement) (return_statement)] @b
        (if_statement) @c @d ; not @e
        (function_definition body: (_)) @e
        (boolean_operator operator: ["and" "or"]) @f
        (expression_statement [(assignment) (augmented_assignment)] @g)
        (call function: (attribute)) @h
        (call arguments: (_) @opaque)
        (argument_list (identifier) @i)
        (assignment left: (identifier) @j right: (call))
        ((identifier) @k (#eq? @k "self"))
    "#;

    const SOURCE: &str = "
def f(self, x):
    if x and not self or x:
        y = x.g(x, 1, h(x))
        y += 1
    elif (z := f(x)):
        return y, self
    1 + broken(
class C:
    a = f(x)
    def m(self): return self.n(*x)
";

    fn role(name: &str) -> Option<Role> {
        match name {
            "opaque" => Some(Role::Opaque),
            _ => Some(Role::Hook(u32::from(*name.as_bytes().first()?))),
        }
    }

    fn probes(take: bool) -> Probes {
        let language = tree_sitter::Language::new(tree_sitter_python::LANGUAGE);
        let mut query = tree_sitter::Query::new(&language, QUERY).expect("the query compiles");
        let roles = query
            .capture_names()
            .iter()
            .map(|name| role(name))
            .collect();
        let (patterns, others) = if take {
            Patterns::take(&language, QUERY, &mut query, &role)
        } else {
            (Patterns::default(), true)
        };
        Probes {
            query,
            roles,
            patterns,
            others,
        }
    }

    fn parse(source: &str) -> Tree {
        let mut parser = tree_sitter::Parser::new();
        let language = tree_sitter::Language::new(tree_sitter_python::LANGUAGE);
        parser.set_language(&language).expect("the grammar fits");
        parser
            .parse(source, None)
            .expect("the parser does not give up")
    }

    #[test]
    fn the_walk_finds_what_the_query_engine_finds() {
        let tree = parse(SOURCE);
        assert!(
            tree.root_node().has_error(),
            "a part that cannot be read belongs to the test"
        );
        let ours = find(&probes(true), &tree, SOURCE.as_bytes());
        let theirs = find(&probes(false), &tree, SOURCE.as_bytes());
        let list = |finds: &Finds<'_>| -> Vec<(u32, usize, usize)> {
            finds
                .captures
                .iter()
                .map(|c| (c.hook, c.node.id(), c.node.end_byte()))
                .collect()
        };
        assert_eq!(list(&ours), list(&theirs));
        assert_eq!(ours.opaque, theirs.opaque);
        let seen: BTreeSet<u32> = ours.captures.iter().map(|capture| capture.hook).collect();
        let all: BTreeSet<u32> = (b'a'..=b'k').map(u32::from).collect();
        assert_eq!(seen, all, "every pattern matches something here");
    }

    #[test]
    fn only_plain_patterns_are_taken() {
        let language = tree_sitter::Language::new(tree_sitter_python::LANGUAGE);
        for (pattern, plain) in [
            ("(call) @a", true),
            ("(call function: (_)) @a", true),
            ("(call function: (identifier) @b) @a", true),
            ("(call)+ @a", false),
            ("(call . (identifier)) @a", false),
            ("(expression) @a", false),
            ("(call !arguments) @a", false),
            ("(call (argument_list (identifier))) @a", false),
            ("(call \"(\") @a", false),
            ("(_) @a", false),
            ("(ERROR) @a", false),
            ("(MISSING) @a", false),
        ] {
            let Ok(mut query) = tree_sitter::Query::new(&language, pattern) else {
                assert!(!plain, "{pattern} does not compile");
                continue;
            };
            let (_, others) = Patterns::take(&language, pattern, &mut query, &role);
            assert_eq!(others, !plain, "{pattern}");
        }
    }

    #[test]
    fn parents_are_those_of_the_tree() {
        let tree = parse(SOURCE);
        let finds = find(&probes(true), &tree, SOURCE.as_bytes());
        for capture in &finds.captures {
            let mut node = capture.node;
            // A node captured by the query engine alone need not be known, but what is known is
            // right.
            while let Parent::Is(parent) = finds.family.parent(node) {
                assert_eq!(Some(parent), node.parent());
                node = parent;
            }
            if finds.family.parent(node) == Parent::Root {
                assert_eq!(node.parent(), None);
            }
        }
        let known = |capture: &&Capture<'_>| finds.family.parent(capture.node) != Parent::Unknown;
        assert!(finds.captures.iter().filter(known).count() > 10);
    }
}
