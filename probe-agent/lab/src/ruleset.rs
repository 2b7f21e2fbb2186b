//! Writes a fault as nftables commands.
//!
//! Each fault is a table of its own. One transaction adds or removes it, and it has its own counters.
//! There is no connection tracking, because that would drop segments for reasons of its own.
//!
//! "The first n" must be exact. `limit` refills with time and `quota` counts bytes, but
//! `numgen inc` is one atomic counter per rule that starts at 0 and counts the segments that reach
//! it. Its modulus is as large as possible, so it does not wrap around in a lab's lifetime.

use super::{Action, Choice, Fault, Hook, LabError, Reject, Result, Segment};

/// Counter of the segments that match, hit or not.
pub(super) const SEEN: &str = "seen";
/// Counter of the segments that are hit.
pub(super) const HIT: &str = "hit";

/// The commands that create table `table` for `fault`.
pub(super) fn create(table: &str, fault: &Fault) -> Result<String> {
    let hook = match fault.place.hook {
        Hook::Input => "input",
        Hook::Output => "output",
    };
    let flags = flags(fault.segment);
    let port = port(fault);
    let choice = choice(fault.choice)?;
    let verdict = verdict(fault.action);
    Ok(format!(
        "add table inet {table}\n\
         add counter inet {table} {SEEN}\n\
         add counter inet {table} {HIT}\n\
         add chain inet {table} segments {{ type filter hook {hook} priority 0 ; policy accept ; }}\n\
         add rule inet {table} segments {flags} {port}counter name {SEEN} {choice}counter name {HIT} {verdict}\n"
    ))
}

/// The command that removes table `table`.
pub(super) fn remove(table: &str) -> String {
    format!("delete table inet {table}\n")
}

const fn flags(segment: Segment) -> &'static str {
    match segment {
        Segment::Syn => "tcp flags & (syn | ack) == syn",
        Segment::SynAck => "tcp flags & (syn | ack) == (syn | ack)",
        Segment::BareAck => "tcp flags & (fin | syn | rst | psh | ack) == ack",
        Segment::FirstRst => "tcp flags & (rst | ack) == (rst | ack)",
        Segment::RecoveryRst => "tcp flags & (rst | ack) == rst",
        Segment::Rst => "tcp flags & rst == rst",
    }
}

fn port(fault: &Fault) -> String {
    let side = match fault.segment.sender() {
        super::End::Client => "dport",
        super::End::Server => "sport",
    };
    fault.port.map_or_else(String::new, |port| format!("tcp {side} {port} "))
}

fn choice(choice: Choice) -> Result<String> {
    match choice {
        // nft refuses a comparison that is always true.
        Choice::All | Choice::Percent(100) | Choice::First(u32::MAX) => Ok(String::new()),
        Choice::First(n) => Ok(format!("numgen inc mod {} < {n} ", u32::MAX)),
        Choice::Percent(p @ 0..100) => Ok(format!("numgen random mod 100 < {p} ")),
        Choice::Percent(p) => Err(LabError::Fault(format!("{p} % is more than all segments"))),
    }
}

const fn verdict(action: Action) -> &'static str {
    match action {
        Action::Drop => "drop",
        Action::Reject(Reject::TcpReset) => "reject with tcp reset",
        // "icmpx" chooses between ICMP and ICMPv6 by the packet.
        Action::Reject(Reject::HostUnreachable) => "reject with icmpx type host-unreachable",
        Action::Reject(Reject::PortUnreachable) => "reject with icmpx type port-unreachable",
        Action::Reject(Reject::AdminProhibited) => "reject with icmpx type admin-prohibited",
        Action::Count => "accept",
    }
}
