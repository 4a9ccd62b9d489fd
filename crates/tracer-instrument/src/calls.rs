//! Calls that leave a file for a library: which names of a file mean one, and what was found.
//!
//! A language's hook says what its import statements bind and what else binds names; which imports are
//! libraries, the caller of the engine knows. Nothing here decides how a call is rewritten.

use std::collections::BTreeMap;

use tracer_model::Kind;
use tree_sitter::Node;

use crate::Rewriter;

/// A place that reports calls of a library's function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryCall {
    /// Its site; the text of that is the function's qualified name.
    pub site: u32,
    /// The import it goes back to, as the file writes it.
    pub import: String,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    qualified: String,
    import: String,
}

/// The names of a file that mean a library, or something in one. A name that means two things
/// somewhere in the file means none.
#[derive(Debug, Clone, Default)]
pub struct LibraryNames {
    names: BTreeMap<String, Option<Bound>>,
}

impl LibraryNames {
    /// An import binds `name` to what is `qualified` in full.
    pub fn import(&mut self, name: &str, qualified: &str, import: &str) {
        let new = Bound {
            qualified: qualified.to_owned(),
            import: import.to_owned(),
        };
        let known = self.names.entry(name.to_owned());
        let known = known.or_insert_with(|| Some(new.clone()));
        // `import os` and `import os.path` bind one name to one thing.
        if known
            .as_ref()
            .is_some_and(|known| known.qualified != new.qualified)
        {
            *known = None;
        }
    }

    /// Something else binds `name`.
    pub fn other(&mut self, name: &str) {
        self.names.insert(name.to_owned(), None);
    }

    /// Something else binds these names. Those that no import binds need not be kept.
    pub fn others(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            if self.get(&name).is_some() {
                self.other(&name);
            }
        }
    }

    /// All names bound so far may mean something else, too.
    pub fn all_other(&mut self) {
        self.names.values_mut().for_each(|bound| *bound = None);
    }

    /// Whether no name means a library.
    pub fn is_empty(&self) -> bool {
        self.names.values().all(Option::is_none)
    }

    /// Whether an import binds the name, and something else binds it, too.
    pub fn is_doubtful(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(Option::is_none)
    }

    /// The qualified name and the import of what a name stands for.
    pub fn get(&self, name: &str) -> Option<(&str, &str)> {
        let bound = self.names.get(name)?.as_ref()?;
        Some((&bound.qualified, &bound.import))
    }
}

/// Most arguments told of one call, so that a record fits.
const MOST_ARGUMENTS: usize = 16;

/// These arguments, if a record has room for them; else why the call is left alone.
pub fn argued<T>(arguments: Vec<T>) -> Result<Vec<T>, &'static str> {
    if arguments.len() > MOST_ARGUMENTS {
        return Err("it has more than 16 arguments");
    }
    Ok(arguments)
}

impl<'a> Rewriter<'a> {
    /// The qualified name of the `function` of a call, a chain of members that begins with the name
    /// `root`, and the import it goes back to. `None` where that is no library's; a name that may be
    /// one is counted as left alone.
    pub fn library_function(
        &mut self,
        names: &LibraryNames,
        root: Node<'a>,
        function: Node<'a>,
    ) -> Option<(String, String)> {
        let name = self.text(root);
        let Some((qualified, import)) = names.get(&name) else {
            if names.is_doubtful(&name) {
                self.leave_call("its name is bound more than once");
            }
            return None;
        };
        let member = &self.source[root.end_byte()..function.end_byte()];
        let mut callee = qualified.to_owned();
        callee.extend(String::from_utf8_lossy(member).split_whitespace());
        Some((callee, import.to_owned()))
    }

    /// Whether what is imported by this name is a library. Without being told, all are.
    pub fn is_library(&self, import: &str) -> bool {
        let libraries = self.options.libraries.as_ref();
        libraries.is_none_or(|names| names.contains(import))
    }

    /// A new site for a call of a library's function. `labels` say how each argument is passed:
    /// empty by place, else its keyword, or what spreads it (`*`, `...`).
    pub fn library_call(
        &mut self,
        node: Node<'a>,
        callee: &str,
        import: &str,
        labels: Vec<String>,
    ) -> u32 {
        let site = self.site(Kind::Call, node);
        let entry = self.site_mut(site);
        callee.clone_into(&mut entry.text);
        entry.names = labels;
        self.calls.push(LibraryCall {
            site,
            import: import.to_owned(),
        });
        site
    }

    /// Counts a call into a library that is left alone, and why (a fixed phrase).
    pub fn leave_call(&mut self, why: &'static str) {
        *self.calls_left.entry(why).or_default() += 1;
    }
}
