//! A probe that has ended and waits for events that may still come.

use super::{
    MAX_EVENTS, Observed,
    early_events::{generation_is, numbers_are_of, without_socket_is_of},
};
use crate::timeline::{Coverage, Earlier, StaleReply, Timeline};
use model::{
    event::{Event, FlowEvent},
    record::Closing,
};

/// Names a waiting probe, for as long as it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PendingRef {
    pub(super) index: usize,
    /// Tells it from a later probe at the same index.
    pub(super) serial: u64,
}

/// How far a waiting probe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It was refused, and a confirmation probe is to decide about that.
    AwaitsConfirmation,
    /// What it shows about the probe before it is not known yet.
    Unlinked,
    /// What it shows about the probe before it has been noted there.
    Linked,
}

/// A probe that waits.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) timeline: Timeline,
    /// Kernel events lost by the time it started.
    pub(super) lost_before: u64,
    /// It had more events than are kept.
    pub(super) dropped: bool,
    /// The probe before it on the same 4-tuple, if that one waits too.
    pub(super) older: Option<usize>,
    /// The probe after it, whose `older` it is.
    pub(super) newer: Option<usize>,
    /// When the one after it was handed out: events from then on are no longer known to be this one's.
    pub(super) cut_at: Option<u64>,
    pub(super) phase: Phase,
    pub(super) serial: u64,
}

impl Pending {
    /// Whether an event of its flow is of this probe: by slot and generation if its socket took
    /// part, else by time.
    pub(super) fn takes(&self, event: &FlowEvent) -> bool {
        let record = &self.timeline.probe;
        match event.socket {
            Some((slot, generation)) => record.id.slot == slot && generation_is(record, generation),
            None => without_socket_is_of(record, &event.event),
        }
    }

    /// Whether the sequence numbers of an event are those of its connection.
    pub(super) fn has_numbers(&self, event: &FlowEvent) -> bool {
        numbers_are_of(&self.timeline.probe, &event.event.kind)
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
        let reported = self.timeline.events.iter().filter(|e| e.kind.has_socket());
        counted == 0 || reported.count() >= counted
    }

    /// Whether the kernel skipped a hook for this probe: its record lacks a state change, or counts more
    /// SYN retransmits than were reported by a hook that reports them, or by one that reports their drop.
    pub(super) fn has_gap(&self) -> bool {
        let timeline = &self.timeline;
        let counted = timeline.probe.kernel.map_or(0, |k| usize::from(k.retransmits));
        let are_reported = timeline.coverage != Coverage::Incomplete;
        timeline.probe.has_gap()
            || (counted > 0 && are_reported && self.has_unreported_retransmit(counted))
    }

    /// Whether fewer retransmits were reported than the socket `counted`.
    fn has_unreported_retransmit(&self, counted: usize) -> bool {
        let timeline = &self.timeline;
        let retransmits = timeline.events.iter().filter(|e| e.kind.is_retransmit());
        let unreported =
            timeline.dropped_retransmits().saturating_sub(timeline.failed_syn_retransmits());
        let reported = retransmits.count() + unreported;
        reported < counted && reported < MAX_EVENTS
    }

    /// Whether an event of its own is missing, and will be if it has not come by now.
    fn has_lost_own(&self) -> bool {
        let lost = self.timeline.probe.kernel.is_some_and(|kernel| kernel.events_lost > 0);
        lost || self.dropped || !self.is_complete() || self.has_gap()
    }

    /// Whether it may have met what the probe before it left, and cleared it, without an event that shows
    /// this: the event was lost, or no hook observed the socket.
    pub(super) fn may_hide_earlier(&self) -> bool {
        self.has_lost_own() || self.timeline.probe.is_unobserved()
    }

    /// Until when it may turn out that a probe from another port left what its SYN met; `None` if that is
    /// known, or its SYN met nothing.
    pub(super) fn seeks_owner_until(&self, window: u64) -> Option<u64> {
        let timeline = &self.timeline;
        let seeks = !timeline.events.is_empty()
            && timeline.earlier.is_none()
            && timeline.stale_reply().is_some();
        // Everything that had ended before it has been looked at by then.
        seeks.then(|| timeline.probe.ended_at.saturating_add(window))
    }

    /// The timeline, closed by what has been observed. `suspect` is the probe that the refusal owes its
    /// doubt to.
    pub(super) fn into_timeline(self, observed: Observed, suspect: Option<Earlier>) -> Timeline {
        let missing = observed.lost != self.lost_before || self.has_lost_own();
        let mut timeline = self.timeline;
        timeline.followed_until = self.cut_at.unwrap_or(observed.until);
        if missing {
            timeline.set_events_lost();
        }
        if timeline.earlier.is_none() {
            if timeline.stale_reply_at().is_some() {
                let stale = StaleReply::Connection;
                timeline.earlier = Some(Earlier {
                    id: None,
                    closing: None,
                    ended_at: 0,
                    syn_end: None,
                    stale,
                    is_matched: false,
                    other_port: None,
                });
            } else if suspect.is_some() {
                // The run ended before the confirmation probe: the refusal stays in doubt.
                timeline.earlier = suspect;
            }
        }
        timeline
    }
}
