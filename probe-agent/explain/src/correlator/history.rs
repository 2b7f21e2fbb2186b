//! What is known about each 4-tuple: the probes on it that wait, and what each later one showed about
//! the one before it.
#![expect(
    clippy::indexing_slicing,
    reason = "the places in a chain, and in the table of the newest, are those of probes that wait: a probe \
              is taken out of both when it is removed"
)]

mod claim;
mod link;

use std::cmp::Reverse;

use model::event::Event;
use model::record::{Closing, ProbeRecord};
use probe_agent_common::FlowKey;
use slab::Slab;

use super::{
    MAX_EVENTS, Pending, PendingRef, Phase, Timers,
    early_events::{numbers_are_of, without_socket_is_of},
    newest::Newest,
    unclaimed::Unclaimed,
};
use crate::timeline::{Confirmation, Earlier, Timeline};

/// The waiting probes. Those of one 4-tuple form a chain, the newest first.
#[derive(Debug, Default)]
pub(super) struct History {
    pending: Slab<Pending>,
    newest: Newest,
    unclaimed: Unclaimed,
    serial: u64,
}

impl History {
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// What is kept in the place of a probe, whether it still waits or not.
    pub(super) fn entry(&self, at: PendingRef) -> Option<&Pending> {
        self.pending.get(at.index)
    }

    /// A probe, if it still waits.
    pub(super) fn get(&self, at: PendingRef) -> Option<&Pending> {
        self.pending.get(at.index).filter(|p| p.serial == at.serial)
    }

    #[cfg(test)]
    pub(super) fn by_index(&self, index: usize) -> Option<&Pending> {
        self.pending.get(index)
    }

    /// All probes, the newest first.
    pub(super) fn newest_first(&self) -> Vec<usize> {
        let mut all: Vec<(u64, usize)> =
            self.pending.iter().map(|(index, p)| (p.serial, index)).collect();
        all.sort_unstable_by_key(|&(serial, _)| Reverse(serial));
        all.into_iter().map(|(_, index)| index).collect()
    }

    /// The newest probe of a 4-tuple that `is_wanted`.
    pub(super) fn find(
        &self,
        flow: &FlowKey,
        is_wanted: impl Fn(&Pending) -> bool,
    ) -> Option<usize> {
        let mut next = self.newest.get(flow, &self.pending);
        while let Some(index) = next {
            let pending = &self.pending[index];
            if is_wanted(pending) {
                break;
            }
            next = pending.older;
        }
        next
    }

    /// Adds a probe that has just ended.
    pub(super) fn insert(
        &mut self,
        timeline: Timeline,
        lost_before: u64,
        dropped: bool,
        phase: Phase,
        timers: &mut Timers,
    ) -> PendingRef {
        self.serial += 1;
        let serial = self.serial;
        let index = self.pending.insert(Pending {
            timeline,
            lost_before,
            dropped,
            older: None,
            newer: None,
            cut_at: None,
            phase,
            serial,
        });
        if let Some(older) = self.newest.insert(index, &self.pending) {
            self.pending[index].older = Some(older);
            self.pending[older].newer = Some(index);
            self.take_over_events(older, index);
        }
        self.link_if_complete(index, timers);
        PendingRef { index, serial }
    }

    /// Gives a probe that has just ended the events that the one before it received in its place.
    fn take_over_events(&mut self, older: usize, index: usize) {
        if self.pending[older].timeline.events.is_empty() {
            return;
        }
        let mut events = std::mem::take(&mut self.pending[older].timeline.events);
        let before = self.pending[older].timeline.probe.clone();
        let newer = &mut self.pending[index];
        events.retain(|event| {
            let theirs = !event.kind.has_socket()
                && without_socket_is_of(&newer.timeline.probe, event)
                && (numbers_are_of(&newer.timeline.probe, &event.kind)
                    || !numbers_are_of(&before, &event.kind));
            if theirs {
                newer.add(*event);
            }
            !theirs
        });
        self.pending[older].timeline.events = events;
    }

    /// Adds an event to a probe; `false` if the probe has too many, and its evidence is incomplete now.
    pub(super) fn add_event(&mut self, index: usize, event: Event, timers: &mut Timers) -> bool {
        let pending = &mut self.pending[index];
        if pending.timeline.events.len() >= MAX_EVENTS {
            pending.dropped = true;
            return false;
        }
        pending.add(event);
        self.link_if_complete(index, timers);
        true
    }

    /// The confirmation probe of a refused probe has ended.
    pub(super) fn confirm(&mut self, at: PendingRef, by: Confirmation, timers: &mut Timers) {
        if self.get(at).is_none() {
            return;
        }
        let pending = &mut self.pending[at.index];
        pending.timeline.confirmation = Some(by);
        pending.phase = Phase::Unlinked;
        // Not before its own events are here: they show what its SYN met.
        timers.push(pending.timeline.probe.ended_at, at);
        self.link_if_complete(at.index, timers);
    }

    /// Whether a later probe on the 4-tuple has yet to show what the server kept of this one. A probe
    /// that the kernel closed (a refusal) left nothing, and one that timed out met nothing, so the one after it
    /// decides.
    pub(super) fn waits_for_later(
        &self,
        index: usize,
        is_in_flight: impl Fn(&ProbeRecord) -> bool,
    ) -> bool {
        let mut newest = index;
        while let Some(newer) = self.pending[newest].newer {
            newest = newer;
            let newer = &self.pending[newer];
            if newer.phase != Phase::Linked {
                return true;
            }
            if !newer.is_closed_by_kernel() && newer.timeline.probe.closing != Closing::Silent {
                return false;
            }
        }
        let probe = &self.pending[index].timeline.probe;
        // A probe that was cut from the chain learns nothing from the one in flight.
        is_in_flight(probe) && self.newest.get(&probe.flow, &self.pending) == Some(newest)
    }

    /// Removes a probe. Probes before it keep waiting, but no event and no later probe is theirs any
    /// more: both would be about this one. Also returns the probe that its refusal owes its doubt to,
    /// where the confirmation probe has not ended.
    pub(super) fn remove(
        &mut self,
        index: usize,
        now: u64,
        timers: &mut Timers,
    ) -> (Pending, Option<Earlier>) {
        if self.pending[index].phase != Phase::Linked && self.pending[index].older.is_some() {
            // What it has not shown by now it never will: its events were lost.
            self.link_to_older(index, timers);
        }
        let suspect = self.suspect(index);
        self.forget_replies(index);
        let pending = &self.pending[index];
        let (older, newer) = (pending.older, pending.newer);
        // One that the kernel closed left nothing, so the ones before it stay in the chain.
        let rest = older.filter(|_| pending.is_closed_by_kernel());
        match rest {
            Some(rest) => self.pending[rest].newer = newer,
            None => self.cut(older, now, timers),
        }
        match newer {
            Some(newer) => self.pending[newer].older = rest,
            None => self.newest.replace(index, rest, &self.pending),
        }
        (self.pending.remove(index), suspect)
    }

    /// Parts the probes of a chain from each other, after each has shown what it knows.
    fn cut(&mut self, mut next: Option<usize>, now: u64, timers: &mut Timers) {
        while let Some(index) = next {
            if self.pending[index].older.is_some() && self.pending[index].phase != Phase::Linked {
                self.link_to_older(index, timers);
            }
            let pending = &mut self.pending[index];
            pending.newer = None;
            pending.cut_at.get_or_insert(now);
            next = pending.older.take();
        }
    }
}
