//! Probes that have ended but whose late events may still come.
//!
//! A probe leaves here as a [`Timeline`] when its settle window has passed, or earlier, when a
//! later probe on the same 4-tuple shows what the server had kept of it:
//! - the later SYN was answered as if nothing were left: the server had let go;
//! - the later SYN met a leftover: the RST (or the SYN-ACK) of the earlier probe was lost.
//!
//! A probe with a sign of loss is followed beyond its window until the server's next SYN-ACK would
//! be due, because only its absence shows that the recovery worked; likewise one whose SYN-ACK was
//! sent more than once, because that server's timer runs for longer than the window.

mod chain;
mod link;
mod newest;
mod pending;

use std::{cmp::Reverse, collections::VecDeque};

use probe_agent_common::FlowKey;
use slab::Slab;

pub use self::pending::PendingRef;
use self::{newest::Newest, pending::Pending};
use super::{
    orphans::Orphans,
    timeline::{Confirmation, Coverage, Timeline},
    timers::SYNACK_SLACK,
};
use model::{
    event::FlowEvent,
    record::{Closing, ProbeId, ProbeRecord},
};

/// Events of nobody are kept this long, in nanoseconds: a probe's timeout is rarely longer.
const ORPHAN_AGE: u64 = 60_000_000_000;

/// At most so many events are kept of one probe: a peer that sends segments without end must not
/// fill the memory.
pub(super) const MAX_EVENTS: usize = 256;

/// All probes of a worker that wait for late events.
#[derive(Debug)]
pub struct Settling {
    window: u64,
    coverage: Coverage,
    pending: Slab<Pending>,
    newest: Newest,
    /// Deadlines of the plain window: in order, because the window is the same for all.
    by_window: VecDeque<(u64, PendingRef)>,
    /// All others. Short, and looked through as a whole.
    by_other: Vec<(u64, PendingRef)>,
    orphans: Orphans,
    serial: u64,
    strays: u64,
    gaps: u64,
}

impl Settling {
    /// A store for a settle window of `window` nanoseconds; `coverage` is what the hooks in place
    /// see of a probe as long as no event is lost.
    #[must_use]
    pub fn new(window: u64, coverage: Coverage) -> Self {
        Self {
            window,
            coverage,
            pending: Slab::new(),
            newest: Newest::default(),
            by_window: VecDeque::new(),
            by_other: Vec::new(),
            orphans: Orphans::default(),
            serial: 0,
            strays: 0,
            gaps: 0,
        }
    }

    /// Number of probes that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Events that could not be kept for a probe: each makes the evidence of some probe incomplete.
    #[must_use]
    pub fn strays(&self) -> u64 {
        self.strays
    }

    /// Probes in whose own record the kernel left a gap: each is an event lost, of that probe alone.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Whether an earlier probe on this 4-tuple still waits, and if so, which and how it was closed.
    #[must_use]
    pub fn unsettled(&self, flow: &FlowKey) -> Option<(ProbeId, Closing)> {
        let record = &self.pending[self.newest.get(flow, &self.pending)?].timeline.probe;
        Some((record.id, record.closing))
    }

    /// A new probe is about to start on this 4-tuple: what it finds decides about the one before.
    /// `last` is where the last probe of the same socket waits: mostly it is that one.
    pub fn starting(&mut self, flow: &FlowKey, last: Option<PendingRef>) {
        let mut next = last
            .filter(|last| self.is_newest_of(flow, *last))
            .map(|last| last.index)
            .or_else(|| self.newest.get(flow, &self.pending));
        while let Some(index) = next {
            let pending = &mut self.pending[index];
            pending.held = true;
            // One that the kernel closed leaves nothing: what is found is of the one before it.
            next = pending.older.filter(|_| pending.is_closed_by_kernel());
        }
    }

    /// A probe has ended. `lost_before` is the number of events lost when it started. With
    /// `await_second` it stays until [`confirm`](Self::confirm) is called for it. Returns where it
    /// waits.
    pub fn ended(
        &mut self,
        record: ProbeRecord,
        lost_before: u64,
        await_second: bool,
    ) -> PendingRef {
        let events = if record.kernel.is_some() { self.orphans.claim(&record) } else { Vec::new() };
        let coverage = if record.is_unobserved() { Coverage::None } else { self.coverage };
        // Nothing can come late for a probe that the other side, or this host, put an end to.
        let follow = if record.closing == Closing::ByKernel { 0 } else { self.window };
        let deadline = record.ended_at + follow;
        self.serial += 1;
        let index = self.pending.insert(Pending {
            timeline: Timeline {
                probe: record,
                events,
                coverage,
                followed_until: 0,
                reused_cleanly: false,
                earlier: None,
                later: None,
                confirmation: None,
            },
            lost_before,
            older: None,
            newer: None,
            held: false,
            doubted: await_second,
            linked: false,
            serial: self.serial,
        });
        let place = PendingRef { index, serial: self.serial };
        if follow == 0 {
            self.by_other.push((deadline, place));
        } else {
            self.by_window.push_back((deadline, place));
        }
        if let Some(older) = self.newest.insert(index, &self.pending) {
            self.pending[index].older = Some(older);
            self.pending[older].newer = Some(index);
            self.take_over(older, index);
        }
        self.link(index);
        place
    }

    /// A second probe from another port has decided on the refusal of probe `id` (path C).
    pub fn confirm(&mut self, flow: &FlowKey, id: ProbeId, second: Confirmation) {
        let is_it = |p: &Pending| p.timeline.probe.id == id;
        let Some(index) = self.find(flow, is_it) else { return };
        let pending = &mut self.pending[index];
        pending.timeline.confirmation = Some(second);
        pending.doubted = false;
        // Not before its own events are here: they say what its SYN met.
        self.by_other.push((pending.timeline.probe.ended_at, pending.place(index)));
        self.link(index);
    }

    /// A kernel event has come.
    pub fn event(&mut self, event: &FlowEvent) {
        let kept = match self.find(&event.flow, |p| p.takes(event)) {
            Some(index) => {
                let pending = &mut self.pending[index];
                let room = pending.timeline.events.len() < MAX_EVENTS;
                if room {
                    pending.add(event.event);
                    self.link(index);
                }
                room
            }
            None => self.orphans.keep(event),
        };
        if !kept {
            self.strays += 1;
        }
    }

    /// When a probe may next be settled; `None` if none waits.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        let others = self.by_other.iter().map(|&(deadline, ..)| deadline);
        self.by_window.front().map(|&(deadline, ..)| deadline).into_iter().chain(others).min()
    }

    /// Hands out every probe that is settled, given that all events up to `seen_until` have been
    /// told and `lost` events have been lost so far.
    pub fn settle(&mut self, seen_until: u64, lost: u64, out: &mut Vec<Timeline>) {
        while let Some(&(deadline, place)) = self.by_window.front()
            && deadline <= seen_until
        {
            self.by_window.pop_front();
            self.due(place, seen_until, lost, out);
        }
        let mut others = std::mem::take(&mut self.by_other);
        others.retain(|&(deadline, place)| {
            let due = deadline <= seen_until;
            if due {
                self.due(place, seen_until, lost, out);
            }
            !due
        });
        self.by_other.append(&mut others);
        self.orphans.forget(seen_until.saturating_sub(ORPHAN_AGE));
    }

    /// Hands out everything at once, settled or not: the run was interrupted. Returns how many
    /// were not settled.
    pub fn flush(&mut self, seen_until: u64, lost: u64, out: &mut Vec<Timeline>) -> u64 {
        self.settle(seen_until, lost, out);
        let settled = out.len();
        let mut rest: Vec<(u64, usize)> =
            self.pending.iter().map(|(index, p)| (p.serial, index)).collect();
        // The newest first: each has something to tell of the one before it.
        rest.sort_unstable_by_key(|&(serial, _)| Reverse(serial));
        for &(_, index) in &rest {
            self.hand_out(index, seen_until, lost, out);
        }
        out[settled..].reverse();
        rest.len() as u64
    }

    /// A deadline has passed.
    fn due(&mut self, place: PendingRef, now: u64, lost: u64, out: &mut Vec<Timeline>) {
        let Some(pending) = self.waiting(place) else { return };
        // What a later probe, or the second opinion, finds comes within that probe's timeout.
        let wait_until = if pending.held || pending.doubted {
            Some(now + SYNACK_SLACK)
        } else {
            pending.timeline.follow_until().filter(|until| *until > now)
        };
        match wait_until {
            Some(until) => self.by_other.push((until, place)),
            None => self.hand_out(place.index, now, lost, out),
        }
    }

    fn hand_out(&mut self, index: usize, now: u64, lost: u64, out: &mut Vec<Timeline>) {
        if self.pending[index].older.is_some() && !self.pending[index].linked {
            // What it did not tell by now it never will (its events were lost).
            self.tell_older(index);
        }
        let suspect = self.suspect(index);
        self.unchain(index);
        let pending = self.pending.remove(index);
        self.gaps += u64::from(pending.has_gap());
        out.push(pending.into_timeline(now, lost, suspect));
    }
}

#[cfg(test)]
mod tests;
