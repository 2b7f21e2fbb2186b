//! A packet capture of handshakes on loopback: an AF_PACKET socket with the kernel's timestamps.

use std::{
    collections::HashMap,
    io,
    mem::{size_of, zeroed},
    os::fd::AsRawFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Result, ensure};
use nix::net::if_::if_nametoindex;
use socket2::{Domain, Protocol, Socket, Type};

/// Handshake times by the client's port, in the order of the SYNs, in nanoseconds.
pub(super) type Handshakes = HashMap<u16, Vec<u64>>;

/// Room for the packets of a burst.
const BUFFER: usize = 64 << 20;

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// A running capture.
pub(super) struct Capture {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Handshakes>>,
}

impl Capture {
    /// Captures handshakes with a server on `port` of this host.
    pub(super) fn start(port: u16) -> Result<Self> {
        let socket = open()?;
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || read(&socket, port, &stopped));
        Ok(Self { stop, thread })
    }

    /// Ends it. The result includes everything that was sent before.
    pub(super) fn finish(self) -> Result<Handshakes> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn open() -> Result<Socket> {
    // Outgoing packets are delivered only to sockets for every protocol.
    let protocol = u16::try_from(libc::ETH_P_ALL)?.to_be();
    let socket =
        Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(i32::from(protocol))))?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    option(&socket, libc::SO_RCVBUFFORCE, libc::c_int::try_from(BUFFER)?)?;
    option(&socket, libc::SO_TIMESTAMPNS, 1)?;
    // SAFETY: an all-zero address is a value.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET)?;
    address.sll_protocol = protocol;
    address.sll_ifindex = i32::try_from(if_nametoindex("lo")?)?;
    // SAFETY: the address is valid for the length given, and the descriptor is open.
    let result = unsafe {
        libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length::<libc::sockaddr_ll>())
    };
    ensure!(result == 0, "bind: {}", io::Error::last_os_error());
    Ok(socket)
}

fn option(socket: &Socket, name: libc::c_int, value: libc::c_int) -> Result<()> {
    // SAFETY: both options take an int, whose length is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            (&raw const value).cast(),
            length::<libc::c_int>(),
        )
    };
    ensure!(result == 0, "setsockopt: {}", io::Error::last_os_error());
    Ok(())
}

const fn length<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

/// Reads until it is stopped and the buffer is empty.
fn read(socket: &Socket, port: u16, stop: &AtomicBool) -> Result<Handshakes> {
    let mut handshakes = Handshakes::new();
    // Times of SYNs without an answer yet, by the client's port.
    let mut waiting: HashMap<u16, u64> = HashMap::new();
    loop {
        let stopped = stop.load(Ordering::Relaxed);
        match receive(socket) {
            Ok(Some(packet)) if packet.flags & RST != 0 => {}
            Ok(Some(packet)) => match packet.flags & (SYN | ACK) {
                SYN if packet.outgoing && packet.to == port => {
                    waiting.entry(packet.from).or_insert(packet.at);
                }
                flags if flags == SYN | ACK && !packet.outgoing && packet.from == port => {
                    if let Some(syn) = waiting.remove(&packet.to) {
                        let took = packet.at.saturating_sub(syn);
                        handshakes.entry(packet.to).or_default().push(took);
                    }
                }
                _ => {}
            },
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if stopped {
                    break;
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(dropped(socket)? == 0, "the capture lost packets");
    Ok(handshakes)
}

/// The part of a TCP segment that matters here.
struct Packet {
    at: u64,
    outgoing: bool,
    from: u16,
    to: u16,
    flags: u8,
}

/// The next packet; `None` if it is no TCP segment.
fn receive(socket: &Socket) -> io::Result<Option<Packet>> {
    let mut data = [0_u8; 96];
    let mut control = [0_u64; 16];
    // SAFETY: all-zero values of both types are values.
    let (mut address, mut message): (libc::sockaddr_ll, libc::msghdr) =
        unsafe { (zeroed(), zeroed()) };
    let mut part = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
    message.msg_name = (&raw mut address).cast();
    message.msg_namelen = length::<libc::sockaddr_ll>();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: every buffer in the message is valid for the length that it names.
    let read = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0) };
    let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
    let outgoing = address.sll_pkttype == libc::PACKET_OUTGOING;
    Ok(timestamp(&message).and_then(|at| parse(&data[..read.min(data.len())], at, outgoing)))
}

fn timestamp(message: &libc::msghdr) -> Option<u64> {
    // SAFETY: the kernel has filled in the control buffer, which is alive and aligned; the first
    // header in it is read only if there is one, as the type that it names.
    let time = unsafe {
        let header = libc::CMSG_FIRSTHDR(message);
        if header.is_null() || (*header).cmsg_type != libc::SCM_TIMESTAMPNS {
            return None;
        }
        libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned()
    };
    Some(u64::try_from(time.tv_sec).ok()? * 1_000_000_000 + u64::try_from(time.tv_nsec).ok()?)
}

/// Parses an IPv4 packet without the link-layer header.
fn parse(packet: &[u8], at: u64, outgoing: bool) -> Option<Packet> {
    let start = usize::from(packet.first()? & 0x0f) * 4;
    let is_tcp = packet.get(9).copied().map(i32::from) == Some(libc::IPPROTO_TCP);
    let tcp = packet.get(start..start + 14).filter(|_| is_tcp)?;
    let port = |at: usize| u16::from_be_bytes([tcp[at], tcp[at + 1]]);
    Some(Packet { at, outgoing, from: port(0), to: port(2), flags: tcp[13] })
}

/// Packets for which the buffer had no room.
fn dropped(socket: &Socket) -> Result<u32> {
    // SAFETY: an all-zero value is a value.
    let mut stats: libc::tpacket_stats = unsafe { zeroed() };
    let mut size = length::<libc::tpacket_stats>();
    // SAFETY: the buffer is as long as `size` says; the kernel writes at most that much.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut stats).cast(),
            &raw mut size,
        )
    };
    ensure!(result == 0, "PACKET_STATISTICS: {}", io::Error::last_os_error());
    Ok(stats.tp_drops)
}
