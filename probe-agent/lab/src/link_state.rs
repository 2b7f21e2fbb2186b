//! Waits until a link can send.
//!
//! The end of a veth pair that is set up first has no carrier yet. When the second end follows, a
//! deferred work item of the kernel updates the first one. Until that has run, the first end silently
//! drops what it should send, so a SYN right after `ip link set up` may be lost. This module
//! subscribes to link changes, asks for the state, and reads until the kernel reports
//! `IF_OPER_UP` (RFC 2863), which it does under the same lock that activates the queues.
//!
//! ```text
//!   struct nlmsghdr  { len: u32, type: u16, flags: u16, seq: u32, pid: u32 }           16 bytes
//!   struct ifinfomsg { family: u8, pad: u8, type: u16, index: i32, flags, change: u32 } 16 bytes
//!   struct rtattr    { len: u16, type: u16 } value, padded to 4 bytes                   repeated
//! ```

use std::io;
use std::os::fd::AsRawFd;

use nix::net::if_::if_nametoindex;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send,
    setsockopt, socket, sockopt::ReceiveTimeout,
};
use nix::sys::time::TimeVal;

use super::{LabError, Namespace, Result};

/// `IF_OPER_UP` of linux/if.h.
const OPERSTATE_UP: u8 = 6;
/// Both headers together.
const HEADERS: usize = 32;
/// The work item takes microseconds, so this only guards against hanging.
const LIMIT_SECONDS: i64 = 10;

/// Returns as soon as the link is operational.
pub(super) fn wait_until_up(namespace: &Namespace, link: &'static str) -> Result<()> {
    namespace
        .run(|| wait_in_this_namespace(link))?
        .map_err(|source| LabError::Link { link, source })
}

fn wait_in_this_namespace(link: &str) -> io::Result<()> {
    let index = if_nametoindex(link)?;
    let netlink = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    let changes = u32::try_from(libc::RTMGRP_LINK).unwrap_or_default();
    bind(netlink.as_raw_fd(), &NetlinkAddr::new(0, changes))?;
    setsockopt(&netlink, ReceiveTimeout, &TimeVal::new(LIMIT_SECONDS, 0))?;
    send(netlink.as_raw_fd(), &request(index), MsgFlags::empty())?;
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let length = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        if reports_up(buffer.get(..length).unwrap_or_default(), index)? {
            return Ok(());
        }
    }
}

/// `RTM_GETLINK` for one interface.
fn request(index: u32) -> [u8; HEADERS] {
    let mut message = [0; HEADERS];
    message[0..4].copy_from_slice(&32_u32.to_ne_bytes());
    message[4..6].copy_from_slice(&libc::RTM_GETLINK.to_ne_bytes());
    message[6..8].copy_from_slice(&1_u16.to_ne_bytes()); // NLM_F_REQUEST
    message[20..24].copy_from_slice(&index.to_ne_bytes());
    message
}

/// Whether one of the messages reports that the interface is operational.
fn reports_up(mut messages: &[u8], index: u32) -> io::Result<bool> {
    while let Some(length) = u32_at(messages, 0) {
        let length = usize::try_from(length).unwrap_or(usize::MAX).clamp(16, messages.len());
        let (message, rest) = messages.split_at(length);
        let kind = u16_at(message, 4).unwrap_or_default();
        if i32::from(kind) == libc::NLMSG_ERROR {
            let errno = u32_at(message, 16).unwrap_or_default().cast_signed();
            return Err(io::Error::from_raw_os_error(-errno));
        }
        let ours = kind == libc::RTM_NEWLINK && u32_at(message, 20) == Some(index);
        if ours && operstate(message.get(HEADERS..).unwrap_or_default()) == Some(OPERSTATE_UP) {
            return Ok(true);
        }
        // Messages are padded to four bytes.
        messages = rest.get(length.next_multiple_of(4) - length..).unwrap_or_default();
    }
    Ok(false)
}

fn operstate(mut attributes: &[u8]) -> Option<u8> {
    while let (Some(length), Some(kind)) = (u16_at(attributes, 0), u16_at(attributes, 2)) {
        let length = usize::from(length).max(4);
        if kind == libc::IFLA_OPERSTATE {
            return attributes.get(4).copied();
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
