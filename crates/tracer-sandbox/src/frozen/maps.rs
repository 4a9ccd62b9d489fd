//! The memory of a process as `/proc` tells of it: what is mapped where, and which pages are its own.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Bytes in a page.
pub(crate) const PAGE: u64 = 4096;

/// What stands behind a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Own,
    /// A file, by its path inside.
    File(String),
    Heap,
    Stack,
    /// The kernel's own, at the same place in every process.
    Kernel,
}

/// One mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) range: Range<u64>,
    pub(crate) protection: i32,
    pub(crate) shared: bool,
    /// In the file, in bytes.
    pub(crate) offset: u64,
    pub(crate) kind: Kind,
}

/// The mappings of a process, in order.
pub(crate) fn areas(pid: libc::pid_t) -> io::Result<Vec<Area>> {
    let text = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    text.lines()
        .map(|line| area(line).ok_or_else(|| io::Error::other(format!("a mapping: {line}"))))
        .collect()
}

/// A line of `proc_pid_maps(5)`; `None` for what cannot be made anew.
fn area(line: &str) -> Option<Area> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    let modes = words.next()?.as_bytes();
    let offset = number(words.next()?)?;
    let name = words.nth(2).unwrap_or_default().trim_start();
    let mut protection = 0;
    for (mode, letter, bit) in [
        (modes[0], b'r', libc::PROT_READ),
        (modes[1], b'w', libc::PROT_WRITE),
        (modes[2], b'x', libc::PROT_EXEC),
    ] {
        protection |= if mode == letter { bit } else { 0 };
    }
    let kind = match name {
        "" => Kind::Own,
        "[heap]" => Kind::Heap,
        "[stack]" => Kind::Stack,
        "[vdso]" | "[vsyscall]" => Kind::Kernel,
        _ if name.starts_with("[vvar") => Kind::Kernel,
        _ if name.starts_with("[anon:") => Kind::Own,
        // A name that `/proc` has to change is not the file's.
        _ if name.starts_with('/') && !name.ends_with(" (deleted)") && !name.contains('\\') => {
            Kind::File(name.to_owned())
        }
        _ => return None,
    };
    let shared = modes[3] == b's';
    let restorable = !shared || matches!(kind, Kind::File(_)) && modes[1] != b'w';
    restorable.then_some(Area {
        range: number(start)?..number(end)?,
        protection,
        shared,
        offset,
        kind,
    })
}

/// Runs of pages in `range` that the process has written.
pub(crate) fn written(pagemap: &File, range: &Range<u64>) -> io::Result<Vec<Range<u64>>> {
    const PRESENT: u64 = 1 << 63;
    const SWAPPED: u64 = 1 << 62;
    const OF_FILE: u64 = 1 << 61;
    let count = ((range.end - range.start) / PAGE) as usize;
    let mut bytes = vec![0u8; count * 8];
    pagemap.read_exact_at(&mut bytes, range.start / PAGE * 8)?;
    let mut runs: Vec<Range<u64>> = Vec::new();
    for (index, entry) in (0..).zip(bytes.chunks_exact(8)) {
        let entry = entry
            .iter()
            .rev()
            .fold(0, |all, &byte| all << 8 | u64::from(byte));
        if entry & (PRESENT | SWAPPED) == 0 || entry & OF_FILE != 0 {
            continue;
        }
        let start = range.start + index * PAGE;
        match runs.last_mut() {
            Some(last) if last.end == start => last.end += PAGE,
            _ => runs.push(start..start + PAGE),
        }
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_read_from_its_line() {
        let line = "7ffff7c00000-7ffff7c28000 r-xp 00028000 fe:00 1234                       \
                    /usr/lib/a b.so";
        let found = area(line).expect("a mapping");
        assert_eq!(found.range, 0x7fff_f7c0_0000..0x7fff_f7c2_8000);
        assert_eq!(found.protection, libc::PROT_READ | libc::PROT_EXEC);
        assert_eq!(found.offset, 0x28000);
        assert_eq!(found.kind, Kind::File("/usr/lib/a b.so".to_owned()));
        let anonymous = area("7f00-8f00 rw-p 00000000 00:00 0").expect("a mapping");
        assert_eq!(anonymous.kind, Kind::Own);
        assert_eq!(
            area("7f00-8f00 rw-s 00000000 00:01 7 /dev/zero (deleted)"),
            None
        );
        assert_eq!(area("7f00-8f00 rw-s 00000000 fe:00 7 /tmp/shared"), None);
    }
}
