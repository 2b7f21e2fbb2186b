//! Which target is probed next, and when.
//!
//! A heap holds each target under the time at which it is due: taking a target and putting it back costs
//! O(log n), and nothing ever visits all targets. If destinations have rate limits, the due targets of a
//! rate-limited destination wait in a queue of that destination, and the destination takes their place in
//! the heap. A target needs 48 bytes.

#![expect(
    clippy::indexing_slicing,
    reason = "an index comes from the schedule's own heap or queues, and an entry stays as long as it is in one of them"
)]

mod assign;
mod change;
mod follow;
mod rng;
mod source;

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashMap, VecDeque, binary_heap::PeekMut},
    sync::Arc,
};

use self::follow::FollowedNames;
pub(crate) use self::{
    assign::{Assignment, assign},
    rng::Rng,
    source::{ScheduledTargets, WorkerConfig},
};
use super::{
    names::NO_NAME,
    pacing::{Jitter, RateLimited, RateLimits},
};
use model::target::TargetId;

/// How long a name without an address waits for its next probe if it has no interval, in nanoseconds. No
/// network slows it down.
const UNRESOLVED_INTERVAL: u64 = 1_000_000_000;

/// A target, and the probes that are left for it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    target: TargetId,
    /// The name that it is an address of, or [`NO_NAME`].
    name: u32,
    /// 0 if it is done, or if its name has other addresses now; `u64::MAX` without a limit.
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
pub(crate) struct Schedule {
    entries: Vec<Entry>,
    /// How many entries have probes left.
    live: usize,
    /// Entries that are no longer used, in neither the heap nor a queue.
    free: Vec<u32>,
    names: Option<FollowedNames>,
    /// The hosts of targets that were added later, if hosts have rate limits.
    hosts: HashMap<TargetId, u32>,
    heap: BinaryHeap<Reverse<Due>>,
    /// Due targets of rate-limited destinations, by destination: since when they are due, and their entry.
    queues: HashMap<u32, VecDeque<(u64, u32)>>,
    limits: Arc<RateLimits>,
    jitter: Jitter,
    rng: Rng,
    order: u32,
    /// Since when the target that was taken last had been due.
    taken_since: u64,
}

impl Schedule {
    /// A schedule of all targets of a worker; the run starts at `now`. `seed` is that of the jitter.
    pub(crate) fn new(
        assignments: &[Assignment],
        limits: Arc<RateLimits>,
        jitter: Jitter,
        seed: u64,
        now: u64,
    ) -> Self {
        let assignments = assignments.iter().filter(|assignment| assignment.count != Some(0));
        let mut schedule = Self {
            entries: assignments.clone().map(Entry::new).collect(),
            live: assignments.clone().count(),
            free: Vec::new(),
            names: None,
            hosts: HashMap::new(),
            heap: BinaryHeap::new(),
            queues: HashMap::new(),
            limits,
            jitter,
            rng: Rng(seed),
            order: 0,
            taken_since: now,
        };
        let mut heap = Vec::with_capacity(schedule.entries.len());
        for (index, assignment) in (0..).zip(assignments) {
            heap.push(Reverse(schedule.due(now + assignment.first_delay, Item::Entry(index))));
        }
        schedule.heap = heap.into();
        schedule
    }

    /// When the next probe can start; `None` if there is none left.
    pub(crate) fn next_due(&self) -> Option<u64> {
        if self.live == 0 {
            return None;
        }
        let Reverse(next) = self.heap.peek()?;
        Some(next.at.max(self.limits.next_start()))
    }

    /// The next target, if one is due at `now`. It is put back for its next probe.
    pub(crate) fn take(&mut self, now: u64) -> Option<TargetId> {
        loop {
            self.drop_removed_next();
            let Reverse(next) = *self.heap.peek()?;
            if next.at > now {
                return None;
            }
            match next.item {
                Item::Entry(index) if self.follow_name(index, next.at) => {}
                Item::Entry(index) => {
                    let host = self.host(self.entries[index as usize].target);
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
                    self.drop_removed(host);
                    if !self.queues.contains_key(&host) {
                        continue;
                    }
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
    pub(crate) fn charge(&self, target: TargetId, now: u64) {
        self.limits.charge(self.host(target), now);
    }

    /// The host of a target, if hosts have rate limits.
    fn host(&self, target: TargetId) -> Option<u32> {
        self.hosts.get(&target).copied().or_else(|| self.limits.host(target))
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
            self.push(at, Item::Entry(index));
        }
        self.entries[index as usize].target
    }

    /// When a target that was due since `since` and starts now is due again; `None` if it is done.
    fn next_time(&mut self, since: u64, index: u32, now: u64) -> Option<u64> {
        self.taken_since = since;
        let entry = &mut self.entries[index as usize];
        let is_endless = entry.probes_left == u64::MAX;
        entry.probes_left -= u64::from(!is_endless);
        if entry.probes_left == 0 {
            self.live -= 1;
            return None;
        }
        let entry = *entry;
        if is_endless && entry.interval == 0 && self.is_unresolved(index) {
            return Some(now + UNRESOLVED_INTERVAL);
        }
        let wait = self.wait(entry.interval);
        // Counted from the time at which it was due, to keep the rate. But a backlog must not be made up
        // for in a burst.
        Some((since + wait).max(now))
    }

    /// An interval with its jitter.
    fn wait(&mut self, interval: u64) -> u64 {
        let max = self.jitter.max(interval);
        interval - max + self.rng.up_to(max.saturating_mul(2))
    }

    fn push(&mut self, at: u64, item: Item) {
        let due = self.due(at, item);
        self.heap.push(Reverse(due));
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
            name: assignment.name.unwrap_or(NO_NAME),
            probes_left: assignment.count.unwrap_or(u64::MAX),
            interval: assignment.interval,
        }
    }
}

#[cfg(test)]
mod tests;
