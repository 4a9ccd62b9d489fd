//! Reads literate fixtures: Markdown in which each `##` section is a case.
//!
//! A fence whose info string begins with a language id holds a program file; further words are
//! `file=NAME`, `args=A,B` and `stdin=TEXT`. Fences of other languages with a `file=NAME` are files
//! beside it, such as a project's settings. A fence `trace` holds the expected `lines` view.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Section title.
    pub name: String,
    /// Language id of its main program.
    pub language: String,
    /// Files: name and contents; the main program is first.
    pub files: Vec<(String, String)>,
    /// Arguments.
    pub args: Vec<String>,
    /// Standard input.
    pub stdin: String,
    /// Expected trace.
    pub trace: Option<String>,
    /// Line (from 0) after which a new `trace` fence would go.
    pub end: usize,
    /// Lines (from 0) of the `trace` fence, fences included.
    pub trace_lines: Option<(usize, usize)>,
}

impl Case {
    /// Writes its files below a folder, which is made where it is absent, and gives the path of its
    /// main program.
    ///
    /// # Errors
    /// Where a file or folder cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        for (name, text) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, text)?;
        }
        Ok(folder.join(&self.files[0].0))
    }
}

/// A fixture file.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Its cases.
    pub cases: Vec<Case>,
}

/// All fixtures of a language, in order of name.
pub fn load(folder: &Path, language: &str, extension: &str) -> io::Result<Vec<Fixture>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path)?;
            let cases = parse(&text, language, extension);
            Ok(Fixture { path, text, cases })
        })
        .collect()
}

/// The cases of a fixture's text.
pub fn parse(text: &str, language: &str, extension: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut name = String::new();
    let mut lines = text.split_inclusive('\n').enumerate();
    let mut fresh = true;
    while let Some((_, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            title.trim().clone_into(&mut name);
            fresh = true;
            continue;
        }
        let Some((ticks, info)) = fence(line) else {
            continue;
        };
        let mut body = String::new();
        let start = lines.clone().next().map_or(0, |(index, _)| index) - 1;
        let mut end = start;
        for (index, line) in lines.by_ref() {
            end = index;
            if line.trim_end() == ticks {
                break;
            }
            body.push_str(line);
        }
        let mut words = info.split_whitespace();
        match words.next() {
            Some(first) if first == language => {
                let mut file = None;
                let (mut args, mut stdin) = (Vec::new(), String::new());
                for word in words {
                    match word.split_once('=') {
                        Some(("file", value)) => file = Some(value.to_owned()),
                        Some(("args", value)) => {
                            args = value.split(',').map(str::to_owned).collect();
                        }
                        Some(("stdin", value)) => stdin = value.replace("\\n", "\n"),
                        _ => {}
                    }
                }
                if fresh {
                    fresh = false;
                    cases.push(Case {
                        name: name.clone(),
                        language: language.to_owned(),
                        files: Vec::new(),
                        args,
                        stdin,
                        trace: None,
                        end,
                        trace_lines: None,
                    });
                }
                if let Some(case) = cases.last_mut() {
                    let file = file.unwrap_or_else(|| format!("main.{extension}"));
                    case.files.push((file, body));
                    case.end = end;
                }
            }
            Some("trace") => {
                if let Some(case) = cases.last_mut() {
                    case.trace = Some(body);
                    case.trace_lines = Some((start, end));
                    case.end = end;
                }
            }
            Some(_) => {
                let name = words.find_map(|word| word.strip_prefix("file="));
                if let (Some(name), Some(case), false) = (name, cases.last_mut(), fresh) {
                    case.files.push((name.to_owned(), body));
                    case.end = end;
                }
            }
            None => {}
        }
    }
    cases
}

fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end();
    let ticks = line.len() - line.trim_start_matches('`').len();
    (ticks >= 3).then(|| (&line[..ticks], line[ticks..].trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_a_case() {
        let text = "# T\n\n## one\nWhy.\n\n```python args=a,b stdin=x\\ny\nprint(1)\n```\n\n\
                    ```python file=helper.py\nX = 1\n```\n\n```trace\n1: print(1)\n```\n\
                    ## two\n````python\ns = '```'\n````\n";
        let cases = parse(text, "python", "py");
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[0].args, ["a", "b"]);
        assert_eq!(cases[0].stdin, "x\ny");
        assert_eq!(cases[0].files[1], ("helper.py".into(), "X = 1\n".into()));
        assert_eq!(cases[0].trace.as_deref(), Some("1: print(1)\n"));
        assert_eq!(cases[0].trace_lines, Some((13, 15)));
        assert_eq!(cases[1].files[0].1, "s = '```'\n");
    }
}
