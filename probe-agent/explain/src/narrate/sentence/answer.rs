//! Sentences about the answer that ended a probe. Only a segment that came from the target is the target's.

use super::{
    super::view::{View, address},
    confirmation,
};
use model::{
    claim::{Act, Party},
    errno::errno_text,
    human::Elapsed,
    icmp::IcmpError,
};

/// The target answered with a RST.
pub(super) fn refused(view: View<'_>) -> String {
    let refused = view.find(|claim| match claim.act {
        Act::Refused { after } => Some((address(claim)?, after)),
        _ => None,
    });
    refused.map_or_else(String::new, |(remote, after)| {
        format!("{remote} refused the connection after {}.{}", Elapsed(after), confirmation(view))
    })
}

/// A SYN-ACK, and then a RST.
pub(super) fn target_reset(view: View<'_>) -> String {
    let reset = view.find(|claim| match claim.act {
        Act::Reset { after, before_ours } => Some((address(claim)?, after, before_ours)),
        _ => None,
    });
    let Some((remote, after, before_ours)) = reset else { return String::new() };
    let after = after.map_or_else(String::new, |after| format!(" {} later", Elapsed(after)));
    let ours = if before_ours { " No RST of ours was needed." } else { "" };
    format!(
        "{remote} answered our SYN with a SYN-ACK after {} and reset the connection{after}: the target reset \
         it, not the agent.{ours}",
        Elapsed(view.answered().unwrap_or_default())
    )
}

/// A client connects to us from the port that we probe.
pub(super) fn simultaneous_open(view: View<'_>) -> String {
    let client = view.find(|claim| match claim.act {
        Act::SentSyn => address(claim),
        _ => None,
    });
    client.map_or_else(String::new, |remote| {
        format!(
            "{remote} answered our SYN with a SYN of its own, not with a SYN-ACK (simultaneous open): another \
             client there connects to us from that port. No server answered."
        )
    })
}

/// There is no way to the target, as somebody reported.
pub(super) fn unreachable(view: View<'_>) -> String {
    let reported = view.find(|claim| match claim.act {
        Act::SentIcmp(icmp) => Some(format!(
            "{} answered our SYN with {}: {}.",
            who(claim.party, icmp),
            icmp.protocol(),
            icmp.meaning()
        )),
        Act::ReportedUnreachable { errno } => Some(format!(
            "{}: {}.",
            if view.has(|act| *act == Act::SentNoSyn) {
                "This host reports"
            } else {
                "The kernel reports"
            },
            errno_text(errno).to_lowercase()
        )),
        _ => None,
    });
    format!("{} cannot be reached. {}", view.target, reported.unwrap_or_default())
}

/// A sender of ICMP.
fn who(party: Party, icmp: IcmpError) -> String {
    match party {
        Party::Agent | Party::ThisHost | Party::OtherNetns | Party::SomeNetns => match icmp.from {
            Some(ip) => format!("This host ({})", ip.to_canonical()),
            None => "This host".to_owned(),
        },
        Party::TargetHost(ip) => format!("The target's host ({ip})"),
        Party::Router(ip) => format!("Router {ip}"),
        Party::Target(address) | Party::OtherClient(address) | Party::Other(address) => {
            address.to_string()
        }
        Party::Unknown => "Somebody on the path".to_owned(),
    }
}
