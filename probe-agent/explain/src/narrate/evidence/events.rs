//! Kernel events as pieces of evidence.

use crate::{
    events::{describe, named},
    synack::SynAckKind,
    timeline::Timeline,
};
use model::{event::EventKind, finding::Evidence, human::Elapsed};

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
                    "{} {} on this flow, {after} after our RST{copy}",
                    timeline.probe.answer_hook(),
                    named(reason)
                )
            }
            EventKind::SynAckRetransmit if event.at >= closed => format!(
                "tcp_retransmit_synack by the server on this host, {} after our RST",
                Elapsed(event.at - closed)
            ),
            _ => continue,
        };
        evidence.push(Evidence { at: Some(event.at), text });
    }
    evidence
}
