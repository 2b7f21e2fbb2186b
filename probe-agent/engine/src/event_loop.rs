//! The engine: one thread that starts probes on slots, hears their answers and ends them.
//!
//! Each turn of the loop has phases that do not mix: hear answers, expire timeouts, take in kernel
//! events, hand out what is settled, start what is due. A socket that is used again reports a spare
//! edge of its last `connect(AF_UNSPEC)`; because starts and answers never share a turn's event
//! list, an edge for a slot in flight is always about the probe in flight.

mod book;
mod ceiling;
mod choose;
mod flight;
mod gauges;
mod hear;
mod kernel_side;
mod launch;
mod serve;

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent};

use self::{book::Book, ceiling::Ceiling, flight::Flight, kernel_side::coverage, serve::Service};
pub use self::{
    gauges::{ENDED, Gauges, STALL},
    kernel_side::Tracing,
};
use super::{
    deadlines::Deadlines,
    pace::{Jitter, Limits},
    pool::Pool,
    schedule::{Schedule, Share},
    settings::Settings,
    source::Routes,
};
use explain::{Judged, settle::Settling, timeline::Timeline};
use kernel::monotonic;
use model::{
    duration::nanos,
    target::{Target, TargetId},
};

/// Answers heard in one turn, and probes started in one turn, at most: small enough for deadlines
/// to hold, large enough to make the turn's own cost small.
const BATCH: usize = 256;

/// Settled probes that are handed out between two looks at the deadlines.
const HANDED: usize = 64;

/// Takes what the engine has finished.
pub trait Sink {
    /// A probe that no further event can belong to.
    fn settled(&mut self, probe: Judged);
    /// Whether more can be taken soon; while not, no further probe is started.
    fn has_room(&self) -> bool;
}

/// What a worker of a run is to probe, and when.
pub struct WorkerConfig {
    /// All targets of the run.
    pub targets: Arc<[Target]>,
    /// What is this worker's of them.
    pub shares: Vec<Share>,
    /// By how much the waits differ from the intervals.
    pub jitter: Jitter,
    /// The rates of the run.
    pub limits: Arc<Limits>,
}

/// One run of probes.
pub struct Engine {
    settings: Settings,
    book: Book,
    /// Where probes come from besides the schedule.
    service: Option<Service>,
    routes: Routes,
    ceiling: Ceiling,
    tracing: Option<Tracing>,
    epoll: Epoll,
    pool: Pool,
    schedule: Schedule,
    in_flight: Vec<Option<Flight>>,
    flying: usize,
    deadlines: Deadlines,
    settling: Settling,
    second: VecDeque<launch::Second>,
    /// A probe that was due when there was no port for it.
    waiting: Option<TargetId>,
    socketless: u32,
    /// Slots that were given another source address while late events may still have come for them.
    unheard: u64,
    gauges: Arc<Gauges>,
    stop: Arc<AtomicBool>,
    now: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// It was stopped before all probes were done.
    pub interrupted: bool,
    /// Probes whose settle window was cut short.
    pub unsettled: u64,
    /// Events that userspace had no room for.
    pub events_lost: u64,
}

impl Engine {
    /// Prepares a run. The calling thread's network namespace is the one that probes leave from.
    ///
    /// # Errors
    /// If the kernel gives no epoll instance.
    pub fn new(
        settings: Settings,
        orders: WorkerConfig,
        tracing: Option<Tracing>,
        gauges: Arc<Gauges>,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let now = monotonic::now();
        let tracer = tracing.as_ref().map(|t| Arc::clone(&t.tracer));
        let WorkerConfig { targets, shares, jitter, limits } = orders;
        // Workers that start at the same time differ in their first slot.
        let seed = now ^ u64::from(settings.first_slot) << 40;
        Ok(Self {
            book: Book::new(&targets),
            service: None,
            routes: Routes::default(),
            ceiling: Ceiling::new(settings.concurrency),
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            pool: Pool::new(&settings, now / 1000, tracer),
            schedule: Schedule::new(&shares, limits, jitter, seed, now),
            in_flight: Vec::new(),
            flying: 0,
            deadlines: Deadlines::default(),
            settling: Settling::new(nanos(settings.settle), coverage(tracing.as_ref())),
            second: VecDeque::new(),
            waiting: None,
            socketless: 0,
            unheard: 0,
            settings,
            tracing,
            gauges,
            stop,
            now,
        })
    }

    /// Runs all probes and hands each to `sink` when it is settled.
    ///
    /// # Errors
    /// If waiting for events fails.
    pub fn run(mut self, sink: &mut impl Sink) -> io::Result<Ended> {
        let mut settled = Vec::new();
        let mut events = vec![EpollEvent::empty(); BATCH];
        while !self.stop.load(Ordering::Relaxed) {
            self.now = monotonic::now();
            self.gauges.turn(self.now);
            let has_room = sink.has_room();
            self.start_due(has_room);
            if self.is_done() {
                break;
            }
            self.hear(&mut events, has_room)?;
            self.now = monotonic::now();
            self.expire();
            let seen_until = self.take_in();
            self.settling.settle(seen_until, self.lost(), &mut settled);
            self.hand_out(&mut settled, sink);
            self.gauges.under_way.store(self.flying as u64, Ordering::Relaxed);
            self.gauges.settling.store(self.settling.len() as u64, Ordering::Relaxed);
        }
        self.gauges.turn(monotonic::now());
        let interrupted = !self.is_done();
        let expect = self.settings.expect;
        let seen_until = self.take_in();
        let unsettled = self.settling.flush(seen_until, self.lost(), &mut settled);
        settled.drain(..).for_each(|timeline| sink.settled(Judged::new(timeline, expect)));
        // A standstill of this last part is seen by others, too.
        self.gauges.turn(monotonic::now());
        Ok(Ended {
            interrupted,
            unsettled,
            events_lost: self.settling.strays() + self.settling.gaps() + self.unheard,
        })
    }

    /// Whether nothing is left to do or to wait for.
    fn is_done(&self) -> bool {
        self.service.is_none()
            && self.schedule.next_due().is_none()
            && self.flying == 0
            && self.second.is_empty()
            && self.waiting.is_none()
            && self.settling.is_empty()
    }

    /// Hands out what is settled. Timeouts that pass meanwhile need not wait for all of it.
    fn hand_out(&mut self, settled: &mut Vec<Timeline>, sink: &mut impl Sink) {
        for (handed, timeline) in (1..).zip(settled.drain(..)) {
            sink.settled(Judged::new(timeline, self.settings.expect));
            if handed % HANDED == 0 {
                self.now = monotonic::now();
                self.expire();
            }
        }
    }

    /// Ends probes whose time is over.
    fn expire(&mut self) {
        while let Some(passed) = self.deadlines.pop(self.now) {
            if self.flight(passed.slot).is_some_and(|f| f.generation == passed.generation) {
                self.timed_out(passed.slot, passed.at);
            }
        }
        if self.deadlines.is_stale(self.flying) {
            let of = |slot: u32| self.in_flight.get(slot as usize).and_then(Option::as_ref);
            self.deadlines.forget(|d| of(d.slot).is_some_and(|f| f.generation == d.generation));
        }
    }

    /// The probe in flight on a slot.
    fn flight(&mut self, slot: u32) -> Option<&mut Flight> {
        self.in_flight.get_mut(slot as usize)?.as_mut()
    }
}

#[cfg(test)]
mod tests;
