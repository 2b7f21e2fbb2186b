//! Source addresses and source ports.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{settings::SocketSettings, slot};

/// The address family of the socket that probes an address. An IPv4-mapped IPv6 address keeps an
/// `AF_INET6` socket.
pub(super) fn domain(address: SocketAddr) -> Domain {
    if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 }
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
                if settings.interface.is_none() && slot::disconnect(&socket).is_ok() {
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

/// The ports that this host gives to outgoing connections (`net.ipv4.ip_local_port_range` of the
/// calling thread's network namespace), or the kernel's default where it cannot be read.
pub fn ephemeral_ports() -> RangeInclusive<u16> {
    let parse = |text: String| {
        let mut words = text.split_whitespace().map(str::parse::<u16>);
        Some(words.next()?.ok()?..=words.next()?.ok()?)
    };
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(parse)
        .filter(|range| !range.is_empty())
        .unwrap_or(32_768..=60_999)
}

/// Hands out source ports, each once, from a place of chance and in steps of chance: two agents on
/// one host do not try the same ones, and one that meets a port of the other does not meet all of
/// the other's thousands in a row.
#[derive(Debug)]
pub(super) struct Ports {
    range: RangeInclusive<u16>,
    next: u32,
    /// Has no divisor in common with the size of the range, so that every port has its turn.
    step: u32,
    left: u32,
    returned: Vec<u16>,
}

impl Ports {
    /// Ports of a range; `seed` chooses where to start and how to go on.
    pub(super) fn new(range: RangeInclusive<u16>, seed: u64) -> Self {
        let size = u32::from(*range.end()) - u32::from(*range.start()) + 1;
        let next = u32::try_from(seed % u64::from(size)).unwrap_or(0);
        let wish = u32::try_from(seed / u64::from(size) % u64::from(size)).unwrap_or(0);
        let step = (wish.max(1)..).find(|step| coprime(*step, size)).unwrap_or(1);
        Self { range, next, step, left: size, returned: Vec::new() }
    }

    /// The next port that has not been handed out; `None` when all have been.
    pub(super) fn take(&mut self) -> Option<u16> {
        if self.left == 0 {
            return self.returned.pop();
        }
        self.left -= 1;
        let size = u32::from(*self.range.end()) - u32::from(*self.range.start()) + 1;
        let port = u32::from(*self.range.start()) + self.next;
        self.next = (self.next + self.step) % size;
        u16::try_from(port).ok()
    }

    /// Takes a port back, to be tried again when all others have been: it was in use.
    pub(super) fn give_back(&mut self, port: u16) {
        self.returned.insert(0, port);
    }

    /// How many could still be handed out.
    pub(super) fn left(&self) -> usize {
        self.left as usize + self.returned.len()
    }
}

fn coprime(mut a: u32, mut b: u32) -> bool {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

/// Cuts a range of ports into as equal parts as possible, one for each of `parts` workers; a range
/// smaller than that gives fewer.
#[must_use]
pub fn split(range: &RangeInclusive<u16>, parts: u32) -> Vec<RangeInclusive<u16>> {
    let (start, size) = (u32::from(*range.start()), u32::try_from(range.len()).unwrap_or(0));
    let cut = |n: u32| start + size * n / parts.max(1);
    (0..parts)
        .filter(|&n| cut(n) < cut(n + 1))
        .filter_map(|n| Some(u16::try_from(cut(n)).ok()?..=u16::try_from(cut(n + 1) - 1).ok()?))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::{Ports, split};

    #[test]
    fn every_port_is_handed_out_once_and_used_ones_come_again_last() {
        let mut ports = Ports::new(10..=13, 2);
        let first = ports.take().unwrap();
        assert_eq!(first, 12);
        ports.give_back(first);
        let rest: Vec<u16> = std::iter::from_fn(|| ports.take()).collect();
        assert_eq!(rest, [13, 10, 11, 12]);
    }

    #[test]
    fn every_port_has_its_turn_whatever_the_seed() {
        for seed in 0..200 {
            for range in [7..=7, 10..=11, 100..=159, 40_000..=40_096] {
                let mut ports = Ports::new(range.clone(), seed);
                let mut all: Vec<u16> = std::iter::from_fn(|| ports.take()).collect();
                all.sort_unstable();
                assert_eq!(all, range.collect::<Vec<u16>>(), "{seed}");
            }
        }
    }

    #[test]
    fn two_agents_do_not_follow_each_other() {
        let taken = |seed| {
            let mut ports = Ports::new(32_768..=60_999, seed);
            (0..8_192).map_while(|_| ports.take()).collect::<Vec<u16>>()
        };
        // Minutes after boot, and half a second apart.
        let (first, second) = (taken(300_000_000), taken(300_500_000));
        let first: std::collections::HashSet<u16> = first.into_iter().collect();
        let in_a_row = second.split(|port| !first.contains(port)).map(<[u16]>::len).max();
        assert!(in_a_row.unwrap() < 100, "{in_a_row:?}");
    }

    #[test]
    fn a_split_covers_the_range_once() {
        for (range, parts) in [(10..=19, 3), (1..=65_535, 2), (5..=5, 1), (5..=6, 4)] {
            let covered: Vec<u16> = split(&range, parts).into_iter().flatten().collect();
            assert_eq!(covered, range.collect::<Vec<u16>>());
        }
    }
}
