//! Notices a worker whose loop stands still: its probes neither start nor end in time.
//!
//! A thread of its own looks: the one that hears of the probes shares the locks of a channel and of
//! the allocator with the workers, and stands still with one that holds them. Where the whole process
//! was stopped (SIGSTOP, a frozen cgroup), nobody looked: the workers count that themselves when they go
//! on.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::gauges::Gauges;
use kernel::monotonic;

/// Between two looks: a small part of the time that counts as a standstill.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What the thread has found so far.
#[derive(Debug, Default)]
struct Found {
    stalls: AtomicU64,
    latest: AtomicUsize,
    stop: AtomicBool,
}

/// The thread that looks; dropping it ends it.
#[derive(Debug)]
pub(super) struct Watchdog {
    found: Arc<Found>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts the thread.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(super) fn start(gauges: Vec<Arc<Gauges>>) -> io::Result<Self> {
        let found = Arc::new(Found::default());
        let shared = Arc::clone(&found);
        let mut known = Known::new(gauges.len());
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            while !shared.stop.load(Ordering::Relaxed) {
                for (worker, stalls) in known.look(monotonic::now(), &gauges) {
                    shared.latest.store(worker, Ordering::Relaxed);
                    shared.stalls.fetch_add(stalls, Ordering::Release);
                }
                thread::park_timeout(BETWEEN_LOOKS);
            }
        })?;
        Ok(Self { found, thread: Some(thread) })
    }

    /// How often a worker has stood still so far.
    pub(super) fn stalls(&self) -> u64 {
        self.found.stalls.load(Ordering::Acquire)
    }

    /// The worker that was found last.
    pub(super) fn latest(&self) -> usize {
        self.found.latest.load(Ordering::Relaxed)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.found.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the thread has been printed; there is nothing to add to it here.
            let _ = thread.join();
        }
    }
}

/// How often each worker is known to have stood still.
#[derive(Debug)]
struct Known(Vec<u64>);

impl Known {
    fn new(workers: usize) -> Self {
        Self(vec![0; workers])
    }

    /// Looks at all workers: those that have stood still since the last look, and how often.
    fn look(&mut self, now: u64, gauges: &[Arc<Gauges>]) -> Vec<(usize, u64)> {
        let mut found = Vec::new();
        for (worker, (gauges, known)) in gauges.iter().zip(&mut self.0).enumerate() {
            // Between the beat of a loop that goes on and its count there may seem to be one less.
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

    use super::{Gauges, Known};
    use crate::gauges::STALL;

    #[test]
    fn each_standstill_is_found_once() {
        let gauges = [Arc::new(Gauges::default()), Arc::new(Gauges::default())];
        let mut known = Known::new(2);
        let mut look = |now, beat, standstills| {
            gauges[0].heartbeat.store(now, Ordering::Relaxed);
            gauges[1].heartbeat.store(beat, Ordering::Relaxed);
            gauges[1].stalls_ended.store(standstills, Ordering::Relaxed);
            known.look(now, &gauges)
        };
        let second = STALL;
        assert_eq!(look(10 * second, 10 * second, 0), []);
        assert_eq!(look(11 * second, 10 * second, 0), [(1, 1)], "it stands still");
        assert_eq!(look(12 * second, 10 * second, 0), [], "still the same");
        // The loop goes on: its beat is seen before its count.
        assert_eq!(look(13 * second, 13 * second, 0), []);
        assert_eq!(look(13 * second, 13 * second, 1), []);
        // Two while nobody looked, and one that lasts.
        assert_eq!(look(20 * second, 19 * second, 3), [(1, 3)]);
        assert_eq!(look(20 * second, 20 * second, 4), []);
    }
}
