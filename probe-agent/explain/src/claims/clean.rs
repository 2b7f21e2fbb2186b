//! `clean`: answered, reset, and the server holds nothing.

use super::{
    basis::{follows, moment, observed},
    dropped_rsts, party_at, target,
};
use crate::timeline::{Coverage, Timeline};
use model::{
    claim::{Act, Assumption, Basis, Claim, Moment, Observation, Party, Reason},
    event::{Event, EventKind},
};

/// The claims of `clean`.
pub(super) fn clean(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    // As many as a clean probe has.
    let mut claims = Vec::with_capacity(4);
    claims.extend([answered(timeline), closed(timeline)]);
    if timeline.probe.has_no_window() {
        claims.push(Claim::seen(
            target(timeline),
            Act::OfferedNoWindow,
            vec![Observation::NoWindow],
        ));
    }
    let drops = dropped_rsts(timeline);
    claims.extend(copies(timeline));
    claims.extend(timeline.late_segments().map(|(at, segment)| {
        let event = timeline.events.iter().find(|e| e.at == at && is_answer(e));
        let by =
            event.map_or_else(|| moment(&timeline.probe, Moment::End), |e| observed(e.at, e.kind));
        Claim::seen(target(timeline), Act::SentSegment { flags: segment.flags }, vec![by])
    }));
    if timeline.reuse_in_doubt {
        let act = Act::RefusedLaterSyn;
        claims.push(Claim::seen(target(timeline), act, vec![Observation::DoubtfulReuse]));
    }
    let quiet = silence(timeline);
    let end = holds_nothing(timeline, why, &drops, quiet.as_ref());
    claims.extend(quiet);
    claims.push(end);
    claims.extend(drops);
    claims
}

/// That the target answered, and when.
pub(super) fn answered(timeline: &Timeline) -> Claim {
    let after = timeline.probe.handshake_ns().unwrap_or_default();
    let by = vec![moment(&timeline.probe, Moment::SynAck)];
    Claim::seen(target(timeline), Act::Answered { after }, by)
}

/// The RST of the close.
fn closed(timeline: &Timeline) -> Claim {
    let by = moment(&timeline.probe, Moment::Rst);
    let why = match by {
        Observation::Recorded { .. } => None,
        _ => Some(Reason::CloseNotSeen),
    };
    super::basis::shown(Party::ThisHost, Act::SentRst, vec![by], why)
}

/// The SYN-ACKs of the handshake that came after the close and show nothing about our RST.
pub(super) fn copies(timeline: &Timeline) -> Vec<Claim> {
    let mut claims = Vec::new();
    for event in timeline.events.iter().filter(|e| timeline.is_copy(e)) {
        let by = vec![observed(event.at, event.kind)];
        let is_other = timeline.late_synacks().any(|late| late.at == event.at && !late.is_repeated);
        if let EventKind::PacketDropped(packet) = event.kind {
            let act = Act::Dropped { packet, times: 1 };
            claims.push(Claim::seen(party_at(packet.place), act, by.clone()));
        }
        claims.push(if is_other {
            Claim::seen(target(timeline), Act::SentOtherSynAck, by)
        } else {
            let act = Act::SentCopy { has_arrived: is_answer(event) };
            // On the longest path that is possible. On a shorter one it may be a retransmit.
            follows(target(timeline), act, by, Some(Reason::MayHaveCrossed))
        });
    }
    if let Some((id, at)) = timeline.copy_met {
        let (act, by) =
            (Act::SentCopy { has_arrived: true }, vec![Observation::CopyMet { id, at }]);
        claims.push(follows(target(timeline), act, by, Some(Reason::MayHaveCrossed)));
    }
    claims
}

fn is_answer(event: &Event) -> bool {
    matches!(event.kind, EventKind::RstSent { socket: None, .. })
}

/// That nothing came after the last RST, where it would have been seen: silence, or a later SYN that found
/// nothing.
pub(super) fn silence(timeline: &Timeline) -> Option<Claim> {
    if timeline.reused_cleanly {
        let act = Act::AnsweredLaterSyn;
        return Some(Claim::seen(target(timeline), act, vec![Observation::CleanReuse]));
    }
    let would_show = match timeline.coverage {
        // A SYN-ACK that meets the socket of a later probe is answered by that one.
        Coverage::Full => timeline.later.is_none() && timeline.copy_met.is_none(),
        Coverage::SocketsOnly | Coverage::Incomplete | Coverage::EventsLost | Coverage::None => {
            false
        }
    };
    let since = timeline.late_rsts().last().or(timeline.probe.rst_at())?;
    let until = timeline.followed_until;
    let act = Act::ReceivedNoCopy { within: until.saturating_sub(since) };
    let by = vec![Observation::NoAnswer { since, until }];
    would_show.then(|| Claim::seen(Party::ThisHost, act, by))
}

/// That the server holds no half-open connection: concluded, and under an assumption where silence shows it.
fn holds_nothing(
    timeline: &Timeline,
    why: Option<Reason>,
    drops: &[Claim],
    quiet: Option<&Claim>,
) -> Claim {
    let mut from = vec![moment(&timeline.probe, Moment::Rst)];
    from.extend(drops.iter().flat_map(|claim| claim.basis.observations()));
    from.extend(quiet.iter().flat_map(|claim| claim.basis.observations()));
    if why.is_some() {
        return follows(target(timeline), Act::HoldsNothing, from, why);
    }
    let given = (!timeline.reused_cleanly).then_some(Assumption::SynAckAgain);
    let basis = Basis::Concluded { from, given };
    Claim { party: target(timeline), act: Act::HoldsNothing, basis }
}
