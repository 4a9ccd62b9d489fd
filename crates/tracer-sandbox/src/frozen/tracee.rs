//! A process held by `ptrace`: its stops, registers and memory.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::unix::fs::FileExt;
use std::ptr;

use libc::{c_int, c_long, c_uint, c_void, pid_t};

use super::machine::{self, Registers};

const NT_PRSTATUS: c_int = 1;
const NT_X86_XSTATE: c_int = 0x202;
const GET_RSEQ_CONFIGURATION: c_uint = 0x420f;

/// Where a process reports its restartable sequences to.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rseq {
    pub(crate) pointer: u64,
    pub(crate) size: u32,
    pub(crate) signature: u32,
    pub(crate) flags: u32,
    pad: u32,
}

/// Why it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It has executed a program.
    Exec,
    /// It is on the way into or out of a system call.
    Call,
    /// A signal is about to be delivered.
    Signal(c_int),
}

/// A process that this thread traces. It is killed if the runner ends, and must be ended or let go.
#[derive(Debug)]
pub(crate) struct Tracee {
    pid: pid_t,
    memory: Option<File>,
    /// Whether it is held: until it is let go, or has ended and was reaped.
    held: Cell<bool>,
}

fn gone() -> io::Error {
    io::Error::other("the process ended")
}

impl Tracee {
    /// Takes hold of a process. It goes on until it executes a program.
    pub(crate) fn seize(pid: pid_t) -> io::Result<Self> {
        let options =
            libc::PTRACE_O_TRACEEXEC | libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
        let this = Self {
            pid,
            memory: None,
            held: Cell::new(false),
        };
        this.ask(libc::PTRACE_SEIZE, 0, options as u64)?;
        this.held.set(true);
        Ok(this)
    }

    fn ask(&self, request: c_uint, address: u64, data: u64) -> io::Result<c_long> {
        // SAFETY: callers pass pointers that suit the request and outlive the call.
        let result = unsafe {
            libc::ptrace(
                request,
                self.pid,
                address as *mut c_void,
                data as *mut c_void,
            )
        };
        if result < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(result)
        }
    }

    /// Waits for its next stop.
    pub(crate) fn wait(&self) -> io::Result<Stop> {
        loop {
            let mut status = 0;
            // SAFETY: a valid out-pointer, and no usage asked for.
            let pid = unsafe { libc::wait4(self.pid, &mut status, libc::__WALL, ptr::null_mut()) };
            if pid < 0 {
                let error = io::Error::last_os_error();
                if error.kind() == io::ErrorKind::Interrupted {
                    continue;
                }
                self.held.set(false);
                return Err(error);
            }
            if !libc::WIFSTOPPED(status) {
                self.held.set(false);
                return Err(gone());
            }
            return Ok(match (status >> 16, libc::WSTOPSIG(status)) {
                (libc::PTRACE_EVENT_EXEC, _) => Stop::Exec,
                (_, signal) if signal == libc::SIGTRAP | 0x80 => Stop::Call,
                (_, signal) => Stop::Signal(signal),
            });
        }
    }

    /// Waits for this stop; any other is an error.
    pub(crate) fn expect(&self, stop: Stop) -> io::Result<()> {
        let found = self.wait()?;
        if found == stop {
            Ok(())
        } else {
            Err(io::Error::other(format!("{found:?} instead of {stop:?}")))
        }
    }

    /// Lets it go on to its next stop of a kind: `PTRACE_CONT`, `PTRACE_SYSCALL` and the like.
    pub(crate) fn resume(&self, how: c_uint) -> io::Result<()> {
        self.ask(how, 0, 0).map(drop)
    }

    /// Lets it go for good.
    pub(crate) fn release(self) -> io::Result<()> {
        self.ask(libc::PTRACE_DETACH, 0, 0)?;
        self.held.set(false);
        Ok(())
    }

    pub(crate) fn registers(&self) -> io::Result<Registers> {
        // SAFETY: plain integers, for which zero is a value.
        let mut registers: Registers = unsafe { zeroed() };
        let mut part = libc::iovec {
            iov_base: ptr::from_mut(&mut registers).cast(),
            iov_len: size_of::<Registers>(),
        };
        let part = ptr::from_mut(&mut part) as u64;
        self.ask(libc::PTRACE_GETREGSET, NT_PRSTATUS as u64, part)?;
        Ok(registers)
    }

    pub(crate) fn set_registers(&self, registers: &Registers) -> io::Result<()> {
        let mut part = libc::iovec {
            iov_base: ptr::from_ref(registers).cast_mut().cast(),
            iov_len: size_of::<Registers>(),
        };
        let part = ptr::from_mut(&mut part) as u64;
        self.ask(libc::PTRACE_SETREGSET, NT_PRSTATUS as u64, part)
            .map(drop)
    }

    /// Floating point and vector registers.
    pub(crate) fn vectors(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0u8; 16 << 10];
        let mut part = libc::iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: bytes.len(),
        };
        let place = ptr::from_mut(&mut part) as u64;
        self.ask(libc::PTRACE_GETREGSET, NT_X86_XSTATE as u64, place)?;
        bytes.truncate(part.iov_len);
        Ok(bytes)
    }

    pub(crate) fn set_vectors(&self, bytes: &[u8]) -> io::Result<()> {
        let mut part = libc::iovec {
            iov_base: bytes.as_ptr().cast_mut().cast(),
            iov_len: bytes.len(),
        };
        let part = ptr::from_mut(&mut part) as u64;
        self.ask(libc::PTRACE_SETREGSET, NT_X86_XSTATE as u64, part)
            .map(drop)
    }

    /// Its restartable sequences; a null pointer where it has none.
    pub(crate) fn rseq(&self) -> io::Result<Rseq> {
        let mut rseq = Rseq::default();
        let place = ptr::from_mut(&mut rseq) as u64;
        self.ask(GET_RSEQ_CONFIGURATION, size_of::<Rseq>() as u64, place)?;
        Ok(rseq)
    }

    fn memory(&mut self) -> io::Result<&File> {
        // Opened again after `execve`, which gives it another memory.
        if self.memory.is_none() {
            let path = format!("/proc/{}/mem", self.pid);
            self.memory = Some(File::options().read(true).write(true).open(path)?);
        }
        self.memory.as_ref().ok_or_else(gone)
    }

    pub(crate) fn read(&mut self, address: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.memory()?.read_exact_at(bytes, address)
    }

    /// Writes, also where the process itself may not.
    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) -> io::Result<()> {
        self.memory()?.write_all_at(bytes, address)
    }

    /// Writes many pieces at once; each where the process itself may write.
    pub(crate) fn write_all(&self, pieces: &[(u64, &[u8])]) -> io::Result<()> {
        // IOV_MAX of the kernel.
        for pieces in pieces.chunks(1024) {
            let part = |address: *mut c_void, length| libc::iovec {
                iov_base: address,
                iov_len: length,
            };
            let own = pieces.iter();
            let own: Vec<_> = own
                .map(|(_, bytes)| part(bytes.as_ptr().cast_mut().cast(), bytes.len()))
                .collect();
            let other = pieces.iter();
            let other: Vec<_> = other
                .map(|(address, bytes)| part(*address as *mut c_void, bytes.len()))
                .collect();
            let wanted: usize = pieces.iter().map(|(_, bytes)| bytes.len()).sum();
            // SAFETY: both lists are valid for their lengths, and the pieces only read from.
            let written = unsafe {
                libc::process_vm_writev(
                    self.pid,
                    own.as_ptr(),
                    own.len() as libc::c_ulong,
                    other.as_ptr(),
                    other.len() as libc::c_ulong,
                    0,
                )
            };
            if written < 0 {
                return Err(io::Error::last_os_error());
            }
            if written as usize != wanted {
                return Err(io::Error::other("its memory could not be written"));
            }
        }
        Ok(())
    }

    pub(crate) fn words(&mut self, address: u64, count: usize) -> io::Result<Vec<u64>> {
        let mut bytes = vec![0u8; count * 8];
        self.read(address, &mut bytes)?;
        let word = |part: &[u8]| {
            part.iter()
                .rev()
                .fold(0, |all, &byte| all << 8 | u64::from(byte))
        };
        Ok(bytes.chunks_exact(8).map(word).collect())
    }

    /// The C string at an address, the first 4 KiB of it; `None` where nothing is mapped.
    pub(crate) fn text(&mut self, address: u64) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        while text.len() < 4096 {
            let at = address + text.len() as u64;
            let mut part = vec![0u8; 256.min(4096 - at as usize % 4096)];
            self.read(at, &mut part).ok()?;
            let end = part.iter().position(|&byte| byte == 0);
            text.extend_from_slice(&part[..end.unwrap_or(part.len())]);
            if end.is_some() {
                break;
            }
        }
        Some(text)
    }

    /// Carries out one system call in a process that has stopped on the way into another one, which
    /// `stopped` tells of. Ends on the way out.
    pub(crate) fn call(
        &self,
        stopped: &Registers,
        number: c_long,
        arguments: &[u64],
    ) -> io::Result<i64> {
        self.set_registers(&machine::instead(stopped, number, arguments))?;
        for _ in ["in", "out"] {
            self.resume(libc::PTRACE_SYSCALL)?;
            self.expect(Stop::Call)?;
        }
        self.registers()
            .map(|registers| machine::result(&registers))
    }
}

impl Drop for Tracee {
    /// Its sandbox cannot end while a process in it waits for its tracer.
    fn drop(&mut self) {
        if self.held.get() {
            // SAFETY: a process that this thread has not reaped keeps its number.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
            while self.held.get() && self.wait().is_ok() {}
        }
    }
}
