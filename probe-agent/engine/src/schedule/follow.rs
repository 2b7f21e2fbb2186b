//! Follows the addresses of names: a name that has got another address is probed there from then on.

use std::{collections::HashMap, sync::Arc};

use model::target::TargetId;

use super::{Assignment, Entry, Schedule};
use crate::names::Names;

/// The names of a worker, and the entries of the schedule that belong to each.
#[derive(Debug)]
pub(super) struct FollowedNames {
    names: Arc<Names>,
    seen: HashMap<u32, Seen>,
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
        self.names = Some(FollowedNames { names: Arc::clone(names), seen });
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
        let mut gone = Vec::new();
        let entries = &self.entries;
        seen.entries.retain(|index| {
            let target = entries[*index as usize].target;
            if let Some(known) = is_new.iter().position(|new| *new == target) {
                is_new.remove(known);
                return true;
            }
            gone.push(*index);
            false
        });
        self.limits.follow(followed.names.targets());
        gone.into_iter().for_each(|index| self.remove(index));
        let mut added = Vec::with_capacity(is_new.len());
        for target in is_new {
            added.push(self.insert(Entry { target, name, probes_left, interval }, at));
        }
        if let Some(seen) = self.names.as_mut().and_then(|names| names.seen.get_mut(&name)) {
            seen.entries.extend(added);
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
}
