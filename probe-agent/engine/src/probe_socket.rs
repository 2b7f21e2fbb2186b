//! One recycled socket.

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    time::Duration,
};

use rustix::{io::Errno, net::connect_unspec};
use socket2::{Socket, Type};

use super::{
    icmp_queue::{self, QueuedError},
    settings::SocketSettings,
    source_address::{domain, set_options},
};
use model::record::TcpInfo;

/// A socket bound once to a source address and port. `connect()` starts a probe, and
/// `connect(AF_UNSPEC)` (`tcp_disconnect`) sends the RST and makes the socket ready for the next probe.
#[derive(Debug)]
pub(super) struct ProbeSocket(Socket);

/// How `connect()` of a non-blocking socket went.
pub(super) enum ConnectResult {
    /// The answer came while the system call ran, as it does on loopback.
    Established,
    /// The SYN was sent.
    InProgress,
    /// The probe is already over: the errno.
    Failed(i32),
}

impl ProbeSocket {
    /// Makes a socket and binds it.
    ///
    /// # Errors
    /// Any error of `socket()`, `setsockopt()` or `bind()`.
    pub(super) fn bind(local: SocketAddr, settings: &SocketSettings) -> io::Result<Self> {
        let socket = Socket::new(domain(local), Type::STREAM.nonblocking(), None)?;
        set_options(&socket, settings, local.is_ipv6())?;
        // SO_LINGER {1, 0}: close() aborts with a RST (RFC 9293, section 3.10.5).
        socket.set_linger(Some(Duration::ZERO))?;
        // Two options hold back the ACK of the SYN-ACK. TCP_QUICKACK off does so once; TCP_DEFER_ACCEPT
        // on a client (tcp_rcv_synsent_state_process) outlives connect(AF_UNSPEC).
        socket.set_tcp_quickack(false)?;
        set_option(&socket, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT)?;
        // The kernel then keeps ICMP errors, with their sender (see `icmp_queue`).
        set_option(&socket, libc::IPPROTO_IP, libc::IP_RECVERR)?;
        if local.is_ipv6() {
            set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR)?;
        }
        socket.bind(&local.into())?;
        Ok(Self(socket))
    }

    /// `SO_COOKIE` of the socket; 0 if the kernel does not report it.
    pub(super) fn cookie(&self) -> u64 {
        self.0.cookie().unwrap_or(0)
    }

    /// Starts a probe.
    ///
    /// Uses rustix, here and in [`Self::disconnect`], because it makes the system call directly. The C
    /// library's `connect()` is a cancellation point and prepares each time for the thread to be cancelled.
    pub(super) fn connect(&self, target: SocketAddr) -> ConnectResult {
        match rustix::net::connect(&self.0, &target) {
            Ok(()) => ConnectResult::Established,
            Err(Errno::INPROGRESS) => ConnectResult::InProgress,
            Err(error) => ConnectResult::Failed(error.raw_os_error()),
        }
    }

    /// Whether the handshake is complete, whatever came after it. After a simultaneous open, a socket in
    /// `SYN_RECV` has a peer, too.
    pub(super) fn is_connected(&self) -> bool {
        self.read_tcp_info()
            .is_some_and(|info| !matches!(info.tcpi_state, SYN_SENT | SYN_RECV | CLOSE))
    }

    /// The newest ICMP error that the kernel has queued; the queue is then empty.
    pub(super) fn take_icmp(&self) -> Option<QueuedError> {
        icmp_queue::take_newest(self.0.as_fd())
    }

    /// Ends a probe: sends a RST if the connection is established, nothing otherwise.
    ///
    /// # Errors
    /// If the kernel refuses, the socket can no longer be used.
    pub(super) fn disconnect(&self) -> io::Result<()> {
        Ok(connect_unspec(&self.0)?)
    }

    /// The pending error (`SO_ERROR`), 0 if there is none.
    pub(super) fn take_error(&self) -> i32 {
        match self.0.take_error() {
            Ok(error) => error.and_then(|e| e.raw_os_error()).unwrap_or(0),
            Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
        }
    }

    /// What the agent needs of the socket's `TCP_INFO`; `None` if the kernel refuses.
    pub(super) fn tcp_info(&self) -> Option<TcpInfo> {
        self.read_tcp_info().map(|info| TcpInfo { retransmits: info.tcpi_total_retrans })
    }

    fn read_tcp_info(&self) -> Option<libc::tcp_info> {
        // SAFETY: an all-zero `tcp_info` is a valid value.
        let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
        let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
        // SAFETY: the buffer is `length` bytes long, and the kernel writes at most that much.
        let result = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                (&raw mut info).cast(),
                &raw mut length,
            )
        };
        (result == 0).then_some(info)
    }
}

impl AsFd for ProbeSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// States of a socket without a complete handshake (`net/tcp_states.h`).
const SYN_SENT: u8 = 2;
const SYN_RECV: u8 = 3;
const CLOSE: u8 = 7;

/// Sets an option that socket2 does not offer to 1.
fn set_option(socket: &Socket, level: libc::c_int, name: libc::c_int) -> io::Result<()> {
    let value: libc::c_int = 1;
    // SAFETY: the option's value is an int, and its length is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
