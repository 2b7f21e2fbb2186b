//! Source addresses; `ports` has the source ports.

mod ports;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use rustix::net::connect_unspec;
use socket2::{Domain, Protocol, Socket, Type};

pub(super) use self::ports::Ports;
pub use self::ports::{ephemeral_ports, split};
use super::settings::SocketSettings;

/// The address family of the socket that probes an address. An IPv4-mapped IPv6 address keeps an
/// `AF_INET6` socket.
pub(super) fn domain(address: SocketAddr) -> Domain {
    if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 }
}

/// An address that no host can send from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is the wildcard, a multicast or a broadcast address")]
pub struct NotASource(pub IpAddr);

/// Whether an address can be a host's at all, wherever that is.
#[must_use]
pub fn is_unicast(ip: IpAddr) -> bool {
    let wire = ip.to_canonical();
    let is_broadcast = wire == IpAddr::V4(Ipv4Addr::BROADCAST);
    !(wire.is_unspecified() || wire.is_multicast() || is_broadcast)
}

/// Refuses a source that is no host's address, or the broadcast address of a network of the calling
/// thread's namespace: the kernel lets a socket bind that, and then sends from another address.
///
/// # Errors
/// It is one.
pub fn check(ip: IpAddr) -> Result<(), NotASource> {
    if !is_unicast(ip) {
        return Err(NotASource(ip));
    }
    // Towards one a UDP socket is connected only where it asks for it (ip_route_connect); this sends
    // nothing. A route that prohibits the address refuses both.
    let towards = |ip, broadcast| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_broadcast(broadcast)?;
        socket.connect((ip, 9))
    };
    match ip.to_canonical() {
        IpAddr::V4(v4)
            if towards(v4, false).is_err_and(|e| e.raw_os_error() == Some(libc::EACCES))
                && towards(v4, true).is_ok() =>
        {
            Err(NotASource(ip))
        }
        IpAddr::V4(_) | IpAddr::V6(_) => Ok(()),
    }
}

/// Applies what has to be set before `bind()`.
pub(super) fn prepare(socket: &Socket, settings: &SocketSettings, v6: bool) -> io::Result<()> {
    if v6 {
        socket.set_only_v6(false)?;
    }
    if let Some(interface) = &settings.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if let Some(mark) = settings.mark {
        socket.set_mark(mark)?;
    }
    if settings.freebind {
        // IP_FREEBIND is for bind() only. The route of an IPv4 socket is refused (ENETUNREACH) where
        // its source is not local, save for IP_TRANSPARENT (ip_route_output_key_hash_rcu).
        if v6 {
            socket.set_freebind_v6(true)?;
            socket.set_ip_transparent_v6(true)?;
        } else {
            socket.set_freebind_v4(true)?;
            socket.set_ip_transparent_v4(true)?;
        }
    }
    Ok(())
}

/// Asks the routing table for source addresses, through one socket of each family: making one for
/// each of 100,000 targets would be a third of the cost of their first probes.
#[derive(Debug, Default)]
pub(super) struct Routes {
    v4: Option<Socket>,
    v6: Option<Socket>,
    /// A source address, whether it is gone, and until when that is taken for granted.
    known: Option<(IpAddr, bool, u64)>,
}

/// How long the answer about a source address is good, in nanoseconds: thousands of probes from one
/// address may fail at once.
const KNOWN_FOR: u64 = 10_000_000;

impl Routes {
    /// The source address for a target: the one asked for, or what the routing table chooses (a UDP
    /// `connect()` sends nothing, but looks the route up).
    pub(super) fn source(
        &mut self,
        target: SocketAddr,
        settings: &SocketSettings,
    ) -> io::Result<IpAddr> {
        let v6 = target.is_ipv6();
        let ip = match settings.source {
            Some(ip) => ip,
            None => {
                let kept = if v6 { &mut self.v6 } else { &mut self.v4 };
                let socket = match kept.take() {
                    Some(socket) => socket,
                    None => udp(target, settings)?,
                };
                socket.connect(&target.into())?;
                let local = socket.local_addr()?.as_socket();
                // Forgets the address that it was given, or it would keep it; and its interface, so
                // that with one it is made anew (__udp_disconnect).
                if settings.interface.is_none() && connect_unspec(&socket).is_ok() {
                    *kept = Some(socket);
                }
                local.map(|a| a.ip()).ok_or(io::ErrorKind::AddrNotAvailable)?
            }
        };
        Ok(match ip {
            // The socket of an IPv4-mapped target is AF_INET6 and binds the mapped form.
            IpAddr::V4(v4) if v6 => IpAddr::V6(v4.to_ipv6_mapped()),
            ip => ip,
        })
    }

    /// Whether a source address that a target was probed from is no longer one of this host. Asked
    /// only when something failed.
    pub(super) fn is_gone(
        &mut self,
        ip: IpAddr,
        target: SocketAddr,
        settings: &SocketSettings,
        now: u64,
    ) -> bool {
        if let Some((known, gone, until)) = self.known
            && known == ip
            && now < until
        {
            return gone;
        }
        let bound = udp(target, settings).and_then(|s| s.bind(&local(ip, 0, target).into()));
        let gone = bound.is_err_and(|error| error.raw_os_error() == Some(libc::EADDRNOTAVAIL));
        self.known = Some((ip, gone, now + KNOWN_FOR));
        gone
    }
}

fn udp(target: SocketAddr, settings: &SocketSettings) -> io::Result<Socket> {
    let socket = Socket::new(domain(target), Type::DGRAM, Some(Protocol::UDP))?;
    prepare(&socket, settings, target.is_ipv6())?;
    Ok(socket)
}

/// The wildcard-free local address of a slot.
pub(super) fn local(ip: IpAddr, port: u16, target: SocketAddr) -> SocketAddr {
    match (ip, target) {
        // A link-local address needs the scope of its target.
        (IpAddr::V6(v6), SocketAddr::V6(t)) if v6.is_unicast_link_local() => {
            std::net::SocketAddrV6::new(v6, port, 0, t.scope_id()).into()
        }
        (ip, _) => SocketAddr::new(ip, port),
    }
}

/// The unspecified address of a family, for a probe that never got a socket.
pub(super) fn unspecified(target: SocketAddr) -> SocketAddr {
    let ip = if target.is_ipv4() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    };
    SocketAddr::new(ip, 0)
}
