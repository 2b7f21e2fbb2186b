//! Figures of a running engine, for whoever shows them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Figures that others may read while the engine runs.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Probes ended.
    pub ended: AtomicU64,
    /// Of those: alive.
    pub alive: AtomicU64,
    /// Probes in flight.
    pub under_way: AtomicU64,
    /// Probes that wait for late events.
    pub settling: AtomicU64,
    /// Second probes that decided on a refusal.
    pub confirmations: AtomicU64,
    /// When the last turn of the loop began, nanoseconds of `CLOCK_MONOTONIC`; 0 before the first,
    /// [`ENDED`] after the last.
    pub beat: AtomicU64,
    /// When the first probe started, nanoseconds of `CLOCK_MONOTONIC`.
    pub first_at: AtomicU64,
    /// When the last probe ended, likewise.
    pub last_at: AtomicU64,
}

/// The beat of a worker that has ended.
pub const ENDED: u64 = u64::MAX;

/// Adds to a figure. Only the engine's own thread writes it, so that no other is to be kept away
/// meanwhile, which would cost as much as a look-up.
pub(super) fn add(figure: &AtomicU64, by: u64) {
    figure.store(figure.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}
