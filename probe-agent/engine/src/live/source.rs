//! Targets that change, as a source of probes.

use std::os::fd::BorrowedFd;

use model::{duration::nanos, expect::Expect, record::ProbeRecord, target::TargetId};
use tokio::sync::mpsc::error::TryRecvError;

use super::{Command, LiveTargets, ProbePolicy};
use crate::{
    names::Unresolved,
    source::{Source, TargetTable},
};

/// The most commands that one turn of the event loop takes in: they take some 0.1 ms.
pub(super) const BATCH: usize = 256;

/// What the source stores with a target.
#[derive(Debug)]
pub struct LiveTarget {
    /// Its entry in the schedule.
    entry: u32,
    /// When its last probe was due, in nanoseconds of `CLOCK_MONOTONIC`. Before the first probe: one interval
    /// before that is due.
    last_due: u64,
    /// Nanoseconds.
    interval: u64,
    timeout: u64,
    expect: Expect,
    unresolved: Option<Unresolved>,
    /// Probes that are to start, in flight or settling.
    unsettled: u32,
    is_removed: bool,
}

type Table = TargetTable<LiveTarget>;

impl LiveTargets {
    /// Takes in one command at `now`.
    fn apply(&mut self, targets: &mut Table, command: Command, now: u64) {
        match command {
            Command::Add { target, .. } if targets.contains(target) => {}
            // Nothing of it was probed.
            Command::Add { target, .. } if self.is_stopped => self.removed.push(target),
            Command::Add { target, address, unresolved, policy, first_delay } => {
                let interval = nanos(policy.interval);
                let at = now.saturating_add(nanos(first_delay));
                let host = self.limits.0.join(address.ip());
                let entry = self.schedule.add(target, host, interval, at);
                let job = LiveTarget {
                    entry,
                    last_due: at.saturating_sub(interval),
                    interval,
                    timeout: nanos(policy.timeout),
                    expect: policy.expect,
                    unresolved,
                    unsettled: 0,
                    is_removed: false,
                };
                targets.insert_as(target, address, job);
            }
            Command::Remove(target) => self.remove(targets, target),
            Command::Replace { target, policy } => self.replace(targets, target, policy, now),
            Command::SetInterval { target, interval } => {
                self.set_interval(targets, target, nanos(interval), now);
            }
            Command::Stop => self.is_stopped = true,
        }
    }

    fn remove(&mut self, targets: &mut Table, target: TargetId) {
        let Some(job) = targets.job(target).filter(|job| !job.is_removed) else { return };
        job.is_removed = true;
        self.schedule.remove(job.entry);
        if job.unsettled == 0 {
            self.forget(targets, target);
        }
        self.compact(targets);
    }

    /// Gives back the memory of removed targets, now and then.
    fn compact(&mut self, targets: &mut Table) {
        for (target, entry) in self.schedule.compact() {
            if let Some(job) = targets.job(target) {
                job.entry = entry;
            }
        }
    }

    /// A removed target has no probe left that is not settled.
    fn forget(&mut self, targets: &mut Table, target: TargetId) {
        targets.remove(target);
        if let Some(host) = self.schedule.forget(target) {
            self.limits.0.leave(host);
        }
        self.removed.push(target);
    }

    fn replace(&mut self, targets: &mut Table, target: TargetId, policy: ProbePolicy, now: u64) {
        let Some(job) = targets.job(target) else { return };
        job.timeout = nanos(policy.timeout);
        job.expect = policy.expect;
        self.set_interval(targets, target, nanos(policy.interval), now);
    }

    fn set_interval(&mut self, targets: &mut Table, target: TargetId, interval: u64, now: u64) {
        let Some(job) = targets.job(target) else { return };
        if job.is_removed || job.interval == interval {
            return;
        }
        job.interval = interval;
        let at = job.last_due.saturating_add(interval).max(now);
        job.entry = self.schedule.set_interval(job.entry, interval, at);
        self.compact(targets);
    }
}

impl Source for LiveTargets {
    type Job = LiveTarget;

    fn targets(&self) -> Table {
        TargetTable::named()
    }

    fn update(&mut self, targets: &mut Table, now: u64) {
        for _ in 0..BATCH {
            match self.queue.try_recv() {
                Ok(command) => self.apply(targets, command, now),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.is_stopped = true;
                    return;
                }
            }
        }
    }

    fn next_due(&self) -> Option<u64> {
        if self.is_stopped { None } else { self.schedule.next_due() }
    }

    fn take(&mut self, targets: &mut Table, now: u64) -> Option<TargetId> {
        if self.is_stopped {
            return None;
        }
        let target = self.schedule.take(now)?;
        if let Some(job) = targets.job(target) {
            job.last_due = self.schedule.taken_since();
            job.unsettled += 1;
            if let Some(reason) = job.unresolved {
                targets.set_unresolved(target, reason);
            }
        }
        Some(target)
    }

    fn deadline(&self, targets: &mut Table, target: TargetId, now: u64, timeout: u64) -> u64 {
        now.saturating_add(targets.job(target).map_or(timeout, |job| job.timeout))
    }

    fn charge(&mut self, target: TargetId, now: u64) {
        self.schedule.charge(target, now);
    }

    fn on_probe_end(&mut self, targets: &mut Table, record: &ProbeRecord, awaits: bool) {
        // The confirmation probe is one more of this target.
        if awaits && let Some(job) = targets.job(record.target) {
            job.unsettled += 1;
        }
    }

    fn on_settled(&mut self, targets: &mut Table, record: &ProbeRecord) -> Option<Expect> {
        let job = targets.job(record.target)?;
        job.unsettled = job.unsettled.saturating_sub(1);
        let expect = job.expect;
        if job.is_removed && job.unsettled == 0 {
            self.forget(targets, record.target);
        }
        Some(expect)
    }

    fn next_removed(&mut self) -> Option<TargetId> {
        self.removed.pop()
    }

    fn is_exhausted(&self) -> bool {
        self.is_stopped
    }

    fn wakeup(&self) -> Option<BorrowedFd<'_>> {
        Some(self.wakeup.descriptor())
    }

    fn may_sleep(&self) -> bool {
        self.wakeup.prepare_to_sleep(|| self.queue.is_empty())
    }

    fn on_wake(&self) {
        self.wakeup.on_wake();
    }
}
