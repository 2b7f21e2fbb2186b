//! Puts a verdict into words: sentence, evidence and advice.

mod advice;
mod evidence;
mod sentence;

use crate::timeline::{StaleReply, Timeline};
use model::{
    finding::Finding,
    record::ProbeId,
    verdict::{Judgement, Verdict},
};

/// A judgement in words.
pub(crate) fn finding(timeline: &Timeline, judgement: Judgement) -> Finding {
    let Judgement { verdict, proof } = judgement;
    Finding {
        verdict,
        proof,
        sentence: sentence::render(timeline, judgement),
        evidence: evidence::collect(timeline, verdict),
        advice: advice::choose(timeline, verdict),
        link: link(timeline, verdict),
    }
}

/// The other probe involved in a verdict.
fn link(timeline: &Timeline, verdict: Verdict) -> Option<ProbeId> {
    let earlier = timeline.earlier.and_then(|e| e.id);
    match verdict {
        Verdict::RstLostPortReuse | Verdict::RstLostUnrecovered => timeline.later.map(|l| l.id),
        // With an earlier probe, a stale reply made the kernel retransmit the SYN.
        Verdict::StaleSynRecvChallengeAck
        | Verdict::StaleSynRecvReset
        | Verdict::SynRetransmitted => earlier,
        // Either its own answer was late, or the answer to an earlier probe's SYN.
        Verdict::LateSynack => earlier.filter(|_| timeline.late_rsts().next().is_none()),
        Verdict::AckLeaked
        | Verdict::LocalDrop
        | Verdict::ChallengeAck
        | Verdict::TargetReset
        | Verdict::SimultaneousOpen
        | Verdict::RstLostSynackRetransmit
        | Verdict::Refused
        | Verdict::TimedOut
        | Verdict::Unreachable
        | Verdict::LocalError
        | Verdict::Clean => None,
    }
}

/// Whether a second copy of an earlier probe's SYN-ACK reached this probe.
fn met_duplicate_synack(timeline: &Timeline) -> bool {
    timeline.earlier.is_some_and(|e| e.stale == StaleReply::DuplicateSynAck)
}
