//! Where probes come from: a schedule, or requests.

use std::os::fd::BorrowedFd;

use model::{expect::Expect, record::ProbeRecord, target::TargetId};

pub use crate::targets::TargetTable;

/// A source of probes. The event loop takes the next probe from it whenever another may be in flight.
pub trait Source {
    /// What the source stores with a target besides its address.
    type Job;

    /// The targets that the source begins with.
    fn targets(&self) -> TargetTable<Self::Job>;

    /// Takes in what has changed since the last turn of the event loop.
    fn update(&mut self, targets: &mut TargetTable<Self::Job>, now: u64) {
        let _ = (targets, now);
    }

    /// When the next probe is due, in nanoseconds of `CLOCK_MONOTONIC`; `None` if none is known.
    fn next_due(&self) -> Option<u64>;

    /// Takes the next probe that is due at `now`.
    fn take(&mut self, targets: &mut TargetTable<Self::Job>, now: u64) -> Option<TargetId>;

    /// The deadline of a probe of this target that starts at `now`; `timeout` is that of the settings.
    /// All in nanoseconds.
    fn deadline(
        &self,
        targets: &mut TargetTable<Self::Job>,
        target: TargetId,
        now: u64,
        timeout: u64,
    ) -> u64;

    /// A probe that was not taken from this source starts: it counts towards the rate limits.
    fn charge(&mut self, target: TargetId, now: u64);

    /// A probe has ended. With `awaits_confirmation`, a confirmation probe follows and decides.
    fn on_probe_end(
        &mut self,
        targets: &mut TargetTable<Self::Job>,
        record: &ProbeRecord,
        awaits_confirmation: bool,
    );

    /// A probe is settled. Returns what a healthy target does, if this target has an expectation of its own.
    fn on_settled(
        &mut self,
        targets: &mut TargetTable<Self::Job>,
        record: &ProbeRecord,
    ) -> Option<Expect> {
        let _ = (targets, record);
        None
    }

    /// The next target that was removed and has no probe left that is not settled. Its id may be used again.
    fn next_removed(&mut self) -> Option<TargetId> {
        None
    }

    /// Whether no further probe will ever come.
    fn is_exhausted(&self) -> bool;

    /// A descriptor that becomes readable when a probe arrives while the event loop sleeps.
    fn wakeup(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The event loop is about to sleep. Returns `false` if it must not, because a probe has arrived.
    fn may_sleep(&self) -> bool {
        true
    }

    /// The event loop is awake, and will take probes before it sleeps again.
    fn on_wake(&self) {}
}
