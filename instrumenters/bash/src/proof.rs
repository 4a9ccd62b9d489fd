//! What bash itself reads in a rewritten script, held against what it reads in the original.
//!
//! The grammar errs without an error node: where here-documents share a line, for one, it takes
//! their texts for commands. So bash is asked. Both texts are made the body of a function, which is
//! never called, and printed in bash's own form. Every probe must come back as a command of its own,
//! and without the probes the two forms must be the same, blanks aside.
//!
//! What is inserted is written so that bash prints it otherwise than it stands there
//! (`_tr_s 1&&((1))` comes back as `_tr_s 1 && ((1))`): text that comes back as it was inserted is
//! data. Before bash 5.2 that is the case in all of `$(…)`, which then has no probes.
//! It judges places, not words: that expanding these does nothing is the business of `words`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::PlanSource;

use crate::functions::is_rewritten;
use crate::printed;

/// Asks bash. Extended patterns are read only where they are switched on, which a script may do
/// itself. Nothing is run: a text that bash can read whole cannot end the body of a function.
/// A script that bash cannot read whole is left to xtrace.
const ASK: &str = "status=0
text() { shopt \"$1\" extglob; eval \"_tr_text() {\"$'\\n'\"$(<\"$2\")\"$'\\n'\"}\" && declare -f _tr_text; }
while (($#)); do
    if \"$BASH\" -n \"$2.was\"; then option=(-u +O); \
elif \"$BASH\" -O extglob -n \"$2.was\"; then option=(-s -O); else option=(); fi 2>/dev/null
    if ((!${#option[@]})); then printf '\\0\\0'; \
elif \"$BASH\" \"${option[1]}\" extglob -n \"$1\"; then
        for part in was is; do (text \"$option\" \"$2.$part\") 2>/dev/null; printf '\\0'; done
    else status=1; fi
    shift 2
done
exit \"$status\"";

/// A file to place.
type File = (PathBuf, Vec<u8>);

/// The command that asks, and the files it reads.
pub(crate) fn asks(
    bash: &Path,
    private: &Path,
    sources: &[PlanSource<'_>],
) -> (Vec<OsString>, Vec<File>) {
    let mut command: Vec<OsString> = vec![bash.into()];
    command.extend(["-c", ASK, "bash"].map(OsString::from));
    let mut files = Vec::new();
    for (index, source, text) in rewritten(sources) {
        let Ok(path) = source.path.strip_prefix("/") else {
            continue;
        };
        // Under a name that ends in the original's, by which complaints find their source.
        let copy = private.join("check").join(path);
        let bare = private.join(format!("proof{index}"));
        command.push(copy.clone().into());
        command.push(bare.clone().into());
        files.push((copy, text.to_vec()));
        files.push((bare.with_extension("was"), source.original.to_vec()));
        let head = source.insertions.first().map_or(0, |first| first.length);
        files.push((bare.with_extension("is"), text[head as usize..].to_vec()));
    }
    (command, files)
}

fn rewritten<'a>(
    sources: &'a [PlanSource<'a>],
) -> impl Iterator<Item = (usize, &'a PlanSource<'a>, &'a [u8])> {
    sources.iter().enumerate().filter_map(|(index, source)| {
        let text = source.instrumented.filter(|text| is_rewritten(text))?;
        Some((index, source, text))
    })
}

/// The probes that bash does not read as they were meant.
pub(crate) fn judge(sources: &[PlanSource<'_>], said: &[u8]) -> Vec<(usize, u32)> {
    let mut parts = said.split(|&byte| byte == 0);
    let mut faults = Vec::new();
    for (index, source, text) in rewritten(sources) {
        let mut part = || String::from_utf8_lossy(parts.next().unwrap_or_default());
        let (before, after) = (part(), part());
        let probes = Probes::of(source, text);
        let wrong = if before.is_empty() || after.is_empty() {
            probes.all()
        } else {
            let wrong = probes.compare(&before, &after);
            // With most probes gone, xtrace has more to tell.
            let all = probes.all();
            if wrong.len() * 2 > all.len() {
                all
            } else {
                wrong
            }
        };
        faults.extend(wrong.into_iter().map(|group| (index, group)));
    }
    faults
}

/// How an insertion stands among commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A command in a sequence.
    Sequence,
    /// The only command of an added `else`.
    Else,
    /// The only command of an added `*)`.
    Default,
    /// The first command of added braces.
    Open,
    /// The last command of added braces.
    Close,
    /// An operand in front of another.
    Operand,
    /// An operand behind another.
    Behind,
}

fn form(text: &str) -> Form {
    if text.ends_with("&& ") || text.ends_with("|| ") {
        Form::Operand
    } else if text.starts_with("&&") {
        Form::Behind
    } else if text.starts_with("else ") {
        Form::Else
    } else if text.starts_with("*)") {
        Form::Default
    } else if text.starts_with("{ { ") || text.starts_with("{ ") && !text.contains(";} 2>/dev/null")
    {
        Form::Open
    } else if text.ends_with(";}") {
        Form::Close
    } else {
        Form::Sequence
    }
}

/// What was inserted, by how its call begins.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    known: BTreeMap<String, Vec<(u32, Form)>>,
    /// The group of the whole script.
    script: Option<u32>,
}

impl Probes {
    fn of(source: &PlanSource<'_>, text: &[u8]) -> Self {
        let mut shift = 0;
        let insertions = source.insertions.iter().map(|insertion| {
            let start = insertion.at as usize + shift;
            shift += insertion.length as usize;
            let text = &text[start..start + insertion.length as usize];
            (insertion.group, String::from_utf8_lossy(text).into_owned())
        });
        // The first holds no probe: it is what the emitter is reached by.
        let mut probes = Self::new(insertions.skip(1));
        probes.script = source.insertions.first().map(|first| first.group);
        probes
    }

    fn new(insertions: impl Iterator<Item = (u32, String)>) -> Self {
        let mut probes = Self::default();
        for (group, text) in insertions {
            let head = printed::calls(&text)
                .next()
                .map(|at| printed::head(&text[at..]));
            let known = probes.known.entry(head.unwrap_or_default().to_owned());
            known.or_default().push((group, form(&text)));
        }
        probes
    }

    fn all(&self) -> BTreeSet<u32> {
        let known = self.known.values().flatten();
        known.map(|(group, _)| *group).chain(self.script).collect()
    }

    /// The groups that are not where they should be.
    fn compare(&self, before: &str, after: &str) -> BTreeSet<u32> {
        let mut faults = BTreeSet::new();
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        let mut rest = printed::Rest::default();
        for at in printed::calls(after) {
            let head = printed::head(&after[at..]);
            let Some(known) = self.known.get(head) else {
                continue;
            };
            let visit = found.entry(head).or_default();
            let (group, form) = known[(*visit).min(known.len() - 1)];
            *visit += 1;
            if !rest.take_out(after, at, form, group) {
                faults.extend(known.iter().map(|(group, _)| *group));
            }
        }
        for (head, known) in &self.known {
            if found.get(head.as_str()) != Some(&known.len()) {
                faults.extend(known.iter().map(|(group, _)| *group));
            }
        }
        if faults.is_empty()
            && let Err(at) = rest.against(after, before)
        {
            match at {
                Some(group) => _ = faults.insert(group),
                None => faults = self.all(),
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::Probes;

    /// Groups at fault, where group n is the n-th text.
    fn faults(inserted: &[&str], before: &str, after: &str) -> Vec<u32> {
        let texts = inserted.iter().map(|text| (*text).to_owned());
        let probes = Probes::new((1..).zip(texts));
        probes.compare(before, after).into_iter().collect()
    }

    #[test]
    fn commands_between_commands_are_right() {
        let inserted = ["_tr_s 1&&((1));", "_tr_c 3 \"a; b\"&&((1));"];
        let before = "{ \n    x=1;\n    echo a\n}";
        let after =
            "{ \n    _tr_s 1 && ((1));\n    x=1;\n    _tr_c 3 \"a; b\" && ((1));\n    echo a\n}";
        assert!(faults(&inserted, before, after).is_empty());
    }

    #[test]
    fn data_is_wrong() {
        let after = "{ \n    cat <<E\n_tr_s 1&&((1));a\nE\n\n}";
        let before = "{ \n    cat <<E\na\nE\n\n}";
        assert_eq!(faults(&["_tr_s 1&&((1));"], before, after), [1]);
    }

    #[test]
    fn what_is_not_there_is_wrong() {
        let text = "{ \n    echo a\n}";
        assert_eq!(faults(&["_tr_s 1&&((1));"], text, text), [1]);
    }

    #[test]
    fn an_argument_is_wrong() {
        let after = "{ \n    echo _tr_s 1 && ((1));\n    a\n}";
        let before = "{ \n    echo a\n}";
        assert_eq!(faults(&["_tr_s 1&&((1));"], before, after), [1]);
    }

    #[test]
    fn a_stage_that_is_cut_off_is_wrong() {
        let after = "{ \n    a | _tr_s 1 && ((1));\n    b\n}";
        let before = "{ \n    a | b\n}";
        assert_eq!(faults(&["_tr_s 1&&((1));"], before, after), [1]);
    }

    #[test]
    fn what_is_added_around_commands_is_taken_out() {
        let inserted = [
            "else _tr_z 1 0&&((1));",
            "*) _tr_z 2 0&&((1));;",
            "{ _tr_l 3 0&&((1));",
            ";_tr_l 3 2&&((1));}",
            "_tr_y 4 1 0&& ",
            "&&_tr_u 5 \"${x-}\"",
            "{ _tr_s 6&&((1));} 2>/dev/null;",
            ";_tr_o 7&&((1));",
            "{ _tr_u 8&&((1));} 2>/dev/null ",
        ];
        let before = "{ \n    if a; then\n        b;\n    fi;\n    case x in \n        a)\n            b\n        ;;\n    esac;\n    \
            while a; do\n        b;\n    done | c;\n    a && b;\n    x=1 && b;\n    b;\n    x=$(d)\n}";
        let after = "{ \n    if a; then\n        b;\n    else\n        _tr_z 1 0 && ((1));\n    fi;\n    case x in \n        a)\n            b;\n            { \n                _tr_u 8 && ((1))\n            } 2> /dev/null\n        ;;\n        \
            *)\n            _tr_z 2 0 && ((1))\n        ;;\n    esac;\n    { \n        _tr_l 3 0 && ((1));\n        while a; do\n            b;\n        done;\n        \
            _tr_l 3 2 && ((1))\n    } | c;\n    a && _tr_y 4 1 0 && b;\n    x=1 && _tr_u 5 \"${x-}\" && b;\n    { \n        _tr_s 6 && ((1))\n    } 2> /dev/null;\n    b;\n    \
            x=$(d; _tr_o 7 && ((1)))\n}";
        assert!(faults(&inserted, before, after).is_empty());
    }
}
