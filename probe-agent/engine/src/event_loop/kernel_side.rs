//! What the engine hears from the kernel.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    time::Duration,
};

use super::Engine;
use explain::{timeline::Coverage, timers::SYNACK_TIMER};
use kernel::{
    loader::{Rings, Tracer},
    losses::Losses,
    reader::{Progress, Reader, Route},
};
use model::{
    event::FlowEvent,
    record::{HalfOpen, StateHook},
};

/// Events that wait for a worker, at most: a second of trouble at full speed.
const INBOX: usize = 65_536;

/// The kernel's side of a worker.
pub struct Tracing {
    /// The loaded programs.
    pub tracer: Arc<Tracer>,
    /// How far the reader is.
    pub progress: Arc<Progress>,
    /// The events for this worker's slots.
    pub inbox: Receiver<FlowEvent>,
}

impl Tracing {
    /// The kernel's sides of so many workers, and the reader that feeds them. `route` says whose an
    /// event is, and `settle` is their settle window.
    ///
    /// # Errors
    /// If the reader's thread cannot be started.
    pub fn sides(
        tracer: &Arc<Tracer>,
        rings: Rings,
        settle: Duration,
        workers: usize,
        route: Route,
        losses: Losses,
    ) -> io::Result<(Vec<Self>, Reader)> {
        let (senders, inboxes): (Vec<_>, Vec<_>) =
            (0..workers).map(|_| mpsc::sync_channel(INBOX)).unzip();
        let reasons = &tracer.kernel.rst_reasons;
        let reader = Reader::start(rings, tick(settle), reasons, senders, route, losses)?;
        let sides = inboxes
            .into_iter()
            .map(|inbox| Self { tracer: Arc::clone(tracer), progress: reader.progress(), inbox })
            .collect();
        Ok((sides, reader))
    }
}

impl Engine {
    /// Takes in the kernel events that have come; returns until when none is missing.
    pub(super) fn take_in(&mut self) -> u64 {
        let Some(tracing) = &self.tracing else { return self.now };
        // Read first: what the reader delivers meanwhile may be taken in, but is not promised.
        let seen_until = tracing.progress.watermark();
        while let Ok(event) = tracing.inbox.try_recv() {
            self.settling.event(&event);
        }
        seen_until
    }

    /// When a probe whose window ends at `due` may be settled: all its events must have been told.
    pub(super) fn told_by(&self, due: u64) -> u64 {
        self.tracing.as_ref().map_or(due, |t| t.progress.look_after(due))
    }

    /// Whether the ACK guard stands.
    pub(super) fn half_open(&self) -> HalfOpen {
        self.tracing.as_ref().map_or(HalfOpen::NotEnforced, |t| t.tracer.guard.half_open())
    }

    /// Which hook tells of changes of state.
    pub(super) fn state_hook(&self) -> StateHook {
        match &self.tracing {
            Some(tracing) if tracing.tracer.hears_own_states => StateHook::SockOps,
            _ => StateHook::Tracepoint,
        }
    }

    /// Kernel events lost so far, on their whole way.
    pub(super) fn lost(&self) -> u64 {
        let before = self.tracing.as_ref().map_or(0, |t| t.progress.lost());
        before + self.settling.strays() + self.unheard
    }

    /// Whether the kernel has noted that the probe in flight on a slot is established.
    pub(super) fn is_established(&mut self, slot: u32) -> bool {
        self.established_at(slot).is_some()
    }

    /// When, by the kernel's record, the probe in flight on a slot was established.
    fn established_at(&mut self, slot: u32) -> Option<u64> {
        let number = self.pool.number(slot);
        let last = self.pool.entry(slot).kernel_generation;
        let record = self.tracing.as_ref()?.tracer.slots.read(number)?;
        (record.generation != last && record.established_at != 0).then_some(record.established_at)
    }

    /// Whether the probe in flight on a slot was answered by `deadline`; where the kernel noted no time,
    /// whether it has been answered.
    pub(super) fn was_answered(&mut self, slot: u32, deadline: u64) -> bool {
        match self.established_at(slot) {
            Some(at) => at <= deadline,
            None => self.pool.entry(slot).slot.as_ref().is_some_and(|s| s.is_connected()),
        }
    }
}

/// How often the reader looks, for probes with this settle window.
///
/// Each look disturbs whoever has the CPU, so there are no more than it takes: an event that was lost
/// when the server's timer ran is found by the second look after it ([`kernel::losses`]), and that
/// must come, with room to spare, before the window ends.
fn tick(settle: Duration) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(20);
    const LONGEST: Duration = Duration::from_millis(100);
    let rest = settle.saturating_sub(Duration::from_nanos(SYNACK_TIMER));
    (rest / 8).clamp(SHORTEST, LONGEST)
}

/// What the hooks in place see of a probe.
pub(super) fn coverage(tracing: Option<&Tracing>) -> Coverage {
    match tracing {
        Some(tracing) if tracing.tracer.kernel.sees_socketless_rst => Coverage::Full,
        Some(_) => Coverage::SocketsOnly,
        None => Coverage::None,
    }
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
