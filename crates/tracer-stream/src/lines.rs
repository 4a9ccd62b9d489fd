//! The text form of the stream, for emitters that can only append lines.
//!
//! Lines become the same records as the binary form has; whoever reads on sees no difference.
//! `FORMAT.md`, section "The text form", is the specification. The bytes are as hostile as those of
//! the binary form: a line that cannot be read is left out, and noted.

mod words;

use std::collections::BTreeMap;

use crate::decode::{Decoded, Origin, Problem, Stream};
use crate::encode::put_record;
use crate::value::{RawItems, RawText, RawValue};
use crate::{Malformed, Record, Slot};

/// Offset of the first line in the region.
pub const START: u64 = 4096;

/// Stands for a word that could not be expanded a second time without doing something.
const UNSEEN: &[u8] = b"\x01substitution\x01";

/// Processes told apart; a hostile subject could announce millions.
const MAX_STREAMS: usize = 100_000;

/// The sites of a command that an `H` line tells of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineSites {
    /// Site of the statement; 0 if none.
    pub step: u32,
    /// Site of the command; 0 if none.
    pub call: u32,
}

/// A text stream, read.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    streams: Vec<Process>,
    left_out: BTreeMap<u32, (u64, u64)>,
    problems: Vec<Problem>,
    /// What the emitter had to say about the trace as a whole.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone)]
struct Process {
    parent: Option<u32>,
    /// Its number in the system: a parent makes its children one after another.
    id: u64,
    /// The site of its first record.
    first_site: u32,
    /// Lines of the parent before it.
    born: u64,
    ordinal: u32,
    began_at_site: u32,
    /// One a line; empty where the line says nothing of the main file.
    records: Vec<Vec<u8>>,
    sites: Vec<u32>,
    names: BTreeMap<Vec<u8>, u32>,
    bytes: Vec<u8>,
}

impl Process {
    fn new(id: u64, parent: Option<u32>, born: u64) -> Self {
        Self {
            parent,
            id,
            first_site: 0,
            born,
            ordinal: u32::MAX,
            began_at_site: 0,
            records: Vec::new(),
            sites: Vec::new(),
            names: BTreeMap::new(),
            bytes: Vec::new(),
        }
    }

    fn meet(&mut self, site: u32) {
        if self.first_site == 0 {
            self.first_site = site;
        }
        self.sites.push(site);
    }

    /// A line of which nothing is told. What was under way stays under way.
    fn pass(&mut self) {
        self.records.push(Vec::new());
        self.sites.push(self.sites.last().copied().unwrap_or(0));
    }

    /// The number of a name, and the record that announces it where it is new.
    fn intern(&mut self, name: &[u8], out: &mut Vec<u8>) -> u32 {
        let next = self.names.len() as u32 + 1;
        *self.names.entry(name.to_vec()).or_insert_with(|| {
            put_record(out, &Record::Intern { id: next, name });
            next
        })
    }
}

/// What an `H` line says of a command: its line in the main file, its words as xtrace prints them,
/// and whether it runs for the sake of another one, in a substitution.
#[derive(Debug, Clone, Copy)]
pub struct Said<'l> {
    /// Line, from 1.
    pub line: u32,
    /// Words.
    pub words: &'l [u8],
    /// Whether it is part of another command's words.
    pub inner: bool,
}

/// Finds the sites of a command.
pub type Sites<'s> = dyn Fn(Said<'_>) -> LineSites + 's;

/// Reads a text stream.
pub fn read(text: &[u8], sites: &Sites<'_>) -> Transcript {
    let mut reader = Reader {
        transcript: Transcript::default(),
        by_process: BTreeMap::new(),
        sites,
        after_hook: false,
    };
    // Untouched memory is zero; nothing an emitter writes holds one.
    let end = text.iter().position(|&byte| byte == 0);
    let text = &text[..end.unwrap_or(text.len())];
    let mut start = 0;
    while start < text.len() {
        let Some(end) = line_end(text, start) else {
            // The writer was stopped in the middle of it.
            break;
        };
        let line = &text[start..end];
        start = end + 1;
        let of_hook = line.starts_with(b"+");
        match reader.line(line) {
            // The words of the hook's line before go on, on a line that begins with a number.
            Err(_) if !of_hook && reader.after_hook => {}
            Err(malformed) => {
                reader.after_hook = of_hook;
                reader.problem(malformed);
            }
            Ok(()) => reader.after_hook = of_hook,
        }
    }
    let mut transcript = reader.transcript;
    transcript.order_children();
    transcript.problems.sort_unstable();
    transcript.problems.dedup();
    transcript
}

/// Where the line that begins at `start` ends. Words that the hook prints may hold line feeds: what
/// begins neither with its mark nor with a number belongs to the line before.
fn line_end(text: &[u8], start: usize) -> Option<usize> {
    let of_hook = text[start] == b'+';
    let mut ends = (start..text.len()).filter(|&at| text[at] == b'\n');
    if !of_hook {
        return ends.next();
    }
    let begins = |next: Option<&u8>| next.is_none_or(|byte| *byte == b'+' || byte.is_ascii_digit());
    ends.find(|&end| begins(text.get(end + 1)))
}

struct Reader<'s> {
    transcript: Transcript,
    /// Whether the last line read was the hook's.
    after_hook: bool,
    /// Stream of each process that lives, by process number.
    by_process: BTreeMap<u64, u32>,
    sites: &'s Sites<'s>,
}

impl Reader<'_> {
    fn problem(&mut self, malformed: Malformed) {
        let problem = Problem::Record(malformed);
        if !self.transcript.problems.contains(&problem) {
            self.transcript.problems.push(problem);
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let nesting = line.iter().take_while(|&&byte| byte == b'+').count();
        let mut fields = Fields {
            rest: &line[nesting..],
        };
        let process = fields.number()?;
        let op = fields.word()?;
        if op == b"P" {
            let parent = fields.number()?;
            let born = fields.number()?;
            let parent = match self.by_process.get(&parent) {
                Some(&parent) => Some(parent),
                // The first process has not said anything itself.
                None if self.transcript.streams.is_empty() => Some(self.begin(parent, None, 0)),
                None => None,
            };
            self.begin(process, parent, born);
            return Ok(());
        }
        if op == b"N" {
            let note = String::from_utf8_lossy(fields.rest).into_owned();
            if self.transcript.notes.len() < 16 && !self.transcript.notes.contains(&note) {
                self.transcript.notes.push(note);
            }
            return Ok(());
        }
        let stream = match self.by_process.get(&process) {
            Some(&stream) => stream,
            // Not every hook announces processes: whose child it is stays unknown.
            None => {
                let first = self.transcript.streams.first();
                let born = first.map_or(0, |first| first.records.len() as u64);
                self.begin(process, first.map(|_| 0), born)
            }
        };
        if op == b"G" || op == b"M" {
            return self.left_out(stream, op == b"G", &mut fields);
        }
        // Lines of other files carry their name behind the letter.
        if op.first() == Some(&b'H') && op != b"H" {
            if let Some(own) = self.transcript.streams.get_mut(stream as usize) {
                own.pass();
            }
            return Ok(());
        }
        if op == b"H" {
            return self.hook(stream, &mut fields, nesting > 1);
        }
        let Some(own) = self.transcript.streams.get_mut(stream as usize) else {
            return Ok(());
        };
        let (mut bytes, site) = record(own, op, &mut fields)?;
        own.meet(site);
        own.records.push(std::mem::take(&mut bytes));
        Ok(())
    }

    fn begin(&mut self, process: u64, parent: Option<u32>, born: u64) -> u32 {
        let streams = &mut self.transcript.streams;
        if streams.len() >= MAX_STREAMS {
            return u32::MAX;
        }
        let number = streams.len() as u32;
        streams.push(Process::new(process, parent, born));
        self.by_process.insert(process, number);
        number
    }

    /// Visits left out: for good (`G`), or so far (`M`), which a later line replaces.
    fn left_out(
        &mut self,
        stream: u32,
        told: bool,
        fields: &mut Fields<'_>,
    ) -> Result<(), Malformed> {
        let site = fields.small()?;
        let count = fields.number()?;
        let left_out = &mut self.transcript.left_out;
        if !told {
            let order = left_out.len() as u64 + 1;
            left_out.insert(site, (count, order));
            return Ok(());
        }
        left_out.remove(&site);
        let Some(own) = self.transcript.streams.get_mut(stream as usize) else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        let last = match fields.word() {
            Ok(op) if !op.is_empty() => {
                let mut rest = Fields { rest: fields.rest };
                let (last, _) = record_at(own, op, site, &mut rest, &mut bytes)?;
                last
            }
            _ => Vec::new(),
        };
        put_record(
            &mut bytes,
            &Record::Elide {
                site,
                count,
                last: &last,
            },
        );
        own.records.push(bytes);
        own.sites.push(site);
        Ok(())
    }

    /// A line of the language's own hook: `H line :command words`.
    fn hook(&mut self, stream: u32, fields: &mut Fields<'_>, inner: bool) -> Result<(), Malformed> {
        let line = fields.small()?;
        let words = fields.rest.strip_prefix(b":").unwrap_or(fields.rest);
        let sites = (self.sites)(Said { line, words, inner });
        let Some(own) = self.transcript.streams.get_mut(stream as usize) else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        if sites.step != 0 {
            put_record(&mut bytes, &Record::Step { site: sites.step });
        }
        // What is no plain command (`case`, `[[`, assignments) is not split into words.
        if sites.call != 0
            && let Ok(words) = words::split(words)
            && let Some((name, args)) = words.split_first()
            && words::is_name(name)
        {
            let callee = own.intern(name, &mut bytes);
            let args = args.iter().map(|arg| whole(arg)).collect();
            put_record(&mut bytes, &call(sites.call, callee, args));
        }
        if bytes.is_empty() {
            own.pass();
        } else {
            own.meet(sites.call.max(sites.step));
            own.records.push(bytes);
        }
        Ok(())
    }
}

impl Transcript {
    /// Whether each process, or one that came of it, has something to tell.
    fn telling(&self) -> Vec<bool> {
        let has = |process: &Process| process.records.iter().any(|record| !record.is_empty());
        let mut telling: Vec<bool> = self.streams.iter().map(has).collect();
        // Children have higher numbers than their parents.
        for (number, process) in self.streams.iter().enumerate().rev() {
            if let Some(parent) = process.parent.filter(|_| telling[number])
                && let Some(parent) = telling.get_mut(parent as usize)
            {
                *parent = true;
            }
        }
        telling
    }

    /// Gives each process its place among its parent's children, and tells of it in the parent.
    fn order_children(&mut self) {
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let telling = self.telling();
        for (number, process) in self.streams.iter().enumerate() {
            if let Some(parent) = process.parent.filter(|_| telling[number]) {
                children.entry(parent).or_default().push(number as u32);
            }
        }
        for (parent, mut own) in children {
            own.sort_by_key(|&child| {
                let child_stream = &self.streams[child as usize];
                // A process that says nothing may stand between, and its children's numbers are
                // given while others are.
                (child_stream.born, child_stream.first_site, child_stream.id)
            });
            let mut births: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            for (ordinal, &child) in own.iter().enumerate() {
                let born = self.streams[child as usize].born;
                let records = self.streams[parent as usize].records.len() as u64;
                let before = born.min(records);
                let stood = before
                    .checked_sub(1)
                    .and_then(|last| {
                        self.streams[parent as usize]
                            .sites
                            .get(last as usize)
                            .copied()
                    })
                    .unwrap_or(0);
                let process = &mut self.streams[child as usize];
                process.ordinal = ordinal as u32;
                process.began_at_site = stood;
                births.entry(before).or_default().push(stood);
            }
            self.streams[parent as usize].assemble(&births);
        }
        let none = BTreeMap::new();
        for process in &mut self.streams {
            if process.bytes.is_empty() {
                process.assemble(&none);
            }
        }
    }

    /// The transcript as the binary form's reader gives it.
    pub fn decoded(&self) -> Decoded<'_> {
        let telling = self.telling();
        let heard = |number: &usize| *number == 0 || telling[*number];
        let numbered = self.streams.iter().enumerate();
        let streams = numbered.filter(|(number, _)| heard(number));
        let streams = streams.map(|(number, process)| {
            let origin = if number == 0 {
                Origin::Main
            } else {
                Origin::Process
            };
            Stream::whole(
                number as u32,
                process.parent,
                origin,
                process.began_at_site,
                process.ordinal,
                &process.bytes,
            )
        });
        let slots = self.left_out.iter().map(|(&site, &(count, order))| Slot {
            site,
            count,
            sequence: order,
            last: None,
        });
        Decoded {
            streams: streams.collect(),
            slots: slots.filter(|slot| slot.count > 0).collect(),
            problems: self.problems.clone(),
        }
    }
}

impl Process {
    fn assemble(&mut self, births: &BTreeMap<u64, Vec<u32>>) {
        let mut bytes = Vec::new();
        let mut what = None;
        for index in 0..=self.records.len() {
            for &site in births.get(&(index as u64)).into_iter().flatten() {
                let what = *what.get_or_insert_with(|| {
                    // Beyond all names in use: a name may not be announced before these records.
                    let id = u32::MAX;
                    let name = b"process";
                    put_record(&mut bytes, &Record::Intern { id, name });
                    id
                });
                let born = Record::Task {
                    phase: 0,
                    what,
                    task: 0,
                    site,
                };
                put_record(&mut bytes, &born);
            }
            if let Some(record) = self.records.get(index) {
                bytes.extend_from_slice(record);
            }
        }
        self.bytes = bytes;
    }
}

/// The bytes of a line's record, names first, and its site.
fn record(
    own: &mut Process,
    op: &[u8],
    fields: &mut Fields<'_>,
) -> Result<(Vec<u8>, u32), Malformed> {
    let site = match op {
        b"D" | b"X" => 0,
        _ => fields.small()?,
    };
    let mut bytes = Vec::new();
    let (record, _) = record_at(own, op, site, fields, &mut bytes)?;
    bytes.extend(record);
    Ok((bytes, site))
}

/// A record of a known site; names it needs go to `names`.
fn record_at(
    own: &mut Process,
    op: &[u8],
    site: u32,
    fields: &mut Fields<'_>,
    names: &mut Vec<u8>,
) -> Result<(Vec<u8>, u32), Malformed> {
    let mut out = Vec::new();
    let mut owned = Vec::new();
    let record = match op {
        b"S" => Record::Step { site },
        b"O" => {
            let status = fields.optional()?;
            Record::Out {
                site,
                value: status.map(RawValue::Int),
                unwinding: false,
                suspended: false,
            }
        }
        b"E" => {
            let status = fields.word()?;
            Record::Err {
                site,
                phase: 5,
                type_name: RawText {
                    total: status.len() as u64,
                    shown: status,
                    digest: None,
                },
                message: RawValue::Null,
                line: 0,
                frames: Vec::new(),
            }
        }
        b"D" => Record::Depth {
            depth: fields.number()?,
        },
        b"X" => Record::Limit {
            which: u8::try_from(fields.number()?)
                .ok()
                .filter(|&which| which < 3)
                .ok_or(Malformed::OutOfRange)?,
        },
        b"V" | b"I" | b"B" | b"L" | b"C" => {
            let head = match op {
                b"B" | b"L" => fields.small()?,
                _ => 0,
            };
            words::values(fields.rest, &mut owned)?;
            let mut ids = TypeIds { own, out: names };
            match op {
                b"V" => Record::Var {
                    site,
                    values: ids.raw(&owned)?,
                },
                b"I" => Record::In {
                    site,
                    args: ids.raw(&owned)?,
                },
                b"B" => Record::Branch {
                    site,
                    arm: head,
                    operands: ids.raw(&owned)?,
                },
                b"L" => Record::Loop {
                    site,
                    phase: u8::try_from(head)
                        .ok()
                        .filter(|&phase| phase < 3)
                        .ok_or(Malformed::OutOfRange)?,
                    targets: ids.raw(&owned)?,
                },
                _ => {
                    let Some(words::Value::Text { text, .. }) = owned.first() else {
                        return Err(Malformed::Truncated);
                    };
                    let callee = ids.own.intern(text, ids.out);
                    let args = ids.raw(&owned[1..])?;
                    call(site, callee, args)
                }
            }
        }
        _ => return Err(Malformed::Op(op.first().copied().unwrap_or(0))),
    };
    put_record(&mut out, &record);
    Ok((out, site))
}

fn call(site: u32, callee: u32, args: Vec<RawValue<'_>>) -> Record<'_> {
    Record::Call {
        site,
        callee,
        package: 0,
        version: 0,
        args,
        result: None,
    }
}

fn whole(text: &[u8]) -> RawValue<'_> {
    RawValue::String(RawText {
        total: String::from_utf8_lossy(text).chars().count() as u64,
        shown: text,
        digest: None,
    })
}

/// Turns values into the stream's, announcing the names of types.
struct TypeIds<'p> {
    own: &'p mut Process,
    out: &'p mut Vec<u8>,
}

impl TypeIds<'_> {
    fn raw<'v>(&mut self, values: &'v [words::Value]) -> Result<Vec<RawValue<'v>>, Malformed> {
        values.iter().map(|value| self.one(value)).collect()
    }

    fn one<'v>(&mut self, value: &'v words::Value) -> Result<RawValue<'v>, Malformed> {
        Ok(match value {
            words::Value::Text { text, total: None } => match text.as_slice() {
                UNSEEN => RawValue::Opaque {
                    type_id: self.own.intern(b"substitution", self.out),
                    heap: 0,
                    text: b"",
                },
                text => whole(text),
            },
            words::Value::Text {
                text,
                total: Some(total),
            } => RawValue::String(RawText {
                total: *total,
                shown: text,
                digest: Some(0),
            }),
            words::Value::Int(number) => RawValue::Int(*number),
            words::Value::Unbound => RawValue::Unbound,
            words::Value::Opaque(name) => RawValue::Opaque {
                type_id: self.own.intern(name, self.out),
                heap: 0,
                text: b"",
            },
            words::Value::More(count) => RawValue::Opaque {
                type_id: self.own.intern(b"more", self.out),
                heap: 0,
                text: count,
            },
            words::Value::Sequence { length, items } => {
                let type_id = self.own.intern(b"array", self.out);
                let items = self.raw(items)?;
                RawValue::Sequence(self.items(type_id, *length, items))
            }
            words::Value::Map { length, entries } => {
                let type_id = self.own.intern(b"associative array", self.out);
                let mut pairs = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    pairs.push((self.one(key)?, self.one(value)?));
                }
                let mut map = self.items(type_id, *length, pairs);
                map.unordered = true;
                RawValue::Map(map)
            }
        })
    }

    fn items<T>(&self, type_id: u32, length: u64, items: Vec<T>) -> RawItems<T> {
        RawItems {
            length,
            digest: (length > items.len() as u64).then_some(0),
            ..RawItems::whole(type_id, 0, items)
        }
    }
}

/// Fields of a line, split at single spaces.
struct Fields<'l> {
    rest: &'l [u8],
}

impl<'l> Fields<'l> {
    fn word(&mut self) -> Result<&'l [u8], Malformed> {
        if self.rest.is_empty() {
            return Err(Malformed::Truncated);
        }
        let end = self.rest.iter().position(|&byte| byte == b' ');
        let (word, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Ok(word)
    }

    fn number(&mut self) -> Result<u64, Malformed> {
        words::number(self.word()?)
    }

    fn small(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.number()?).map_err(|_| Malformed::OutOfRange)
    }

    fn optional(&mut self) -> Result<Option<i64>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let number = self.number()?;
        i64::try_from(number)
            .map(Some)
            .map_err(|_| Malformed::OutOfRange)
    }
}
