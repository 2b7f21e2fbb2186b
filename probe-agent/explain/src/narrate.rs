//! Puts a verdict into words: sentence, evidence and advice.

mod advice;
mod evidence;
mod sentence;
mod view;

use self::view::View;
use crate::timeline::Timeline;
use model::{
    claim::Claim,
    finding::Finding,
    flow,
    record::ProbeId,
    verdict::{Judgement, Verdict},
};

/// A judgement in words, made from its claims, which the caller puts into the finding. `all`: the claims of every
/// verdict of the probe; `expected`: whether the outcome is the expected one. The advice depends on both.
pub(crate) fn finding(
    timeline: &Timeline,
    judgement: Judgement,
    claims: &[Claim],
    all: &[Claim],
    expected: bool,
) -> Finding {
    let Judgement { verdict, proof } = judgement;
    let probe = &timeline.probe;
    let target = flow::remote(&probe.flow);
    let local_port = probe.flow.local_port;
    let view = |claims| View { claims, target, local_port };
    let (own, all) = (view(claims), view(all));
    Finding {
        verdict,
        proof,
        sentence: sentence::render(verdict, own),
        evidence: evidence::collect(probe, claims),
        advice: advice::choose(verdict, own, all, expected),
        link: link(timeline, verdict),
        claims: Vec::new(),
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
        Verdict::LateSynack => earlier.filter(|_| timeline.late_answer().is_none()),
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
