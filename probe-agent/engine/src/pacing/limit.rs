//! Rates that hold over all workers of a run.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

use super::Pacing;
use model::target::{Target, TargetId};

/// A worker that wakes this late, in nanoseconds, still keeps the rate: what it missed starts at
/// once. Any second has at most 2 % more than the rate for that reason.
const LATE: u64 = 20_000_000;

/// So many starts per second, evenly.
#[derive(Debug)]
struct Limit {
    /// The time that each start takes up, in nanoseconds.
    period: u64,
}

impl Limit {
    fn new(per_second: NonZeroU32) -> Self {
        Self { period: 1_000_000_000 / u64::from(per_second.get()) }
    }

    /// Whether a start is free at `now`: takes it; else when the next one is.
    fn take(&self, free_at: &AtomicU64, now: u64) -> Result<(), u64> {
        let after = |at: u64| (at <= now).then(|| self.after(at, now));
        free_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).map(|_| ())
    }

    /// Takes a start that cannot wait: those after it make up for it.
    fn charge(&self, free_at: &AtomicU64, now: u64) {
        let after = |at: u64| Some(if at > now { at + self.period } else { self.after(at, now) });
        // Never refused.
        let _ = free_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
    }

    fn give_back(&self, free_at: &AtomicU64) {
        free_at.fetch_sub(self.period, Ordering::Relaxed);
    }

    /// When the start after one at `now` is free, which was free since `at`.
    fn after(&self, at: u64, now: u64) -> u64 {
        // Only lateness is made up for: a time without anything to start gives no credit.
        (if now - at <= LATE { at } else { now }) + self.period
    }
}

/// A limit over all targets, and one for each destination address.
#[derive(Debug, Default)]
pub struct Limits {
    all: Option<(Limit, AtomicU64)>,
    per_host: Option<PerHost>,
}

#[derive(Debug)]
struct PerHost {
    limit: Limit,
    /// By host.
    free_at: Box<[AtomicU64]>,
    /// The host of each target.
    hosts: Box<[u32]>,
}

impl Limits {
    /// The limits of a run.
    #[must_use]
    pub fn new(pace: &Pacing, targets: &[Target]) -> Self {
        Self {
            all: pace.rate.map(|rate| (Limit::new(rate), AtomicU64::new(0))),
            per_host: pace.rate_per_host.map(|rate| PerHost::new(rate, targets)),
        }
    }

    /// When the next probe of any target may start; 0 where nothing limits it.
    pub(crate) fn free_at(&self) -> u64 {
        self.all.as_ref().map_or(0, |(_, free_at)| free_at.load(Ordering::Relaxed))
    }

    /// The host that a limit of its own is kept for.
    pub(crate) fn host(&self, target: TargetId) -> Option<u32> {
        self.per_host.as_ref().map(|hosts| hosts.hosts[target.0 as usize])
    }

    /// When the next probe of a host may start.
    pub(crate) fn host_free_at(&self, host: u32) -> u64 {
        let hosts = self.per_host.as_ref();
        hosts.map_or(0, |hosts| hosts.free_at[host as usize].load(Ordering::Relaxed))
    }

    /// Takes a start for a target that is due.
    ///
    /// # Errors
    /// What is in its way.
    pub(crate) fn take(&self, host: Option<u32>, now: u64) -> Result<(), Busy> {
        if let Some((limit, free_at)) = &self.all {
            limit.take(free_at, now).map_err(|_| Busy::All)?;
        }
        if let (Some(hosts), Some(host)) = (&self.per_host, host)
            && let Err(until) = hosts.limit.take(&hosts.free_at[host as usize], now)
        {
            if let Some((limit, free_at)) = &self.all {
                limit.give_back(free_at);
            }
            return Err(Busy::Host { until });
        }
        Ok(())
    }

    /// Counts a probe that was started without asking: the second opinion on a refusal.
    pub(crate) fn charge(&self, target: TargetId, now: u64) {
        if let Some((limit, free_at)) = &self.all {
            limit.charge(free_at, now);
        }
        if let Some(hosts) = &self.per_host {
            let host = hosts.hosts[target.0 as usize];
            hosts.limit.charge(&hosts.free_at[host as usize], now);
        }
    }
}

/// Why a probe may not start now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Busy {
    /// No probe may.
    All,
    /// None of its destination address, before this time.
    Host { until: u64 },
}

impl PerHost {
    fn new(rate: NonZeroU32, targets: &[Target]) -> Self {
        let mut known = HashMap::new();
        let mut host = |target: &Target| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            // A mapped address is the same host.
            *known.entry(target.address.ip().to_canonical()).or_insert(next)
        };
        let hosts: Box<[u32]> = targets.iter().map(&mut host).collect();
        let free_at = known.iter().map(|_| AtomicU64::new(0)).collect();
        Self { limit: Limit::new(rate), free_at, hosts }
    }
}
