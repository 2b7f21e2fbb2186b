//! What a reply shows of an earlier probe on the 4-tuple.

use super::basis::{events, observed, or_end};
use crate::timeline::Timeline;
use model::{
    claim::{Act, Claim, Observation, Owner, Party},
    event::EventKind,
};

/// What shows that the SYN met something of an earlier probe.
pub(super) fn met(timeline: &Timeline) -> Vec<Observation> {
    let mut from = events(timeline, |e| e.kind.answers_stale_reply());
    if let Some(earlier) = timeline.earlier {
        let known = earlier.id.zip(earlier.closing);
        from.push(Observation::Earlier(
            known.map(|(id, closing)| (id, closing, earlier.ended_at, earlier.other_port)),
        ));
    }
    if from.is_empty() {
        from.extend(timeline.rst_received_at().map(|at| observed(at, EventKind::RstReceived)));
    }
    or_end(from, timeline)
}

/// That probe's port, if it is another.
pub(super) fn shared_port(timeline: &Timeline) -> Option<Claim> {
    let other = timeline.earlier?.other_port?;
    Some(Claim::concluded(Party::Unknown, Act::SharedPort { other }, met(timeline)))
}

/// Whose connection it is.
pub(super) fn owner(timeline: &Timeline) -> Owner {
    match timeline.earlier.and_then(|e| Some((e.id?, e.ended_at))) {
        Some((id, ended_at)) => {
            let before = timeline.probe.syn_at().saturating_sub(ended_at);
            Owner::Probe { id, before }
        }
        None => Owner::Unknown,
    }
}
