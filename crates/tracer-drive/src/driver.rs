//! The driver of a file that only defines: which calls each run makes.

use tracer_instrument::LanguageSpec;
use tracer_instrument::drive::{Class, Definition, DriveSpec, Frame, Placed, Step};
use tree_sitter::Tree;

use crate::RUNS;
use crate::arguments::{Maker, replace_word};
use crate::examples;
use crate::facts::Facts;
use crate::inputs::Input;
use crate::tokens::tokens;

/// Calls of one run at most.
const CALLS: usize = 12;

/// What is not called, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The definition.
    pub name: String,
    /// Why, for people.
    pub reason: String,
}

/// A step with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    label: String,
    text: String,
    /// Nesting: steps of one instance belong together.
    group: usize,
    opens: bool,
}

/// What calls the definitions of a file.
#[derive(Clone)]
pub struct Driver {
    /// Where its text goes.
    pub placed: Placed,
    /// What is not called.
    pub skipped: Vec<Skipped>,
    name: String,
    package: String,
    runs: Vec<Vec<Line>>,
    drive: &'static DriveSpec,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = formatter.debug_struct("Driver");
        fields
            .field("placed", &self.placed)
            .field("skipped", &self.skipped);
        fields.finish_non_exhaustive()
    }
}

impl PartialEq for Driver {
    fn eq(&self, other: &Self) -> bool {
        self.placed == other.placed && self.skipped == other.skipped && self.runs == other.runs
    }
}

impl Driver {
    /// The files of the example, that which runs first: path within its folder, and text.
    pub fn files(&self, source: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut text = source.to_vec();
        let path = self
            .placed
            .moved
            .clone()
            .unwrap_or_else(|| self.name.clone());
        let beside = self
            .placed
            .beside
            .iter()
            .map(|(name, text)| (name.clone(), text.clone().into_bytes()));
        let mut files: Vec<(String, Vec<u8>)> = beside.collect();
        if self.placed.appended.is_empty() {
            files.push((path, text));
        } else {
            text.extend_from_slice(self.placed.appended.as_bytes());
            files.insert(0, (path, text));
        }
        files
    }

    /// The driver's own text.
    pub fn text(&self) -> &str {
        let beside = self.placed.beside.first().map(|(_, text)| text.as_str());
        if self.placed.appended.is_empty() {
            beside.unwrap_or("")
        } else {
            &self.placed.appended
        }
    }

    /// How many runs there are; the first argument chooses one, from 0.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Its runs, one input each.
    pub fn inputs(&self) -> Vec<Input> {
        let input = |run: usize| Input {
            args: vec![run.to_string()],
            why: format!("run {run} of the driver: {}", summary(&self.runs[run])),
            ..Input::default()
        };
        (0..self.runs.len()).map(input).collect()
    }

    /// The driver without the calls on these lines of the file that runs (from 1), such as those a
    /// compiler refused. `None` if another line was refused, or no call is left.
    pub fn without(&self, source: &[u8], lines: &[u32]) -> Option<Self> {
        let (_, text) = self.files(source).into_iter().next()?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let all: Vec<&str> = text.lines().collect();
        let mut left = self.clone();
        for line in lines {
            let bad = all.get((*line as usize).checked_sub(1)?)?.trim();
            let mut groups = Vec::new();
            let mut found = false;
            for run in &mut left.runs {
                run.retain(|line| {
                    let hit = line.text.lines().any(|part| part.trim() == bad) && !bad.is_empty();
                    if hit && line.opens {
                        groups.push(line.group);
                    }
                    found |= hit;
                    // An instance's end stands in many places: it is no one's mistake.
                    !hit || line.label.is_empty()
                });
            }
            if !found
                && !self
                    .runs
                    .iter()
                    .flatten()
                    .any(|line| line.text.contains(bad))
            {
                return None;
            }
            for run in &mut left.runs {
                run.retain(|line| line.group == 0 || !groups.contains(&line.group));
            }
        }
        left.runs
            .retain(|run| run.iter().any(|line| !line.label.is_empty()));
        if left.runs.is_empty() {
            return None;
        }
        let source = String::from_utf8_lossy(source).into_owned();
        left.place(&source);
        Some(left)
    }

    fn place(&mut self, source: &str) {
        let runs: Vec<Vec<String>> = self
            .runs
            .iter()
            .map(|run| run.iter().map(|line| line.text.clone()).collect())
            .collect();
        self.placed = (self.drive.frame)(&Frame {
            name: &self.name,
            source,
            package: &self.package,
            runs: &runs,
        });
    }
}

fn summary(run: &[Line]) -> String {
    let labels: Vec<&str> = run
        .iter()
        .map(|line| line.label.as_str())
        .filter(|label| !label.is_empty())
        .collect();
    match labels.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

/// Makes the driver of a file; an error says why there is none.
pub(crate) fn make(
    spec: &'static LanguageSpec,
    grammar: usize,
    drive: &'static DriveSpec,
    facts: &Facts,
    tree: &Tree,
    name: &str,
    source: &str,
) -> Result<Driver, String> {
    if facts.definitions.is_empty() && facts.classes.is_empty() {
        return Err("nothing runs, and nothing is defined".to_owned());
    }
    let tokens = tokens(tree, source);
    let maker = Maker {
        drive,
        facts,
        tokens: &tokens,
        source,
    };
    let mut planner = Planner {
        maker: &maker,
        skipped: Vec::new(),
        group: 0,
        instances: 0,
    };
    let units = planner.units(&examples::calls(spec, grammar, drive, facts, source));
    let mut runs: Vec<Vec<Line>> = Vec::new();
    let sessions: Vec<Line> = examples::sessions(tree, source)
        .iter()
        .filter_map(|text| session(drive, text))
        .collect();
    if !sessions.is_empty() {
        runs.push(sessions.into_iter().take(CALLS).collect());
    }
    let each = (CALLS / units.len().max(1)).clamp(1, 3);
    for run in 0..RUNS {
        if runs.len() == RUNS {
            break;
        }
        let mut lines: Vec<Line> = Vec::new();
        let mut calls = 0;
        let from = if units.len() > CALLS {
            run * CALLS % units.len()
        } else {
            0
        };
        for unit in units.iter().cycle().skip(from).take(units.len()) {
            for step in 0..each {
                let index = run * each + step;
                let Some(part) = unit.get(index) else {
                    continue;
                };
                let count = part.iter().filter(|line| !line.label.is_empty()).count();
                if calls > 0 && calls + count > CALLS {
                    continue;
                }
                calls += count;
                lines.extend(part.iter().cloned());
            }
        }
        let known = |run: &Vec<Line>| {
            run.iter()
                .map(|line| &line.label)
                .eq(lines.iter().map(|line| &line.label))
        };
        if calls > 0 && !runs.iter().any(known) {
            runs.push(lines);
        }
    }
    let skipped = planner.skipped;
    if runs.is_empty() {
        let reasons: Vec<String> = skipped
            .iter()
            .take(3)
            .map(|s| format!("{}: {}", s.name, s.reason))
            .collect();
        return Err(format!("nothing can be called ({})", reasons.join("; ")));
    }
    let mut driver = Driver {
        placed: Placed::default(),
        skipped,
        name: name.to_owned(),
        package: facts.package.clone(),
        runs,
        drive,
    };
    driver.place(source);
    Ok(driver)
}

fn session(drive: &DriveSpec, text: &str) -> Option<Line> {
    let written = (drive.step)(&Step::Session(text));
    let label = text
        .lines()
        .next()
        .unwrap_or("")
        .trim_start_matches(">>> ")
        .to_owned();
    (!written.is_empty()).then_some(Line {
        label,
        text: written,
        group: 0,
        opens: false,
    })
}

/// The ways to call one thing, one for each run.
type Unit = Vec<Vec<Line>>;

struct Planner<'a> {
    maker: &'a Maker<'a>,
    skipped: Vec<Skipped>,
    group: usize,
    instances: usize,
}

impl Planner<'_> {
    fn units(
        &mut self,
        examples: &std::collections::BTreeMap<usize, Vec<Vec<String>>>,
    ) -> Vec<Unit> {
        let facts = self.maker.facts;
        let mut units = Vec::new();
        let mut classes: Vec<usize> = Vec::new();
        for (index, definition) in facts.definitions.iter().enumerate() {
            match definition.class {
                Some(class) => {
                    if !classes.contains(&class) {
                        classes.push(class);
                        units.extend(self.class(class));
                    }
                }
                None => {
                    let mut rows = examples.get(&index).cloned().unwrap_or_default();
                    match self.maker.rows(definition) {
                        Ok(more) => rows.extend(more.into_iter().filter(|row| {
                            !examples
                                .get(&index)
                                .is_some_and(|known| known.contains(row))
                        })),
                        Err(reason) if rows.is_empty() => self.skip(&definition.name, reason),
                        Err(_) => {}
                    }
                    let lines: Unit = rows
                        .iter()
                        .filter_map(|row| Some(vec![self.call(definition, None, None, row)?]))
                        .collect();
                    if !lines.is_empty() {
                        units.push(lines);
                    } else if !rows.is_empty() {
                        self.skip(
                            &definition.name,
                            "it must not be called from outside".to_owned(),
                        );
                    }
                }
            }
        }
        units
    }

    fn skip(&mut self, name: &str, reason: String) {
        if self.skipped.iter().all(|known| known.name != name) {
            self.skipped.push(Skipped {
                name: name.to_owned(),
                reason,
            });
        }
    }

    fn call(
        &self,
        definition: &Definition,
        class: Option<&Class>,
        target: Option<&str>,
        row: &[String],
    ) -> Option<Line> {
        let drive = self.maker.drive;
        let expression = (drive.call)(definition, class, target, row)?;
        let label = shorten(&expression);
        let mut result = definition.result.clone();
        if let Some(with) = drive.generic {
            for generic in definition
                .generics
                .iter()
                .chain(class.map(|class| &class.generics).into_iter().flatten())
            {
                result = replace_word(&result, generic, with);
            }
        }
        let text = (drive.step)(&Step::Call {
            label: &label,
            expression: &expression,
            result: &result,
            marks: &definition.marks,
        });
        Some(Line {
            label,
            text,
            group: self.group,
            opens: false,
        })
    }

    /// Instances of a class with calls of its methods.
    fn class(&mut self, index: usize) -> Vec<Unit> {
        let facts = self.maker.facts;
        let drive = self.maker.drive;
        let class = &facts.classes[index];
        if class.is("local") {
            return Vec::new();
        }
        let methods: Vec<&Definition> = facts
            .definitions
            .iter()
            .filter(|d| d.class == Some(index) && !d.constructor)
            .collect();
        let constructors: Vec<&Definition> = facts
            .definitions
            .iter()
            .filter(|d| d.constructor && facts.of_class(d, index))
            .collect();
        let mut rows: Vec<(Option<&Definition>, Vec<String>)> = Vec::new();
        for constructor in &constructors {
            match self.maker.rows(constructor) {
                Ok(more) => rows.extend(more.into_iter().map(|row| (Some(*constructor), row))),
                Err(reason) => self.skip(&class.name, reason),
            }
        }
        if constructors.is_empty() {
            rows.push((None, Vec::new()));
        }
        let mut arguments: Vec<(&Definition, Vec<Vec<String>>)> = Vec::new();
        for method in methods {
            match self.maker.rows(method) {
                Ok(rows) => arguments.push((method, rows)),
                Err(reason) => self.skip(&format!("{}.{}", class.name, method.name), reason),
            }
        }
        // Without an instance first: those the language calls on the class.
        let mut on_class: Vec<Unit> = Vec::new();
        for (method, rows) in &arguments {
            let lines: Unit = rows
                .iter()
                .filter_map(|row| Some(vec![self.call(method, Some(class), None, row)?]))
                .collect();
            if !lines.is_empty() {
                on_class.push(lines);
            }
        }
        let mut unit: Unit = Vec::new();
        let most = rows.len().max(if arguments.is_empty() { 1 } else { 3 });
        for run in 0..most.min(RUNS) {
            let Some((constructor, row)) = rows.get(run % rows.len().max(1)) else {
                break;
            };
            let Some(expression) = (drive.construct)(class, *constructor, row) else {
                continue;
            };
            self.group += 1;
            self.instances += 1;
            let variable = format!("it{}", self.instances);
            let label = shorten(&expression);
            let begin = Step::Begin {
                label: &label,
                variable: &variable,
                class: &class.name,
                expression: &expression,
            };
            let mut lines = vec![Line {
                text: (drive.step)(&begin),
                label: label.clone(),
                group: self.group,
                opens: true,
            }];
            // What fills an instance comes before what reads it, as far as the file's order has it.
            let mut calls: Vec<Line> = Vec::new();
            for (method, rows) in &arguments {
                if rows.is_empty() {
                    continue;
                }
                let row = &rows[run % rows.len()];
                calls.extend(self.call(method, Some(class), Some(&variable), row));
            }
            calls.truncate(CALLS - 2);
            lines.extend(calls);
            let end = (drive.step)(&Step::End);
            lines.push(Line {
                label: String::new(),
                text: end,
                group: self.group,
                opens: false,
            });
            unit.push(lines);
        }
        self.group += 1;
        let mut units = on_class;
        if !unit.is_empty() {
            units.push(unit);
        } else if units.is_empty() {
            self.skip(&class.name, "no instance of it can be made".to_owned());
        }
        units
    }
}

/// A call as it is shown: on one line, not too long.
fn shorten(text: &str) -> String {
    let flat: Vec<&str> = text.split_whitespace().collect();
    let flat = flat.join(" ");
    match flat.char_indices().nth(100) {
        Some((at, _)) => format!("{}…", &flat[..at]),
        None => flat,
    }
}
