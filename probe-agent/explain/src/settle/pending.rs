//! A probe that has ended and waits for what may still be told of it.

use super::MAX_EVENTS;
use crate::{
    orphans::{generation_is, without_socket_is_of},
    timeline::{Coverage, Earlier, StaleReply, Timeline},
};
use model::{
    event::{Event, EventKind, FlowEvent},
    record::Closing,
};

/// Where a probe waits, for as long as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingRef {
    pub(super) index: usize,
    pub(super) serial: u64,
}

/// A probe that waits.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) timeline: Timeline,
    /// Kernel events lost by the time that it started.
    pub(super) lost_before: u64,
    /// The probe before it on the same 4-tuple, if that waits too.
    pub(super) older: Option<usize>,
    /// The probe after it, by whose `older` it is reached.
    pub(super) newer: Option<usize>,
    /// A later probe is on its way on the same 4-tuple: wait for what it finds.
    pub(super) held: bool,
    /// A second probe is on its way to decide on its refusal.
    pub(super) doubted: bool,
    /// What it found of `older` has been told.
    pub(super) linked: bool,
    /// Tells a place in the slab that is used again from the one that somebody remembers.
    pub(super) serial: u64,
}

impl Pending {
    /// Where it waits: at `index`.
    pub(super) fn place(&self, index: usize) -> PendingRef {
        PendingRef { index, serial: self.serial }
    }

    /// Whether an event of its flow is of this probe: by slot and generation if its socket took
    /// part, else by time.
    pub(super) fn takes(&self, event: &FlowEvent) -> bool {
        let record = &self.timeline.probe;
        match event.socket {
            Some((slot, generation)) => record.id.slot == slot && generation_is(record, generation),
            None => without_socket_is_of(record, &event.event),
        }
    }

    /// Whether the kernel closed it: then it leaves nothing behind.
    pub(super) fn is_closed_by_kernel(&self) -> bool {
        self.timeline.probe.closing == Closing::ByKernel
    }

    /// Puts an event in its place in time.
    pub(super) fn add(&mut self, event: Event) {
        let events = &mut self.timeline.events;
        let place = events.partition_point(|e| e.at <= event.at);
        events.insert(place, event);
    }

    /// Whether all the events that the kernel counted for its socket are here.
    pub(super) fn is_complete(&self) -> bool {
        let counted = self.timeline.probe.kernel.map_or(0, |k| k.events as usize);
        counted == 0 || socket_events(&self.timeline.events) >= counted
    }

    /// Whether the kernel skipped a hook for this probe: its record lacks a transition, or counts more
    /// SYNs sent again than were told.
    pub(super) fn has_gap(&self) -> bool {
        let timeline = &self.timeline;
        let told = timeline.events.iter();
        let told = told.filter(|e| matches!(e.kind, EventKind::SynRetransmit { .. })).count();
        let counted = timeline.probe.kernel.map_or(0, |k| usize::from(k.retransmits));
        timeline.probe.has_gap() || (told < counted && told < MAX_EVENTS)
    }

    /// The timeline, closed: what is known by `now`, with `lost` events lost so far.
    pub(super) fn into_timeline(self, now: u64, lost: u64, before: Option<Earlier>) -> Timeline {
        let missing = lost != self.lost_before || !self.is_complete() || self.has_gap();
        let mut timeline = self.timeline;
        timeline.followed_until = now;
        if missing && timeline.coverage != Coverage::None {
            timeline.coverage = Coverage::EventsLost;
        }
        if timeline.earlier.is_none() {
            if timeline.stale_reply_at().is_some() {
                let stale = StaleReply::Connection;
                timeline.earlier = Some(Earlier { id: None, closing: None, ended_at: 0, stale });
            } else if self.doubted {
                // The run ended before the second opinion: the refusal stays in doubt.
                timeline.earlier = before;
            }
        }
        timeline
    }
}

/// How many of the events are of the probe's own socket: those that its record counts.
fn socket_events(events: &[Event]) -> usize {
    events.iter().filter(|e| is_of_socket(e)).count()
}

/// Whether a socket of the agent took part in an event.
pub(super) fn is_of_socket(event: &Event) -> bool {
    match event.kind {
        EventKind::SynAckRetransmit | EventKind::RstSent { socket: None, .. } => false,
        EventKind::RstSent { socket: Some(_), .. }
        | EventKind::StateChange { .. }
        | EventKind::RstReceived
        | EventKind::SynRetransmit { .. }
        | EventKind::AckHeldBack
        | EventKind::SegmentRetransmit { .. } => true,
    }
}
