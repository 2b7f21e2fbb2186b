//! The ICMP errors that the kernel queues for a socket (`MSG_ERRQUEUE`, ip(7)).

use std::{
    io::IoSliceMut,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::{AsRawFd, BorrowedFd},
};

use model::icmp::IcmpError;
use nix::{
    cmsg_space,
    sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg},
};

/// The beginning of the TCP header that an ICMP message quotes: ports and sequence number.
const QUOTED: usize = 8;

/// An error of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueuedError {
    pub(crate) error: IcmpError,
    /// The sequence number of the segment that it is about; `None` if it quotes too little of it.
    pub(crate) seq: Option<u32>,
}

/// The newest ICMP error in a socket's queue, which is empty afterwards.
pub(crate) fn take_newest(socket: BorrowedFd<'_>) -> Option<QueuedError> {
    std::iter::from_fn(|| take(socket)).flatten().last()
}

/// Takes one entry out of the queue: `None` if there is no more, `Some(None)` if it is no ICMP error.
fn take(socket: BorrowedFd<'_>) -> Option<Option<QueuedError>> {
    let mut quoted = [0_u8; QUOTED];
    let mut control = cmsg_space!(libc::sock_extended_err, libc::sockaddr_in6);
    let mut data = [IoSliceMut::new(&mut quoted)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut data, Some(&mut control), flags)
            .ok()?;
    let length = message.bytes;
    let error = message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4RecvErr(error, from) => {
            let from = from.map(|from| Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr)));
            of(&error, libc::SO_EE_ORIGIN_ICMP, false, from.map(IpAddr::V4))
        }
        ControlMessageOwned::Ipv6RecvErr(error, from) => {
            let from = from.map(|from| IpAddr::V6(Ipv6Addr::from(from.sin6_addr.s6_addr)));
            // The socket of an IPv4-mapped address gets ICMP errors in this form, too.
            of(&error, libc::SO_EE_ORIGIN_ICMP6, true, from)
                .or_else(|| of(&error, libc::SO_EE_ORIGIN_ICMP, false, from))
        }
        _ => None,
    });
    let [_, _, _, _, a, b, c, d] = quoted;
    let seq = (length >= QUOTED).then(|| u32::from_be_bytes([a, b, c, d]));
    Some(error.map(|error| QueuedError { error, seq }))
}

fn of(
    error: &libc::sock_extended_err,
    origin: u8,
    is_v6: bool,
    from: Option<IpAddr>,
) -> Option<IcmpError> {
    let from = from.map(|ip| ip.to_canonical()).filter(|ip| !ip.is_unspecified());
    (error.ee_origin == origin).then_some(IcmpError {
        from,
        is_v6,
        kind: error.ee_type,
        code: error.ee_code,
    })
}
