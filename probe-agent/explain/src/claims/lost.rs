//! A lost RST. No hook sees the loss itself: it is concluded from what the server did afterwards, or from the
//! drop of the RST.

use super::{
    basis::{events, follows, moment, or_end},
    clean::{copies, silence},
    dropped, dropped_rsts, target,
};
use crate::timeline::{Later, Timeline};
use model::{
    claim::{Act, Answers, Assumption, Basis, Claim, Moment, Observation, Owner, Party, Reason},
    event::EventKind,
    verdict::Verdict,
};

/// The claims of the three verdicts on a lost RST.
pub(super) fn lost(timeline: &Timeline, verdict: Verdict, why: Option<Reason>) -> Vec<Claim> {
    let drops = dropped_rsts(timeline);
    let signs = events(timeline, |e| timeline.is_retransmitted_synack(e));
    let later = timeline.later.map(|later| Observation::Later {
        id: later.id,
        at: later.at,
        was_answered: later.recovered,
        other_port: later.other_port,
    });
    let mut from: Vec<_> =
        drops.iter().flat_map(|claim| claim.basis.observations()).copied().collect();
    from.extend(signs.iter().copied());
    from.extend(later);
    let mut claims = drops;
    claims.push(follows(target(timeline), Act::MissedRst, or_end(from, timeline), why));
    claims.extend(match (timeline.later, later) {
        (Some(later), Some(met)) => met_later(timeline, later, met, why),
        _ => retransmitted(timeline, signs, why),
    });
    claims.extend(end(timeline, verdict, later, why));
    claims.extend(answers(timeline));
    claims.extend(copies(timeline));
    claims.extend(dropped(timeline, |drop| !drop.packet.outgoing && !drop.packet.is_here()));
    claims
}

/// Path B: a later probe met the stale connection.
fn met_later(
    timeline: &Timeline,
    later: Later,
    met: Observation,
    why: Option<Reason>,
) -> Vec<Claim> {
    let lasted = Some(since_rst(timeline, later.at));
    let act = Act::Held { of: Owner::ThisProbe, lasted, met_by: Some(later.id) };
    let mut claims = vec![follows(target(timeline), act, vec![met], why)];
    claims.extend(
        later
            .other_port
            .map(|other| Claim::concluded(Party::Unknown, Act::SharedPort { other }, vec![met])),
    );
    claims
}

/// Path A: the server sent its SYN-ACK again.
fn retransmitted(timeline: &Timeline, signs: Vec<Observation>, why: Option<Reason>) -> Vec<Claim> {
    let Some(last) = timeline.recoveries().last() else { return Vec::new() };
    let times = timeline.recoveries().count();
    let answered = timeline.retransmitted_synacks().filter(|late| late.is_answered).count();
    let after = since_rst(timeline, last);
    let answers = if timeline.answer_was_dropped(last) {
        Answers::LastDropped
    } else if answered == times {
        Answers::All
    } else {
        Answers::NotAll
    };
    let held = Act::Held { of: Owner::ThisProbe, lasted: Some(after), met_by: None };
    let again = Act::RetransmittedSynAck { times, after, answers };
    let party = target(timeline);
    vec![follows(party, held, signs.clone(), why), follows(party, again, signs, why)]
}

/// What became of the connection.
fn end(
    timeline: &Timeline,
    verdict: Verdict,
    later: Option<Observation>,
    why: Option<Reason>,
) -> Vec<Claim> {
    let party = target(timeline);
    let mut claims = Vec::new();
    if timeline.reuse_in_doubt {
        let by = vec![Observation::DoubtfulReuse];
        claims.push(Claim::seen(party, Act::RefusedLaterSyn, by));
    }
    let quiet = silence(timeline).filter(|_| timeline.later.is_none());
    claims.extend(quiet.clone());
    let mut from: Vec<_> = later.into_iter().collect();
    from.extend(quiet.iter().flat_map(|claim| claim.basis.observations()));
    let from = or_end(from, timeline);
    claims.push(match verdict {
        Verdict::RstLostPortReuse => follows(party, Act::HoldsNothing, from, why),
        Verdict::RstLostSynackRetransmit => {
            let silent = (!timeline.reused_cleanly).then_some(Assumption::SynAckAgain);
            let given = why.map(Assumption::NotShown).or(silent);
            Claim { party, act: Act::HoldsNothing, basis: Basis::Concluded { from, given } }
        }
        _ => Claim::concluded(party, Act::MayStillHold, from),
    });
    claims
}

/// The RSTs of our kernel that answered the SYN-ACKs.
fn answers(timeline: &Timeline) -> Vec<Claim> {
    let by = events(timeline, |e| {
        matches!(e.kind, EventKind::RstSent { socket: None, answers, .. }
            if timeline.acknowledges_syn(answers) && timeline.is_retransmitted_synack(e))
    });
    if by.is_empty() {
        return Vec::new();
    }
    vec![Claim::seen(Party::ThisHost, Act::AnsweredWithRst, by)]
}

/// How long after our RST.
fn since_rst(timeline: &Timeline, at: u64) -> u64 {
    match moment(&timeline.probe, Moment::Rst) {
        Observation::Recorded { at: rst, .. } | Observation::Clock { at: rst, .. } => {
            at.saturating_sub(rst)
        }
        _ => 0,
    }
}
