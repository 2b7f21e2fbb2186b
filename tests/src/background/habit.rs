//! What other programs do with a connection, and how often they did.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use nix::libc;
use socket2::{Domain, Protocol, Socket, Type};
use std::os::fd::AsRawFd as _;

/// Longer than any answer of a server that is up, and shorter than the timers that retransmit.
const LIMIT: Duration = Duration::from_millis(200);

/// What a client does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// It waits for the end, and closes.
    Closed,
    /// It waits for the end, and resets.
    Reset,
    /// Nothing listens there.
    Refused,
    /// It resets in place of the ACK that would complete the handshake.
    HalfOpen,
}

impl Habit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Closed, Self::Reset, Self::Refused, Self::HalfOpen];

    /// Connects once. Whether it went as it should.
    pub(super) fn connect(self, from: Option<SocketAddr>, to: SocketAddr) -> bool {
        match (self, self.try_connect(from, to)) {
            (Self::Refused, Err(error)) => error.kind() == io::ErrorKind::ConnectionRefused,
            (_, result) => result.is_ok(),
        }
    }

    fn try_connect(self, from: Option<SocketAddr>, to: SocketAddr) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
        if let Some(from) = from {
            socket.set_reuse_address(true)?;
            socket.bind(&from.into())?;
        }
        if matches!(self, Self::Reset | Self::HalfOpen) {
            socket.set_linger(Some(Duration::ZERO))?;
        }
        if self == Self::HalfOpen {
            delay_ack(&socket)?;
        }
        socket.connect_timeout(&to.into(), LIMIT)?;
        if matches!(self, Self::Closed | Self::Reset) {
            // Then the server has the ACK: its connection cannot be reset as a half-open one.
            socket.set_read_timeout(Some(LIMIT))?;
            io::Read::read(&mut &socket, &mut [0])?;
        }
        Ok(())
    }
}

/// Without this the kernel acknowledges a SYN-ACK at once.
fn delay_ack(socket: &Socket) -> io::Result<()> {
    let off: libc::c_int = 0;
    // SAFETY: the descriptor is open while `socket` is borrowed, and the kernel reads one c_int.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_QUICKACK,
            (&raw const off).cast(),
            size_of_val(&off).try_into().unwrap_or_default(),
        )
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many connections of each habit went as they should, and how many did not.
#[derive(Debug, Default)]
pub struct Counts {
    good: [AtomicU64; 4],
    bad: [AtomicU64; 4],
}

impl Counts {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { good: [const { AtomicU64::new(0) }; 4], bad: [const { AtomicU64::new(0) }; 4] }
    }

    pub(super) fn add(&self, habit: Habit, is_good: bool) {
        let of = if is_good { &self.good } else { &self.bad };
        of[habit as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many of a habit went as they should.
    #[must_use]
    pub fn of(&self, habit: Habit) -> u64 {
        self.good[habit as usize].load(Ordering::Relaxed)
    }
}
