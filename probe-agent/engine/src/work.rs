//! Where probes come from: a schedule, or requests.

use std::os::fd::BorrowedFd;

use model::{record::ProbeRecord, target::TargetId};

pub use crate::targets::TargetTable;

/// A source of probes. The event loop asks it for the next one whenever another may be in flight.
pub trait Source {
    /// What it keeps of a target besides its address.
    type Job;

    /// The targets that it begins with.
    fn targets(&self) -> TargetTable<Self::Job>;

    /// When the next probe is due, in nanoseconds of `CLOCK_MONOTONIC`; `None` if none is known of.
    fn next_due(&self) -> Option<u64>;

    /// The next probe that is due at `now`.
    fn take(&mut self, targets: &mut TargetTable<Self::Job>, now: u64) -> Option<TargetId>;

    /// When a probe of this target that starts at `now` times out, where the settings say `timeout`.
    /// All in nanoseconds.
    fn deadline(&self, job: Option<&mut Self::Job>, now: u64, timeout: u64) -> u64;

    /// A probe that was not taken from here starts: it counts towards the rate limits.
    fn charge(&mut self, target: TargetId, now: u64);

    /// A probe has ended. With `awaits_confirmation` another one follows, which decides.
    fn on_probe_end(
        &mut self,
        targets: &mut TargetTable<Self::Job>,
        record: &ProbeRecord,
        awaits_confirmation: bool,
    );

    /// Whether no further probe will ever come.
    fn is_exhausted(&self) -> bool;

    /// What becomes readable when a probe comes while the event loop sleeps.
    fn wakeup(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The event loop is about to sleep; `false` if it must not, because a probe has come.
    fn may_sleep(&self) -> bool {
        true
    }

    /// The event loop is awake, and will ask for probes before it sleeps again.
    fn on_wake(&self) {}
}
