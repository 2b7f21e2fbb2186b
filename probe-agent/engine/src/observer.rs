//! What a worker observes of the kernel's side: slot records, kernel events, and how many were lost.

use std::{io, sync::Arc, time::Duration};

use explain::{
    correlator::Observed,
    timeline::{Coverage, Timeline},
    timers::SYNACK_TIMER,
};
use kernel::{
    loader::{Rings, Tracer},
    lost_events::LostEvents,
    reader::{Inbox, Progress, Reader, Route, inbox},
};
use model::{
    event::FlowEvent,
    record::{HalfOpen, RstHooks, StateHook},
};
use probe_agent_common::SlotRecord;

/// A worker's end of the tracing.
pub(crate) struct Tracing {
    tracer: Arc<Tracer>,
    progress: Arc<Progress>,
    inbox: Inbox,
}

impl Tracing {
    /// The loaded programs.
    pub(crate) fn tracer(&self) -> Arc<Tracer> {
        Arc::clone(&self.tracer)
    }
}

/// The tracing ends of `workers` workers, and the reader that passes events to them. `route` returns the
/// worker that an event belongs to; `settle` is the settle window.
///
/// # Errors
/// If the reader's thread cannot be started.
pub(crate) fn tracing(
    tracer: &Arc<Tracer>,
    rings: Rings,
    settle: Duration,
    workers: usize,
    route: Route,
    losses: LostEvents,
) -> io::Result<(Vec<Tracing>, Reader)> {
    let (senders, inboxes) = (0..workers).map(|_| inbox()).unzip::<_, _, Vec<_>, Vec<_>>();
    let reasons = tracer.reasons();
    let reader = Reader::start(rings, tick(settle), reasons, senders, route, losses)?;
    let ends = inboxes
        .into_iter()
        .map(|inbox| Tracing { tracer: Arc::clone(tracer), progress: reader.progress(), inbox })
        .collect();
    Ok((ends, reader))
}

/// The kernel's side as one worker observes it. Without tracing it reports nothing.
pub(crate) struct Observer {
    tracing: Option<Tracing>,
    // What loading has found out does not change, and each probe needs it.
    half_open: HalfOpen,
    state_hook: Option<StateHook>,
    rst_hooks: RstHooks,
    /// Slots that moved to another source address while late events for them may still have been outstanding.
    relocations: u64,
    /// The end of the settle window for which the reader was last made to look.
    hastened: u64,
}

impl Observer {
    pub(crate) fn new(tracing: Option<Tracing>) -> Self {
        let tracer = tracing.as_ref().map(|t| &t.tracer);
        Self {
            half_open: tracer.map_or(HalfOpen::NotEnforced, |t| t.half_open()),
            state_hook: tracer.and_then(|t| t.state_hook()),
            rst_hooks: tracer.map(|t| t.rst_hooks()).unwrap_or_default(),
            tracing,
            relocations: 0,
            hastened: 0,
        }
    }

    /// Whether the kernel reports what becomes of a probe's socket.
    pub(crate) const fn is_tracing(&self) -> bool {
        self.state_hook.is_some()
    }

    /// The loaded programs.
    pub(crate) fn tracer(&self) -> Option<Arc<Tracer>> {
        self.tracing.as_ref().map(|t| Arc::clone(&t.tracer))
    }

    /// What the attached hooks observe of a probe.
    pub(crate) fn coverage(&self) -> Coverage {
        match self.tracing.as_ref().map(|t| &t.tracer) {
            Some(tracer) if tracer.state_hook().is_none() => Coverage::None,
            Some(tracer) if !tracer.sees_all_sent() => Coverage::Incomplete,
            Some(tracer) if !tracer.sees_socketless_rsts() => Coverage::SocketsOnly,
            Some(_) => Coverage::Full,
            None => Coverage::None,
        }
    }

    /// Whether the ACK guard is attached.
    pub(crate) const fn half_open(&self) -> HalfOpen {
        self.half_open
    }

    /// Which hook reports state changes.
    pub(crate) fn state_hook(&self) -> StateHook {
        self.state_hook.unwrap_or_default()
    }

    /// Which hooks report RSTs.
    pub(crate) const fn rst_hooks(&self) -> RstHooks {
        self.rst_hooks
    }

    /// The kernel's record of the probe on a slot, if it is newer than `generation`. An older record belongs
    /// to the last probe: a `connect()` that fails before `CLOSE -> SYN_SENT` makes no record.
    pub(crate) fn record(&self, slot: u32, generation: u32) -> Option<SlotRecord> {
        let record = self.tracing.as_ref()?.tracer.slots.read(slot)?;
        (record.generation != generation).then_some(record)
    }

    /// When, by the kernel's record, the probe on a slot was established.
    pub(crate) fn established_at(&self, slot: u32, generation: u32) -> Option<u64> {
        self.record(slot, generation).map(|r| r.established_at).filter(|at| *at != 0)
    }

    /// Prefetches the record of a slot that will be used soon.
    pub(crate) fn look_ahead(&self, slot: u32) {
        if let Some(tracing) = &self.tracing {
            tracing.tracer.slots.look_ahead(slot);
        }
    }

    /// A slot has moved to another source address: late events of its probes until now will be missing.
    pub(crate) fn on_relocation(&mut self, slot: u32, now: u64) {
        if let Some(tracing) = &self.tracing {
            tracing.tracer.note_loss(slot, now);
            self.relocations += 1;
        }
    }

    /// Slots that moved to another source address. Each may have lost an event.
    pub(crate) fn relocations(&self) -> u64 {
        self.relocations
    }

    /// Kernel events lost so far of which it is not known whose they were.
    pub(crate) fn lost(&self) -> u64 {
        self.tracing.as_ref().map_or(0, |t| t.progress.lost_of_anybody())
    }

    /// Takes note, on a settled probe, of events without a socket that were lost on its slot's port. Where
    /// none was lost on any port, the slots need not be asked.
    pub(crate) fn note_losses(&self, timeline: &mut Timeline) {
        let Some(Tracing { tracer, progress, .. }) = &self.tracing else { return };
        let probe = &timeline.probe;
        if (self.relocations > 0 || progress.lost_of_slots() > 0)
            && tracer.has_lost_since(probe.id.slot, probe.syn_at())
        {
            timeline.set_events_lost();
        }
    }

    /// The time up to which no event is outstanding except those of [`Self::events`]; `now` without tracing.
    /// Read the watermark before the events: later events may be taken in, but it does not cover them.
    pub(crate) fn watermark(&self, now: u64) -> u64 {
        self.tracing.as_ref().map_or(now, |t| t.progress.watermark())
    }

    /// The events that have arrived.
    pub(crate) fn events(&self) -> impl Iterator<Item = FlowEvent> {
        self.tracing.iter().flat_map(|t| t.inbox.take())
    }

    /// The time at which all events of a probe whose window ends at `due` have been reported, and it may be
    /// settled.
    pub(crate) fn reported_by(&self, due: u64) -> u64 {
        self.tracing.as_ref().map_or(due, |t| t.progress.look_after(due))
    }

    /// The same for the last probes of a run, when nothing else is left to wait for: the reader is made to
    /// look as soon as they can be settled. `None` if that has been done, and did not help: after a stall of
    /// this host a look does not move the watermark at once.
    pub(crate) fn hasten(&mut self, due: u64, now: u64) -> Option<u64> {
        let Some(Tracing { progress, .. }) = &self.tracing else { return Some(due) };
        let earliest = progress.earliest_look(due);
        if now < earliest {
            return Some(earliest);
        }
        if std::mem::replace(&mut self.hastened, due) == due {
            return None;
        }
        progress.look_now();
        Some(now)
    }

    /// What has been observed up to a watermark.
    pub(crate) fn observed(&self, until: u64) -> Observed {
        Observed { until, lost: self.lost() }
    }
}

/// The interval at which the reader reads, for probes with this settle window.
///
/// Each read disturbs whatever runs on that CPU, so there are no more than needed: an event that was lost
/// when the server's timer ran is found by the second read after it ([`kernel::lost_events`]). That read must
/// come before the window ends, with a margin.
fn tick(settle: Duration) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(20);
    const LONGEST: Duration = Duration::from_millis(100);
    let rest = settle.saturating_sub(Duration::from_nanos(SYNACK_TIMER));
    (rest / 8).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::tick;

    #[test]
    fn reads_fit_between_the_servers_timer_and_the_end_of_the_window() {
        let ms = Duration::from_millis;
        for (settle, expected) in [(0, 20), (1100, 20), (1400, 50), (2000, 100), (60_000, 100)] {
            assert_eq!(tick(ms(settle)), ms(expected), "{settle} ms");
        }
    }
}
