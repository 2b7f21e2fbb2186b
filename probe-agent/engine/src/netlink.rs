//! Asks the kernel by netlink (netlink(7)): the thread's network namespace answers.
//!
//! ```text
//!   struct nlmsghdr { len: u32, type: u16, flags: u16, seq: u32, pid: u32 }   16 bytes, then the body
//!   struct nlattr   { len: u16, type: u16 } value, padded to 4 bytes          repeated
//! ```

use std::{io, os::fd::AsRawFd as _};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

/// The flags of a question, and of one about everything.
pub(crate) const REQUEST: u16 = libc::NLM_F_REQUEST as u16;
pub(crate) const DUMP: u16 = REQUEST | libc::NLM_F_DUMP as u16;

const HEADER: usize = 16;
const ERROR: u16 = libc::NLMSG_ERROR as u16;
const DONE: u16 = libc::NLMSG_DONE as u16;

/// More than the kernel puts into one message.
const BUFFER: usize = 64 * 1024;

/// Asks, and returns the bodies of the answers.
///
/// # Errors
/// Whatever the kernel answers, such as `ENOENT`, `EPERM`, or `EPROTONOSUPPORT` where the module is absent.
pub(crate) fn ask(
    protocol: SockProtocol,
    kind: u16,
    flags: u16,
    body: &[u8],
) -> io::Result<Vec<Vec<u8>>> {
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    send(netlink.as_raw_fd(), &message(kind, flags, body), MsgFlags::empty())?;
    let mut answers = Vec::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        // The kernel has answered, or begun to, when send() returns.
        let length = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT)?;
        for (kind, body) in messages(buffer.get(..length).unwrap_or_default()) {
            match kind {
                DONE => return Ok(answers),
                ERROR => return Err(failure(body)),
                _ => answers.push(body.to_vec()),
            }
        }
        if flags != DUMP {
            return Ok(answers);
        }
    }
}

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// The errno of an error message; 0 means success.
fn failure(body: &[u8]) -> io::Error {
    let errno = body.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
    io::Error::from_raw_os_error(-errno)
}

/// The messages in what was received, each with its type.
fn messages(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(*rest.first_chunk()?);
        let kind = u16::from_ne_bytes(*rest.get(4..)?.first_chunk()?);
        let length = usize::try_from(length).ok().filter(|length| *length >= HEADER)?;
        let body = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    })
}

/// The attributes in a body, each with its type.
pub(crate) fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?);
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        // The upper two bits are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
        Some((kind & 0x3fff, value))
    })
}

/// The value of the first attribute of a type.
pub(crate) fn attribute(body: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(body).find(|(found, _)| *found == kind).map(|(_, value)| value)
}

/// Adds an attribute to a body.
pub(crate) fn push_attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    body.extend(length.to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::{attribute, attributes, message, messages, push_attribute};

    #[test]
    fn what_is_written_is_read() {
        let mut body = Vec::new();
        push_attribute(&mut body, 3, b"eth0\0");
        push_attribute(&mut body, 0x8000 | 43, &[2]);
        assert_eq!(body.len(), 12 + 8);
        assert_eq!(attribute(&body, 3), Some(&b"eth0\0"[..]));
        assert_eq!(attribute(&body, 43), Some(&[2][..]));
        assert_eq!(attribute(&body, 4), None);
        let mut sent = message(16, 1, &body);
        sent.extend(message(3, 0, &[]));
        let read: Vec<_> = messages(&sent).collect();
        assert_eq!(read, [(16, &body[..]), (3, &[][..])]);
    }

    #[test]
    fn what_is_cut_off_is_left_out() {
        let mut body = Vec::new();
        push_attribute(&mut body, 1, &[1, 2, 3, 4]);
        assert_eq!(attributes(&body[..7]).count(), 0);
        assert_eq!(messages(&message(16, 1, &body)[..20]).count(), 0);
        assert_eq!(messages(&[0; 64]).count(), 0, "a length of 0 ends it");
    }
}
