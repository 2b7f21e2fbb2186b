//! Probes that have ended but whose late events may still come.
//!
//! A probe leaves here as a [`Timeline`] when its settle window has passed, or earlier, when a
//! later probe on the same 4-tuple shows what the server had kept of it:
//! - the later SYN was answered as if nothing were left: the server had let go;
//! - the later SYN met a leftover: the RST (or the SYN-ACK) of the earlier probe was lost.
//!
//! A probe with a sign of loss is followed beyond its window until the server's next SYN-ACK would
//! be due, because only its absence shows that the recovery worked.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;
use probe_agent_common::FlowKey;
use slab::Slab;

use super::{
    orphans::{Orphans, generation_is},
    timeline::{Confirmation, Coverage, Earlier, Later, Timeline},
};
use crate::{
    probe::{
        outcome::Outcome,
        record::{Closing, ProbeId, ProbeRecord},
    },
    trace::event::{Event, FlowEvent, Happening},
};

/// The SYN-ACK's retransmit timer of the first time, in nanoseconds; it doubles each time
/// (`TCP_TIMEOUT_INIT`, `reqsk_timer_handler`; RFC 6298, sections 2.1 and 5.5).
pub const SYNACK_TIMER: u64 = 1_000_000_000;

/// How late, in nanoseconds, a SYN-ACK retransmit and the RST that answers it may be seen after the
/// timer is due: the timer wheel's grain, a busy server and the way there and back.
pub const SYNACK_SLACK: u64 = 250_000_000;

/// Events of nobody are kept this long, in nanoseconds: a probe's timeout is rarely longer.
const ORPHAN_AGE: u64 = 60_000_000_000;

/// A probe that waits.
#[derive(Debug)]
struct Pending {
    timeline: Timeline,
    /// Kernel events lost by the time that it started.
    lost_before: u64,
    /// The probe before it on the same 4-tuple, if that waits too.
    older: Option<usize>,
    /// A later probe is on its way on the same 4-tuple: wait for what it finds.
    held: bool,
    /// A second probe is on its way to decide on its refusal.
    doubted: bool,
    /// What it found of `older` has been told.
    linked: bool,
    /// Tells a reused place in the slab from the one that a deadline was set for.
    serial: u64,
}

/// All probes of a worker that wait for late events.
#[derive(Debug)]
pub struct Settling {
    window: u64,
    pending: Slab<Pending>,
    newest: HashMap<FlowKey, usize, RandomState>,
    /// Deadlines of the plain window: in order, because the window is the same for all.
    by_window: VecDeque<(u64, usize, u64)>,
    /// All others. Short, and looked through as a whole.
    by_other: Vec<(u64, usize, u64)>,
    orphans: Orphans,
    serial: u64,
    strays: u64,
}

impl Settling {
    /// A store for a settle window of `window` nanoseconds.
    #[must_use]
    pub fn new(window: u64) -> Self {
        Self {
            window,
            pending: Slab::new(),
            newest: HashMap::default(),
            by_window: VecDeque::new(),
            by_other: Vec::new(),
            orphans: Orphans::default(),
            serial: 0,
            strays: 0,
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

    /// Whether an earlier probe on this 4-tuple still waits, and if so, which and how it was closed.
    #[must_use]
    pub fn unsettled(&self, flow: &FlowKey) -> Option<(ProbeId, Closing)> {
        let record = &self.pending[*self.newest.get(flow)?].timeline.probe;
        Some((record.id, record.closing))
    }

    /// A new probe is about to start on this 4-tuple: what it finds decides about the one before.
    pub fn starting(&mut self, flow: &FlowKey) {
        if let Some(&index) = self.newest.get(flow) {
            self.pending[index].held = true;
        }
    }

    /// A probe has ended. `lost_before` is the number of events lost when it started. With
    /// `await_second` it stays until [`confirm`](Self::confirm) is called for it.
    pub fn ended(
        &mut self,
        record: ProbeRecord,
        tracing: bool,
        lost_before: u64,
        await_second: bool,
    ) {
        let flow = record.flow;
        let events = if record.kernel.is_some() { self.orphans.claim(&record) } else { Vec::new() };
        // Nothing can come late for a probe that the other side, or this host, put an end to.
        let follow = if record.closing == Closing::ByKernel { 0 } else { self.window };
        let deadline = record.ended_at + follow;
        let older = self.newest.get(&flow).copied();
        self.serial += 1;
        let index = self.pending.insert(Pending {
            timeline: Timeline {
                probe: record,
                events,
                coverage: if tracing { Coverage::Full } else { Coverage::None },
                followed_until: 0,
                reused_cleanly: false,
                earlier: None,
                later: None,
                confirmation: None,
            },
            lost_before,
            older,
            held: false,
            doubted: await_second,
            linked: false,
            serial: self.serial,
        });
        self.newest.insert(flow, index);
        if follow == 0 {
            self.by_other.push((deadline, index, self.serial));
        } else {
            self.by_window.push_back((deadline, index, self.serial));
        }
        self.link(index);
    }

    /// A second probe from another port has decided on the refusal of probe `id` (path C).
    pub fn confirm(&mut self, flow: &FlowKey, id: ProbeId, second: Confirmation) {
        let mut next = self.newest.get(flow).copied();
        while let Some(index) = next {
            let pending = &mut self.pending[index];
            if pending.timeline.probe.id == id {
                pending.timeline.confirmation = Some(second);
                pending.doubted = false;
                // Not before its own events are here: they say what its SYN met.
                let deadline = pending.timeline.probe.ended_at;
                self.by_other.push((deadline, index, pending.serial));
                self.link(index);
                return;
            }
            next = pending.older;
        }
    }

    /// A kernel event has come.
    pub fn event(&mut self, event: &FlowEvent) {
        let mut next = self.newest.get(&event.flow).copied();
        while let Some(index) = next {
            let pending = &mut self.pending[index];
            if belongs(&pending.timeline.probe, event) {
                let events = &mut pending.timeline.events;
                let place = events.partition_point(|e| e.at <= event.event.at);
                events.insert(place, event.event);
                self.link(index);
                return;
            }
            next = pending.older;
        }
        if !self.orphans.keep(event) {
            self.strays += 1;
        }
    }

    /// Hands out every probe that is settled, given that all events up to `seen_until` have been
    /// told and `lost` events have been lost so far.
    pub fn settle(&mut self, seen_until: u64, lost: u64, out: &mut Vec<Timeline>) {
        while let Some(&(deadline, index, serial)) = self.by_window.front()
            && deadline <= seen_until
        {
            self.by_window.pop_front();
            self.due(index, serial, seen_until, lost, out);
        }
        let mut others = std::mem::take(&mut self.by_other);
        others.retain(|&(deadline, index, serial)| {
            let due = deadline <= seen_until;
            if due {
                self.due(index, serial, seen_until, lost, out);
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
        let rest: Vec<usize> = self.pending.iter().map(|(index, _)| index).collect();
        for &index in &rest {
            self.hand_out(index, seen_until, lost, out);
        }
        rest.len() as u64
    }

    /// A deadline has passed.
    fn due(&mut self, index: usize, serial: u64, now: u64, lost: u64, out: &mut Vec<Timeline>) {
        let Some(pending) = self.pending.get_mut(index).filter(|p| p.serial == serial) else {
            return;
        };
        // What a later probe, or the second opinion, finds comes within that probe's timeout.
        let wait_until = if pending.held || pending.doubted {
            now + SYNACK_SLACK
        } else {
            next_synack_due(&pending.timeline).filter(|due| *due > now).unwrap_or(0)
        };
        if wait_until > 0 {
            self.by_other.push((wait_until, index, serial));
        } else {
            self.hand_out(index, now, lost, out);
        }
    }

    fn hand_out(&mut self, index: usize, now: u64, lost: u64, out: &mut Vec<Timeline>) {
        let pending = self.pending.remove(index);
        let mut timeline = pending.timeline;
        self.unchain(&timeline.probe.flow, index, pending.older);
        if let Some(older) = pending.older {
            // Whatever this probe did not tell by now it never will (its events were lost).
            self.pending[older].held = false;
        }
        timeline.followed_until = now;
        let own_lost = timeline.probe.kernel.is_some_and(|k| k.events_lost > 0);
        if timeline.coverage == Coverage::Full && (own_lost || lost != pending.lost_before) {
            timeline.coverage = Coverage::EventsLost;
        }
        if timeline.earlier.is_none() && timeline.met_leftover_at().is_some() {
            timeline.earlier = Some(Earlier { id: None, closing: None, ended_at: 0 });
        }
        out.push(timeline);
    }

    /// Takes a probe out of the chain of its 4-tuple.
    fn unchain(&mut self, flow: &FlowKey, index: usize, older: Option<usize>) {
        let Some(&newest) = self.newest.get(flow) else { return };
        if newest == index {
            match older {
                Some(older) => self.newest.insert(*flow, older),
                None => self.newest.remove(flow),
            };
            return;
        }
        let mut next = Some(newest);
        while let Some(at) = next {
            let pending = &mut self.pending[at];
            if pending.older == Some(index) {
                pending.older = older;
                return;
            }
            next = pending.older;
        }
    }

    /// Once all events of a probe are here: tells the one before it on the 4-tuple what it found.
    fn link(&mut self, index: usize) {
        let newer = &self.pending[index];
        let Some(older) = newer.older else { return };
        let timeline = &newer.timeline;
        let complete = timeline.probe.kernel.is_none_or(|k| {
            socket_events(&timeline.events) >= k.events.saturating_sub(k.events_lost) as usize
        });
        if newer.linked || newer.doubted || !complete {
            return;
        }
        let found = Found::of(timeline);
        let (id, ended_at) = (timeline.probe.id, timeline.probe.ended_at);
        self.pending[index].linked = true;
        let before = &mut self.pending[older];
        before.held = false;
        match found {
            Found::Nothing => return,
            Found::NoLeftover => before.timeline.reused_cleanly = true,
            Found::Leftover { at, recovered } => {
                if before.timeline.probe.closing == Closing::Reset {
                    before.timeline.later = Some(Later { id, at, recovered });
                }
                let record = &before.timeline.probe;
                let earlier = Earlier {
                    id: Some(record.id),
                    closing: Some(record.closing),
                    ended_at: record.ended_at,
                };
                self.pending[index].timeline.earlier = Some(earlier);
            }
        }
        // Its fate is known; only events from before the later probe can still be on their way.
        let serial = self.pending[older].serial;
        self.by_other.push((ended_at, older, serial));
    }
}

/// What a probe found of the one before it on its 4-tuple.
enum Found {
    /// It cannot be told: its SYN got no answer, or a refusal.
    Nothing,
    /// Its SYN was answered as if nothing were left.
    NoLeftover,
    /// Its SYN met something.
    Leftover { at: u64, recovered: bool },
}

impl Found {
    fn of(timeline: &Timeline) -> Self {
        let alive = timeline.outcome() == Outcome::Alive;
        if let Some(at) = timeline.met_leftover_at() {
            Self::Leftover { at, recovered: alive }
        } else if timeline.falsely_refused() {
            Self::Leftover { at: timeline.probe.syn_at(), recovered: true }
        } else if alive {
            Self::NoLeftover
        } else {
            Self::Nothing
        }
    }
}

/// Whether an event is of this probe: by slot and generation if its socket took part, else by time.
fn belongs(record: &ProbeRecord, event: &FlowEvent) -> bool {
    match (event.socket, event.event.what) {
        (Some((slot, generation)), _) => {
            record.id.slot == slot && generation_is(record, generation)
        }
        // A server may send its SYN-ACK again while the probe is still open.
        (None, Happening::SynAckRetransmit) => record.syn_at() <= event.event.at,
        (None, _) => {
            record.kernel.is_some_and(|k| k.closed_at != 0 && k.closed_at <= event.event.at)
        }
    }
}

/// How many of the events are of the probe's own socket: those that its record counts.
fn socket_events(events: &[Event]) -> usize {
    let socketless = |e: &&Event| {
        matches!(e.what, Happening::SynAckRetransmit | Happening::RstSent { socket: None, .. })
    };
    events.len() - events.iter().filter(socketless).count()
}

/// When the server would send its SYN-ACK once more if the one RST that answered its first
/// retransmit had been lost as well; `None` where that does not matter or is known already.
fn next_synack_due(timeline: &Timeline) -> Option<u64> {
    if timeline.probe.closing != Closing::Reset
        || timeline.later.is_some()
        || timeline.reused_cleanly
    {
        return None;
    }
    let mut late = timeline.late_rsts();
    match (late.next(), late.next()) {
        (Some(first), None) => Some(first + 2 * SYNACK_TIMER + SYNACK_SLACK),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
