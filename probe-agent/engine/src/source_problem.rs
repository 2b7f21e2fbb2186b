//! Why no IPv6 address of this host can be used: asked only when a probe could not be started.

use std::{fs, net::SocketAddr};

use model::record::SourceProblem;

/// The IPv6 addresses of this thread's network namespace (`if6_seq_show`).
const FILE: &str = "/proc/thread-self/net/if_inet6";

/// `IFA_F_TENTATIVE` and `IFA_F_DADFAILED` (`linux/if_addr.h`).
const TENTATIVE: u32 = 0x40;
const DUPLICATE: u32 = 0x08;

/// The scope of a link-local address (`IPV6_ADDR_LINKLOCAL`), which leads to no other scope.
const LINK_LOCAL: u32 = 0x20;

/// What keeps this host from probing an address, given the errno of the attempt.
pub(crate) fn find(target: SocketAddr, errno: i32) -> SourceProblem {
    let is_of_source = matches!(
        errno,
        libc::EINVAL | libc::EADDRNOTAVAIL | libc::ENETUNREACH | libc::EHOSTUNREACH
    );
    if target.ip().to_canonical().is_ipv4() || !is_of_source {
        return SourceProblem::None;
    }
    fs::read_to_string(FILE).map_or(SourceProblem::None, |addresses| of(&addresses))
}

fn of(addresses: &str) -> SourceProblem {
    let flags = addresses.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(3);
        let mut number = || u32::from_str_radix(fields.next()?, 16).ok();
        let (scope, flags) = (number()?, number()?);
        (scope != LINK_LOCAL).then_some(flags)
    });
    let all = flags.fold(0, |all, flags| all | flags);
    if all & DUPLICATE != 0 {
        SourceProblem::Duplicate
    } else if all & TENTATIVE != 0 {
        SourceProblem::Tentative
    } else {
        SourceProblem::None
    }
}

#[cfg(test)]
mod tests {
    use model::record::SourceProblem;

    use super::of;

    const LOOPBACK: &str = "00000000000000000000000000000001 01 80 10 80       lo\n";
    const TENTATIVE_LINK: &str = "fe800000000000005054ff000000abcd 02 40 20 c0     eth0\n";

    #[test]
    fn a_tentative_global_address_is_found() {
        let global = "fd000000000000000000000000000009 02 40 00 c0     eth0\n";
        assert_eq!(of(&[LOOPBACK, global].concat()), SourceProblem::Tentative);
        let failed = "fd000000000000000000000000000009 02 40 00 c8     eth0\n";
        assert_eq!(of(&[LOOPBACK, failed].concat()), SourceProblem::Duplicate);
    }

    #[test]
    fn other_addresses_are_no_problem() {
        let usable = "fd000000000000000000000000000009 02 40 00 80     eth0\n";
        assert_eq!(of(&[LOOPBACK, TENTATIVE_LINK, usable].concat()), SourceProblem::None);
        assert_eq!(of("not a table"), SourceProblem::None);
    }
}
