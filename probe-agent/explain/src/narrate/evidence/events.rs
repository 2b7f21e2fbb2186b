//! Kernel events as pieces of evidence.

use crate::{
    events::{describe, named},
    synack::SynAckKind,
    timeline::Timeline,
};
use model::{event::EventKind, finding::Evidence, human::Elapsed, packet_drop::PacketDrop};

/// The events of the wanted kinds, each with its hook and its time after the SYN.
pub(super) fn events(timeline: &Timeline, wanted: impl Fn(&EventKind) -> bool) -> Vec<Evidence> {
    let syn = timeline.probe.syn_at();
    timeline
        .events
        .iter()
        .filter(|e| wanted(&e.kind))
        .map(|e| Evidence {
            at: Some(e.at),
            text: format!(
                "{}, {} after the SYN",
                describe(timeline, e.kind),
                Elapsed(e.at.saturating_sub(syn))
            ),
        })
        .collect()
}

/// The RSTs that answered SYN-ACKs after the close, and the SYN-ACKs themselves if the server is on this
/// host.
pub(super) fn late_rsts(timeline: &Timeline) -> Vec<Evidence> {
    let (closed, since) = match timeline.probe.rst_at() {
        Some(at) => (at, "after our RST"),
        None => (timeline.probe.ended_at, "after the end of the probe"),
    };
    let mut evidence = Vec::new();
    for event in &timeline.events {
        let text = match event.kind {
            EventKind::RstSent { socket: None, reason, answers } => {
                if !timeline.acknowledges_syn(answers) {
                    continue;
                }
                let copy = match timeline.synack_kind(event.at) {
                    SynAckKind::Duplicate if timeline.probe.rst_at().is_some() => {
                        ": a second copy of the SYN-ACK, sent before our RST could arrive"
                    }
                    SynAckKind::Duplicate => "",
                    SynAckKind::LikelyRetransmit | SynAckKind::Retransmit => "",
                };
                let after = Elapsed(event.at.saturating_sub(closed));
                format!(
                    "{} {} on this flow, {after} {since}{copy}",
                    timeline.probe.answer_hook(),
                    named(reason)
                )
            }
            EventKind::SynAckRetransmit { segment }
                if event.at >= closed && timeline.acknowledges_syn(segment) =>
            {
                format!(
                    "tcp_retransmit_synack by the server on this host, {} {since}",
                    Elapsed(event.at - closed)
                )
            }
            _ => continue,
        };
        evidence.push(Evidence { at: Some(event.at), text });
    }
    evidence
}

/// The drops of the probe's packets that `is_wanted`.
pub(super) fn drops(timeline: &Timeline, is_wanted: impl Fn(&PacketDrop) -> bool) -> Vec<Evidence> {
    let syn = timeline.probe.syn_at();
    let wanted = timeline.drops().filter(|drop| is_wanted(&drop.packet));
    wanted
        .map(|drop| Evidence {
            at: Some(drop.at),
            text: format!(
                "{}, {} after the SYN",
                describe(timeline, EventKind::PacketDropped(drop.packet)),
                Elapsed(drop.at.saturating_sub(syn))
            ),
        })
        .collect()
}
