//! Advice where somebody reported that there is no way to the target.

use super::super::view::View;
use model::claim::{Act, Party};

/// By who reported it, and what.
pub(super) fn unreachable(own: View<'_>) -> &'static str {
    let sent = own.find(|claim| match claim.act {
        Act::SentIcmp(icmp) => Some((claim.party, icmp)),
        _ => None,
    });
    let errno = own.find(|claim| match claim.act {
        Act::ReportedUnreachable { errno } => Some(errno),
        _ => None,
    });
    if own.has(|act| matches!(act, Act::AnsweredAsWell { .. })) {
        return "The target answers, on another path or after routes have changed. Compare the paths (traceroute), \
                and check the host that sent the ICMP message.";
    }
    match sent {
        Some((_, icmp)) if icmp.is_loop() => {
            "The packet went round in a routing loop, or its time to live is too small. Look at the path \
             (traceroute)."
        }
        Some((_, icmp)) if icmp.is_prohibited() => {
            "A firewall on the host that sent the ICMP message forbids the connection. Check its rules."
        }
        Some((_, icmp)) if icmp.is_port() => {
            "A firewall rejects the port with ICMP; a closed TCP port answers with a RST. Check the rules of the \
             host that sent it."
        }
        Some((Party::ThisHost, _)) => {
            "This host found no way itself: check the neighbour entry of the target or its gateway (ip neigh, ip \
             route get ADDRESS)."
        }
        Some(_) => {
            "Check the host that sent the ICMP message: does it have a route to the target, and does the target \
             answer it (ip neigh there)?"
        }
        None if errno == Some(libc::EACCES) => {
            "A `prohibit` route or rule forbids the target, or it is a broadcast address (ip route get ADDRESS, ip \
             rule)."
        }
        None if errno == Some(libc::EHOSTUNREACH) && own.has(|act| *act == Act::SentNoSyn) => {
            "No SYN left: a route of this host that is marked `unreachable` leads to the target (ip route get \
             ADDRESS)."
        }
        None if own.has(|act| *act == Act::SentNoSyn) => {
            "No SYN left: this host has no route for the address, an `unreachable` rule or a `throw` route leaves \
             none, or the link of the route is down (ip route get ADDRESS, ip rule, ip link)."
        }
        None => {
            "Check the route and the neighbour entry (ip route get ADDRESS, ip neigh), and look for a firewall \
             that rejects with ICMP."
        }
    }
}
