//! What a worker observes of the kernel's side: slot records, events, and what was lost of them.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    time::Duration,
};

use explain::{correlator::Observed, timeline::Coverage, timers::SYNACK_TIMER};
use kernel::{
    loader::{Rings, Tracer},
    lost_events::LostEvents,
    reader::{Progress, Reader, Route},
};
use model::{
    event::FlowEvent,
    record::{HalfOpen, StateHook},
};
use probe_agent_common::SlotRecord;

/// Events that wait for a worker, at most: a second of trouble at full speed.
const INBOX: usize = 65_536;

/// A worker's end of the tracing.
pub(crate) struct Tracing {
    tracer: Arc<Tracer>,
    progress: Arc<Progress>,
    inbox: Receiver<FlowEvent>,
}

/// The tracing ends of `workers` workers, and the reader that feeds them. `route` says which worker an
/// event belongs to; `settle` is their settle window.
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
    let (senders, inboxes): (Vec<_>, Vec<_>) =
        (0..workers).map(|_| mpsc::sync_channel(INBOX)).unzip();
    let reasons = tracer.rst_reasons();
    let reader = Reader::start(rings, tick(settle), reasons, senders, route, losses)?;
    let ends = inboxes
        .into_iter()
        .map(|inbox| Tracing { tracer: Arc::clone(tracer), progress: reader.progress(), inbox })
        .collect();
    Ok((ends, reader))
}

/// The kernel's side as one worker sees it; without tracing it reports nothing.
pub(crate) struct Observer {
    tracing: Option<Tracing>,
    /// Slots that were given another source address while late events may still have come for them.
    relocations: u64,
}

impl Observer {
    pub(crate) fn new(tracing: Option<Tracing>) -> Self {
        Self { tracing, relocations: 0 }
    }

    /// Whether the kernel reports what becomes of a probe's socket.
    pub(crate) fn is_tracing(&self) -> bool {
        self.tracing.as_ref().is_some_and(|t| t.tracer.state_hook().is_some())
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
    pub(crate) fn half_open(&self) -> HalfOpen {
        self.tracing.as_ref().map_or(HalfOpen::NotEnforced, |t| t.tracer.half_open())
    }

    /// Which hook reports state changes.
    pub(crate) fn state_hook(&self) -> StateHook {
        self.tracing.as_ref().and_then(|t| t.tracer.state_hook()).unwrap_or_default()
    }

    /// The kernel's record of the probe on a slot, if it is newer than `generation`. A `connect()` that
    /// failed before `CLOSE -> SYN_SENT` left the last probe's record there.
    pub(crate) fn record(&self, slot: u32, generation: u32) -> Option<SlotRecord> {
        let record = self.tracing.as_ref()?.tracer.slots.read(slot)?;
        (record.generation != generation).then_some(record)
    }

    /// When the probe on a slot was established, by the kernel's record.
    pub(crate) fn established_at(&self, slot: u32, generation: u32) -> Option<u64> {
        self.record(slot, generation).map(|r| r.established_at).filter(|at| *at != 0)
    }

    /// Asks for the record of a slot that will be used soon.
    pub(crate) fn look_ahead(&self, slot: u32) {
        if let Some(tracing) = &self.tracing {
            tracing.tracer.slots.look_ahead(slot);
        }
    }

    /// A slot was given another source address.
    pub(crate) fn on_relocation(&mut self) {
        self.relocations += u64::from(self.tracing.is_some());
    }

    /// Slots that were given another source address, each of which may have lost an event.
    pub(crate) fn relocations(&self) -> u64 {
        self.relocations
    }

    /// Kernel events lost so far.
    pub(crate) fn lost(&self) -> u64 {
        self.tracing.as_ref().map_or(0, |t| t.progress.lost()) + self.relocations
    }

    /// Until when no event is outstanding but those of [`Self::events`], and how many are lost. `now` is
    /// what to go by without tracing. Must be read before the events are: what the reader delivers
    /// meanwhile may be taken in, but nothing is claimed about it.
    pub(crate) fn watermark(&self, now: u64) -> u64 {
        self.tracing.as_ref().map_or(now, |t| t.progress.watermark())
    }

    /// The events that have come.
    pub(crate) fn events(&self) -> impl Iterator<Item = FlowEvent> {
        self.tracing.iter().flat_map(|t| t.inbox.try_iter())
    }

    /// When a probe whose window ends at `due` may be settled: all its events must have been reported.
    pub(crate) fn reported_by(&self, due: u64) -> u64 {
        self.tracing.as_ref().map_or(due, |t| t.progress.look_after(due))
    }

    /// What is observed up to a watermark.
    pub(crate) fn observed(&self, until: u64) -> Observed {
        Observed { until, lost: self.lost() }
    }
}

/// How often the reader looks, for probes with this settle window.
///
/// Each look disturbs whatever runs on that CPU, so there are no more than needed: an event that was
/// lost when the server's timer ran is found by the second look after it ([`kernel::lost_events`]), and that
/// must come, with room to spare, before the window ends.
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
    fn looks_fit_between_the_servers_timer_and_the_end_of_the_window() {
        let ms = Duration::from_millis;
        for (settle, expected) in [(0, 20), (1100, 20), (1400, 50), (2000, 100), (60_000, 100)] {
            assert_eq!(tick(ms(settle)), ms(expected), "{settle} ms");
        }
    }
}
