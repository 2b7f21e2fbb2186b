//! The event loop of one worker: starts probes on slots, waits for their answers and ends them.
//!
//! Each turn has phases that do not mix: start what is due, wait for answers, end what has timed out,
//! take in kernel events, hand out what is settled. A socket that is used again reports a spare edge of
//! its last `connect(AF_UNSPEC)`. Because starts and answers never share a turn's event list, an edge
//! for a slot in flight is always about the probe in flight.

mod finish;
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
use model::duration::nanos;
use nix::sys::epoll::EpollEvent;

use self::{start::Waiting, wait::Poller};
use crate::{
    deadlines::Deadlines,
    flights::Flights,
    gauges::Gauges,
    in_flight_limit::InFlightLimit,
    observer::{Observer, Tracing},
    settings::Settings,
    slot_table::SlotTable,
    work::{Source, TargetTable},
};

/// Answers received in one turn, and probes started in one turn, at most: small enough for deadlines
/// to hold, large enough to make the turn's own cost small.
const BATCH: usize = 256;

/// Settled probes that are handed out between two looks at the deadlines.
const HANDED: usize = 64;

/// Takes what the event loop has finished.
pub trait Sink {
    /// What is left of it at the end.
    type Result: Send + 'static;

    /// A probe that no further event can belong to.
    fn settled(&mut self, probe: Judged);
    /// Whether more can be taken soon; while not, no further probe is started.
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
    limit: InFlightLimit,
    waiting: Waiting,
    observer: Observer,
    correlator: Correlator,
    poller: Poller,
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
    /// Events that userspace had no room for.
    pub events_lost: u64,
}

impl<S: Source> EventLoop<S> {
    /// Prepares a worker. The calling thread's network namespace is the one that probes leave from.
    ///
    /// # Errors
    /// If the kernel gives no epoll instance.
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
            limit: InFlightLimit::new(settings.concurrency),
            waiting: Waiting::default(),
            correlator: Correlator::new(nanos(settings.settle), observer.coverage()),
            observer,
            poller: Poller::new(source.wakeup())?,
            source,
            settings,
            gauges,
            stop,
            now,
        })
    }

    /// Runs until the source is exhausted and every probe is settled, or until it is stopped, and hands
    /// each probe to `sink`.
    ///
    /// # Errors
    /// If waiting for answers fails.
    pub(crate) fn run(mut self, sink: &mut impl Sink) -> io::Result<Ended> {
        let mut settled = Vec::new();
        let mut answers = vec![EpollEvent::empty(); BATCH];
        while !self.stop.load(Ordering::Relaxed) {
            self.now = monotonic::now();
            self.gauges.turn(self.now);
            let has_room = sink.has_room();
            self.start_due(has_room);
            if self.is_done() {
                break;
            }
            self.wait_for_answers(&mut answers, has_room)?;
            self.now = monotonic::now();
            self.expire();
            self.settle(&mut settled);
            self.hand_out(&mut settled, sink);
            self.gauges.in_flight.store(self.flights.len() as u64, Ordering::Relaxed);
            self.gauges.settling.store(self.correlator.len() as u64, Ordering::Relaxed);
        }
        self.gauges.turn(monotonic::now());
        let interrupted = !self.is_done();
        self.settle(&mut settled);
        let observed = self.observer.observed(self.observer.watermark(self.now));
        let unsettled = self.correlator.flush(observed, &mut settled);
        for timeline in settled.drain(..) {
            sink.settled(Judged::new(timeline, self.settings.expect));
        }
        // A stall during this last part is noticed by others, too.
        self.gauges.turn(monotonic::now());
        Ok(Ended {
            interrupted,
            unsettled,
            events_lost: self.correlator.dropped_events()
                + self.correlator.gaps()
                + self.observer.relocations(),
        })
    }

    /// Whether nothing is left to do or to wait for.
    fn is_done(&self) -> bool {
        self.source.is_exhausted()
            && self.flights.len() == 0
            && self.waiting.is_empty()
            && self.correlator.is_empty()
    }

    /// Ends probes whose deadline has passed.
    fn expire(&mut self) {
        while let Some(passed) = self.deadlines.pop(self.now) {
            if self.flights.has(passed.slot, passed.generation) {
                self.on_deadline(passed.slot, passed.at);
            }
        }
        if self.deadlines.is_stale(self.flights.len()) {
            self.deadlines.forget(|d| self.flights.has(d.slot, d.generation));
        }
    }

    /// Takes in the kernel events that have come, and collects the probes that are settled by them.
    fn settle(&mut self, settled: &mut Vec<Timeline>) {
        // In this order: whatever is delivered between the two is taken in, and not relied on.
        let until = self.observer.watermark(self.now);
        let (slots, flights) = (&self.slots, &self.flights);
        let events = self.observer.events();
        self.correlator.on_time(
            events,
            self.observer.observed(until),
            |probe| {
                let flight = slots.slot_of(probe.id).and_then(|slot| flights.get(slot));
                flight.is_some_and(|flight| flight.flow == probe.flow)
            },
            settled,
        );
    }

    /// Judges what is settled and hands it out. Timeouts that pass meanwhile need not wait for all of it.
    fn hand_out(&mut self, settled: &mut Vec<Timeline>, sink: &mut impl Sink) {
        for (handed, timeline) in (1..).zip(settled.drain(..)) {
            self.slots.on_settled(timeline.probe.id);
            sink.settled(Judged::new(timeline, self.settings.expect));
            if handed % HANDED == 0 {
                self.now = monotonic::now();
                self.expire();
            }
        }
    }
}

#[cfg(test)]
mod tests;
