//! A `confirmed` verdict names an observation that proves it: written down here once more, apart from the rules.

use crate::{synack::SynAckKind, timeline::Timeline};
use model::{
    claim::{Act, Assumption, Claim, Moment, Observation, Party, SocketCount},
    event::{EventKind, TcpState},
    finding::Finding,
    outcome::Outcome,
    segment::Segment,
    verdict::{Proof, Verdict},
};

/// From this long after the RST on, the SYN-ACK of a server with the usual timer would have come.
const USUAL_TIMER: u64 = 1_100_000_000;

/// What is wrong with the proof of a finding.
pub(super) fn fault(timeline: &Timeline, finding: &Finding) -> Option<String> {
    let Some(main) = finding.claims.iter().find(|claim| is_main(finding.verdict, claim)) else {
        return Some(format!("{:?} has no claim of its own", finding.verdict));
    };
    match (finding.proof, main.basis.assumption()) {
        (Proof::Confirmed, Some(Assumption::NotShown(reason))) => {
            Some(format!("{:?} is confirmed, and yet: {reason:?}", finding.verdict))
        }
        (Proof::Confirmed, Some(Assumption::SynAckAgain)) if finding.verdict != Verdict::Clean => {
            Some(format!("{:?} is confirmed by silence", finding.verdict))
        }
        (Proof::Confirmed, _) if !is_proved(timeline, finding, main) => {
            Some(format!("{:?} is confirmed, and nothing in its claim proves it", finding.verdict))
        }
        (Proof::Confirmed, _) if finding.claims.iter().any(|c| contradicts(finding.verdict, c)) => {
            Some(format!("{:?} is confirmed, and another claim contradicts it", finding.verdict))
        }
        (Proof::Inferred | Proof::Unknown, given)
            if !matches!(given, Some(Assumption::NotShown(_))) =>
        {
            Some(format!(
                "{:?} is not confirmed, and its claim has no reservation",
                finding.verdict
            ))
        }
        _ => None,
    }
}

/// The act that a verdict stands for.
fn is_main(verdict: Verdict, claim: &Claim) -> bool {
    match verdict {
        Verdict::AckLeaked => matches!(claim.act, Act::LeakedAck { .. }),
        Verdict::LocalDrop => {
            claim.party == Party::ThisHost
                && matches!(
                    claim.act,
                    Act::Dropped { .. } | Act::DroppedClose { .. } | Act::FailedToSendSyn { .. }
                )
        }
        Verdict::RstLostUnrecovered
        | Verdict::RstLostSynackRetransmit
        | Verdict::RstLostPortReuse => claim.act == Act::MissedRst,
        Verdict::StaleSynRecvChallengeAck | Verdict::StaleSynRecvReset => {
            matches!(claim.act, Act::Held { .. })
        }
        Verdict::ChallengeAck => {
            matches!(
                claim.act,
                Act::Held { .. } | Act::AnsweredAnotherSyn { is_synack: Some(true), .. }
            )
        }
        Verdict::TargetReset => matches!(claim.act, Act::Reset { .. }),
        Verdict::SimultaneousOpen => claim.act == Act::SentSyn,
        Verdict::LateSynack => {
            matches!(claim.act, Act::AnsweredLate { .. } | Act::AnsweredEarlierSyn { .. })
        }
        Verdict::SynRetransmitted => matches!(claim.act, Act::RetransmittedSyn { .. }),
        Verdict::Refused => matches!(claim.act, Act::Refused { .. }),
        Verdict::TimedOut => {
            matches!(claim.act, Act::ReceivedNothing { .. } | Act::Answered { .. })
        }
        Verdict::Unreachable => {
            matches!(claim.act, Act::SentIcmp(_) | Act::ReportedUnreachable { .. })
        }
        Verdict::LocalError => matches!(claim.act, Act::FailedToRun { .. }),
        Verdict::Clean => claim.act == Act::HoldsNothing,
    }
}

/// Whether a claim leaves a doubt about the verdict.
const fn contradicts(verdict: Verdict, claim: &Claim) -> bool {
    match verdict {
        Verdict::Refused | Verdict::Unreachable => {
            matches!(claim.act, Act::AnsweredAsWell { .. })
        }
        Verdict::Clean => matches!(
            claim.act,
            Act::SentSegment { .. }
                | Act::SentOtherSynAck
                | Act::SentCopy { .. }
                | Act::OfferedNoWindow
                | Act::RefusedLaterSyn
        ),
        _ => false,
    }
}

/// Whether the claim names what proves the verdict.
fn is_proved(timeline: &Timeline, finding: &Finding, main: &Claim) -> bool {
    let has = |wanted: fn(&Observation) -> bool| main.basis.observations().iter().any(wanted);
    let has_event = |wanted: &dyn Fn(&EventKind) -> bool| {
        main.basis
            .observations()
            .iter()
            .any(|o| matches!(o, Observation::Event(event) if wanted(&event.kind)))
    };
    let synack = |kind: &EventKind| match kind {
        EventKind::RstSent { socket: None, answers: Some(segment), .. }
        | EventKind::SynAckRetransmit { segment: Some(segment) } => segment.flags.is_synack(),
        EventKind::PacketDropped(drop) => !drop.outgoing && drop.segment.flags.is_synack(),
        _ => false,
    };
    let our_rst_dropped = |kind: &EventKind| {
        matches!(kind, EventKind::PacketDropped(drop)
            if drop.outgoing && drop.segment.flags.is_rst())
    };
    let in_syn_sent = |kind: &EventKind| {
        matches!(kind, EventKind::RstSent { socket: Some(TcpState::SynSent), answers: Some(_), .. })
    };
    match finding.verdict {
        Verdict::AckLeaked => has(|o| {
            matches!(o, Observation::Count { what: SocketCount::SegmentsOut, value: 2.., .. })
        }),
        Verdict::LocalDrop => has_event(&|kind| {
            matches!(kind, EventKind::PacketDropped(drop) if drop.is_here())
                || *kind == EventKind::SynRetransmit { error: -libc::EPERM }
        }),
        // A late SYN-ACK alone proves nothing: it must be one that was sent after our RST.
        Verdict::RstLostSynackRetransmit => main.basis.observations().iter().any(|o| {
            matches!(o, Observation::Event(event)
                if synack(&event.kind) && timeline.synack_kind(event.at) == SynAckKind::Retransmit)
        }),
        Verdict::RstLostPortReuse => {
            has(|o| matches!(o, Observation::Later { was_answered: true, .. }))
        }
        Verdict::RstLostUnrecovered => {
            has(|o| matches!(o, Observation::Later { was_answered: false, .. }))
                || has_event(&synack)
                || has_event(&our_rst_dropped)
        }
        Verdict::StaleSynRecvChallengeAck => {
            has_event(&in_syn_sent) && has(|o| matches!(o, Observation::Earlier(Some(_))))
        }
        Verdict::StaleSynRecvReset => {
            has(|o| matches!(o, Observation::Earlier(Some(_))))
                && has(|o| matches!(o, Observation::Confirmation { outcome: Outcome::Alive, .. }))
        }
        Verdict::ChallengeAck => has_event(&in_syn_sent),
        Verdict::TargetReset => has_event(&|kind| {
            *kind == EventKind::RstReceived
                || matches!(kind, EventKind::PacketDropped(drop)
                    if !drop.outgoing && drop.segment.flags.is_rst())
        }),
        Verdict::SimultaneousOpen => {
            has_event(&|kind| matches!(kind, EventKind::StateChange { .. }))
        }
        Verdict::LateSynack => has_event(&synack) || has_event(&in_syn_sent),
        Verdict::SynRetransmitted => {
            has_event(&|kind| *kind == EventKind::SynRetransmit { error: 0 })
        }
        Verdict::Refused => has_event(&|kind| *kind == EventKind::RstReceived),
        Verdict::TimedOut => has(|o| {
            matches!(
                o,
                Observation::NoSynAck { .. } | Observation::Recorded { moment: Moment::SynAck, .. }
            )
        }),
        Verdict::Unreachable => {
            has(|o| matches!(o, Observation::Icmp(_) | Observation::Errno(1..)))
        }
        Verdict::LocalError => has(|o| matches!(o, Observation::Errno(errno) if *errno != 0)),
        Verdict::Clean => {
            has(|o| matches!(o, Observation::Recorded { moment: Moment::Rst, .. }))
                && has(|o| match o {
                    Observation::CleanReuse => true,
                    Observation::NoAnswer { since, until } => until - since >= USUAL_TIMER,
                    _ => false,
                })
                && !came_again(timeline)
        }
    }
}

/// Whether anything shows a SYN-ACK of the handshake after the close.
fn came_again(timeline: &Timeline) -> bool {
    let is_ours = |segment: &Segment| {
        segment.flags.is_synack() && timeline.probe.syn_end() == Some(segment.ack)
    };
    timeline.events.iter().any(|event| {
        event.at >= timeline.probe.closed_at()
            && match event.kind {
                EventKind::RstSent { socket: None, answers, .. } => {
                    answers.is_none_or(|s| is_ours(&s))
                }
                EventKind::SynAckRetransmit { segment } => segment.is_none_or(|s| is_ours(&s)),
                EventKind::PacketDropped(drop) => !drop.outgoing && is_ours(&drop.segment),
                _ => false,
            }
    })
}
