//! Stands between `psql` and the server, and between `psql` and the outside: passes every byte on
//! unchanged, and lets the observer see it first.
//!
//! What the client sent is passed on when the output in front of it is; what the server sent, when
//! its log has been read.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Child;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::observer::Observer;
use super::wire::Framer;

/// Bytes that wait for a slow reader before no more are taken.
const WAITING: usize = 1 << 20;

/// One connection.
struct Link {
    number: u32,
    client: Side,
    server: Side,
}

/// One end of a connection.
struct Side {
    stream: UnixStream,
    framer: Framer,
    /// What it has still to be given.
    waiting: Vec<u8>,
    open: bool,
}

impl Side {
    fn new(stream: UnixStream, client: bool) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            framer: Framer::new(client),
            waiting: Vec::new(),
            open: true,
        })
    }

    fn flags(&self, other: &Self) -> PollFlags {
        let mut flags = PollFlags::empty();
        if self.open && other.waiting.len() < WAITING {
            flags |= PollFlags::POLLIN;
        }
        if !self.waiting.is_empty() {
            flags |= PollFlags::POLLOUT;
        }
        flags
    }

    fn give(&mut self) {
        while !self.waiting.is_empty() {
            match self.stream.write(&self.waiting) {
                Ok(written) => {
                    self.waiting.drain(..written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // It has gone: nobody is left to be given anything.
                Err(_) => self.waiting.clear(),
            }
        }
    }
}

/// Reads what is there now. False at the end.
fn available(mut from: impl Read, out: &mut Vec<u8>) -> bool {
    let mut piece = [0; 8 << 10];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return false,
            Ok(got) => out.extend_from_slice(&piece[..got]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
        if out.len() > WAITING {
            return true;
        }
    }
}

/// All that is passed on.
pub(crate) struct Relay<'o> {
    listener: UnixListener,
    log: File,
    /// `psql`'s stdout and stderr while they are open.
    outputs: [Option<File>; 2],
    links: Vec<Link>,
    count: u32,
    observer: Option<&'o mut Observer>,
}

impl<'o> Relay<'o> {
    /// Between what connects to `listener` and the server.
    pub(crate) fn new(
        listener: UnixListener,
        log: File,
        client: &mut Child,
        observer: Option<&'o mut Observer>,
    ) -> io::Result<Self> {
        let stdout = client
            .stdout
            .take()
            .map(|pipe| File::from(OwnedFd::from(pipe)));
        let stderr = client
            .stderr
            .take()
            .map(|pipe| File::from(OwnedFd::from(pipe)));
        listener.set_nonblocking(true)?;
        for file in [Some(&log), stdout.as_ref(), stderr.as_ref()]
            .into_iter()
            .flatten()
        {
            fcntl(file, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self {
            listener,
            log,
            outputs: [stdout, stderr],
            links: Vec::new(),
            count: 0,
            observer,
        })
    }

    /// Passes on until `psql` has closed its outputs.
    pub(crate) fn run(&mut self, server: &Path) -> io::Result<()> {
        while self.outputs.iter().any(Option::is_some) {
            self.wait()?;
            self.read_log();
            self.read_outputs();
            self.accept(server)?;
            for index in 0..self.links.len() {
                self.exchange(index);
            }
            self.links.retain(|link| {
                let over = |from: &Side, to: &Side| !from.open && to.waiting.is_empty();
                !over(&link.client, &link.server) && !over(&link.server, &link.client)
            });
        }
        self.read_log();
        Ok(())
    }

    fn wait(&self) -> io::Result<()> {
        let read = PollFlags::POLLIN;
        let mut watched = vec![
            PollFd::new(self.listener.as_fd(), read),
            PollFd::new(self.log.as_fd(), read),
        ];
        let outputs = self.outputs.iter().flatten();
        watched.extend(outputs.map(|output| PollFd::new(output.as_fd(), read)));
        for link in &self.links {
            for (side, other) in [(&link.client, &link.server), (&link.server, &link.client)] {
                watched.push(PollFd::new(side.stream.as_fd(), side.flags(other)));
            }
        }
        match poll(&mut watched, PollTimeout::NONE) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn accept(&mut self, server: &Path) -> io::Result<()> {
        match self.listener.accept() {
            Ok((client, _)) => {
                self.count += 1;
                self.links.push(Link {
                    number: self.count,
                    client: Side::new(client, true)?,
                    server: Side::new(UnixStream::connect(server)?, false)?,
                });
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn read_log(&mut self) {
        let mut said = Vec::new();
        // The server outlives `psql`; should it not, its end shows in the connections.
        let _ = available(&self.log, &mut said);
        if let Some(observer) = &mut self.observer {
            observer.logged(&said);
        }
    }

    fn read_outputs(&mut self) {
        for (index, output) in self.outputs.iter_mut().enumerate() {
            let Some(file) = output else { continue };
            let mut said = Vec::new();
            let open = available(&*file, &mut said);
            if !said.is_empty() {
                // Whoever no longer reads does not hear the rest, as with `psql` itself.
                let written = if index == 0 {
                    let mut out = io::stdout();
                    out.write_all(&said).and_then(|()| out.flush())
                } else {
                    io::stderr().write_all(&said)
                };
                if let Some(observer) = &mut self.observer {
                    observer.output(index, &said);
                }
                if written.is_err() {
                    *output = None;
                    continue;
                }
            }
            if !open {
                *output = None;
            }
        }
    }

    fn exchange(&mut self, index: usize) {
        let mut sent = Vec::new();
        let link = &mut self.links[index];
        if link.client.open && link.server.waiting.len() < WAITING {
            link.client.open = available(&link.client.stream, &mut sent);
        }
        if !sent.is_empty() {
            self.read_outputs();
            let link = &mut self.links[index];
            if let Some(observer) = &mut self.observer {
                for (kind, message) in link.client.framer.feed(&sent) {
                    observer.sent(link.number, kind, &message);
                }
            }
            link.server.waiting.extend(sent);
        }
        let mut answered = Vec::new();
        let link = &mut self.links[index];
        if link.server.open && link.client.waiting.len() < WAITING {
            link.server.open = available(&link.server.stream, &mut answered);
        }
        if !answered.is_empty() {
            // All that the server logged in front of its answer is there now.
            self.read_log();
            let link = &mut self.links[index];
            if let Some(observer) = &mut self.observer {
                for (kind, message) in link.server.framer.feed(&answered) {
                    observer.answered(link.number, kind, &message);
                }
            }
            link.client.waiting.extend(answered);
        }
        let link = &mut self.links[index];
        link.client.give();
        link.server.give();
    }
}
