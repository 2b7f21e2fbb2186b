//! The TCP sockets of a namespace, including those that no process owns: half-open requests
//! (SYN_RECV) and TIME_WAIT.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{LabError, Namespace, Result};

const FILES: [&str; 2] = ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"];

/// State of a TCP socket, numbered as in the kernel (net/tcp_states.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of RFC 9293, section 3.3.2, and the kernel")]
pub enum TcpState {
    Established = 1,
    SynSent,
    /// A request that waits for its third segment.
    SynRecv,
    FinWait1,
    FinWait2,
    TimeWait,
    Close,
    CloseWait,
    LastAck,
    Listen,
    Closing,
}

/// A socket as the kernel lists it in /proc/net/tcp and tcp6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketEntry {
    /// Address and port of this end.
    pub local: SocketAddr,
    /// Address and port of the other end; unspecified for a listener.
    pub remote: SocketAddr,
    /// Its state.
    pub state: TcpState,
}

impl SocketEntry {
    /// Parses a line of the table.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace().skip(1);
        let local = endpoint(fields.next()?)?;
        let remote = endpoint(fields.next()?)?;
        let state = state(u8::from_str_radix(fields.next()?, 16).ok()?)?;
        Some(Self { local, remote, state })
    }
}

impl Namespace {
    /// Lists the TCP sockets of this namespace.
    ///
    /// # Errors
    /// [`LabError::Proc`] or [`LabError::ProcLine`] if /proc cannot be read or parsed.
    pub fn sockets(&self) -> Result<Vec<SocketEntry>> {
        self.run(|| {
            let mut entries = Vec::new();
            for path in FILES {
                let text = match fs::read_to_string(path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    other => other.map_err(|source| LabError::Proc { path, source })?,
                };
                for line in text.lines().skip(1) {
                    let bad = || LabError::ProcLine { path, line: line.to_owned() };
                    entries.push(SocketEntry::parse(line).ok_or_else(bad)?);
                }
            }
            Ok(entries)
        })?
    }

    /// Counts the TCP sockets of this namespace in one state.
    ///
    /// # Errors
    /// As for [`Namespace::sockets`].
    pub fn sockets_in(&self, state: TcpState) -> Result<usize> {
        Ok(self.sockets()?.iter().filter(|entry| entry.state == state).count())
    }
}

const fn state(number: u8) -> Option<TcpState> {
    Some(match number {
        1 => TcpState::Established,
        2 => TcpState::SynSent,
        // A request socket is TCP_NEW_SYN_RECV (12) inside the kernel; the table shows 3.
        3 | 12 => TcpState::SynRecv,
        4 => TcpState::FinWait1,
        5 => TcpState::FinWait2,
        6 => TcpState::TimeWait,
        7 => TcpState::Close,
        8 => TcpState::CloseWait,
        9 => TcpState::LastAck,
        10 => TcpState::Listen,
        11 => TcpState::Closing,
        _ => return None,
    })
}

/// `0100007F:0016`: the address as words of the host's byte order, the port as a number.
fn endpoint(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let mut bytes = [0; 16];
    for (i, word) in address.as_bytes().chunks(8).enumerate() {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        bytes.get_mut(i * 4..i * 4 + 4)?.copy_from_slice(&word.to_ne_bytes());
    }
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])),
        32 => IpAddr::V6(Ipv6Addr::from(bytes)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}
