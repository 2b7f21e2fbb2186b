//! A schedule as a source of probes.

use std::sync::Arc;

use model::{
    record::ProbeRecord,
    target::{Target, TargetId},
};

use super::{Assignment, Schedule};
use crate::{
    early::EarlyReports,
    pacing::{Jitter, RateLimits},
    source::{Source, TargetTable},
};

/// What one worker of a run probes, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkerConfig {
    /// All targets of the run.
    pub(crate) targets: Arc<[Target]>,
    /// The probes that this worker runs.
    pub(crate) assignments: Vec<Assignment>,
    /// By how much the waits differ from the intervals, either way.
    pub(crate) jitter: Jitter,
    /// The rate limits of the run.
    pub(crate) limits: Arc<RateLimits>,
}

/// The targets of a run, probed by a schedule.
pub(crate) struct ScheduledTargets {
    targets: Arc<[Target]>,
    schedule: Schedule,
    early: EarlyReports,
}

impl ScheduledTargets {
    /// A source for a run that starts at `now`, in nanoseconds of `CLOCK_MONOTONIC`. `seed` is that of the
    /// jitter. Each probe that ends is reported to `early`.
    pub(crate) fn new(config: WorkerConfig, early: EarlyReports, seed: u64, now: u64) -> Self {
        let WorkerConfig { targets, assignments, jitter, limits } = config;
        Self { targets, schedule: Schedule::new(&assignments, limits, jitter, seed, now), early }
    }
}

impl Source for ScheduledTargets {
    type Job = ();

    fn targets(&self) -> TargetTable<()> {
        TargetTable::fixed(self.targets.iter().map(|target| (target.address, ())))
    }

    fn next_due(&self) -> Option<u64> {
        self.schedule.next_due()
    }

    fn take(&mut self, _: &mut TargetTable<()>, now: u64) -> Option<TargetId> {
        self.schedule.take(now)
    }

    fn deadline(&self, _: &mut TargetTable<()>, _: TargetId, now: u64, timeout: u64) -> u64 {
        now.saturating_add(timeout)
    }

    fn charge(&mut self, target: TargetId, now: u64) {
        self.schedule.charge(target, now);
    }

    fn on_probe_end(
        &mut self,
        _: &mut TargetTable<()>,
        record: &ProbeRecord,
        awaits_confirmation: bool,
    ) {
        self.early.on_probe_end(record, awaits_confirmation);
    }

    fn is_exhausted(&self) -> bool {
        self.schedule.next_due().is_none()
    }
}
