//! What on this host keeps a probe from starting: asked only when one could not be started.

use std::{
    fs, io,
    net::{SocketAddr, UdpSocket},
};

use model::record::StartProblem;

use crate::settings::SocketSettings;

/// The IPv6 addresses of this thread's network namespace (`if6_seq_show`).
const FILE: &str = "/proc/thread-self/net/if_inet6";

/// `IFA_F_TENTATIVE` and `IFA_F_DADFAILED` (`linux/if_addr.h`).
const TENTATIVE: u32 = 0x40;
const DUPLICATE: u32 = 0x08;

/// Ports below need `CAP_NET_BIND_SERVICE`, unless `net.ipv4.ip_unprivileged_port_start` is lower.
const FIRST_UNPRIVILEGED_PORT: u16 = 1024;

/// The scope of a link-local address (`IPV6_ADDR_LINKLOCAL`), which leads to no other scope.
const LINK_LOCAL: u32 = 0x20;

/// That of the loopback address (`IPV6_ADDR_LOOPBACK`).
const HOST: u32 = 0x10;

/// What keeps this host from probing an address, given the errno of the attempt.
pub(crate) fn find(target: SocketAddr, errno: i32, settings: &SocketSettings) -> StartProblem {
    match errno {
        libc::EACCES => {
            let lowest = settings.ports.as_ref().map_or(u16::MAX, |ports| *ports.start());
            if let Some(problem) = destination(target) {
                problem
            } else if lowest < FIRST_UNPRIVILEGED_PORT {
                StartProblem::PrivilegedPort
            } else {
                StartProblem::None
            }
        }
        // The options that need a privilege give it, too.
        libc::EPERM
            if settings.mark.is_none() && settings.interface.is_none() && !settings.freebind =>
        {
            StartProblem::Policy
        }
        libc::EADDRINUSE | libc::EAGAIN => match settings.are_ports_chosen {
            true => StartProblem::NoFreeSourcePort,
            false => StartProblem::NoFreePort,
        },
        libc::EINVAL | libc::EADDRNOTAVAIL | libc::ENETUNREACH | libc::EHOSTUNREACH
            if settings.source.is_none() && !target.ip().to_canonical().is_ipv4() =>
        {
            // Without IPv6 there is no such file.
            of(&fs::read_to_string(FILE).unwrap_or_default())
        }
        _ => StartProblem::None,
    }
}

/// What is wrong with an address that the kernel refuses with `EACCES`. To a broadcast address it connects a UDP
/// socket with `SO_BROADCAST` only (`ip_route_connect`), to one with a `prohibit` route never. This sends
/// nothing.
fn destination(target: SocketAddr) -> Option<StartProblem> {
    let refuses = |broadcast| {
        let connect = || {
            let socket = UdpSocket::bind(if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
            if target.is_ipv4() {
                socket.set_broadcast(broadcast)?;
            }
            socket.connect(target)
        };
        connect().is_err_and(|error: io::Error| error.raw_os_error() == Some(libc::EACCES))
    };
    match (refuses(false), refuses(true)) {
        (true, false) => Some(StartProblem::Broadcast),
        (true, true) => Some(StartProblem::Prohibited),
        (false, _) => None,
    }
}

fn of(addresses: &str) -> StartProblem {
    let of_line = |line: &str| {
        let mut fields = line.split_whitespace().skip(3);
        let mut number = || u32::from_str_radix(fields.next()?, 16).ok();
        Some((number()?, number()?))
    };
    // Those of scope 0 lead anywhere.
    let global: Vec<u32> = addresses
        .lines()
        .filter_map(of_line)
        .filter(|(scope, _)| *scope != LINK_LOCAL && *scope != HOST)
        .map(|(_, flags)| flags)
        .collect();
    let all = global.iter().fold(0, |all, flags| all | flags);
    if global.is_empty() {
        StartProblem::NoIpv6
    } else if all & DUPLICATE != 0 {
        StartProblem::Duplicate
    } else if all & TENTATIVE != 0 {
        StartProblem::Tentative
    } else {
        StartProblem::None
    }
}

#[cfg(test)]
mod tests {
    use model::record::StartProblem;

    use super::of;

    const LOOPBACK: &str = "00000000000000000000000000000001 01 80 10 80       lo\n";
    const TENTATIVE_LINK: &str = "fe800000000000005054ff000000abcd 02 40 20 c0     eth0\n";

    #[test]
    fn a_tentative_global_address_is_found() {
        let global = "fd000000000000000000000000000009 02 40 00 c0     eth0\n";
        assert_eq!(of(&[LOOPBACK, global].concat()), StartProblem::Tentative);
        let failed = "fd000000000000000000000000000009 02 40 00 c8     eth0\n";
        assert_eq!(of(&[LOOPBACK, failed].concat()), StartProblem::Duplicate);
    }

    #[test]
    fn other_addresses_are_no_problem() {
        let usable = "fd000000000000000000000000000009 02 40 00 80     eth0\n";
        assert_eq!(of(&[LOOPBACK, TENTATIVE_LINK, usable].concat()), StartProblem::None);
        assert_eq!(of(LOOPBACK), StartProblem::NoIpv6);
        assert_eq!(of(""), StartProblem::NoIpv6);
    }
}
