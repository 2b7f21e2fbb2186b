//! Follows the addresses of names: a name that has got another address is probed there from then on.

use std::{collections::HashMap, sync::Arc};

use model::target::TargetId;

use super::{Assignment, Entry, Item, Schedule};
use crate::names::Names;

/// The names of a worker, and the entries of the schedule that belong to each.
#[derive(Debug)]
pub(super) struct FollowedNames {
    names: Arc<Names>,
    seen: HashMap<u32, Seen>,
    /// Entries that are no longer used.
    free: Vec<u32>,
}

#[derive(Debug, Default)]
struct Seen {
    version: u32,
    /// Also those that have no probes left.
    entries: Vec<u32>,
}

impl Schedule {
    /// Follows names from now on. `assignments` are those of [`Schedule::new`].
    pub(super) fn follow(&mut self, names: &Arc<Names>, assignments: &[Assignment]) {
        let mut seen: HashMap<u32, Seen> = HashMap::new();
        let scheduled = assignments.iter().filter(|assignment| assignment.count != Some(0));
        for (index, assignment) in (0..).zip(scheduled) {
            if let Some(name) = assignment.name {
                seen.entry(name).or_default().entries.push(index);
            }
        }
        self.names = Some(FollowedNames { names: Arc::clone(names), seen, free: Vec::new() });
    }

    /// Whether the target of an entry, which is due at `at`, has no address.
    pub(super) fn is_unresolved(&self, index: u32) -> bool {
        let target = self.entries[index as usize].target;
        self.names.as_ref().is_some_and(|names| names.names.unresolved(target).is_some())
    }

    /// An entry is due at `at`. If its name has changed, adds entries for the new addresses, which are due
    /// at the same time and have as many probes left, and removes those for the old ones. Returns whether
    /// anything was changed.
    pub(super) fn follow_name(&mut self, index: u32, at: u64) -> bool {
        let Entry { name, probes_left, interval, .. } = self.entries[index as usize];
        let Some(followed) = &mut self.names else { return false };
        let Some(seen) = followed.seen.get_mut(&name) else { return false };
        if followed.names.version(name) == seen.version {
            return false;
        }
        let (version, current) = followed.names.current(name);
        seen.version = version;
        let mut is_new: Vec<TargetId> = current.to_vec();
        let (entries, free, live) = (&mut self.entries, &mut followed.free, &mut self.live);
        seen.entries.retain(|index| {
            let entry = &mut entries[*index as usize];
            if let Some(known) = is_new.iter().position(|target| *target == entry.target) {
                is_new.remove(known);
                return true;
            }
            if entry.probes_left == 0 {
                free.push(*index);
            } else {
                // It is still in the heap or in a queue, and is dropped when it leaves that.
                entry.probes_left = 0;
                *live -= 1;
            }
            false
        });
        self.limits.follow(followed.names.targets());
        let mut added = Vec::with_capacity(is_new.len());
        for target in is_new {
            let entry = Entry { target, name, probes_left, interval };
            let index = match free.pop() {
                Some(index) => {
                    entries[index as usize] = entry;
                    index
                }
                None => {
                    entries.push(entry);
                    u32::try_from(entries.len() - 1).unwrap_or(u32::MAX)
                }
            };
            *live += 1;
            added.push(index);
        }
        seen.entries.extend(&added);
        for index in added {
            self.push(at, Item::Entry(index));
        }
        true
    }

    /// Drops the targets at the front of a destination's queue whose names have other addresses now.
    pub(super) fn drop_removed(&mut self, host: u32) {
        let Some(queue) = self.queues.get_mut(&host) else { return };
        let mut left = Vec::new();
        while let Some((_, index)) = queue.front().copied()
            && self.entries[index as usize].probes_left == 0
        {
            queue.pop_front();
            left.push(index);
        }
        if queue.is_empty() {
            self.queues.remove(&host);
            self.heap.pop();
        }
        left.into_iter().for_each(|index| self.on_left(index));
    }

    /// An entry that is not used any more has left the heap and the queues.
    pub(super) fn on_left(&mut self, index: u32) {
        if let Some(names) = &mut self.names {
            names.free.push(index);
        }
    }
}
