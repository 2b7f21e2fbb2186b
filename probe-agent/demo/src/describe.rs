//! Faults in words.

use super::scenario::Injection;
use lab::{Action, Choice, End, Family, Fault, Reject, Segment};

/// What was injected, and how many segments nftables counted.
pub(super) fn injected(injection: &Injection, hits: u64) -> String {
    let times = if hits == 1 { "1 segment".to_owned() } else { format!("{hits} segments") };
    format!("{}: nftables counted {times}", fault(&injection.fault))
}

/// `the first RST of the close is lost in the network`.
fn fault(fault: &Fault) -> String {
    let which = match fault.choice {
        Choice::All => "every".to_owned(),
        Choice::First(1) => "the first".to_owned(),
        Choice::First(n) => format!("each of the first {n}"),
        Choice::Percent(p) => format!("{p} % at random of each"),
    };
    let segment = match fault.segment {
        Segment::Syn => "SYN",
        Segment::SynAck => "SYN-ACK",
        Segment::BareAck => "bare ACK",
        Segment::FirstRst => "RST of the close",
        Segment::RecoveryRst => "RST that the kernel sends afterwards",
        Segment::Rst => "RST",
    };
    let fate = match (fault.action, fault.place.end) {
        (Action::Drop, End::Server) => "is lost in the network",
        (Action::Drop, End::Client) => "is dropped by this host's own firewall",
        (Action::Reject(Reject::TcpReset), _) => "is rejected with a RST",
        (Action::Reject(Reject::HostUnreachable), _) => "is rejected with ICMP host unreachable",
        (Action::Reject(Reject::PortUnreachable), _) => "is rejected with ICMP port unreachable",
        (Action::Reject(Reject::AdminProhibited), _) => {
            "is rejected with ICMP administratively prohibited"
        }
        (Action::Count, _) => "is counted",
    };
    format!("{which} {segment} {fate}")
}

/// `IPv4` or `IPv6`.
pub(super) const fn family(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}
