//! What a script does that a rewritten one could not do unseen.
//!
//! Found by its text, wherever it stands: a comment that speaks of `set -v` costs a trace by xtrace
//! instead of probes, never a changed program.

use std::collections::BTreeSet;
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};

/// How a script can be traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// By inserted commands.
    Probes,
    /// By xtrace: it would see inserted commands, or what they define.
    Hook,
    /// Not at all: it would see either.
    Plain,
}

/// What is to be minded in a file.
#[derive(Debug)]
pub(crate) struct Caution {
    pub(crate) mode: Mode,
    /// It may switch xtrace on: probes must not show in it.
    pub(crate) quiet: bool,
    /// It reads `$_`.
    pub(crate) underscore: bool,
    /// It reads `PIPESTATUS`, which every command overwrites.
    pub(crate) pipe_status: bool,
    /// Where nothing may be inserted: behind the first offset, up to and at the second.
    pub(crate) kept: Vec<(usize, usize)>,
    /// Functions it defines.
    pub(crate) functions: BTreeSet<String>,
    /// Names declared as references to others: reading one may complain.
    pub(crate) references: BTreeSet<String>,
}

/// The caution of the file being rewritten.
pub(crate) fn of(r: &mut Rewriter<'_>) -> Rc<Caution> {
    r.memo(|r| {
        let text = String::from_utf8_lossy(r.source);
        let mut functions = BTreeSet::new();
        let mut kept = Vec::new();
        let reads = text.contains("PIPESTATUS");
        visit(r.root(), &mut |node| {
            if node.kind() == "function_definition"
                && let Some(name) = node.child_by_field_name("name")
            {
                functions.insert(r.text(name).into_owned());
            }
            if let Some(block) = fed_block(r, node) {
                kept.push((block.start_byte(), node.start_byte()));
            }
            // What a statement leaves in `PIPESTATUS` must reach the next one.
            if reads
                && node.is_named()
                && r.text(node).contains("PIPESTATUS")
                && let Some(before) = node.prev_named_sibling()
            {
                kept.push((before.start_byte(), node.start_byte()));
            }
        });
        let mut mode = mode(&text);
        if mode == Mode::Probes && shows(&text, &functions) {
            mode = fallback(&text);
        }
        Caution {
            mode,
            quiet: switches_xtrace(&text),
            underscore: reads_underscore(&text),
            pipe_status: text.contains("PIPESTATUS"),
            kept,
            functions,
            references: references(&text),
        }
    })
}

/// The block of a command in the background that may get its input from a pipe or file around it: it
/// gets none where another command stands on its line in front of it.
fn fed_block<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let background = node.is_named() && node.next_sibling().is_some_and(|next| next.kind() == "&");
    let block = r.parent(node).filter(|_| background)?;
    let mut around = block;
    while !matches!(around.kind(), "program" | "function_definition") {
        let parent = r.parent(around)?;
        let fed = match parent.kind() {
            "pipeline" => parent.named_child(0)? != around,
            "redirected_statement" => r.text(parent).contains('<'),
            _ => false,
        };
        if fed {
            return Some(block);
        }
        around = parent;
    }
    None
}

fn references(text: &str) -> BTreeSet<String> {
    let calls = Calls(text);
    ["declare", "local", "typeset"]
        .iter()
        .flat_map(|word| calls.arguments(word))
        .filter(|line| flag(line, &['n']))
        .flat_map(|line| line.split_whitespace().skip(1))
        .filter_map(|word| word.split(['=', ';']).next())
        .map(str::to_owned)
        .collect()
}

impl Caution {
    /// Whether a text reads one of the references.
    pub(crate) fn reads_reference(&self, text: &str) -> bool {
        self.references.iter().any(|name| {
            text.match_indices(name.as_str()).any(|(at, _)| {
                let apart = !text[at + name.len()..]
                    .starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                apart && text[..at].ends_with(['$', '{', '!', '#'])
            })
        })
    }
}

fn visit<'a>(root: Node<'a>, see: &mut dyn FnMut(Node<'a>)) {
    let mut cursor = root.walk();
    loop {
        see(cursor.node());
        if cursor.goto_first_child() || cursor.goto_next_sibling() {
            continue;
        }
        loop {
            if !cursor.goto_parent() {
                return;
            }
            if cursor.goto_next_sibling() {
                break;
            }
        }
    }
}

/// How a script with this text can be traced, as far as the text alone tells.
pub(crate) fn mode(text: &str) -> Mode {
    let calls = Calls(text);
    let plain = (text.contains("ulimit") && calls.option("ulimit", &['f', 'a']))
        || calls.option("enable", &['n', 'd', 'f'])
        || calls.option("set", &['r', 'k', 't'])
        || text.contains("BASH_XTRACEFD")
        || (text.contains("1000>") || text.contains("1000<"))
        || (text.contains("/fd") && text.contains(">&-"))
        || lists_state(text)
        || lists_names(text)
        || text.contains("rbash")
        || text.contains("BASH_ENV");
    if plain {
        return Mode::Plain;
    }
    let seen = calls.option("set", &['v', 'T', 'a'])
        || [
            "verbose",
            "functrace",
            "allexport",
            "extdebug",
            "FUNCNEST",
            "expand_once",
            "restricted",
        ]
        .iter()
        .any(|word| text.contains(word))
        || text
            .match_indices("trap")
            .map(|(at, _)| rest_of_line(text, at))
            // A handler that returns would return from a probe.
            .any(|line| line.contains("DEBUG") || line.contains("return"))
        || calls.option("declare", &['f', 'F'])
        || calls.option("typeset", &['f', 'F'])
        || calls.option("export", &['f'])
        || calls.option("compgen", &['A', 'c'])
        || marks_quotes(text)
        || calls.arguments("jobs").next().is_some()
        || [
            "-o history",
            "histexp",
            "BASH_COMMAND",
            "${ ",
            "${|",
            "expand_aliases",
        ]
        .iter()
        .any(|word| text.contains(word))
        || calls.option("set", &['H']);
    if !seen {
        return Mode::Probes;
    }
    // xtrace shows in `$-`, and the script's own would go where ours goes.
    if sees_xtrace(text) {
        Mode::Plain
    } else {
        Mode::Hook
    }
}

/// Names that either way of tracing sets.
const TAKEN: [&str; 3] = ["_tr_", "BASH_XTRACEFD", "PS4"];

/// Whether it lists names of variables: `compgen -v`, `${!BASH@}`.
fn lists_names(text: &str) -> bool {
    let calls = Calls(text);
    let asks = |line: &str| line.contains("variable") || line.contains("arrayvar");
    calls.option("compgen", &['v'])
        || calls.arguments("compgen").any(asks)
        || text.match_indices("${!").any(|(at, _)| {
            let inside = &text[at + 3..];
            let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let (prefix, rest) = inside.split_at(end.unwrap_or(inside.len()));
            let lists = rest.starts_with("*}") || rest.starts_with("@}");
            lists && TAKEN.iter().any(|name| name.starts_with(prefix))
        })
}

/// Whether it would see xtrace: in `$-`, in its own where ours goes, in `PS4`.
fn sees_xtrace(text: &str) -> bool {
    switches_xtrace(text)
        || ["$-", "SHELLOPTS", "PS4"]
            .iter()
            .any(|word| text.contains(word))
}

/// Whether it lists all variables or functions: `set`, `declare -p`.
fn lists_state(text: &str) -> bool {
    let calls = Calls(text);
    let ends = |rest: &str| {
        let rest = rest.trim_start_matches([' ', '\t']);
        rest.is_empty() || rest.starts_with([';', '|', ')', '>', '<', '&', '`', '}', '#'])
    };
    let bare = calls
        .places("set")
        .any(|rest| ends(rest) && !rest.starts_with('`'));
    let all = ["declare", "typeset"].iter().any(|word| {
        calls.places(word).any(|mut rest| {
            // Only options, and nothing is named.
            while let Some(option) = rest.trim_start_matches(' ').strip_prefix('-') {
                let length = option.bytes().take_while(u8::is_ascii_alphabetic).count();
                if length == 0 {
                    return false;
                }
                rest = &option[length..];
            }
            ends(rest)
        })
    });
    bare || all
}

/// Whether it has the bytes with which bash marks quoted text: where `IFS` holds one, words come
/// apart otherwise when they are expanded in a function.
fn marks_quotes(text: &str) -> bool {
    text.contains("IFS")
        && (text.contains(['\u{1}', '\u{7f}'])
            || text.match_indices("$'").any(|(at, _)| {
                let inside = text[at + 2..].split('\'').next().unwrap_or_default();
                ["\\1", "\\001", "\\x1", "\\x01", "\\177", "\\x7f"]
                    .iter()
                    .any(|mark| inside.contains(mark))
            }))
}

/// How a script is traced that takes no probes.
pub(crate) fn fallback(text: &str) -> Mode {
    if sees_xtrace(text) {
        Mode::Plain
    } else {
        mode(text).max(Mode::Hook)
    }
}

/// Whether the text of one of its functions may be printed or handed to another shell.
fn shows(text: &str, functions: &BTreeSet<String>) -> bool {
    Calls(text).arguments("type").any(|line| {
        let quiet = line.contains("/dev/null") || line.contains("&>");
        !quiet
            && line
                .split(|c: char| !(c.is_alphanumeric() || "_-:.".contains(c)))
                .any(|word| functions.contains(word))
    })
}

fn switches_xtrace(text: &str) -> bool {
    text.contains("xtrace")
        || Calls(text).option("set", &['x'])
        || text
            .lines()
            .next()
            .is_some_and(|line| line.starts_with("#!") && flag(line, &['x']))
        || Calls(text).option("bash", &['x'])
}

fn reads_underscore(text: &str) -> bool {
    text.match_indices("$_")
        .any(|(at, _)| !text[at + 2..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
        || text.match_indices("${_").any(|(at, _)| {
            !text[at + 3..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
}

fn rest_of_line(text: &str, at: usize) -> &str {
    text[at..].lines().next().unwrap_or_default()
}

/// Whether some word of the line is a bundle of flags with one of these letters.
fn flag(line: &str, letters: &[char]) -> bool {
    line.split_whitespace().skip(1).any(|word| {
        word.strip_prefix(['-', '+']).is_some_and(|flags| {
            !flags.starts_with('-')
                && flags.len() < 12
                && flags
                    .trim_end_matches([';', '}', ')', '\'', '"'])
                    .chars()
                    .all(char::is_alphabetic)
                && flags.contains(letters)
        })
    })
}

/// The places of a text where a word stands as a command might.
struct Calls<'t>(&'t str);

impl<'t> Calls<'t> {
    /// What stands on the line from each occurrence of the word on.
    fn arguments(&self, word: &'t str) -> impl Iterator<Item = &'t str> + use<'t> {
        let text = self.0;
        text.match_indices(word).filter_map(move |(at, _)| {
            let before = text[..at].chars().next_back();
            let behind = text[at + word.len()..].chars().next();
            let apart =
                |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || "_-./$".contains(c)));
            (apart(before) && behind.is_none_or(char::is_whitespace))
                .then(|| rest_of_line(text, at))
        })
    }

    /// What stands on the line behind each occurrence of the word where a command may begin.
    fn places(&self, word: &'t str) -> impl Iterator<Item = &'t str> + use<'t> {
        let text = self.0;
        text.match_indices(word).filter_map(move |(at, _)| {
            let before = text[..at].trim_end_matches([' ', '\t']);
            let begins = before.is_empty()
                || before.ends_with(['\n', ';', '|', '&', '(', '{', '`'])
                || ["then", "do", "else", "if", "builtin", "command"]
                    .iter()
                    .any(|keyword| before.ends_with(keyword));
            let rest = &rest_of_line(text, at)[word.len()..];
            let whole = !rest.starts_with(|c: char| c.is_alphanumeric() || "_-./=+[".contains(c));
            (begins && whole).then_some(rest)
        })
    }

    /// Whether one of these calls has one of these flags before the command ends.
    fn option(&self, word: &'t str, letters: &[char]) -> bool {
        self.arguments(word).any(|line| {
            let end = line.find([';', '|', '#', '&']).unwrap_or(line.len());
            flag(&line[..end], letters)
        })
    }
}
