//! Messages between the runner and a sandbox, with descriptors. Neither side allocates here, since
//! one of them may not.

use std::mem::{size_of, zeroed};
use std::os::fd::RawFd;
use std::ptr;
use std::slice;

use crate::sys::{self, SysResult};

/// What is sent and received as it lies in memory.
///
/// # Safety
/// A `repr(C)` structure of integers without padding, so that every byte is set and any bytes are
/// one.
pub(crate) unsafe trait Plain: Copy {
    fn as_bytes(&self) -> &[u8] {
        // SAFETY: see above.
        unsafe { slice::from_raw_parts(ptr::from_ref(self).cast(), size_of::<Self>()) }
    }

    /// `None` where these are not as many.
    fn read(bytes: &[u8]) -> Option<Self> {
        // SAFETY: see above.
        (bytes.len() == size_of::<Self>())
            .then(|| unsafe { ptr::read_unaligned(bytes.as_ptr().cast()) })
    }
}

/// Descriptors in one message at most.
pub(crate) const MOST: usize = 16;

#[repr(C, align(8))]
struct Control([u8; 96]);

/// Sends `bytes` as one message, with up to [`MOST`] descriptors.
pub(crate) fn send(socket: RawFd, bytes: &[u8], descriptors: &[RawFd]) -> SysResult<()> {
    let mut control = Control([0; 96]);
    // SAFETY: the message structures are plain data; the control buffer is aligned and holds
    // `MOST` descriptors with their header (80 bytes).
    let sent = unsafe {
        let mut part = libc::iovec {
            iov_base: bytes.as_ptr().cast_mut().cast(),
            iov_len: bytes.len(),
        };
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = &mut part;
        message.msg_iovlen = 1;
        if !descriptors.is_empty() {
            let descriptors = &descriptors[..descriptors.len().min(MOST)];
            let length = size_of_val(descriptors) as u32;
            message.msg_control = control.0.as_mut_ptr().cast();
            message.msg_controllen = libc::CMSG_SPACE(length) as usize;
            let header = libc::CMSG_FIRSTHDR(&message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(length) as usize;
            ptr::copy_nonoverlapping(
                descriptors.as_ptr().cast::<u8>(),
                libc::CMSG_DATA(header),
                length as usize,
            );
        }
        libc::sendmsg(socket, &message, libc::MSG_NOSIGNAL)
    };
    if sent < 0 { Err(sys::errno()) } else { Ok(()) }
}

/// Receives one message: its length, and how many descriptors came with it. They are new, and the
/// caller's to close.
pub(crate) fn receive(
    socket: RawFd,
    bytes: &mut [u8],
    descriptors: &mut [RawFd; MOST],
    flags: i32,
) -> SysResult<(usize, usize)> {
    let mut control = Control([0; 96]);
    // SAFETY: plain structures over buffers that outlive the call; the kernel's control message
    // holds whole descriptors.
    unsafe {
        let mut part = libc::iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: bytes.len(),
        };
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = &mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = control.0.len();
        let length = libc::recvmsg(socket, &mut message, flags | libc::MSG_CMSG_CLOEXEC);
        if length < 0 {
            return Err(sys::errno());
        }
        let mut count = 0;
        let header = libc::CMSG_FIRSTHDR(&message);
        if length > 0 && !header.is_null() && (*header).cmsg_type == libc::SCM_RIGHTS {
            let sent = ((*header).cmsg_len - libc::CMSG_LEN(0) as usize) / size_of::<RawFd>();
            count = sent.min(MOST);
            ptr::copy_nonoverlapping(
                libc::CMSG_DATA(header),
                descriptors.as_mut_ptr().cast::<u8>(),
                count * size_of::<RawFd>(),
            );
        }
        Ok((length as usize, count))
    }
}
