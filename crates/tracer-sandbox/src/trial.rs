//! A run that only shows which walls stand, for `probe`. Tells nothing of a program.

use std::path::PathBuf;
use std::time::Duration;

use tracer_model::Protection;

use crate::error::SandboxError;
use crate::launch::run;
use crate::request::{Body, Inject, Request};

/// Where its program stands inside.
const PROGRAM: &str = "/run/trial";

/// Instructions that end the process with status 0: `exit_group(0)`.
#[cfg(target_arch = "x86_64")]
const CODE: [u8; 9] = [0x31, 0xff, 0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05];
#[cfg(target_arch = "aarch64")]
const CODE: [u8; 12] = [0, 0, 0x80, 0xd2, 0xc8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4];

/// `e_machine` of ELF.
#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

/// The protections that would be in force for a run with nothing but defaults.
///
/// Its program is made here, since no path is sure to hold one on every machine, and the runner's
/// own is not the program's to open.
pub(crate) fn trial() -> Result<Vec<Protection>, SandboxError> {
    let mut request = Request::new(PROGRAM, "/");
    request.limits.wall = Some(Duration::from_secs(5));
    request.files.push(Inject {
        path: PathBuf::from(PROGRAM),
        body: Body::Bytes(program().into()),
        executable: true,
    });
    run(&request).map(|finished| finished.protections)
}

/// A static ELF executable of one read-only segment.
fn program() -> Vec<u8> {
    const HEADER: u64 = 64;
    const SEGMENT: u64 = 56;
    const BASE: u64 = 0x40_0000;
    let start = HEADER + SEGMENT;
    let end = start + CODE.len() as u64;
    let mut bytes = Vec::with_capacity(end as usize);
    // 64-bit, little-endian, version 1.
    bytes.extend(*b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    let executable: u16 = 2;
    bytes.extend(
        [executable, MACHINE]
            .iter()
            .flat_map(|half| half.to_le_bytes()),
    );
    bytes.extend(1_u32.to_le_bytes());
    // Entry, place of the segments, no sections.
    bytes.extend(
        [BASE + start, HEADER, 0]
            .iter()
            .flat_map(|word| word.to_le_bytes()),
    );
    bytes.extend(0_u32.to_le_bytes());
    let sizes: [u16; 6] = [HEADER as u16, SEGMENT as u16, 1, 0, 0, 0];
    bytes.extend(sizes.iter().flat_map(|half| half.to_le_bytes()));
    // One `PT_LOAD`, readable and executable, the whole file.
    bytes.extend([1_u32, 5].iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(
        [0, BASE, BASE, end, end, 0x1000]
            .iter()
            .flat_map(|word| word.to_le_bytes()),
    );
    bytes.extend(CODE);
    bytes
}
