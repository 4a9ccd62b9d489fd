//! Captured output: both streams, the order in which they came, and the ceiling on both.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsRawFd, RawFd};

use crate::finished::{Chunk, Source};

/// The runner's ends of the pipes, and what came through them.
#[derive(Debug)]
pub(crate) struct Output {
    pipes: [Option<File>; 2],
    pub(crate) bytes: [Vec<u8>; 2],
    pub(crate) chunks: Vec<Chunk>,
    limit: Option<u64>,
    buffer: Vec<u8>,
}

impl Output {
    /// Reads from non-blocking pipes; `None` for a stream that is not captured.
    pub(crate) fn new(pipes: [Option<File>; 2], limit: Option<u64>) -> Self {
        let buffer = vec![0; 64 << 10];
        Self {
            pipes,
            bytes: [Vec::new(), Vec::new()],
            chunks: Vec::new(),
            limit,
            buffer,
        }
    }

    /// The pipes that may still give something.
    pub(crate) fn descriptors(&self) -> [Option<RawFd>; 2] {
        [&self.pipes[0], &self.pipes[1]].map(|pipe| pipe.as_ref().map(AsRawFd::as_raw_fd))
    }

    /// Reads once from stream `index`. Gives whether the limit has been passed.
    pub(crate) fn read(&mut self, index: usize) -> bool {
        let Some(pipe) = &mut self.pipes[index] else {
            return false;
        };
        match pipe.read(&mut self.buffer) {
            Ok(0) => self.pipes[index] = None,
            Ok(length) => return self.keep(index, length),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.pipes[index] = None,
        }
        false
    }

    /// Takes what is left once every writer is dead. Never waits for an end of file: a writer
    /// outside the sandbox's reach could hold it off for ever.
    pub(crate) fn drain(&mut self) -> bool {
        let mut over = false;
        for index in 0..2 {
            // A pipe holds a megabyte at most.
            for _ in 0..64 {
                let Some(pipe) = &mut self.pipes[index] else {
                    break;
                };
                match pipe.read(&mut self.buffer) {
                    Ok(length) if length > 0 => over |= self.keep(index, length),
                    _ => break,
                }
            }
        }
        over
    }

    fn keep(&mut self, index: usize, length: usize) -> bool {
        let total = (self.bytes[0].len() + self.bytes[1].len()) as u64;
        let room = self
            .limit
            .map_or(u64::MAX, |limit| limit.saturating_sub(total));
        let kept = room.min(length as u64) as usize;
        self.bytes[index].extend_from_slice(&self.buffer[..kept]);
        if kept > 0 {
            let source = if index == 0 {
                Source::Stdout
            } else {
                Source::Stderr
            };
            match self.chunks.last_mut() {
                Some(last) if last.source == source => last.length += kept,
                _ => self.chunks.push(Chunk {
                    source,
                    length: kept,
                }),
            }
        }
        kept < length
    }
}
