//! Equal values, kept once: 100,000 targets have few different policies and labels.

use std::{collections::HashSet, hash::Hash, sync::Arc};

/// Equal values, kept once.
pub(super) struct Shared<T>(HashSet<Arc<T>>);

impl<T: Eq + Hash> Shared<T> {
    pub(super) fn new() -> Self {
        Self(HashSet::new())
    }

    /// The value, as it is kept.
    pub(super) fn share(&mut self, value: T) -> Arc<T> {
        if let Some(kept) = self.0.get(&value) {
            return Arc::clone(kept);
        }
        let value = Arc::new(value);
        self.0.insert(Arc::clone(&value));
        value
    }
}
