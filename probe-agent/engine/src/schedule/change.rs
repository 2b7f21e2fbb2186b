//! Changes of a schedule while it runs: targets that are added and removed, and intervals that change.
//!
//! A removed entry stays in the heap, or in the queue of its host, until it would be due. If there are more such
//! entries than others, all are dropped at once ([`Schedule::compact`]): the cost of a change is O(log n) on average,
//! and memory follows the number of targets.

use std::{cmp::Reverse, sync::Arc};

use model::target::TargetId;

use super::{Due, Entry, Item, NO_NAME, Schedule};
use crate::pacing::{Jitter, RateLimits};

/// So many removed entries are not worth being dropped.
const MIN_REMOVED: usize = 64;

impl Schedule {
    /// A schedule without targets. They are added later.
    pub(crate) fn empty(limits: Arc<RateLimits>, jitter: Jitter, seed: u64, now: u64) -> Self {
        Self::new(&[], limits, jitter, seed, now)
    }

    /// Adds a target that is due at `at`, and then at each interval. With `host`, its host has a rate limit.
    /// Returns its entry.
    pub(crate) fn add(
        &mut self,
        target: TargetId,
        host: Option<u32>,
        interval: u64,
        at: u64,
    ) -> u32 {
        if let Some(host) = host {
            self.hosts.insert(target, host);
        }
        self.insert(Entry { target, name: NO_NAME, probes_left: u64::MAX, interval }, at)
    }

    /// A target that was added is no longer known. Returns its host, if that has a rate limit.
    pub(crate) fn forget(&mut self, target: TargetId) -> Option<u32> {
        self.hosts.remove(&target)
    }

    /// The entry of a target gets another interval, and is due at `at`. Returns its new entry.
    pub(crate) fn set_interval(&mut self, index: u32, interval: u64, at: u64) -> u32 {
        let Some(entry) = self.entries.get(index as usize).copied() else { return index };
        self.remove(index);
        self.insert(Entry { interval, ..entry }, at)
    }

    /// Since when the target that was taken last had been due.
    pub(crate) fn taken_since(&self) -> u64 {
        self.taken_since
    }

    /// Adds an entry that is due at `at`.
    pub(super) fn insert(&mut self, entry: Entry, at: u64) -> u32 {
        let index = match self.free.pop() {
            Some(index) => {
                self.entries[index as usize] = entry;
                index
            }
            None => {
                self.entries.push(entry);
                u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.live += 1;
        self.push(at, Item::Entry(index));
        index
    }

    /// Removes an entry.
    pub(crate) fn remove(&mut self, index: u32) {
        let Some(entry) = self.entries.get_mut(index as usize) else { return };
        if entry.probes_left == 0 {
            // It is done, so it is in neither the heap nor a queue.
            self.free.push(index);
            return;
        }
        entry.probes_left = 0;
        self.live -= 1;
        self.drop_removed_next();
    }

    /// Drops the removed entries that are next in the heap: nothing has to wake up for them.
    pub(super) fn drop_removed_next(&mut self) {
        while let Some(Reverse(next)) = self.heap.peek()
            && let Item::Entry(index) = next.item
            && self.entries[index as usize].probes_left == 0
        {
            self.heap.pop();
            self.on_left(index);
        }
    }

    /// A removed entry has left the heap and the queues.
    pub(super) fn on_left(&mut self, index: u32) {
        self.free.push(index);
    }

    /// Drops all entries without probes left and gives back their memory, if they are more than the others.
    /// Returns the targets with their new entries. Not for a schedule that follows names.
    pub(crate) fn compact(&mut self) -> Vec<(TargetId, u32)> {
        if self.names.is_some() || self.entries.len() <= 2 * self.live + MIN_REMOVED {
            return Vec::new();
        }
        let mut kept = Vec::with_capacity(self.live);
        let mut moved = Vec::with_capacity(self.live);
        let mut to = vec![None; self.entries.len()];
        for (entry, to) in self.entries.iter().zip(&mut to).filter(|(e, _)| e.probes_left != 0) {
            let index = u32::try_from(kept.len()).unwrap_or(u32::MAX);
            *to = Some(index);
            moved.push((entry.target, index));
            kept.push(*entry);
        }
        self.entries = kept;
        self.free = Vec::new();
        let heap = self.heap.drain().filter_map(|Reverse(due)| {
            let item = match due.item {
                Item::Entry(index) => Item::Entry(to[index as usize]?),
                // A host whose queue is empty now is dropped when it is due.
                host @ Item::Host(_) => host,
            };
            Some(Reverse(Due { item, ..due }))
        });
        self.heap = heap.collect();
        for queue in self.queues.values_mut() {
            *queue = queue.iter().filter_map(|(at, i)| Some((*at, to[*i as usize]?))).collect();
        }
        self.hosts.shrink_to(2 * self.hosts.len());
        moved
    }
}

#[cfg(test)]
impl Schedule {
    /// The entries, and the memory for entries, items of the heap and free entries, as numbers of them.
    pub(crate) fn size(&self) -> (usize, usize) {
        let allocated = self.entries.capacity() + self.heap.capacity() + self.free.capacity();
        (self.entries.len(), allocated + self.hosts.capacity())
    }
}
