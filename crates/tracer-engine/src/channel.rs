//! The trace channel: a sealed memory file that outlives the subject.
//!
//! It only makes and reads the region; what the bytes mean is `tracer-stream`'s business.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tracer_instrument::StreamForm;
use tracer_model::{Budget, Detail, Kind, Site, SiteTable};
use tracer_stream::lines::{self, LineSites, Said};
use tracer_stream::{Decoded, Layout, Transcript};

use crate::EngineError;

/// Bytes of the text form for each byte of the budget: quoting, and several processes at once.
const TEXT_ROOM: u64 = 4;
/// Further room of the text form.
const TEXT_SPARE: u64 = 16 << 20;
/// Bytes of the text form read at a time.
const PIECE: usize = 64 << 10;

/// One run's channel.
#[derive(Debug)]
pub struct Channel {
    file: File,
    layout: Layout,
    form: StreamForm,
}

impl Channel {
    /// A region for this many sites, with header and nonce written, that can neither grow nor
    /// shrink.
    pub fn new(
        sites: u32,
        budget: &Budget,
        detail: Detail,
        form: StreamForm,
    ) -> Result<Self, EngineError> {
        let made = || -> io::Result<Self> {
            let layout = Layout::new(sites, budget, detail, nonce()?);
            let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
            let file = File::from(memfd_create(c"trace", flags)?);
            // The kernel locks the position of files that were opened, but not that of a fresh
            // memory file: of two lines written at once one would be lost. So it is opened anew.
            let place = format!("/proc/self/fd/{}", file.as_raw_fd());
            let mut file = File::options().read(true).write(true).open(place)?;
            file.set_len(match form {
                StreamForm::Segments | StreamForm::Nothing => layout.size(),
                StreamForm::Lines => {
                    lines::START + u64::from(budget.bytes) * TEXT_ROOM + TEXT_SPARE
                }
            })?;
            file.write_all(&layout.header())?;
            // All writers share this position: each line goes behind the one before.
            file.seek(SeekFrom::Start(lines::START))?;
            let seals = SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
            fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
            Ok(Self { file, layout, form })
        };
        made().map_err(|source| EngineError::System {
            what: "make the trace channel",
            source,
        })
    }

    /// A descriptor for the subject.
    pub fn duplicate(&self) -> Result<OwnedFd, EngineError> {
        self.file
            .as_fd()
            .try_clone_to_owned()
            .map_err(|source| EngineError::System {
                what: "pass the trace channel",
                source,
            })
    }

    /// A copy of what the subject left in the region. The region's own sizes may have been forged,
    /// and are not read.
    pub fn read(&self, table: &SiteTable) -> Result<Recording, EngineError> {
        match self.form {
            StreamForm::Segments | StreamForm::Nothing => self.segments(),
            StreamForm::Lines => self.lines().map(|text| {
                let sites = |said: Said<'_>| line_sites(table, said);
                Recording::Transcript(lines::read(&text, &sites))
            }),
        }
        .map_err(|source| EngineError::System {
            what: "read the trace channel",
            source,
        })
    }

    fn segments(&self) -> io::Result<Recording> {
        let mut start = vec![0; self.layout.header().len()];
        self.file.read_exact_at(&mut start, 0)?;
        let mut region = vec![0; self.layout.used(&start) as usize];
        self.file.read_exact_at(&mut region, 0)?;
        Ok(Recording::Region(region, self.layout.clone()))
    }

    /// The text up to the first byte that nobody wrote.
    fn lines(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut piece = vec![0; PIECE];
        loop {
            let got = self
                .file
                .read_at(&mut piece, lines::START + text.len() as u64)?;
            let end = piece[..got].iter().position(|&byte| byte == 0);
            text.extend_from_slice(&piece[..end.unwrap_or(got)]);
            if got == 0 || end.is_some() {
                return Ok(text);
            }
        }
    }
}

/// What a run recorded.
#[derive(Debug)]
pub enum Recording {
    /// The segments form, with what the runner laid out.
    Region(Vec<u8>, Layout),
    /// The lines form.
    Transcript(Transcript),
}

impl Recording {
    /// Its streams and slots.
    pub fn decoded(&self) -> Decoded<'_> {
        match self {
            Self::Region(bytes, layout) => tracer_stream::decode(bytes, layout),
            Self::Transcript(transcript) => transcript.decoded(),
        }
    }

    /// What the emitter had to say about the whole.
    pub fn notes(&self) -> &[String] {
        match self {
            Self::Region(..) => &[],
            Self::Transcript(transcript) => &transcript.notes,
        }
    }
}

/// The statement and command on a line whose text is most like what was said; else the first.
fn line_sites(table: &SiteTable, said: Said<'_>) -> LineSites {
    let Said { line, inner, .. } = said;
    let said = String::from_utf8_lossy(said.words);
    let on_line = |kind| {
        let all = table.sites.iter();
        all.filter(move |site| site.file == 0 && site.kind == kind && site.span.line == line)
    };
    // What is part of another command's words is no command for itself.
    let is_part = |site: &Site| {
        on_line(Kind::Call)
            .any(|other| other.span.start < site.span.start && site.span.end <= other.span.end)
    };
    let likeness = |site: &Site| {
        let same = said.trim_end() == site.text;
        let name = said.split([' ', '=']).next().unwrap_or_default();
        let alike = site.text.strip_prefix(name);
        let alike = alike.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '=']));
        u8::from(alike) + u8::from(same)
    };
    // Of equals, `max_by_key` gives the last.
    let best = |kind| {
        let sites = on_line(kind).rev();
        sites.max_by_key(|site| (inner || !is_part(site), likeness(site)))
    };
    let call = best(Kind::Call);
    let lead = call
        .filter(|call| likeness(call) > 0)
        .and_then(|call| table.site(*call.chain.before.first()?))
        .filter(|site| site.kind == Kind::Step);
    LineSites {
        step: lead.or_else(|| best(Kind::Step)).map_or(0, |site| site.id),
        call: call.map_or(0, |site| site.id),
    }
}

fn nonce() -> io::Result<[u8; 16]> {
    let mut nonce = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut nonce)?;
    Ok(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITERS: usize = 4;
    const LINES: usize = 20_000;

    #[test]
    fn no_line_is_lost_between_writers() {
        let form = StreamForm::Lines;
        let channel = Channel::new(1, &Budget::default(), Detail::State, form).unwrap();
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let file = File::from(channel.duplicate().unwrap());
                scope.spawn(move || {
                    let line = format!("{writer} S 1\n");
                    (0..LINES).for_each(|_| (&file).write_all(line.as_bytes()).unwrap());
                });
            }
        });
        let text = channel.lines().unwrap();
        let lines = text.iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(lines, WRITERS * LINES);
    }
}
