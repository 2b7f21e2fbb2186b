//! A SYN that was sent again, and one that got no answer.

use super::{
    answer::waited,
    basis::{count_of_retransmits, events, follows, moment, or_end, shown},
    clean::{answered, copies},
    dropped,
    earlier::{met, owner},
    here::failed_syns,
    target,
};
use crate::{
    drops::is_of_handshake,
    timeline::{StaleReply, Timeline},
};
use model::{
    claim::{Act, Claim, Moment, Observation, Party, Reason, SocketCount},
    event::EventKind,
    host_clues::Ecn,
    outcome::Outcome,
};

/// The SYN was sent again.
pub(super) fn syn_retransmitted(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let mut claims = vec![shown(Party::ThisHost, again(timeline), sent_again(timeline), why)];
    if timeline.earlier.is_some_and(|e| e.stale == StaleReply::DuplicateSynAck) {
        let act = Act::AnsweredEarlierSyn { of: owner(timeline) };
        claims.push(follows(target(timeline), act, met(timeline), why));
    } else {
        claims.extend(cause(timeline));
        if timeline.probe.outcome == Outcome::Alive {
            claims.extend(clues(timeline));
        }
    }
    if timeline.probe.handshake_ns().is_some() {
        claims.push(answered(timeline));
    }
    if timeline.later.is_none() && timeline.recoveries().next().is_none() {
        claims.extend(copies(timeline));
    }
    claims.extend(unsent(timeline));
    claims
}

/// What on this host may be the cause, where none was seen.
fn clues(timeline: &Timeline) -> Vec<Claim> {
    let probe = &timeline.probe;
    let Some(clues) = probe.clues.as_deref() else { return Vec::new() };
    if timeline.cause_of_silence().is_some()
        || timeline.early_retransmit().is_some()
        || timeline.stale_reply_at().is_some()
    {
        return Vec::new();
    }
    let seen = |act, by| Claim::seen(Party::ThisHost, act, vec![by]);
    let is_alive = probe.outcome == Outcome::Alive;
    let mut claims = Vec::new();
    // The SYN that was answered did not ask for it, or none was answered and all did.
    let concerns = match clues.ecn {
        Ecn::No => false,
        Ecn::FirstSyn => is_alive && timeline.long_round_trip().is_none(),
        Ecn::EverySyn => !is_alive,
    };
    if concerns && !timeline.server_answered() {
        claims.push(seen(Act::AsksForEcn(clues.ecn), Observation::EcnSetting(clues.ecn)));
    }
    if clues.is_bound_to_loopback && !is_alive {
        claims.push(seen(Act::KeptSynOnLoopback, Observation::BoundToLoopback));
    }
    if !clues.xdp.is_empty() && !is_alive {
        let interface = clues.xdp;
        claims.push(seen(Act::RunsXdp { interface }, Observation::XdpAttached(interface)));
    }
    claims
}

/// SYNs that could not be sent, unless a verdict of its own has them.
fn unsent(timeline: &Timeline) -> Vec<Claim> {
    if timeline.is_dropped_here() { Vec::new() } else { failed_syns(timeline) }
}

/// Why the SYN was sent again: a drop that was seen, or what follows from the events.
fn cause(timeline: &Timeline) -> Vec<Claim> {
    let retransmits = sent_again(timeline);
    if let Some(first) = timeline.cause_of_silence() {
        // The cause first, then the others.
        let mut claims = dropped(timeline, |drop| {
            is_of_handshake(&drop.packet) && (!drop.packet.is_here() || *drop == first)
        });
        claims.sort_by_key(|claim| !claim.basis.observations().iter().any(|o| is_at(o, first.at)));
        return claims;
    }
    let mut claims = Vec::new();
    let unknown = Party::Unknown;
    match (timeline.short_timer(), timeline.early_retransmit()) {
        (Some((after, round_trip)), _) => {
            let act = Act::HasShortTimer { after, round_trip };
            claims.push(Claim::concluded(Party::ThisHost, act, retransmits));
        }
        (None, Some(after)) => {
            let act = Act::SentUnacceptable { after };
            claims.push(Claim::concluded(unknown, act, retransmits));
        }
        (None, None) if timeline.probe.clues.as_ref().is_some_and(|c| c.is_bound_to_loopback) => {
            let by = vec![Observation::BoundToLoopback];
            claims.push(Claim::seen(Party::ThisHost, Act::KeptSynOnLoopback, by));
        }
        (None, None) if timeline.answered_from_elsewhere().is_some() => {
            claims.extend(from_elsewhere(timeline));
        }
        (None, None) => {
            if let Some(round_trip) = timeline.long_round_trip() {
                let act = Act::TookLong { round_trip };
                claims.push(Claim::concluded(unknown, act, retransmits.clone()));
            }
            claims
                .extend(received_syn(timeline).or_else(|| {
                    Some(Claim::concluded(unknown, Act::LostSynOrAnswer, retransmits))
                }));
        }
    }
    claims
        .extend(dropped(timeline, |drop| !drop.packet.is_here() && is_of_handshake(&drop.packet)));
    claims
}

fn is_at(observation: &Observation, wanted: u64) -> bool {
    matches!(observation, Observation::Event(event) if event.at == wanted)
}

/// A server on this host that was seen answering received the SYN.
fn received_syn(timeline: &Timeline) -> Option<Claim> {
    let end = timeline.probe.closed_at();
    let from = events(timeline, |e| {
        e.at <= end
            && matches!(e.kind, EventKind::SynAckRetransmit { segment } if timeline.acknowledges_syn(segment))
    });
    (!from.is_empty()).then(|| Claim::concluded(target(timeline), Act::ReceivedSyn, from))
}

/// The SYN retransmits that left, where there are any.
pub(super) fn retransmits(timeline: &Timeline) -> Option<Claim> {
    let is_any = timeline.syn_retransmits() > timeline.failed_syn_retransmits();
    is_any.then(|| Claim::seen(Party::ThisHost, again(timeline), sent_again(timeline)))
}

fn again(timeline: &Timeline) -> Act {
    let times = timeline.syn_retransmits().saturating_sub(timeline.failed_syn_retransmits());
    Act::RetransmittedSyn { times }
}

/// What shows the retransmits: the events, or the socket's count.
fn sent_again(timeline: &Timeline) -> Vec<Observation> {
    let by = events(timeline, |e| e.kind == EventKind::SynRetransmit { error: 0 });
    if by.is_empty() {
        return or_end(count_of_retransmits(timeline).into_iter().collect(), timeline);
    }
    by
}

/// No SYN-ACK reached the socket in time.
pub(super) fn timed_out(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let probe = &timeline.probe;
    let mut claims = Vec::new();
    match probe.kernel {
        Some(kernel) if kernel.established_at != 0 => {
            let after = kernel.established_at.saturating_sub(kernel.syn_sent_at);
            let by = vec![moment(probe, Moment::SynAck)];
            claims.push(shown(target(timeline), Act::Answered { after }, by, why));
        }
        _ => {
            let within = probe.ended_at.saturating_sub(probe.syn_at());
            let act = Act::ReceivedNothing { within };
            let (since, until) = (probe.syn_at(), probe.closed_at());
            let by = match waited(timeline) {
                Observation::Recorded { .. } => Observation::NoSynAck { since, until },
                clock => clock,
            };
            claims.push(shown(Party::ThisHost, act, vec![by], why));
        }
    }
    claims.extend(from_elsewhere(timeline));
    claims.extend(received_syn(timeline));
    // Otherwise the verdict on the retransmits has them.
    if timeline.syn_retransmits() == timeline.failed_syn_retransmits() {
        claims.extend(dropped(timeline, |drop| !drop.packet.is_here()));
        if let Some(after) = timeline.early_retransmit() {
            let act = Act::SentUnacceptable { after };
            claims.push(Claim::concluded(Party::Unknown, act, sent_again(timeline)));
        }
    }
    claims.extend(unsent(timeline));
    claims.extend(kept_syn(timeline));
    claims.extend(clues(timeline));
    claims
}

/// A SYN-ACK for our SYN that came from somebody else.
fn from_elsewhere(timeline: &Timeline) -> Option<Claim> {
    let from = timeline.answered_from_elsewhere()?;
    let by = events(timeline, |e| matches!(e.kind, EventKind::SynAckFromElsewhere { .. }));
    let first =
        timeline.events.iter().find(|e| matches!(e.kind, EventKind::SynAckFromElsewhere { .. }))?;
    let after = first.at.saturating_sub(timeline.probe.syn_at());
    Some(Claim::seen(Party::Other(from), Act::Answered { after }, by))
}

/// The SYN has not left: its timer expired, and the kernel did not send it again. A SYN that was dropped, but for
/// want of a neighbour, or that the kernel tried to send again, did not wait.
fn kept_syn(timeline: &Timeline) -> Option<Claim> {
    let tried = |kind: EventKind| matches!(kind, EventKind::SynRetransmit { error } if error != -libc::EBUSY);
    let was_dropped = timeline
        .local_drops()
        .any(|drop| drop.packet.outgoing && !drop.packet.reason.is_neighbour());
    let is_stuck =
        timeline.syn_is_stuck() && !was_dropped && !timeline.events.iter().any(|e| tried(e.kind));
    let what = SocketCount::Retransmits;
    let count = super::basis::count(timeline, what).filter(|_| is_stuck)?;
    let from = vec![count, waited(timeline)];
    Some(Claim::concluded(Party::ThisHost, Act::KeptSyn, from))
}
