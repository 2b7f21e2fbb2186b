//! Values by target.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use model::target::TargetId;
use slab::Slab;

/// A map that is at most this small never gives back memory.
const MIN_CAPACITY: usize = 64;

/// Values by target. Memory follows the number of targets, where ids come from elsewhere.
pub(super) enum Entries<T> {
    /// The table gives each target its number: the lowest that is free, as long as none is removed.
    Numbered(Slab<T>),
    /// The ids come from elsewhere, and may be any.
    Named(HashMap<TargetId, T, RandomState>),
}

impl<T> Entries<T> {
    pub(super) fn numbered(capacity: usize) -> Self {
        Self::Numbered(Slab::with_capacity(capacity))
    }

    pub(super) fn named() -> Self {
        Self::Named(HashMap::default())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Numbered(slab) => slab.len(),
            Self::Named(map) => map.len(),
        }
    }

    /// Adds a value under an id of the table's choice.
    pub(super) fn add(&mut self, value: T) -> TargetId {
        match self {
            Self::Numbered(slab) => TargetId(u32::try_from(slab.insert(value)).unwrap_or(u32::MAX)),
            Self::Named(map) => {
                let free = (0..).map(TargetId).find(|id| !map.contains_key(id));
                let id = free.unwrap_or(TargetId(u32::MAX));
                map.insert(id, value);
                id
            }
        }
    }

    /// Adds a value under an id that is not used. Only for a table whose ids come from elsewhere: one that
    /// numbers its targets does nothing.
    pub(super) fn add_as(&mut self, target: TargetId, value: T) {
        match self {
            Self::Numbered(_) => {}
            Self::Named(map) => drop(map.insert(target, value)),
        }
    }

    pub(super) fn get(&self, target: TargetId) -> Option<&T> {
        match self {
            Self::Numbered(slab) => slab.get(target.0 as usize),
            Self::Named(map) => map.get(&target),
        }
    }

    pub(super) fn get_mut(&mut self, target: TargetId) -> Option<&mut T> {
        match self {
            Self::Numbered(slab) => slab.get_mut(target.0 as usize),
            Self::Named(map) => map.get_mut(&target),
        }
    }

    pub(super) fn remove(&mut self, target: TargetId) -> Option<T> {
        match self {
            Self::Numbered(slab) => slab.try_remove(target.0 as usize),
            Self::Named(map) => {
                let removed = map.remove(&target);
                if map.capacity() > MIN_CAPACITY && map.len() < map.capacity() / 4 {
                    map.shrink_to(2 * map.len());
                }
                removed
            }
        }
    }
}
