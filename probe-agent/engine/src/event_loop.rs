//! The event loop of one worker: starts probes on slots, waits for their answers and ends them.
//!
//! Each turn has phases that do not mix. A probe passes these functions, one file per phase:
//!
//! ```text
//! start.rs   start_due -> start -> choose_and_connect -> on_connect
//! wait.rs    wait_for_answers
//! end.rs     on_answer | on_error | on_deadline -> end -> on_probe_end
//! settle.rs  settle -> hand_out -> Sink::settled
//! ```
//!
//! A socket that is used again reports a spare edge of its last `connect(AF_UNSPEC)`. Because starts and
//! answers never share a turn's event list, an edge for a slot in flight always belongs to the probe in
//! flight.

mod end;
mod settle;
mod start;
mod wait;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use explain::{Judged, correlator::Correlator, timeline::Timeline};
use kernel::monotonic;
use model::{duration::nanos, target::TargetId};
use nix::sys::epoll::{Epoll, EpollEvent};

use self::start::StartQueue;
use crate::{
    conntrack::Translations,
    deadlines::Deadlines,
    flights::Flights,
    gauges::Gauges,
    host_clues::HostClueCache,
    in_flight_limit::InFlightLimit,
    observer::{Observer, Tracing},
    settings::Settings,
    slot_table::SlotTable,
    source::{Source, TargetTable},
};

/// The most probes that one turn starts, and the most answers that it receives: small enough to keep
/// deadlines, large enough to make the turn's own cost small.
const BATCH: usize = 256;

/// Receives the probes that are finished.
pub trait Sink {
    /// What the sink leaves when the event loop has ended.
    type Result: Send + 'static;

    /// Takes a settled probe: no further event can belong to it.
    fn settled(&mut self, probe: Judged);
    /// A target was removed, and all of its probes have been passed to [`Self::settled`]. Its id may be used for
    /// another target from now on.
    fn removed(&mut self, target: TargetId) {
        let _ = target;
    }
    /// Whether the sink can take more. While it cannot, no further probe is started.
    fn has_room(&self) -> bool;
    /// The event loop has ended.
    fn finish(self) -> Self::Result;
}

/// The event loop of one worker.
pub(crate) struct EventLoop<S: Source> {
    settings: Settings,
    source: S,
    targets: TargetTable<S::Job>,
    slots: SlotTable,
    flights: Flights,
    deadlines: Deadlines,
    in_flight_limit: InFlightLimit,
    start_queue: StartQueue,
    observer: Observer,
    correlator: Correlator,
    clues: HostClueCache,
    translations: Translations,
    epoll: Epoll,
    gauges: Arc<Gauges>,
    stop: Arc<AtomicBool>,
    now: u64,
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// It was stopped before all probes were done.
    pub interrupted: bool,
    /// Probes whose settle window was cut short.
    pub unsettled: u64,
    /// Kernel events that are missing: userspace had no room for them, or they could not be observed.
    pub events_lost: u64,
}

impl Ended {
    /// Adds how another worker ended.
    pub(crate) fn add(&mut self, other: Self) {
        self.interrupted |= other.interrupted;
        self.unsettled += other.unsettled;
        self.events_lost += other.events_lost;
    }
}

impl<S: Source> EventLoop<S> {
    /// Prepares a worker. Its probes leave from the calling thread's network namespace.
    ///
    /// # Errors
    /// If the kernel refuses an epoll instance.
    pub(crate) fn new(
        settings: Settings,
        source: S,
        tracing: Option<Tracing>,
        gauges: Arc<Gauges>,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let now = monotonic::now();
        let observer = Observer::new(tracing);
        Ok(Self {
            targets: source.targets(),
            slots: SlotTable::new(&settings, now / 1000, observer.tracer()),
            flights: Flights::default(),
            deadlines: Deadlines::default(),
            in_flight_limit: InFlightLimit::new(settings.concurrency),
            start_queue: StartQueue::default(),
            correlator: Correlator::new(nanos(settings.settle), observer.coverage()),
            observer,
            clues: HostClueCache::default(),
            translations: Translations::default(),
            epoll: wait::epoll(source.wakeup())?,
            source,
            settings,
            gauges,
            stop,
            now,
        })
    }

    /// Runs until the source is exhausted and every probe is settled, or until it is stopped. Passes each
    /// settled probe to `sink`. Also returns the error that ended it early, if waiting for answers failed:
    /// what has been probed is passed on all the same.
    pub(crate) fn run(mut self, sink: &mut impl Sink) -> (Ended, Option<io::Error>) {
        let mut settled = Vec::new();
        let failure = self.turns(&mut settled, sink).err();
        self.gauges.beat(monotonic::now());
        let interrupted = !self.is_done();
        self.settle(&mut settled);
        let observed = self.observer.observed(self.observer.watermark(self.now));
        let unsettled = self.correlator.flush(observed, &mut settled);
        for mut timeline in settled.drain(..) {
            self.observer.note_losses(&mut timeline);
            self.judge(timeline, sink);
        }
        self.report_removed(sink);
        // A stall during this last part counts, too.
        self.gauges.beat(monotonic::now());
        let ended = Ended {
            interrupted,
            unsettled,
            events_lost: self.correlator.dropped_events()
                + self.correlator.gaps()
                + self.observer.relocations(),
        };
        (ended, failure)
    }

    fn turns(&mut self, settled: &mut Vec<Timeline>, sink: &mut impl Sink) -> io::Result<()> {
        let mut answers = vec![EpollEvent::empty(); BATCH];
        while !self.stop.load(Ordering::Relaxed) {
            self.now = monotonic::now();
            self.gauges.beat(self.now);
            let has_room = sink.has_room();
            self.source.update(&mut self.targets, self.now);
            self.start_due(has_room);
            if self.is_done() {
                break;
            }
            self.wait_for_answers(&mut answers, has_room)?;
            self.now = monotonic::now();
            self.expire();
            self.settle(settled);
            self.hand_out(settled, sink);
            self.gauges.in_flight.store(self.flights.len() as u64, Ordering::Relaxed);
            self.gauges.settling.store(self.correlator.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether nothing is left to start or to wait for.
    fn is_done(&self) -> bool {
        self.source.is_exhausted()
            && self.flights.len() == 0
            && self.start_queue.is_empty()
            && self.correlator.is_empty()
    }
}

#[cfg(test)]
mod tests;
