//! Exemplars: one exported probe for a count that it is part of.

use std::{
    sync::{Mutex, PoisonError, TryLockError},
    time::Duration,
};

/// The trace of a probe whose span is exported. An exemplar that names any other one would lead nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its trace id.
    pub id: [u8; 16],
    /// When the probe ended, since 1970.
    pub at: Duration,
}

/// A trace, and the value that it is an example of, in nanoseconds; `None` for a count, whose example is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exemplar {
    pub(crate) trace: Trace,
    pub(crate) handshake: Option<u64>,
}

/// The latest exemplar of a count.
#[derive(Debug, Default)]
pub(crate) struct ExemplarSlot(Mutex<Option<Exemplar>>);

impl ExemplarSlot {
    /// Keeps an exemplar, unless somebody is reading the slot: a worker does not wait, and the next one will do.
    pub(crate) fn offer(&self, exemplar: Exemplar) {
        match self.0.try_lock() {
            Ok(mut slot) => *slot = Some(exemplar),
            Err(TryLockError::Poisoned(slot)) => *slot.into_inner() = Some(exemplar),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    pub(crate) fn get(&self) -> Option<Exemplar> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
