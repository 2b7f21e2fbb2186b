//! Joins ended probes and kernel events into timelines.
//!
//! A probe waits here until its settle window has passed, or until a later probe on the same 4-tuple
//! shows what the server had kept of it:
//! - the later SYN was answered as if nothing were left: the server dropped the half-open connection;
//! - the later SYN met a stale connection: the RST (or the SYN-ACK) of the earlier probe was lost.
//!
//! Behind an address translation, that later probe may have come from another port.
//!
//! A probe with a sign of loss waits beyond its window until the server's next SYN-ACK would be due,
//! because only its absence shows that the recovery worked. So does a probe whose SYN-ACK was sent more
//! than once, because that server's timer runs for longer than the window.
//!
//! The engine calls [`Correlator::on_probe_end`] and [`Correlator::on_time`], and nothing else while it
//! runs.

mod early_events;
mod history;
mod newest;
mod pending;
mod timers;
mod unclaimed;

pub use self::pending::PendingRef;

use model::{
    event::FlowEvent,
    record::{ProbeId, ProbeRecord},
};

use self::{
    early_events::EarlyEvents,
    history::History,
    pending::{Pending, Phase},
    timers::Timers,
};
use crate::{
    timeline::{Confirmation, Coverage, Timeline},
    timers::SYNACK_SLACK,
};

/// Events that belong to no probe yet are kept for this long, in nanoseconds: a timeout is rarely longer.
const EARLY_EVENT_AGE: u64 = 60_000_000_000;

/// The events kept of one probe: a peer that sends segments without end must not fill the memory.
const MAX_EVENTS: usize = 256;

/// A probe that has just ended.
#[derive(Debug)]
pub struct EndedProbe {
    /// What the engine knows of it.
    pub record: ProbeRecord,
    /// [`Observed::lost`] by the time it started.
    pub lost_before: u64,
    /// Its refusal is in doubt: a confirmation probe will follow, which names it in
    /// [`ProbeRecord::confirms`]. It waits for that one.
    pub awaits_confirmation: bool,
}

/// What has been observed of the kernel's side so far.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// No event up to this time is outstanding, in nanoseconds of `CLOCK_MONOTONIC`.
    pub until: u64,
    /// Kernel events lost so far of which it is not known whose they were: they concern every probe that
    /// waits or is in flight. Where it is known, see [`Timeline::set_events_lost`].
    pub lost: u64,
}

/// All probes of a worker that wait for late events.
#[derive(Debug)]
pub struct Correlator {
    window: u64,
    coverage: Coverage,
    history: History,
    timers: Timers,
    early: EarlyEvents,
    /// Probes that wait for their confirmation probes.
    unconfirmed: Vec<(ProbeId, PendingRef)>,
    dropped_events: u64,
    gaps: u64,
}

impl Correlator {
    /// A correlator for a settle window of `window` nanoseconds. `coverage` is what the attached hooks
    /// observe of a probe as long as no event is lost.
    #[must_use]
    pub fn new(window: u64, coverage: Coverage) -> Self {
        Self {
            window,
            coverage,
            history: History::default(),
            timers: Timers::default(),
            early: EarlyEvents::default(),
            unconfirmed: Vec::new(),
            dropped_events: 0,
            gaps: 0,
        }
    }

    /// The number of probes that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.history.len()
    }

    /// Whether no probe waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.history.len() == 0
    }

    /// Events dropped because a probe had too many: the evidence of that probe is incomplete.
    #[must_use]
    pub fn dropped_events(&self) -> u64 {
        self.dropped_events
    }

    /// Probes in whose slot record the kernel left a gap. Each is an event lost, of that probe alone.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// The newest waiting probe of a 4-tuple.
    #[cfg(test)]
    pub(crate) fn newest(&self, flow: &probe_agent_common::FlowKey) -> Option<ProbeId> {
        let index = self.history.find(flow, |_| true)?;
        self.history.by_index(index).map(|pending| pending.timeline.probe.id)
    }

    /// When a probe may next be settled, in nanoseconds of `CLOCK_MONOTONIC`; `None` if none waits.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        self.timers.next()
    }

    /// What the end of the next probe on a 4-tuple will read of the one before it, for a caller that wants
    /// it in the processor's cache by then. Nothing else can be done with it.
    #[must_use]
    pub fn will_read(&self, probe: PendingRef) -> Option<&(impl Sized + use<>)> {
        self.history.entry(probe)
    }

    /// A probe has ended. Returns a name for it while it waits.
    pub fn on_probe_end(&mut self, ended: EndedProbe) -> PendingRef {
        let EndedProbe { record, lost_before, awaits_confirmation } = ended;
        if let Some(first) = record.confirms {
            self.on_confirmation(first, &record);
        }
        let (events, dropped) = match record.kernel {
            Some(_) => self.early.claim(&record),
            None => (Vec::new(), false),
        };
        let coverage = if record.is_unobserved() { Coverage::None } else { self.coverage };
        let (id, ended_at) = (record.id, record.ended_at);
        let is_followed = record.may_be_answered_late();
        let timeline = Timeline {
            probe: record,
            events,
            coverage,
            followed_until: 0,
            reused_cleanly: false,
            copy_met: None,
            reuse_in_doubt: false,
            earlier: None,
            later: None,
            confirmation: None,
        };
        let phase = if awaits_confirmation { Phase::AwaitsConfirmation } else { Phase::Unlinked };
        let at = self.history.insert(timeline, lost_before, dropped, phase, &mut self.timers);
        if awaits_confirmation {
            self.unconfirmed.push((id, at));
        }
        if is_followed {
            self.timers.push_in_order(ended_at.saturating_add(self.window), at);
        } else {
            self.timers.push(ended_at, at);
        }
        at
    }

    /// A confirmation probe has ended: it decides about the refusal of `first` (path C).
    fn on_confirmation(&mut self, first: ProbeId, second: &ProbeRecord) {
        let Some(index) = self.unconfirmed.iter().position(|(id, _)| *id == first) else { return };
        let (_, at) = self.unconfirmed.swap_remove(index);
        let confirmation = Confirmation {
            id: second.id,
            local_port: second.flow.local_port,
            outcome: second.outcome,
        };
        self.history.confirm(at, confirmation, &mut self.timers);
    }

    /// Time has passed: takes in the kernel events that have come, and hands out every probe that is
    /// settled by [`Observed::until`].
    ///
    /// `is_in_flight` says whether another probe is in flight on the 4-tuple of a probe: what that one
    /// meets at the server decides about the waiting one.
    pub fn on_time(
        &mut self,
        events: impl IntoIterator<Item = FlowEvent>,
        observed: Observed,
        is_in_flight: impl Fn(&ProbeRecord) -> bool,
        out: &mut Vec<Timeline>,
    ) {
        events.into_iter().for_each(|event| self.on_event(&event));
        while let Some(at) = self.timers.pop_due(observed.until) {
            self.on_deadline(at, observed, &is_in_flight, out);
        }
        self.early.forget(observed.until.saturating_sub(EARLY_EVENT_AGE));
    }

    /// Hands out everything at once, settled or not, because the run was interrupted. Returns how many
    /// probes were not settled.
    pub fn flush(&mut self, observed: Observed, out: &mut Vec<Timeline>) -> u64 {
        self.on_time([], observed, |_| false, out);
        let settled = out.len();
        for index in self.history.newest_first() {
            self.history.claim_replies(index, &mut self.timers);
        }
        // The newest first: each one decides about the one before it.
        for index in self.history.newest_first() {
            self.hand_out(index, observed, out);
        }
        out.get_mut(settled..).unwrap_or_default().reverse();
        (out.len() - settled) as u64
    }

    fn on_event(&mut self, event: &FlowEvent) {
        // The sequence numbers tell whose it is, where they are known; else it is the newest that it can be of.
        let by_numbers = self.history.find(&event.flow, |p| p.takes(event) && p.has_numbers(event));
        let found = by_numbers.or_else(|| self.history.find(&event.flow, |p| p.takes(event)));
        let kept = match found {
            Some(index) => self.history.add_event(index, event.event, &mut self.timers),
            None => self.early.keep(event),
        };
        self.dropped_events += u64::from(!kept);
    }

    fn on_deadline(
        &mut self,
        at: PendingRef,
        observed: Observed,
        is_in_flight: impl Fn(&ProbeRecord) -> bool,
        out: &mut Vec<Timeline>,
    ) {
        if self.history.get(at).is_none() {
            return;
        }
        self.history.claim_replies(at.index, &mut self.timers);
        let Some(pending) = self.history.get(at) else { return };
        // A later probe, or the confirmation probe, ends within its own timeout.
        let wait_until = if pending.phase == Phase::AwaitsConfirmation
            || self.history.waits_for_later(at.index, is_in_flight)
        {
            Some(observed.until + SYNACK_SLACK)
        } else {
            let seeks_until = pending.seeks_owner_until(self.window);
            pending.timeline.follow_until().max(seeks_until).filter(|until| *until > observed.until)
        };
        match wait_until {
            Some(until) => self.timers.push(until, at),
            None => self.hand_out(at.index, observed, out),
        }
    }

    fn hand_out(&mut self, index: usize, observed: Observed, out: &mut Vec<Timeline>) {
        let (pending, suspect) = self.history.remove(index, observed.until, &mut self.timers);
        if pending.phase == Phase::AwaitsConfirmation {
            self.unconfirmed.retain(|(id, _)| *id != pending.timeline.probe.id);
        }
        self.gaps += u64::from(pending.has_gap());
        out.push(pending.into_timeline(observed, suspect));
    }
}

#[cfg(test)]
mod tests;
