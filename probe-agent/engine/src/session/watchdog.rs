//! Notices a worker whose event loop is stalled: its probes neither start nor end in time.
//!
//! The watchdog has a thread of its own. The thread that receives the probes shares the locks of a channel
//! and of the allocator with the workers, and stalls together with a worker that holds one. If the whole
//! process was stopped (SIGSTOP, a frozen cgroup), the watchdog was stopped, too: the workers count such
//! stalls themselves when they continue.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::gauges::Gauges;
use kernel::monotonic;

/// The time between two checks: a small part of the time that counts as a stall.
const INTERVAL: Duration = Duration::from_millis(200);

/// What the thread has found so far.
#[derive(Debug, Default)]
struct Found {
    stalls: AtomicU64,
    latest: AtomicUsize,
    stop: AtomicBool,
}

/// The watchdog. Dropping it ends its thread and does not wait for that.
#[derive(Debug)]
pub(super) struct Watchdog {
    found: Arc<Found>,
    /// `None` where this host refused a thread: stalls are then counted by the workers alone, when they
    /// continue.
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts the thread, if this host allows it.
    pub(super) fn start(gauges: Vec<Arc<Gauges>>) -> Self {
        let found = Arc::new(Found::default());
        let shared = Arc::clone(&found);
        let mut known = KnownStalls::new(gauges.len());
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            while !shared.stop.load(Ordering::Relaxed) {
                for (worker, stalls) in known.update(monotonic::now(), &gauges) {
                    shared.latest.store(worker, Ordering::Relaxed);
                    shared.stalls.fetch_add(stalls, Ordering::Release);
                }
                thread::park_timeout(INTERVAL);
            }
        });
        Self { found, thread: thread.ok() }
    }

    /// The number of stalls of all workers so far.
    pub(super) fn stalls(&self) -> u64 {
        self.found.stalls.load(Ordering::Acquire)
    }

    /// The worker whose stall was found last.
    pub(super) fn latest(&self) -> usize {
        self.found.latest.load(Ordering::Relaxed)
    }

    /// Ends the thread.
    pub(super) fn end(&self) {
        self.found.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Ends the thread and waits for it.
    pub(super) fn join(mut self) {
        self.end();
        if let Some(thread) = self.thread.take() {
            // The panic hook has already reported a panic of the thread.
            let _ = thread.join();
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.end();
    }
}

/// The number of known stalls of each worker.
#[derive(Debug)]
struct KnownStalls(Vec<u64>);

impl KnownStalls {
    fn new(workers: usize) -> Self {
        Self(vec![0; workers])
    }

    /// Checks all workers. Returns those that have stalled since the last check, and how often.
    fn update(&mut self, now: u64, gauges: &[Arc<Gauges>]) -> Vec<(usize, u64)> {
        let mut found = Vec::new();
        for (worker, (gauges, known)) in gauges.iter().zip(&mut self.0).enumerate() {
            // A loop that continues writes its heartbeat before its count: between the two, one seems to be
            // missing.
            let more = gauges.stalls(now).saturating_sub(*known);
            if more > 0 {
                *known += more;
                found.push((worker, more));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::Ordering};

    use super::{Gauges, KnownStalls};
    use crate::gauges::STALL;

    #[test]
    fn each_stall_is_found_once() {
        let gauges = [Arc::new(Gauges::default()), Arc::new(Gauges::default())];
        let mut known = KnownStalls::new(2);
        let mut check = |now, beat, stalls| {
            gauges[0].heartbeat.store(now, Ordering::Relaxed);
            gauges[1].heartbeat.store(beat, Ordering::Relaxed);
            gauges[1].past_stalls.store(stalls, Ordering::Relaxed);
            known.update(now, &gauges)
        };
        let second = STALL;
        assert_eq!(check(10 * second, 10 * second, 0), []);
        assert_eq!(check(11 * second, 10 * second, 0), [(1, 1)], "it is stalled");
        assert_eq!(check(12 * second, 10 * second, 0), [], "still the same stall");
        // The loop continues: its heartbeat is visible before its count.
        assert_eq!(check(13 * second, 13 * second, 0), []);
        assert_eq!(check(13 * second, 13 * second, 1), []);
        // Two stalls since the last check, and one that lasts.
        assert_eq!(check(20 * second, 19 * second, 3), [(1, 3)]);
        assert_eq!(check(20 * second, 20 * second, 4), []);
    }
}
