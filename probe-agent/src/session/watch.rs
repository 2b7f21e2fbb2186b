//! Notices a worker whose loop stands still: its probes neither start nor end in time.
//!
//! A thread of its own looks: the one that hears of the probes shares the locks of a channel and of
//! the allocator with the workers, and stands still with one that holds them.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    monotonic,
    probe::engine::{ENDED, Gauges},
};

/// Between two looks: a small part of the time that counts as a standstill.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A turn of the loop takes milliseconds and waits for a tenth of a second at most: a loop that does
/// not come round for this long, in nanoseconds, stands still.
const STALL: u64 = 1_000_000_000;

/// What one look may add to the time for which a loop stands still, in nanoseconds. Where the whole
/// process was stopped, or the machine slept, the watcher did not look either.
const LONGEST_LOOK: u64 = 100_000_000;

/// What the thread has found so far.
#[derive(Debug, Default)]
struct Found {
    stalls: AtomicU64,
    latest: AtomicUsize,
    stop: AtomicBool,
}

/// The thread that looks; dropping it ends it.
#[derive(Debug)]
pub(super) struct Watch {
    found: Arc<Found>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts the thread.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(super) fn start(gauges: Vec<Arc<Gauges>>) -> io::Result<Self> {
        let found = Arc::new(Found::default());
        let shared = Arc::clone(&found);
        let mut beats = Beats::new(gauges.len());
        let thread = thread::Builder::new().name("watch".to_owned()).spawn(move || {
            while !shared.stop.load(Ordering::Relaxed) {
                for worker in beats.look(monotonic::now(), &gauges) {
                    shared.latest.store(worker, Ordering::Relaxed);
                    shared.stalls.fetch_add(1, Ordering::Release);
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

impl Drop for Watch {
    fn drop(&mut self) {
        self.found.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the thread has been printed; there is nothing to add to it here.
            let _ = thread.join();
        }
    }
}

/// The beats of all workers.
#[derive(Debug)]
struct Beats {
    last_look: u64,
    /// The beat that was seen last, and for how long it has been the same.
    seen: Vec<(u64, u64)>,
}

impl Beats {
    fn new(workers: usize) -> Self {
        Self { last_look: 0, seen: vec![(0, 0); workers] }
    }

    /// Looks at all workers; those that have just been found to stand still.
    fn look(&mut self, now: u64, gauges: &[Arc<Gauges>]) -> Vec<usize> {
        let passed = now.saturating_sub(self.last_look).min(LONGEST_LOOK);
        self.last_look = now;
        let mut stalled = Vec::new();
        for (worker, (gauges, (seen, still))) in gauges.iter().zip(&mut self.seen).enumerate() {
            let beat = gauges.beat.load(Ordering::Relaxed);
            if beat != *seen || beat == 0 || beat == ENDED {
                (*seen, *still) = (beat, 0);
                continue;
            }
            let before = *still;
            *still += passed;
            if before < STALL && *still >= STALL {
                stalled.push(worker);
            }
        }
        stalled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::Ordering};

    use super::{Beats, ENDED, Gauges, LONGEST_LOOK};

    const TICK: u64 = 50_000_000;

    /// The looks, counted from 0, at which a worker was found to stand still.
    fn found(looks: u64, gap: u64, beat: impl Fn(u64) -> u64) -> Vec<u64> {
        let gauges = [Arc::new(Gauges::default()), Arc::new(Gauges::default())];
        let mut beats = Beats::new(2);
        let mut found = Vec::new();
        for look in 0..looks {
            gauges[0].beat.store(look + 1, Ordering::Relaxed);
            gauges[1].beat.store(beat(look), Ordering::Relaxed);
            let stalled = beats.look((look + 100) * gap, &gauges);
            assert!(stalled.iter().all(|worker| *worker == 1));
            found.extend(stalled.iter().map(|_| look));
        }
        found
    }

    #[test]
    fn each_standstill_is_found_once() {
        assert!(found(100, TICK, |look| look + 1).is_empty());
        // Stands still from look 10 to 59, and for good from look 70.
        let beat = |look| match look {
            0..=9 => look + 1,
            10..=59 => 10,
            60..=69 => look + 1,
            _ => 70,
        };
        let found = found(200, TICK, beat);
        assert!(matches!(*found, [28..=32, 88..=92]), "{found:?}");
    }

    #[test]
    fn a_worker_that_has_not_begun_or_has_ended_does_not_stand_still() {
        assert!(found(100, TICK, |_| 0).is_empty());
        assert!(found(100, TICK, |_| ENDED).is_empty());
    }

    #[test]
    fn a_watcher_that_did_not_look_knows_nothing() {
        assert!(found(9, 100 * LONGEST_LOOK, |_| 1).is_empty());
    }
}
