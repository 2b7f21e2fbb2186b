//! Which target is probed next, and when.
//!
//! A heap holds each target under the time at which it is due: taking a target and putting it back costs
//! O(log n), and nothing ever visits all targets. If destinations have rate limits, the due targets of a
//! rate-limited destination wait in a queue of that destination, and the destination takes their place in
//! the heap. A target needs 48 bytes.

#![expect(
    clippy::indexing_slicing,
    reason = "an index comes from the schedule's own heap or queues, and the list of entries never changes"
)]

mod assign;
mod source;

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashMap, VecDeque, binary_heap::PeekMut},
    sync::Arc,
};

pub(crate) use self::{
    assign::{Assignment, assign},
    source::{ScheduledTargets, WorkerConfig},
};
use super::pacing::{Jitter, RateLimited, RateLimits};
use model::target::TargetId;

/// A target, and the probes that are left for it.
#[derive(Debug)]
struct Entry {
    target: TargetId,
    probes_left: u64,
    /// Nanoseconds.
    interval: u64,
}

/// An item of the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    /// A target: the index of its entry.
    Entry(u32),
    /// A rate-limited destination address with a queue of targets.
    Host(u32),
}

/// When an item is due. Items that are due at the same time keep the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    at: u64,
    order: u32,
    item: Item,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The targets of a worker, in the order in which they are due.
#[derive(Debug)]
pub(super) struct Schedule {
    entries: Box<[Entry]>,
    heap: BinaryHeap<Reverse<Due>>,
    /// Due targets of rate-limited destinations, by destination: since when they are due, and their entry.
    queues: HashMap<u32, VecDeque<(u64, u32)>>,
    limits: Arc<RateLimits>,
    jitter: Jitter,
    rng: Rng,
    order: u32,
}

impl Schedule {
    /// A schedule of all targets of a worker; the run starts at `now`. `seed` is that of the jitter.
    pub(super) fn new(
        assignments: &[Assignment],
        limits: Arc<RateLimits>,
        jitter: Jitter,
        seed: u64,
        now: u64,
    ) -> Self {
        let assignments = assignments.iter().filter(|assignment| assignment.count != Some(0));
        let mut schedule = Self {
            entries: assignments.clone().map(Entry::new).collect(),
            heap: BinaryHeap::new(),
            queues: HashMap::new(),
            limits,
            jitter,
            rng: Rng(seed),
            order: 0,
        };
        let mut heap = Vec::with_capacity(schedule.entries.len());
        for (index, assignment) in (0..).zip(assignments) {
            heap.push(Reverse(schedule.due(now + assignment.first_delay, Item::Entry(index))));
        }
        schedule.heap = heap.into();
        schedule
    }

    /// When the next probe can start; `None` if there is none left.
    pub(super) fn next_due(&self) -> Option<u64> {
        let Reverse(next) = self.heap.peek()?;
        Some(next.at.max(self.limits.next_start()))
    }

    /// The next target, if one is due at `now`. It is put back for its next probe.
    pub(super) fn take(&mut self, now: u64) -> Option<TargetId> {
        loop {
            let Reverse(next) = *self.heap.peek()?;
            if next.at > now {
                return None;
            }
            match next.item {
                Item::Entry(index) => {
                    let host = self.limits.host(self.entries[index as usize].target);
                    if let Some(queue) = host.and_then(|host| self.queues.get_mut(&host)) {
                        queue.push_back((next.at, index));
                        self.heap.pop();
                        continue;
                    }
                    match self.limits.acquire(host, now) {
                        Ok(()) => return Some(self.start(next.at, index, now)),
                        Err(RateLimited::Run) => return None,
                        Err(RateLimited::Host { until }) => {
                            if let Some(host) = host {
                                self.queues.insert(host, VecDeque::from([(next.at, index)]));
                                self.replace_next(until, Item::Host(host));
                            }
                        }
                    }
                }
                Item::Host(host) => {
                    match self.limits.acquire(Some(host), now) {
                        Ok(()) => {}
                        Err(RateLimited::Run) => return None,
                        // Another worker took the start.
                        Err(RateLimited::Host { until }) => {
                            self.replace_next(until, Item::Host(host));
                            continue;
                        }
                    }
                    if let Some((since, index)) = self.unqueue(host) {
                        return Some(self.put_back(since, index, now));
                    }
                }
            }
        }
    }

    /// Counts a probe that was not scheduled towards the rate limits.
    pub(super) fn charge(&self, target: TargetId, now: u64) {
        self.limits.charge(target, now);
    }

    /// Takes the longest-waiting target of the destination that is next in the heap.
    fn unqueue(&mut self, host: u32) -> Option<(u64, u32)> {
        let queue = self.queues.get_mut(&host)?;
        let longest_waiting = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&host);
            self.heap.pop();
        } else {
            self.replace_next(self.limits.next_start_of_host(host), Item::Host(host));
        }
        longest_waiting
    }

    /// Starts the target that is next in the heap: it is due again after its interval, or done.
    fn start(&mut self, since: u64, index: u32, now: u64) -> TargetId {
        let target = self.entries[index as usize].target;
        match self.next_time(since, index, now) {
            Some(at) => self.replace_next(at, Item::Entry(index)),
            None => drop(self.heap.pop()),
        }
        target
    }

    /// The same for a target that is not in the heap.
    fn put_back(&mut self, since: u64, index: u32, now: u64) -> TargetId {
        if let Some(at) = self.next_time(since, index, now) {
            let due = self.due(at, Item::Entry(index));
            self.heap.push(Reverse(due));
        }
        self.entries[index as usize].target
    }

    /// When a target that was due since `since` and starts now is due again; `None` if it is done.
    fn next_time(&mut self, since: u64, index: u32, now: u64) -> Option<u64> {
        let entry = &mut self.entries[index as usize];
        entry.probes_left -= 1;
        if entry.probes_left == 0 {
            return None;
        }
        let max = self.jitter.max(entry.interval);
        let wait = entry.interval - max + self.rng.up_to(max.saturating_mul(2));
        // Counted from the time at which it was due, to keep the rate. But a backlog must not be made up
        // for in a burst.
        Some((since + wait).max(now))
    }

    fn replace_next(&mut self, at: u64, item: Item) {
        let due = self.due(at, item);
        if let Some(mut next) = self.heap.peek_mut() {
            *next = Reverse(due);
            // Sifts once; a pop and a push would sift twice.
            drop::<PeekMut<'_, _>>(next);
        }
    }

    fn due(&mut self, at: u64, item: Item) -> Due {
        self.order = self.order.wrapping_add(1);
        Due { at, order: self.order, item }
    }
}

impl Entry {
    fn new(assignment: &Assignment) -> Self {
        Self {
            target: assignment.target,
            probes_left: assignment.count.unwrap_or(u64::MAX),
            interval: assignment.interval,
        }
    }
}

/// A random number generator (SplitMix64): good enough for waits, and reproducible in tests.
#[derive(Debug)]
struct Rng(u64);

impl Rng {
    /// A number from 0 to `max`.
    fn up_to(&mut self, max: u64) -> u64 {
        if max == 0 {
            return 0;
        }
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let scaled = (u128::from(mixed) * (u128::from(max) + 1)) >> 64;
        u64::try_from(scaled).unwrap_or(max)
    }
}

#[cfg(test)]
mod tests;
