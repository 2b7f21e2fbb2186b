//! What each verdict claims, and by which observation: the only source of its sentence, evidence and advice.

mod answer;
mod basis;
mod clean;
mod earlier;
mod here;
mod lost;
mod reason;
mod retransmit;
mod stale;

use self::here::limits;
use crate::timeline::{Coverage, Timeline};
use model::{
    claim::{Act, Claim, Gap, Observation, Party},
    verdict::{Judgement, Verdict},
};

/// The claims of a verdict on a probe, in the order in which a sentence states them.
pub(crate) fn claims(timeline: &Timeline, judgement: Judgement) -> Vec<Claim> {
    let why = reason::reason(timeline, judgement);
    let mut claims = match judgement.verdict {
        Verdict::Clean => clean::clean(timeline, why),
        Verdict::AckLeaked => here::leaked_ack(timeline),
        Verdict::LocalDrop => here::local_drop(timeline),
        Verdict::LocalError => here::local_error(timeline),
        Verdict::RstLostSynackRetransmit
        | Verdict::RstLostPortReuse
        | Verdict::RstLostUnrecovered => lost::lost(timeline, judgement.verdict, why),
        Verdict::StaleSynRecvChallengeAck => stale::challenged(timeline, why),
        Verdict::StaleSynRecvReset => stale::refused(timeline, why),
        Verdict::ChallengeAck => stale::foreign(timeline, why),
        Verdict::LateSynack => stale::late_synack(timeline, why),
        Verdict::TargetReset => answer::target_reset(timeline, why),
        Verdict::SimultaneousOpen => answer::simultaneous_open(timeline, why),
        Verdict::Refused => answer::refused(timeline, why),
        Verdict::Unreachable => answer::unreachable(timeline, why),
        Verdict::SynRetransmitted => retransmit::syn_retransmitted(timeline, why),
        Verdict::TimedOut => retransmit::timed_out(timeline, why),
    };
    claims.extend(of_every_verdict(timeline, judgement.verdict));
    claims
}

/// The claim that is the verdict itself: the others say how it came and what followed.
pub(crate) fn main_claim(verdict: Verdict, claims: &[Claim]) -> Option<&Claim> {
    claims.iter().find(|claim| match (verdict, &claim.act) {
        (Verdict::Clean, Act::HoldsNothing)
        | (Verdict::AckLeaked, Act::LeakedAck { .. })
        | (Verdict::LocalDrop, Act::FailedToSendSyn { .. })
        | (
            Verdict::RstLostSynackRetransmit
            | Verdict::RstLostPortReuse
            | Verdict::RstLostUnrecovered,
            Act::MissedRst,
        )
        | (
            Verdict::StaleSynRecvChallengeAck | Verdict::StaleSynRecvReset | Verdict::ChallengeAck,
            Act::Held { .. },
        )
        | (Verdict::ChallengeAck, Act::AnsweredAnotherSyn { is_synack: Some(true), .. })
        | (Verdict::TargetReset, Act::Reset { .. })
        | (Verdict::SimultaneousOpen, Act::SentSyn)
        | (Verdict::LateSynack, Act::AnsweredLate { .. } | Act::AnsweredEarlierSyn { .. })
        | (Verdict::SynRetransmitted, Act::RetransmittedSyn { .. })
        | (Verdict::Refused, Act::Refused { .. })
        | (Verdict::TimedOut, Act::ReceivedNothing { .. } | Act::Answered { .. })
        | (Verdict::Unreachable, Act::SentIcmp(_) | Act::ReportedUnreachable { .. })
        | (Verdict::LocalError, Act::FailedToRun { .. }) => true,
        (Verdict::LocalDrop, Act::Dropped { .. } | Act::DroppedClose { .. }) => {
            claim.party == Party::ThisHost
        }
        _ => false,
    })
}

/// What is true of the probe, whatever its verdict.
fn of_every_verdict(timeline: &Timeline, verdict: Verdict) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let Some(asked) = timeline.probe.redirected_from {
        let real = model::flow::remote(&timeline.probe.flow);
        let act = Act::Redirected { asked, real };
        claims.push(Claim::seen(Party::ThisHost, act, vec![Observation::Redirect { asked, real }]));
    }
    if let Some(translation) = timeline.probe.translation.as_deref() {
        let (real, of) = (translation.real, translation.of);
        let own = model::flow::local(&timeline.probe.flow).ip();
        let act = Act::Translates { real, is_here: real.ip().is_loopback() || real.ip() == own };
        let by = vec![Observation::Conntrack { real, of }];
        claims.push(Claim::seen(Party::ThisHost, act, by));
    }
    let errno = timeline.probe.errno;
    // A negative one is no error of a socket: the name did not resolve.
    if errno > 0 {
        let act = Act::ReportedError { errno };
        claims.push(Claim::seen(Party::ThisHost, act, vec![Observation::Errno(errno)]));
    }
    if let Some(gap) = gap(timeline).filter(|_| limits(timeline.coverage, verdict)) {
        claims.push(Claim::seen(Party::Agent, Act::Missed(gap), vec![Observation::Gap(gap)]));
    }
    claims
}

/// What the hooks could not see.
fn gap(timeline: &Timeline) -> Option<Gap> {
    Some(match timeline.coverage {
        Coverage::Full => return None,
        Coverage::SocketsOnly => Gap::SocketlessRsts,
        Coverage::Incomplete => Gap::HooksMissing,
        Coverage::EventsLost => Gap::EventsLost,
        Coverage::None => {
            Gap::NoTracing { retransmits: timeline.probe.tcp_info.map(|info| info.retransmits) }
        }
    })
}

/// The party that a place of drops is.
const fn party_at(place: model::packet_drop::DropPlace) -> Party {
    use model::packet_drop::DropPlace;
    match place {
        DropPlace::OurNetns => Party::ThisHost,
        DropPlace::OtherNetns => Party::OtherNetns,
        DropPlace::Unknown => Party::SomeNetns,
    }
}

/// Whoever sends from the target's address.
fn target(timeline: &Timeline) -> Party {
    Party::Target(model::flow::remote(&timeline.probe.flow))
}

/// The drops of our RSTs: that of the close by itself.
fn dropped_rsts(timeline: &Timeline) -> Vec<Claim> {
    let close = timeline.dropped_close();
    let mut claims: Vec<Claim> = close
        .map(|drop| {
            let event = Observation::Event(drop.event);
            let act = Act::DroppedClose { packet: drop.packet };
            Claim::seen(party_at(drop.packet.place), act, vec![event])
        })
        .into_iter()
        .collect();
    claims.extend(dropped(timeline, |drop| {
        drop.packet.outgoing && drop.packet.segment.flags.is_rst() && Some(*drop) != close
    }));
    claims
}

/// The drops that are wanted, as claims.
fn dropped(timeline: &Timeline, is_wanted: impl Fn(&crate::drops::Drop) -> bool) -> Vec<Claim> {
    as_claims(timeline.drops().filter(|drop| is_wanted(drop)))
}

/// Drops as claims: those of one kind, by the same party, are one claim.
fn as_claims(drops: impl Iterator<Item = crate::drops::Drop>) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    for drop in drops {
        let event = Observation::Event(drop.event);
        let party = party_at(drop.packet.place);
        let same = claims.iter_mut().find_map(|claim| match &mut claim.act {
            Act::Dropped { packet, times }
                if packet.reason == drop.packet.reason
                    && packet.outgoing == drop.packet.outgoing
                    && packet.segment.flags == drop.packet.segment.flags
                    && packet.place == drop.packet.place =>
            {
                Some((times, &mut claim.basis))
            }
            _ => None,
        });
        match same {
            Some((times, model::claim::Basis::Seen(by))) => {
                *times += 1;
                by.push(event);
            }
            _ => {
                let act = Act::Dropped { packet: drop.packet, times: 1 };
                claims.push(Claim::seen(party, act, vec![event]));
            }
        }
    }
    claims
}
