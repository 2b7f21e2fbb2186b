//! A schedule as a source of work.

use std::sync::Arc;

use model::{
    record::ProbeRecord,
    target::{Target, TargetId},
};

use super::{Schedule, Share};
use crate::{
    pacing::{Jitter, Limits},
    work::{Source, TargetTable},
};

/// What a worker of a run is to probe, and when.
#[derive(Clone, Debug, Default)]
pub struct WorkerConfig {
    /// All targets of the run.
    pub targets: Arc<[Target]>,
    /// This worker's share of them.
    pub shares: Vec<Share>,
    /// By how much the waits differ from the intervals.
    pub jitter: Jitter,
    /// The rate limits of the run.
    pub limits: Arc<Limits>,
}

/// The targets of a run, probed by a schedule.
pub struct ScheduledTargets {
    targets: Arc<[Target]>,
    schedule: Schedule,
}

impl ScheduledTargets {
    /// The run starts at `now`, in nanoseconds of `CLOCK_MONOTONIC`. `seed` decides about the jitter.
    #[must_use]
    pub fn new(config: WorkerConfig, seed: u64, now: u64) -> Self {
        let WorkerConfig { targets, shares, jitter, limits } = config;
        Self { targets, schedule: Schedule::new(&shares, limits, jitter, seed, now) }
    }
}

impl Source for ScheduledTargets {
    type Job = ();

    fn targets(&self) -> TargetTable<()> {
        TargetTable::of(self.targets.iter().map(|target| (target.address, ())))
    }

    fn next_due(&self) -> Option<u64> {
        self.schedule.next_due()
    }

    fn take(&mut self, _: &mut TargetTable<()>, now: u64) -> Option<TargetId> {
        self.schedule.take(now)
    }

    fn deadline(&self, _: Option<&mut ()>, now: u64, timeout: u64) -> u64 {
        now.saturating_add(timeout)
    }

    fn charge(&mut self, target: TargetId, now: u64) {
        self.schedule.charge(target, now);
    }

    fn on_probe_end(&mut self, _: &mut TargetTable<()>, _: &ProbeRecord, _: bool) {}

    fn is_exhausted(&self) -> bool {
        self.schedule.next_due().is_none()
    }
}
