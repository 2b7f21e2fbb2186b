//! The order in which a client would try the addresses of a name (RFC 6724, section 6).

use std::{
    cmp::Reverse,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
};

/// Sorts addresses, the one that a client would try first to the front. Addresses of equal rank keep their
/// order: name servers shuffle them to spread the load.
pub(super) fn sort(addresses: &mut [IpAddr]) {
    addresses.sort_by_cached_key(|ip| rank(*ip, source(*ip)));
}

/// The source address that the kernel would use; `None` if there is no route.
fn source(ip: IpAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // The connect() looks up the route and sends nothing.
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((ip, 9)).ok()?;
    socket.local_addr().ok().map(|local| local.ip())
}

/// The rules 1, 2, 5, 6 and 8; less is better.
fn rank(ip: IpAddr, source: Option<IpAddr>) -> (bool, bool, bool, Reverse<u8>, u8) {
    let (precedence, label) = policy(ip);
    let same_scope = source.is_some_and(|source| scope(source) == scope(ip));
    let same_label = source.is_some_and(|source| policy(source).1 == label);
    (source.is_none(), !same_scope, !same_label, Reverse(precedence), scope(ip))
}

/// Precedence and label (section 2.1).
fn policy(ip: IpAddr) -> (u8, u8) {
    let IpAddr::V6(v6) = ip.to_canonical() else { return (35, 4) };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => (50, 0),
        [0x2002, ..] => (30, 2),
        [0x2001, 0, ..] => (5, 5),
        [0xfc00..=0xfdff, ..] => (3, 13),
        [0xfec0..=0xfeff, ..] => (1, 11),
        [0x3ffe, ..] => (1, 12),
        _ => (40, 1),
    }
}

/// The scope (section 3.1): link-local 2, site-local 5, global 14.
fn scope(ip: IpAddr) -> u8 {
    match ip.to_canonical() {
        IpAddr::V4(v4) if v4.is_loopback() || v4.is_link_local() => 2,
        IpAddr::V4(_) => 14,
        IpAddr::V6(v6) if v6.is_loopback() || v6.is_unicast_link_local() => 2,
        IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfec0 => 5,
        IpAddr::V6(_) => 14,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::rank;

    /// Addresses with the source address for each, the best first (section 10.2).
    #[test]
    fn the_examples_of_the_standard() {
        for better_first in [
            [("2001:db8:1::1", Some("2001:db8:1::2")), ("198.51.100.121", Some("169.254.13.78"))],
            [("198.51.100.121", Some("198.51.100.117")), ("2001:db8:1::1", Some("fe80::1"))],
            [("2001:db8:1::1", Some("2001:db8:1::2")), ("10.1.2.3", Some("10.1.2.4"))],
            [("fe80::1", Some("fe80::2")), ("2001:db8:1::1", Some("2001:db8:1::2"))],
            [("10.1.2.3", Some("10.1.2.4")), ("2001:db8:1::1", None)],
            [("::1", Some("::1")), ("127.0.0.1", Some("127.0.0.1"))],
            [("10.1.2.3", Some("10.1.2.4")), ("2001:db8:1::1", Some("fd00::1"))],
        ] {
            let [better, worse] = better_first.map(|(ip, source)| {
                let parse = |text: &str| text.parse::<IpAddr>().unwrap();
                rank(parse(ip), source.map(parse))
            });
            assert!(better < worse, "{better_first:?}");
        }
    }
}
