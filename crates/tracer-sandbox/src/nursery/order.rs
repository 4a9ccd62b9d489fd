//! What the nursery is told of a run, as bytes: a request's shape, and what the runner has worked
//! out already. The descriptors come beside it, in a fixed order.

use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::message::Plain;
use crate::network::Network;
use crate::plan::{Plan, Rlimit, Walls};
use crate::request::{
    Access, Body, Copied, Folder, Inject, Isolation, Placed, Profile, Request, Root,
};

/// In front.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Head {
    /// Of the bytes.
    pub(super) length: u64,
    /// Which of stdin, stdout, stderr, the channel and the network come as descriptors, a bit each;
    /// the v2 group, too.
    pub(super) present: u32,
    /// Pairs of descriptors for v1 groups, behind all others.
    pub(super) entries: u32,
}

// SAFETY: integers without padding.
unsafe impl Plain for Head {}

/// What came of it.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answer {
    pub(super) pid: i32,
    /// Of the fork.
    pub(super) errno: i32,
    /// Whether no fork was tried.
    pub(super) refused: i32,
    /// Why the v1 groups were left, and why the v2 group was; 0 where they were joined.
    pub(super) v1: i32,
    pub(super) v2: i32,
}

// SAFETY: integers without padding.
unsafe impl Plain for Answer {}

/// A run as the runner sees it.
pub(super) struct Order<'a> {
    request: &'a Request,
    plan: &'a Plan,
    walls: &'a Walls,
    copy: bool,
}

/// The same on the other side.
pub(super) struct Ordered {
    pub(super) request: Request,
    pub(super) id: Option<u32>,
    pub(super) copy: bool,
    pub(super) ahead: bool,
    pub(super) size: CString,
    pub(super) inodes: CString,
    pub(super) rlimits: Vec<Rlimit>,
    /// Whether a network is made with the process.
    pub(super) cloned_network: bool,
}

impl<'a> Order<'a> {
    pub(super) fn of(request: &'a Request, plan: &'a Plan, walls: &'a Walls, copy: bool) -> Self {
        Self {
            request,
            plan,
            walls,
            copy,
        }
    }

    /// With how many v1 groups, and whether with a v2 group.
    pub(super) fn pack(&self, (entries, unified): (usize, bool)) -> (Head, Vec<u8>) {
        let Self {
            request,
            plan,
            walls,
            copy,
        } = self;
        let mut out = Packer::default();
        let path = |out: &mut Packer, path: &Path| out.bytes(path.as_os_str().as_bytes());
        path(&mut out, &request.program);
        path(&mut out, &request.cwd);
        out.list(&request.argv, |out, text| out.bytes(text.as_bytes()));
        out.list(&request.env, |out, (name, value)| {
            out.bytes(name.as_bytes());
            out.bytes(value.as_bytes());
        });
        out.number(u64::from(request.image.is_some()));
        if let Some(image) = &request.image {
            out.list(&image.layers, |out, layer| path(out, layer));
            out.list(&image.scratch, |out, folder| path(out, folder));
        }
        out.list(&request.roots, |out, root| path(out, root));
        out.list(&request.files, |out, file| {
            path(out, &file.path);
            out.number(u64::from(file.executable));
            match &file.body {
                Body::Bytes(bytes) => {
                    out.number(0);
                    out.bytes(bytes);
                }
                Body::Host(host) => {
                    out.number(1);
                    path(out, host);
                }
            }
        });
        out.list(&request.folders, |out, folder| {
            path(out, &folder.path);
            out.number(folder.access as u64);
        });
        out.list(&request.copies, |out, copied| {
            path(out, &copied.path);
            path(out, &copied.from);
            out.number(u64::from(copied.writable));
        });
        // The runner fills them.
        out.list(&request.placed, |out, placed| path(out, &placed.path));
        out.bytes(request.hostname.as_bytes());
        out.number(request.isolation as u64);
        out.number(request.profile as u64);
        out.number(u64::from(request.random_addresses));
        out.number(u64::from(request.earlier));
        out.number(u64::from(request.uptime));
        out.number(walls.become_id.map_or(0, |id| u64::from(id) + 1));
        out.number(u64::from(*copy));
        out.number(u64::from(plan.ahead));
        out.bytes(walls.size.as_bytes());
        out.bytes(walls.inodes.as_bytes());
        out.list(&plan.rlimits, |out, limit| {
            out.number(u64::from(limit.resource));
            out.number(limit.value);
        });
        out.number(u64::from(matches!(walls.network, Network::Cloned)));
        let given = plan.stdio.iter().map(Option::is_some);
        let network = walls.network.descriptor().is_some();
        let given = given.chain([plan.channel.is_some(), network, unified]);
        let head = Head {
            length: out.0.len() as u64,
            present: (0..).zip(given).map(|(bit, is)| u32::from(is) << bit).sum(),
            entries: entries as u32,
        };
        (head, out.0)
    }
}

impl Ordered {
    /// `None` for what no runner of this build has packed.
    pub(super) fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut from = Unpacker(bytes);
        let program = from.path()?;
        let cwd = from.path()?;
        let mut request = Request::new(program, cwd);
        request.argv = from.list(Unpacker::text)?;
        request.env = from.list(|from| Some((from.text()?, from.text()?)))?;
        if from.number()? == 1 {
            request.image = Some(Root {
                layers: from.list(Unpacker::path)?,
                scratch: from.list(Unpacker::path)?,
            });
        }
        request.roots = from.list(Unpacker::path)?;
        request.files = from.list(|from| {
            Some(Inject {
                path: from.path()?,
                executable: from.number()? == 1,
                body: match from.number()? {
                    0 => Body::Bytes(Arc::from(from.bytes()?)),
                    _ => Body::Host(from.path()?),
                },
            })
        })?;
        request.folders = from.list(|from| {
            Some(Folder {
                path: from.path()?,
                access: match from.number()? {
                    0 => Access::ReadOnly,
                    1 => Access::Overlay,
                    _ => Access::Writable,
                },
            })
        })?;
        request.copies = from.list(|from| {
            Some(Copied {
                path: from.path()?,
                from: from.path()?,
                writable: from.number()? == 1,
            })
        })?;
        request.placed = from.list(|from| {
            Some(Placed {
                path: from.path()?,
                files: Vec::new(),
            })
        })?;
        request.hostname = String::from_utf8(from.bytes()?.to_vec()).ok()?;
        request.isolation = match from.number()? {
            0 => Isolation::Native,
            1 => Isolation::Wasm,
            _ => return None,
        };
        request.profile = match from.number()? {
            0 => Profile::Compat,
            _ => Profile::Trusted,
        };
        request.random_addresses = from.number()? == 1;
        request.earlier = from.number()? as u32;
        request.uptime = from.number()? as u32;
        Some(Self {
            request,
            id: from.number()?.checked_sub(1).map(|id| id as u32),
            copy: from.number()? == 1,
            ahead: from.number()? == 1,
            size: from.c_string()?,
            inodes: from.c_string()?,
            rlimits: from.list(|from| {
                Some(Rlimit {
                    resource: from.number()? as libc::__rlimit_resource_t,
                    value: from.number()?,
                })
            })?,
            cloned_network: from.number()? == 1,
        })
    }
}

#[derive(Default)]
struct Packer(Vec<u8>);

impl Packer {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_ne_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        for item in items {
            each(self, item);
        }
    }
}

struct Unpacker<'a>(&'a [u8]);

impl<'a> Unpacker<'a> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_ne_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<OsString> {
        Some(OsString::from_vec(self.bytes()?.to_vec()))
    }

    fn path(&mut self) -> Option<PathBuf> {
        Some(OsString::from_vec(self.bytes()?.to_vec()).into())
    }

    fn c_string(&mut self) -> Option<CString> {
        let mut bytes = self.bytes()?.to_vec();
        bytes.push(0);
        CStr::from_bytes_with_nul(&bytes).ok().map(CStr::to_owned)
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| each(self)).collect()
    }
}
