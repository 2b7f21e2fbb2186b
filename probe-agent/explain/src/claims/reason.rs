//! What the proof of a verdict lacks.

use crate::{
    synack::SynAckKind,
    timeline::{Coverage, Timeline},
};
use model::{
    claim::Reason,
    verdict::{Judgement, Proof, Verdict},
};

/// What keeps a verdict from being confirmed; `None` if nothing does.
pub(super) fn reason(timeline: &Timeline, judgement: Judgement) -> Option<Reason> {
    Some(match (judgement.proof, timeline.coverage) {
        (Proof::Confirmed, _) => return None,
        (Proof::Unknown, Coverage::None) => Reason::NoTracing,
        (Proof::Unknown, _) => Reason::EventsLost,
        (Proof::Inferred, _) if judgement.verdict == Verdict::Clean => clean(timeline),
        (Proof::Inferred, Coverage::None) => Reason::NoEvent,
        (Proof::Inferred, Coverage::Incomplete) => Reason::HooksMissing,
        (Proof::Inferred, Coverage::Full | Coverage::SocketsOnly | Coverage::EventsLost) => {
            of_its_own(timeline, judgement.verdict)
        }
    })
}

/// A reason that the verdict itself has, although all hooks were attached.
fn of_its_own(timeline: &Timeline, verdict: Verdict) -> Reason {
    match verdict {
        Verdict::RstLostPortReuse | Verdict::RstLostUnrecovered if timeline.later.is_some() => {
            Reason::NumbersNotRead
        }
        Verdict::RstLostSynackRetransmit | Verdict::RstLostUnrecovered => lost(timeline),
        Verdict::LateSynack if timeline.late_answer().is_some() => Reason::MayBeStale,
        Verdict::StaleSynRecvReset => Reason::UnknownOwner,
        Verdict::StaleSynRecvChallengeAck | Verdict::LateSynack => Reason::NumbersNotRead,
        Verdict::ChallengeAck if timeline.stale_reply().is_some() => Reason::UnknownSyn,
        Verdict::ChallengeAck => Reason::ReplyNotRead,
        Verdict::TargetReset => Reason::ErrnoOnly,
        Verdict::Refused | Verdict::Unreachable => refused(timeline, verdict),
        Verdict::AckLeaked
        | Verdict::LocalDrop
        | Verdict::SimultaneousOpen
        | Verdict::RstLostPortReuse
        | Verdict::SynRetransmitted
        | Verdict::TimedOut
        | Verdict::LocalError
        | Verdict::Clean => Reason::NoEvent,
    }
}

fn lost(timeline: &Timeline) -> Reason {
    let sign = timeline.recoveries().last().map(|at| timeline.synack_kind(at));
    let last = timeline.retransmitted_synacks().last();
    if last.is_some_and(|late| !late.is_answered) && timeline.coverage == Coverage::SocketsOnly {
        Reason::SocketlessRsts
    } else if sign == Some(SynAckKind::Retransmit) {
        Reason::NotFollowed
    } else {
        Reason::MayHaveCrossed
    }
}

fn refused(timeline: &Timeline, verdict: Verdict) -> Reason {
    if let Some(late) = timeline.late_synacks().next() {
        let after = late.at.saturating_sub(timeline.probe.closed_at());
        let is_icmp = timeline.probe.icmp.is_some();
        return Reason::Contradicted { after, is_icmp };
    }
    if verdict == Verdict::Unreachable {
        return Reason::NoEvent;
    }
    match timeline.doubt().and_then(|e| Some((e.id?, e.ended_at))) {
        Some((id, ended_at)) => {
            let before = timeline.probe.syn_at().saturating_sub(ended_at);
            Reason::EarlierProbe { id, before }
        }
        None if timeline.confirmation.is_some() => Reason::Undecided,
        None => Reason::ErrnoOnly,
    }
}

/// The most telling reason comes first.
fn clean(timeline: &Timeline) -> Reason {
    let is_observed = matches!(timeline.coverage, Coverage::Full | Coverage::EventsLost);
    match timeline.coverage {
        Coverage::SocketsOnly => Reason::SocketlessRsts,
        Coverage::Incomplete => Reason::HooksMissing,
        _ if timeline.reuse_in_doubt => Reason::DoubtfulReuse,
        _ if timeline.late_segments().next().is_some() => Reason::FurtherSegment,
        _ if timeline.late_synacks().any(|late| !late.is_repeated) => Reason::OtherSynAck,
        _ if timeline.late_synacks().next().is_some() || timeline.copy_met.is_some() => {
            Reason::SecondCopy
        }
        _ if is_observed && timeline.probe.kernel.is_some_and(|k| k.rst_sent_at == 0) => {
            Reason::CloseNotSeen
        }
        _ if timeline.probe.has_no_window() => Reason::Proxy,
        Coverage::None => Reason::NoEvent,
        _ => Reason::NotFollowed,
    }
}
