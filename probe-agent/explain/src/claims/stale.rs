//! A reply that belongs to another SYN than this probe's.

use super::{
    answer::{confirmation, refused_after},
    as_claims,
    basis::{count_of_retransmits, events, follows, or_end, shown},
    clean::answered,
    earlier::{met, owner, shared_port},
    retransmit::retransmits,
    target,
};
use crate::timeline::Timeline;
use model::{
    claim::{Act, Assumption, Basis, Claim, Owner, Party, Reason},
    event::EventKind,
};

/// Path B, on the later probe.
pub(super) fn challenged(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let act = Act::Held { of: owner(timeline), lasted: None, met_by: None };
    let mut claims = vec![follows(target(timeline), act, met(timeline), why)];
    claims.extend(shared_port(timeline));
    claims.extend(reply(timeline, why));
    claims
}

/// Path C: the stale connection refused the SYN.
pub(super) fn refused(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let mut from = met(timeline);
    let confirmed = confirmation(timeline);
    from.extend(confirmed.iter().flat_map(|claim| claim.basis.observations()));
    let act = Act::Held { of: owner(timeline), lasted: None, met_by: None };
    let mut claims = vec![refused_after(timeline, None), follows(target(timeline), act, from, why)];
    claims.extend(confirmed);
    claims
}

/// A connection that no probe of this run left.
pub(super) fn foreign(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let is_synack = timeline.stale_reply().is_some_and(|segment| segment.flags.is_synack());
    let mut claims = Vec::new();
    if !is_synack {
        let act = Act::Held { of: Owner::Unknown, lasted: None, met_by: None };
        claims.push(follows(target(timeline), act, met(timeline), why));
    }
    claims.extend(reply(timeline, why));
    if !is_synack {
        claims.extend(end(timeline));
    }
    claims
}

/// What the RST did to that connection.
fn end(timeline: &Timeline) -> Option<Claim> {
    let party = target(timeline);
    if timeline.stale_replies().len() > 1 {
        return None;
    }
    let drops = as_claims(timeline.dropped_foreign_rsts());
    if !drops.is_empty() {
        let from = drops.iter().flat_map(|claim| claim.basis.observations()).copied().collect();
        return Some(Claim::concluded(party, Act::StillHolds, from));
    }
    let from = events(timeline, |e| e.kind.answers_stale_reply());
    let basis = Basis::Concluded { from: or_end(from, timeline), given: Some(Assumption::Arrival) };
    Some(Claim { party, act: Act::HoldsNothing, basis })
}

/// The SYN-ACK came after the probe had timed out; or this probe met that of an earlier one.
pub(super) fn late_synack(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    if let Some(at) = timeline.late_answer() {
        let after = at.saturating_sub(timeline.probe.ended_at);
        let by = events(timeline, |e| {
            matches!(e.kind, EventKind::RstSent { socket: None, answers, .. }
                if timeline.acknowledges_syn(answers))
        });
        let act = Act::AnsweredLate { after };
        let mut claims = vec![
            shown(target(timeline), act, by.clone(), why),
            Claim::seen(Party::ThisHost, Act::AnsweredWithRst, by),
        ];
        if timeline.stale_reply_at().is_some() {
            let act = Act::Held { of: owner(timeline), lasted: None, met_by: None };
            claims.push(follows(target(timeline), act, met(timeline), why));
        }
        return claims;
    }
    let act = Act::AnsweredEarlierSyn { of: owner(timeline) };
    let mut claims = vec![follows(target(timeline), act, met(timeline), why)];
    claims.extend(shared_port(timeline));
    claims.extend(reply(timeline, why));
    claims
}

/// The reply, and what our kernel did then.
fn reply(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let by = events(timeline, |e| e.kind.answers_stale_reply());
    let read = timeline.stale_reply();
    let act = Act::AnsweredAnotherSyn {
        is_synack: read.map(|segment| segment.flags.is_synack()),
        times: timeline.stale_replies().len(),
    };
    // Without an owner, the verdict is about the reply itself.
    let is_main = owner(timeline) == Owner::Unknown;
    let mut claims = vec![match read {
        Some(_) => shown(target(timeline), act, by.clone(), why.filter(|_| is_main)),
        None => follows(target(timeline), act, or_end(by.clone(), timeline), why),
    }];
    claims.push(if by.is_empty() {
        let from = or_end(count_of_retransmits(timeline).into_iter().collect(), timeline);
        let why = why.or(Some(Reason::NoEvent));
        follows(Party::ThisHost, Act::AnsweredWithRst, from, why)
    } else {
        Claim::seen(Party::ThisHost, Act::AnsweredWithRst, by)
    });
    // The numbers of these RSTs are those of that connection.
    claims.extend(as_claims(timeline.dropped_foreign_rsts()));
    claims.extend(retransmits(timeline));
    if timeline.probe.handshake_ns().is_some() {
        claims.push(answered(timeline));
    }
    claims
}
