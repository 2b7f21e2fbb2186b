//! Kernel events as pieces of evidence.

use crate::{synack::SynAckKind, timeline::Timeline};
use model::{
    event::{EventKind, RstReason},
    finding::Evidence,
    human::Elapsed,
};

/// The events of the wanted kinds, each with its hook and its time after the SYN.
pub(super) fn events(timeline: &Timeline, wanted: impl Fn(&EventKind) -> bool) -> Vec<Evidence> {
    let syn = timeline.probe.syn_at();
    let describe = |what: &EventKind| match what {
        EventKind::RstSent { socket, reason } => format!(
            "tcp_send_reset {} {}",
            socket.map_or("without a socket".to_owned(), |s| format!("in {s}")),
            named(*reason)
        ),
        EventKind::RstReceived => "tcp_receive_reset".to_owned(),
        EventKind::SynRetransmit { error: 0 } => "tcp_retransmit_skb of the SYN".to_owned(),
        EventKind::SynRetransmit { error } => {
            format!("tcp_retransmit_skb of the SYN, err={error}")
        }
        EventKind::StateChange { from, to } => {
            format!("{} {from} -> {to}", timeline.probe.state_hook.name())
        }
        EventKind::SegmentRetransmit { state } => format!("tcp_retransmit_skb in {state}"),
        EventKind::SynAckRetransmit => "tcp_retransmit_synack by the server".to_owned(),
        EventKind::AckHeldBack => "ack_guard held back an ACK".to_owned(),
    };
    timeline
        .events
        .iter()
        .filter(|e| wanted(&e.kind))
        .map(|e| Evidence {
            at: Some(e.at),
            text: format!(
                "{}, {} after the SYN",
                describe(&e.kind),
                Elapsed(e.at.saturating_sub(syn))
            ),
        })
        .collect()
}

/// The RSTs that answered SYN-ACKs after the close, and the SYN-ACKs themselves if the server is on this
/// host.
pub(super) fn late_rsts(timeline: &Timeline) -> Vec<Evidence> {
    let closed = timeline.probe.rst_at().unwrap_or(timeline.probe.ended_at);
    let mut evidence = Vec::new();
    for event in &timeline.events {
        let text = match event.kind {
            EventKind::RstSent { socket: None, reason } => {
                let copy = match timeline.synack_kind(event.at) {
                    SynAckKind::Duplicate => {
                        ": a second copy of the SYN-ACK, sent before our RST could arrive"
                    }
                    SynAckKind::LikelyRetransmit | SynAckKind::Retransmit => "",
                };
                let after = Elapsed(event.at.saturating_sub(closed));
                format!(
                    "tcp_send_reset {} on this flow, {after} after our RST{copy}",
                    named(reason)
                )
            }
            EventKind::SynAckRetransmit if event.at >= closed => format!(
                "tcp_retransmit_synack by the server on this host, {} after our RST",
                Elapsed(event.at - closed)
            ),
            EventKind::SynAckRetransmit
            | EventKind::RstSent { .. }
            | EventKind::StateChange { .. }
            | EventKind::RstReceived
            | EventKind::SynRetransmit { .. }
            | EventKind::AckHeldBack
            | EventKind::SegmentRetransmit { .. } => continue,
        };
        evidence.push(Evidence { at: Some(event.at), text });
    }
    evidence
}

/// The reset reason as the tracepoint prints it, if the kernel gives one.
fn named(reason: RstReason) -> String {
    if reason == RstReason::NONE {
        "(no reason given)".to_owned()
    } else {
        format!("reason={}", reason.0)
    }
}
