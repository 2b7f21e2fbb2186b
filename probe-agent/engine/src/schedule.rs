//! Which target is probed next, and when.
//!
//! A heap holds each target under the time at which it is due: taking one and putting it back costs
//! O(log n), and nothing ever looks at all of them. Where each destination has a rate of its own,
//! targets whose destination has had enough wait in a queue of that destination, and the destination
//! stands in the heap in their place. 48 bytes for each target.

mod assign;
mod source;

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashMap, VecDeque, binary_heap::PeekMut},
    sync::Arc,
};

pub use self::{
    assign::{Share, assign},
    source::{ScheduledTargets, WorkerConfig},
};
use super::pacing::{Busy, Jitter, Limits};
use model::target::TargetId;

/// A target, and what is left to do for it.
#[derive(Debug)]
struct Line {
    target: TargetId,
    left: u64,
    /// Nanoseconds.
    interval: u64,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// A place among the lines.
    Line(u32),
    /// A destination address for which targets queue.
    Host(u32),
}

/// Something that is due, the earliest first; of those due at the same time, the one that was put
/// there first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    at: u64,
    order: u32,
    turn: Turn,
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

/// The targets of a worker in the order in which they are due.
#[derive(Debug)]
pub(super) struct Schedule {
    lines: Box<[Line]>,
    heap: BinaryHeap<Reverse<Due>>,
    /// Lines that are due, with the time since which they are, by their destination.
    queues: HashMap<u32, VecDeque<(u64, u32)>>,
    limits: Arc<Limits>,
    jitter: Jitter,
    chance: Chance,
    order: u32,
}

impl Schedule {
    /// All targets of a worker; the run starts at `now`. `seed` decides about the jitter.
    pub(super) fn new(
        shares: &[Share],
        limits: Arc<Limits>,
        jitter: Jitter,
        seed: u64,
        now: u64,
    ) -> Self {
        let shares = shares.iter().filter(|share| share.count != Some(0));
        let mut schedule = Self {
            lines: shares.clone().map(Line::new).collect(),
            heap: BinaryHeap::new(),
            queues: HashMap::new(),
            limits,
            jitter,
            chance: Chance(seed),
            order: 0,
        };
        let mut heap = Vec::with_capacity(schedule.lines.len());
        for (place, share) in (0..).zip(shares) {
            heap.push(Reverse(schedule.due(now + share.first, Turn::Line(place))));
        }
        schedule.heap = heap.into();
        schedule
    }

    /// When the next probe can start; `None` if there is none left.
    pub(super) fn next_due(&self) -> Option<u64> {
        let Reverse(next) = self.heap.peek()?;
        Some(next.at.max(self.limits.free_at()))
    }

    /// The next target, if it is due at `now`; it is put back for its next time.
    pub(super) fn take(&mut self, now: u64) -> Option<TargetId> {
        loop {
            let Reverse(next) = *self.heap.peek()?;
            if next.at > now {
                return None;
            }
            match next.turn {
                Turn::Line(place) => {
                    let host = self.limits.host(self.lines[place as usize].target);
                    if let Some(queue) = host.and_then(|host| self.queues.get_mut(&host)) {
                        queue.push_back((next.at, place));
                        self.heap.pop();
                        continue;
                    }
                    match self.limits.take(host, now) {
                        Ok(()) => return Some(self.start(next.at, place, now)),
                        Err(Busy::All) => return None,
                        Err(Busy::Host { until }) => {
                            if let Some(host) = host {
                                self.queues.insert(host, VecDeque::from([(next.at, place)]));
                                self.replace_next(until, Turn::Host(host));
                            }
                        }
                    }
                }
                Turn::Host(host) => {
                    match self.limits.take(Some(host), now) {
                        Ok(()) => {}
                        Err(Busy::All) => return None,
                        // Another worker was faster.
                        Err(Busy::Host { until }) => {
                            self.replace_next(until, Turn::Host(host));
                            continue;
                        }
                    }
                    if let Some((since, place)) = self.unqueue(host) {
                        return Some(self.put_back(since, place, now));
                    }
                }
            }
        }
    }

    /// Counts a probe that was started besides the schedule: it takes up a part of the rates.
    pub(super) fn charge(&self, target: TargetId, now: u64) {
        self.limits.charge(target, now);
    }

    /// Takes the longest-waiting line of the destination that is next in the heap.
    fn unqueue(&mut self, host: u32) -> Option<(u64, u32)> {
        let queue = self.queues.get_mut(&host)?;
        let line = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&host);
            self.heap.pop();
        } else {
            self.replace_next(self.limits.host_free_at(host), Turn::Host(host));
        }
        line
    }

    /// The line that is next in the heap starts: it is due again after its interval, or done.
    fn start(&mut self, since: u64, place: u32, now: u64) -> TargetId {
        let target = self.lines[place as usize].target;
        match self.again(since, place, now) {
            Some(at) => self.replace_next(at, Turn::Line(place)),
            None => drop(self.heap.pop()),
        }
        target
    }

    /// The same for a line that is not in the heap.
    fn put_back(&mut self, since: u64, place: u32, now: u64) -> TargetId {
        if let Some(at) = self.again(since, place, now) {
            let due = self.due(at, Turn::Line(place));
            self.heap.push(Reverse(due));
        }
        self.lines[place as usize].target
    }

    /// When a line that starts now, and was due since then, is due again.
    fn again(&mut self, since: u64, place: u32, now: u64) -> Option<u64> {
        let line = &mut self.lines[place as usize];
        line.left -= 1;
        if line.left == 0 {
            return None;
        }
        let most = self.jitter.most(line.interval);
        let wait = line.interval - most + self.chance.up_to(most.saturating_mul(2));
        // Counted from when it was due, so that the rate holds; but a backlog is not made up for in
        // a burst.
        Some((since + wait).max(now))
    }

    fn replace_next(&mut self, at: u64, turn: Turn) {
        let due = self.due(at, turn);
        if let Some(mut next) = self.heap.peek_mut() {
            *next = Reverse(due);
            // Sifted once, where taking it out and putting it in would be twice.
            drop::<PeekMut<'_, _>>(next);
        }
    }

    fn due(&mut self, at: u64, turn: Turn) -> Due {
        self.order = self.order.wrapping_add(1);
        Due { at, order: self.order, turn }
    }
}

impl Line {
    fn new(share: &Share) -> Self {
        Self {
            target: share.target,
            left: share.count.unwrap_or(u64::MAX),
            interval: share.interval,
        }
    }
}

/// Numbers of chance (SplitMix64): good enough for waits, and a test can repeat them.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    /// A number from 0 to `most`.
    fn up_to(&mut self, most: u64) -> u64 {
        if most == 0 {
            return 0;
        }
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let scaled = (u128::from(mixed) * (u128::from(most) + 1)) >> 64;
        u64::try_from(scaled).unwrap_or(most)
    }
}

#[cfg(test)]
mod tests;
