//! Observations of a timeline, and what rests on them.

use crate::timeline::Timeline;
use model::{
    claim::{Act, Assumption, Basis, Claim, Moment, Observation, Party, Reason, SocketCount},
    event::{Event, EventKind},
    record::ProbeRecord,
};

/// A kernel event as an observation.
pub(super) const fn observed(at: u64, kind: EventKind) -> Observation {
    Observation::Event(Event { at, kind })
}

/// The events of the wanted kinds.
pub(super) fn events(timeline: &Timeline, is_wanted: impl Fn(&Event) -> bool) -> Vec<Observation> {
    timeline.events.iter().filter(|e| is_wanted(e)).map(|e| Observation::Event(*e)).collect()
}

/// A moment of the probe: from the kernel's record, or else by the agent's clock.
pub(super) fn moment(probe: &ProbeRecord, moment: Moment) -> Observation {
    let (recorded, by_clock) = match moment {
        Moment::Syn => (probe.kernel.map(|k| k.syn_sent_at), probe.started_at),
        Moment::SynAck => (probe.kernel.map(|k| k.established_at), probe.answered_at),
        Moment::Rst => (probe.kernel.map(|k| k.rst_sent_at), probe.ended_at),
        Moment::End => (probe.kernel.map(|k| k.closed_at), probe.ended_at),
    };
    match recorded.filter(|at| *at != 0) {
        Some(at) => Observation::Recorded { moment, at },
        None => Observation::Clock { moment, at: by_clock },
    }
}

/// The socket's count of retransmits, where no event shows them.
pub(super) fn count_of_retransmits(timeline: &Timeline) -> Option<Observation> {
    let probe = &timeline.probe;
    match (probe.tcp_info, probe.kernel) {
        (Some(info), _) => {
            let what = SocketCount::TcpInfoRetransmits;
            Some(Observation::Count { what, value: info.retransmits, acks_held: 0 })
        }
        (None, Some(_)) => count(timeline, SocketCount::Retransmits),
        (None, None) => None,
    }
}

/// A count in the kernel's record.
pub(super) fn count(timeline: &Timeline, what: SocketCount) -> Option<Observation> {
    let kernel = timeline.probe.kernel?;
    let value = match what {
        SocketCount::SegmentsOut => kernel.segments_out,
        SocketCount::Retransmits | SocketCount::TcpInfoRetransmits => kernel.retransmits.into(),
    };
    Some(Observation::Count { what, value, acks_held: kernel.acks_held })
}

/// What a verdict rests on: shown by the observations if it is confirmed, else concluded with a reservation.
pub(super) fn shown(
    party: Party,
    act: Act,
    by: Vec<Observation>,
    reservation: Option<Reason>,
) -> Claim {
    match reservation {
        None => Claim::seen(party, act, by),
        Some(_) => follows(party, act, by, reservation),
    }
}

/// What follows from the observations: without a doubt if the verdict is confirmed.
pub(super) fn follows(
    party: Party,
    act: Act,
    from: Vec<Observation>,
    reservation: Option<Reason>,
) -> Claim {
    let given = reservation.map(Assumption::NotShown);
    Claim { party, act, basis: Basis::Concluded { from, given } }
}

/// The observations, or if there is none the end of the probe.
pub(super) fn or_end(from: Vec<Observation>, timeline: &Timeline) -> Vec<Observation> {
    if from.is_empty() { vec![moment(&timeline.probe, Moment::End)] } else { from }
}
