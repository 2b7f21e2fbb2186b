//! What a checker has done so far.

/// Counts since the checker was built, and what it is doing now. A snapshot: [`Checker::stats`] makes it.
///
/// [`Checker::stats`]: crate::Checker::stats
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Probes that have ended, with any outcome. Confirmation probes are included.
    pub ended: u64,
    /// Of those: probes that the target answered with a SYN-ACK.
    pub alive: u64,
    /// Probes in flight, as of the worker's last turn.
    pub in_flight: u64,
    /// Probes in their settle window, as of the worker's last turn.
    pub settling: u64,
    /// Checks that wait in the queue.
    pub queued: u64,
    /// Checks that found the queue full. [`Checker::check`](crate::Checker::check) then waits;
    /// [`Checker::try_check`](crate::Checker::try_check) fails.
    pub queue_full: u64,
    /// Checks whose future was dropped before their probe started.
    pub cancelled: u64,
    /// Confirmation probes that decided whether a refusal was real.
    pub confirmation_probes: u64,
    /// Kernel events that were lost. The verdicts of the probes that they may concern are
    /// [`Proof::Unknown`](crate::Proof::Unknown).
    pub events_lost: u64,
    /// Panics of the hook for settled probes.
    pub hook_panics: u64,
}
