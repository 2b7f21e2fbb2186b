//! Sentences that name who did something: this host, the target, or somebody between the two. Only a
//! segment that came from the target is the target's.

use std::net::{IpAddr, SocketAddr};

use super::{answered, error, then_retransmitted};
use crate::{
    drops::{self, meaning, place, subject},
    timeline::Timeline,
};
use model::{flow, human::Elapsed, record::Closing};

/// A packet that this host dropped.
pub(super) fn local_drop(timeline: &Timeline) -> String {
    let Some(first) = timeline.local_drops().next() else {
        return "This host refused to send our SYN: a packet filter rule dropped it (EPERM)."
            .to_owned();
    };
    let packet = first.packet;
    let same = |drop: &drops::Drop| {
        drop.packet.reason == packet.reason
            && drop.packet.outgoing == packet.outgoing
            && drop.packet.segment.flags == packet.segment.flags
    };
    let times = match timeline.local_drops().filter(same).count() {
        1 => String::new(),
        n => format!(" {n} times"),
    };
    let consequence = if timeline.no_syn_left() {
        ". No SYN left this host, so the target did not take part"
    } else {
        ""
    };
    let refused =
        if timeline.was_refused_here() { ". The refusal came from this host, too" } else { "" };
    format!(
        "This host dropped {}{times}: {}{refused}{consequence}.",
        subject(&packet),
        meaning(&packet)
    )
}

/// Whose fault a SYN retransmit was.
pub(super) fn of_retransmit(timeline: &Timeline) -> String {
    match timeline.cause_of_silence() {
        Some(drop) => format!(
            "{} dropped {}, because {}",
            place(&drop.packet),
            subject(&drop.packet),
            meaning(&drop.packet)
        ),
        None => match timeline.early_retransmit() {
            Some(after) => format!(
                "after {}, long before the usual timer of 1 s. Either an answer came that our kernel did not \
                 accept, or this host's timer is shorter",
                Elapsed(after)
            ),
            None if timeline.server_answered() => {
                "the server received the SYN, and its SYN-ACK was lost, delayed or dropped on the way back"
                    .to_owned()
            }
            None => "the SYN or its answer was lost, delayed or dropped".to_owned(),
        },
    }
}

/// A challenge ACK of a connection that no probe of this run left.
pub(super) fn challenge_ack(timeline: &Timeline) -> String {
    let is_synack = timeline.stale_reply().is_some_and(|segment| segment.flags.is_synack());
    let remote = flow::remote(&timeline.probe.flow);
    if is_synack {
        return format!(
            "A SYN-ACK of {remote} that does not acknowledge our SYN reached our probe. Our kernel replied with \
             a RST{}. No probe that was still being followed had sent the SYN that it acknowledges.",
            then_retransmitted(timeline)
        );
    }
    format!(
        "Our SYN met a connection that {remote} still holds with this port, in whatever state: half-open, \
         established, closing. No probe that was still being followed had left it. {remote} answered with a \
         challenge ACK; our kernel replied with a RST{}. {}",
        then_retransmitted(timeline),
        if timeline.stale_replies().len() > 1 {
            "A further reply of that connection came, so the RST did not end it at once."
        } else if timeline.rst_was_seen_dropped() {
            "That RST was dropped, so the connection is still there."
        } else {
            "If that RST arrived, it ended the connection."
        }
    )
}

/// A SYN-ACK, and then a RST.
pub(super) fn target_reset(timeline: &Timeline) -> String {
    let remote = flow::remote(&timeline.probe.flow);
    let reset = timeline.rst_received_at().or(timeline.late_target_rst());
    let after = timeline.probe.handshake_ns().zip(reset).map_or_else(String::new, |(ns, at)| {
        format!(" {} later", Elapsed(at.saturating_sub(timeline.probe.syn_at() + ns)))
    });
    let ours = match timeline.probe.closing {
        Closing::ByKernel => " No RST of ours was needed.",
        Closing::Reset | Closing::Silent => "",
    };
    format!(
        "{remote} answered our SYN with a SYN-ACK after {} and reset the connection{after}: the target reset \
         it, not the agent.{ours}",
        answered(timeline).unwrap_or_default()
    )
}

/// The network or this host reported that there is no way to the target.
pub(super) fn unreachable(timeline: &Timeline) -> String {
    let remote = flow::remote(&timeline.probe.flow);
    let Some(icmp) = timeline.probe.icmp else {
        let whose = if timeline.probe.kernel.is_none() {
            "This host reports"
        } else {
            "The kernel reports"
        };
        return format!("{remote} cannot be reached. {whose}: {}.", error(timeline));
    };
    let who = match icmp.from {
        Some(ip) => sender(timeline, ip, remote),
        None => "Somebody on the path".to_owned(),
    };
    format!(
        "{remote} cannot be reached. {who} answered our SYN with {}: {}.",
        icmp.protocol(),
        icmp.meaning()
    )
}

fn sender(timeline: &Timeline, ip: IpAddr, remote: SocketAddr) -> String {
    let ip = ip.to_canonical();
    if ip == flow::local(&timeline.probe.flow).ip().to_canonical() {
        format!("This host ({ip})")
    } else if ip == remote.ip().to_canonical() {
        format!("The target's host ({ip})")
    } else {
        format!("Router {ip}")
    }
}
