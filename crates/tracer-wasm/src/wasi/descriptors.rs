//! The module's descriptors: its own numbers for what the worker holds open.

use std::ffi::OsString;
use std::fs::File;
use std::io::Seek;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use super::abi::Errno;
use crate::Preopen;
use crate::weaken::{Wall, stands};

/// The number of the trace channel, the same inside and outside.
pub(crate) const CHANNEL: u32 = 1000;

/// An open file or folder.
#[derive(Debug)]
pub(crate) struct Open {
    pub(super) file: OwnedFd,
    /// The name of a folder that the module was given.
    pub(super) preopen: Option<OsString>,
    /// What the module was granted when it was opened.
    pub(super) rights: u64,
    /// Whether it says to stand at its beginning where it has no position: PHP's module dies of the
    /// truth.
    pub(super) begins: bool,
    /// A folder's entries while they are being listed: name, number, type.
    pub(super) entries: Vec<(Vec<u8>, u64, u8)>,
}

impl Open {
    pub(super) fn new(file: OwnedFd, rights: u64) -> Self {
        Self {
            file,
            preopen: None,
            rights,
            begins: false,
            entries: Vec::new(),
        }
    }
}

/// All rights there are.
pub(super) const ALL: u64 = (1 << 30) - 1;
/// Rights to seek and to tell, which a stream has not.
const SEEK: u64 = 1 << 2 | 1 << 5;

/// The table, by number.
#[derive(Debug)]
pub(crate) struct Descriptors {
    open: Vec<Option<Open>>,
    channel: Option<Open>,
}

impl Descriptors {
    /// The standard streams, the folders, and the channel where there is one.
    pub(super) fn new(preopens: &[Preopen]) -> Result<Self, std::io::Error> {
        let mut open = Vec::new();
        for number in 0..3 {
            // Copies: what the worker itself has to say goes to the same place, whatever the module closes.
            let copy = take(number).map(|file| {
                let copy = file.try_clone();
                let _ = file.into_raw_fd();
                copy
            });
            open.push(copy.transpose()?.map(|file| Open::new(file, ALL & !SEEK)));
        }
        for preopen in preopens {
            let folder = File::open(&preopen.host)?;
            open.push(Some(Open {
                preopen: Some(preopen.guest.clone()),
                ..Open::new(folder.into(), ALL)
            }));
        }
        Ok(Self {
            open,
            channel: take(CHANNEL as i32).map(|file| Open::new(file, ALL)),
        })
    }

    pub(super) fn get(&self, number: u32) -> Result<&Open, Errno> {
        if number == CHANNEL {
            return self.channel.as_ref().ok_or(Errno::BADF);
        }
        let found = self.open.get(number as usize);
        found.and_then(Option::as_ref).ok_or(Errno::BADF)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Result<&mut Open, Errno> {
        if number == CHANNEL {
            return self.channel.as_mut().ok_or(Errno::BADF);
        }
        let found = self.open.get_mut(number as usize);
        found.and_then(Option::as_mut).ok_or(Errno::BADF)
    }

    /// Opens the channel by its name: from its beginning, wherever the runner is.
    pub(super) fn name_channel(&self) -> Result<u32, Errno> {
        let mut file = File::from(self.copy(CHANNEL)?.file);
        file.rewind().map_err(|_| Errno::INVAL)?;
        Ok(CHANNEL)
    }

    /// Opens a stream that is open under another number.
    pub(super) fn again(&mut self, number: u32) -> Result<u32, Errno> {
        let mut copy = self.copy(number)?;
        copy.begins = true;
        self.add(copy)
    }

    fn copy(&self, number: u32) -> Result<Open, Errno> {
        let open = self.get(number)?;
        let file = open.file.try_clone().map_err(|_| Errno::MFILE)?;
        Ok(Open::new(file, open.rights))
    }

    /// Gives the lowest number that is free.
    pub(super) fn add(&mut self, open: Open) -> Result<u32, Errno> {
        let free = self.open.iter().position(Option::is_none);
        let number = free.unwrap_or(self.open.len());
        if number >= CHANNEL as usize && stands(Wall::Descriptors) {
            return Err(Errno::MFILE);
        }
        if number == self.open.len() {
            self.open.push(None);
        }
        self.open[number] = Some(open);
        Ok(number as u32)
    }

    pub(super) fn close(&mut self, number: u32) -> Result<(), Errno> {
        self.get(number)?;
        self.place(number).take();
        Ok(())
    }

    /// Moves one to the number of another, which is closed.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(to)?;
        self.get(from)?;
        if from != to {
            let moved = self.place(from).take();
            *self.place(to) = moved;
        }
        Ok(())
    }

    /// The place of a number that is known to be open.
    fn place(&mut self, number: u32) -> &mut Option<Open> {
        match number {
            CHANNEL => &mut self.channel,
            _ => &mut self.open[number as usize],
        }
    }
}

/// Takes over a descriptor that this process was started with.
#[expect(
    unsafe_code,
    reason = "descriptors that a process was started with have no owner yet"
)]
fn take(number: i32) -> Option<OwnedFd> {
    // SAFETY: fcntl only asks whether the number is open.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return None;
    }
    // SAFETY: it is open, and nothing else in the worker uses it.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}
