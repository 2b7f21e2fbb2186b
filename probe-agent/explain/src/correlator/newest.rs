//! Which of the probes that wait is the newest of its 4-tuple.
//!
//! Places alone are kept, since the 4-tuple is in the probe itself: so small a table stays in the cache,
//! which each probe asks as it starts and as it ends.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::{HashTable, hash_table::Entry};
use probe_agent_common::FlowKey;
use slab::Slab;

use super::Pending;

/// The place of the newest probe of each 4-tuple.
#[derive(Debug, Default)]
pub(super) struct Newest {
    places: HashTable<usize>,
    hasher: RandomState,
}

impl Newest {
    /// The newest probe of a 4-tuple.
    pub(super) fn get(&self, flow: &FlowKey, pending: &Slab<Pending>) -> Option<usize> {
        self.places.find(self.hasher.hash_one(flow), |&at| flow_at(pending, at) == flow).copied()
    }

    /// The probe at `index` is the newest of its 4-tuple now. Returns which was before.
    pub(super) fn insert(&mut self, index: usize, pending: &Slab<Pending>) -> Option<usize> {
        let flow = flow_at(pending, index);
        let entry = self.places.entry(
            self.hasher.hash_one(flow),
            |&at| flow_at(pending, at) == flow,
            |&at| self.hasher.hash_one(flow_at(pending, at)),
        );
        match entry {
            Entry::Occupied(mut entry) => Some(std::mem::replace(entry.get_mut(), index)),
            Entry::Vacant(entry) => {
                entry.insert(index);
                None
            }
        }
    }

    /// Puts `other` in the place of the probe at `index`, if that is the newest of its 4-tuple.
    pub(super) fn replace(&mut self, index: usize, other: Option<usize>, pending: &Slab<Pending>) {
        let hash = self.hasher.hash_one(flow_at(pending, index));
        if let Ok(mut entry) = self.places.find_entry(hash, |&at| at == index) {
            match other {
                Some(other) => *entry.get_mut() = other,
                None => drop(entry.remove()),
            }
        }
    }
}

fn flow_at(pending: &Slab<Pending>, index: usize) -> &FlowKey {
    &pending[index].timeline.probe.flow
}
