//! What a checker has done so far.

/// Counts since the checker was built, and what it is doing now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Checks that have ended, in whatever way.
    pub ended: u64,
    /// Of those: alive at the first probe.
    pub alive: u64,
    /// Probes in flight, as of the worker's last turn.
    pub in_flight: u64,
    /// Probes that wait for late events, likewise.
    pub settling: u64,
    /// Checks that wait in the queue.
    pub queued: u64,
    /// Checks that found the queue full, and waited for room or were refused.
    pub queue_full: u64,
    /// Checks whose future was dropped before their probe started.
    pub given_up: u64,
    /// Refusals that a second probe decided about.
    pub second_opinions: u64,
    /// Kernel events that were lost; the verdicts of the probes that were open then are `unknown`.
    pub events_lost: u64,
    /// Panics of the hook for settled probes.
    pub hook_panics: u64,
}
