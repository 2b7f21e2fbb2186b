//! What the proof of a verdict lacks: a further sentence, unless the verdict is confirmed.

use crate::{
    synack::SynAckKind,
    timeline::{Coverage, Timeline},
};
use model::{
    human::Elapsed,
    verdict::{Judgement, Proof, Verdict},
};

/// What keeps a verdict from being confirmed.
pub(super) fn render(timeline: &Timeline, judgement: Judgement) -> String {
    let why = match (judgement.proof, timeline.coverage) {
        (Proof::Confirmed, _) => return String::new(),
        (Proof::Unknown, _) => {
            return " Kernel events were lost in the meantime, so this is not proved.".to_owned();
        }
        (Proof::Inferred, Coverage::None) => "no kernel event shows it",
        (Proof::Inferred, Coverage::Incomplete) => "not all kernel hooks are attached",
        (Proof::Inferred, Coverage::Full | Coverage::SocketsOnly | Coverage::EventsLost) => {
            match judgement.verdict {
                Verdict::RstLostPortReuse | Verdict::RstLostUnrecovered
                    if timeline.later.is_some() =>
                {
                    "the sequence numbers of the reply were not read"
                }
                Verdict::RstLostSynackRetransmit | Verdict::RstLostUnrecovered => {
                    let sign = timeline.recoveries().last().map(|at| timeline.synack_kind(at));
                    let unanswered = timeline
                        .retransmitted_synacks()
                        .last()
                        .is_some_and(|late| !late.is_answered);
                    if unanswered && timeline.coverage == Coverage::SocketsOnly {
                        "RSTs that no socket sends are not reported on this host"
                    } else if sign == Some(SynAckKind::Retransmit) {
                        "the probe was not followed for long enough to see whether the last RST arrived"
                    } else {
                        "judging by the round trip, that SYN-ACK could have left before our RST arrived"
                    }
                }
                Verdict::LateSynack if timeline.late_rsts().next().is_some() => {
                    "our SYN had also met a stale connection, and the late segment may be another answer \
                     from that"
                }
                Verdict::StaleSynRecvReset => "no known earlier probe left it",
                Verdict::StaleSynRecvChallengeAck | Verdict::LateSynack => {
                    "the sequence numbers of the reply were not read"
                }
                Verdict::ChallengeAck if timeline.stale_reply().is_some() => {
                    "it is not known whose SYN the reply acknowledges"
                }
                Verdict::ChallengeAck => {
                    "the reply's header was not read, and it may be a late SYN-ACK"
                }
                Verdict::TargetReset => "the socket's error shows it, and no RST was seen",
                Verdict::Refused => return refusal_reservation(timeline),
                Verdict::Unreachable if timeline.late_synacks().next().is_some() => {
                    return refusal_reservation(timeline);
                }
                Verdict::AckLeaked
                | Verdict::LocalDrop
                | Verdict::SimultaneousOpen
                | Verdict::RstLostPortReuse
                | Verdict::SynRetransmitted
                | Verdict::TimedOut
                | Verdict::Unreachable
                | Verdict::LocalError
                | Verdict::Clean => "no kernel event shows it",
            }
        }
    };
    format!(" This is inferred: {why}.")
}

fn refusal_reservation(timeline: &Timeline) -> String {
    if let Some(late) = timeline.late_synacks().next() {
        let why = match timeline.probe.icmp {
            Some(_) => "another path leads to the target, or to a device that answers in its place",
            None => {
                "two hosts answer for this address, or a firewall answered in the target's place"
            }
        };
        return format!(
            " But a SYN-ACK for the same SYN arrived {} after it: {why}.",
            Elapsed(late.at.saturating_sub(timeline.probe.closed_at()))
        );
    }
    match timeline.doubt().and_then(|e| Some((e.id?, e.ended_at))) {
        Some((id, ended_at)) => format!(
            " It may be false: probe {id} used the same port {} earlier, and its RST may have been lost. \
             No confirmation probe decided.",
            Elapsed(timeline.probe.syn_at().saturating_sub(ended_at))
        ),
        None if timeline.confirmation.is_some() => {
            " So the refusal remains unconfirmed.".to_owned()
        }
        None => " This is inferred from the socket error: no hook saw the RST.".to_owned(),
    }
}
