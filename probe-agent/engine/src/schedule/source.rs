//! A schedule as a source of probes.

use std::sync::Arc;

use model::{
    record::ProbeRecord,
    target::{TargetId, Targets},
};

use super::{Assignment, Schedule};
use crate::{
    early::EarlyReports,
    names::Names,
    pacing::{Jitter, RateLimits},
    source::{Source, TargetTable},
};

/// What one worker of a run probes, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkerConfig {
    /// All targets of the run.
    pub(crate) targets: Targets,
    /// The names among them; `None` if there is none.
    pub(crate) names: Option<Arc<Names>>,
    /// The probes that this worker runs.
    pub(crate) assignments: Vec<Assignment>,
    /// By how much the waits differ from the intervals, either way.
    pub(crate) jitter: Jitter,
    /// The rate limits of the run.
    pub(crate) limits: Arc<RateLimits>,
}

/// The targets of a run, probed by a schedule.
pub(crate) struct ScheduledTargets {
    targets: Targets,
    names: Option<Arc<Names>>,
    schedule: Schedule,
    early: EarlyReports,
}

impl ScheduledTargets {
    /// A source for a run that starts at `now`, in nanoseconds of `CLOCK_MONOTONIC`. `seed` is that of the
    /// jitter. Each probe that ends is reported to `early`.
    pub(crate) fn new(config: WorkerConfig, early: EarlyReports, seed: u64, now: u64) -> Self {
        let WorkerConfig { targets, names, assignments, jitter, limits } = config;
        let mut schedule = Schedule::new(&assignments, limits, jitter, seed, now);
        if let Some(names) = &names {
            schedule.follow(names, &assignments);
        }
        Self { targets, names, schedule, early }
    }
}

impl Source for ScheduledTargets {
    type Job = ();

    fn targets(&self) -> TargetTable<()> {
        TargetTable::fixed(&self.targets)
    }

    fn next_due(&self) -> Option<u64> {
        self.schedule.next_due()
    }

    fn take(&mut self, table: &mut TargetTable<()>, now: u64) -> Option<TargetId> {
        let target = self.schedule.take(now)?;
        if let Some(names) = &self.names {
            if !table.contains(target) {
                table.follow(&self.targets);
            }
            if let Some(reason) = names.unresolved(target) {
                table.set_unresolved(target, reason);
            }
        }
        Some(target)
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
