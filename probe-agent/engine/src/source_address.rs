//! Source addresses: which are valid, and which one the routing table chooses for a target.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket},
};

use rustix::net::connect_unspec;
use socket2::{Domain, Protocol, Socket, Type};

use super::settings::SocketSettings;

/// The address family of the socket that probes an address. An IPv4-mapped IPv6 address needs an
/// `AF_INET6` socket.
pub(super) fn domain(address: SocketAddr) -> Domain {
    if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 }
}

/// An address that no host can send from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is the wildcard, a multicast or a broadcast address")]
pub struct InvalidSource(pub IpAddr);

/// Whether an address can belong to a host at all, be it this one or another.
#[must_use]
pub fn is_unicast(ip: IpAddr) -> bool {
    let wire = ip.to_canonical();
    let is_broadcast = wire == IpAddr::V4(Ipv4Addr::BROADCAST);
    !(wire.is_unspecified() || wire.is_multicast() || is_broadcast)
}

/// Rejects a source address that cannot belong to a host, or that is the broadcast address of a network of
/// the calling thread's namespace: the kernel lets a socket bind to that, and then sends from another
/// address.
///
/// # Errors
/// If it is such an address.
pub fn check(ip: IpAddr) -> Result<(), InvalidSource> {
    if !is_unicast(ip) {
        return Err(InvalidSource(ip));
    }
    // The kernel connects a UDP socket to a broadcast address only if SO_BROADCAST is set
    // (ip_route_connect); this sends nothing. A route that prohibits the address fails both attempts.
    let connect_udp = |ip, broadcast| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_broadcast(broadcast)?;
        socket.connect((ip, 9))
    };
    match ip.to_canonical() {
        IpAddr::V4(v4)
            if connect_udp(v4, false).is_err_and(|e| e.raw_os_error() == Some(libc::EACCES))
                && connect_udp(v4, true).is_ok() =>
        {
            Err(InvalidSource(ip))
        }
        IpAddr::V4(_) | IpAddr::V6(_) => Ok(()),
    }
}

/// Sets the socket options that must be set before `bind()`.
pub(super) fn set_options(socket: &Socket, settings: &SocketSettings, v6: bool) -> io::Result<()> {
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
        // IP_FREEBIND affects bind() only. The route lookup of an IPv4 socket still fails (ENETUNREACH)
        // if the source is not local, unless IP_TRANSPARENT is set (ip_route_output_key_hash_rcu).
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

/// Finds source addresses through the routing table, with one socket for each address family: one socket
/// for each of 100,000 targets would be a third of the cost of their first probes.
#[derive(Debug, Default)]
pub(super) struct RouteLookup {
    v4: Option<Socket>,
    v6: Option<Socket>,
    last_check: Option<RemovalCheck>,
}

/// Whether a source address has been removed.
#[derive(Clone, Copy, Debug)]
struct RemovalCheck {
    ip: IpAddr,
    removed: bool,
    /// The result is valid until this time.
    until: u64,
}

/// How long the result of a [`RemovalCheck`] is valid, in nanoseconds: thousands of probes from one
/// address may fail at once.
const CHECK_VALIDITY: u64 = 10_000_000;

impl RouteLookup {
    /// The source address for a target: the one of the settings, or the one that the routing table chooses
    /// (a UDP `connect()` looks up the route and sends nothing).
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
                    None => udp_socket(target, settings)?,
                };
                socket.connect(&target.into())?;
                let local = socket.local_addr()?.as_socket();
                // Without this disconnect, the socket would keep its address for the next target. The
                // disconnect also clears the interface (__udp_disconnect), so a socket that is bound to an
                // interface is made anew each time.
                if settings.interface.is_none() && connect_unspec(&socket).is_ok() {
                    *kept = Some(socket);
                }
                let ip = local.map(|a| a.ip()).ok_or(io::ErrorKind::AddrNotAvailable)?;
                // So it is if no other address is usable yet, because all are tentative. No answer would come.
                if ip == IpAddr::V6(Ipv6Addr::LOCALHOST) && !target.ip().is_loopback() {
                    return Err(io::Error::from_raw_os_error(libc::EINVAL));
                }
                ip
            }
        };
        Ok(match ip {
            // The socket of an IPv4-mapped target is AF_INET6 and binds to the mapped form.
            IpAddr::V4(v4) if v6 => IpAddr::V6(v4.to_ipv6_mapped()),
            ip => ip,
        })
    }

    /// Whether the source address that a target was probed from has been removed from this host. Called
    /// only after a failure.
    pub(super) fn is_removed(
        &mut self,
        ip: IpAddr,
        target: SocketAddr,
        settings: &SocketSettings,
        now: u64,
    ) -> bool {
        if let Some(last) = self.last_check
            && last.ip == ip
            && now < last.until
        {
            return last.removed;
        }
        let bound = udp_socket(target, settings).and_then(|s| s.bind(&local(ip, 0, target).into()));
        let removed = bound.is_err_and(|error| error.raw_os_error() == Some(libc::EADDRNOTAVAIL));
        self.last_check = Some(RemovalCheck { ip, removed, until: now + CHECK_VALIDITY });
        removed
    }
}

fn udp_socket(target: SocketAddr, settings: &SocketSettings) -> io::Result<Socket> {
    let socket = Socket::new(domain(target), Type::DGRAM, Some(Protocol::UDP))?;
    set_options(&socket, settings, target.is_ipv6())?;
    Ok(socket)
}

/// The address and port that a slot's socket is bound to.
pub(super) fn local(ip: IpAddr, port: u16, target: SocketAddr) -> SocketAddr {
    match (ip, target) {
        // A link-local address needs the scope of its target.
        (IpAddr::V6(v6), SocketAddr::V6(t)) if v6.is_unicast_link_local() => {
            SocketAddrV6::new(v6, port, 0, t.scope_id()).into()
        }
        (ip, _) => SocketAddr::new(ip, port),
    }
}

/// The unspecified address of a target's family, for a probe that never got a socket.
pub(super) fn unspecified(target: SocketAddr) -> SocketAddr {
    let ip = if target.is_ipv4() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    };
    SocketAddr::new(ip, 0)
}
