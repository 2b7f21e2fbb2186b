//! What this host did itself: dropped a packet, leaked an ACK, could not run the probe; and what its hooks could
//! not see.

use super::{
    basis::{count, events},
    dropped,
};
use crate::{
    drops::Drop,
    timeline::{Coverage, Timeline},
};
use model::{
    claim::{Act, Assumption, Basis, Claim, Observation, Party, SocketCount},
    event::EventKind,
    record::HalfOpen,
    verdict::Verdict,
};

/// A packet that this host dropped.
pub(super) fn local_drop(timeline: &Timeline) -> Vec<Claim> {
    let is_local = |at: &Drop| timeline.local_drops().any(|drop| drop == *at);
    let mut claims = dropped(timeline, is_local);
    let from: Vec<Observation> =
        claims.iter().flat_map(|claim| claim.basis.observations()).copied().collect();
    claims.extend(failed_syns(timeline));
    if !from.is_empty() {
        if timeline.was_refused_here() {
            let act = Act::RefusedItself;
            claims.push(Claim::concluded(Party::ThisHost, act, from.clone()));
        }
        if timeline.no_syn_left() {
            claims.push(Claim::concluded(Party::ThisHost, Act::SentNoSyn, from));
        }
    }
    claims
}

/// SYNs that this host tried to send again, and could not: one claim for each error.
pub(super) fn failed_syns(timeline: &Timeline) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    for event in &timeline.events {
        let EventKind::SynRetransmit { error } = event.kind else { continue };
        let act = Act::FailedToSendSyn { error };
        if error == 0 || claims.iter().any(|claim| claim.act == act) {
            continue;
        }
        let by = events(timeline, |e| e.kind == event.kind);
        claims.push(Claim::seen(Party::ThisHost, act, by));
    }
    claims
}

/// ACKs that left, by the kernel's own counts.
pub(super) fn leaked_ack(timeline: &Timeline) -> Vec<Claim> {
    let act = Act::LeakedAck {
        count: timeline.acks_leaked(),
        is_guarded: timeline.probe.half_open == HalfOpen::Enforced,
        then_reset: timeline.probe.rst_at().is_some(),
    };
    let from: Vec<_> = count(timeline, SocketCount::SegmentsOut).into_iter().collect();
    let mut claims = vec![Claim::concluded(Party::ThisHost, act, from.clone())];
    let basis = Basis::Concluded { from, given: Some(Assumption::Arrival) };
    claims.push(Claim { party: super::target(timeline), act: Act::Accepted, basis });
    let odd = events(timeline, |e| {
        matches!(
            e.kind,
            EventKind::StateChange { .. }
                | EventKind::SegmentRetransmit { .. }
                | EventKind::AckHeldBack
        )
    });
    if !odd.is_empty() {
        claims.push(Claim::seen(Party::ThisHost, Act::ActedUnexpectedly, odd));
    }
    claims
}

/// This host could not run the probe.
pub(super) fn local_error(timeline: &Timeline) -> Vec<Claim> {
    let probe = &timeline.probe;
    let act = Act::FailedToRun {
        errno: probe.errno,
        problem: probe.start_problem,
        has_port: probe.flow.local_port != 0,
    };
    vec![Claim::seen(Party::ThisHost, act, vec![Observation::Errno(probe.errno)])]
}

/// Whether what the hooks could not see would bear on this verdict.
pub(super) const fn limits(coverage: Coverage, verdict: Verdict) -> bool {
    match coverage {
        Coverage::Full => false,
        // What comes after the close: nothing else is reported by a RST without a socket.
        Coverage::SocketsOnly => matches!(
            verdict,
            Verdict::RstLostUnrecovered
                | Verdict::RstLostSynackRetransmit
                | Verdict::LateSynack
                | Verdict::TimedOut
                | Verdict::Clean
        ),
        // The agent's own system call shows the one, and the kernel's count the other.
        Coverage::Incomplete | Coverage::EventsLost | Coverage::None => {
            !matches!(verdict, Verdict::LocalError | Verdict::AckLeaked)
        }
    }
}
