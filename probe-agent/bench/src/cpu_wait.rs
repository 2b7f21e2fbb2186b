//! How long threads waited for a CPU.
//!
//! On shared cores, other programs decide how much CPU time a benchmark gets. The kernel counts how long
//! each thread waited. A rate that excludes this time is nearly the same on a busy and on a quiet machine.

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use engine::gauges::Gauges;

/// The wait of a thread, from its `schedstat` file: time on a CPU, time in the run queue, time slices.
pub(crate) fn waited(file: &Path) -> Result<Duration> {
    let text = fs::read_to_string(file)?;
    let nanos = text.split_whitespace().nth(1).and_then(|n| n.parse().ok());
    nanos.map(Duration::from_nanos).context("schedstat has three numbers")
}

/// Measures the rate of the agent's probing threads while they are busy.
#[derive(Debug, Default)]
pub(crate) struct RateMeter {
    first: Option<Reading>,
    last: Option<Reading>,
}

/// The state of the probing threads at one time.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    ended: u64,
    waited: Duration,
    threads: u32,
}

impl RateMeter {
    /// Takes a reading while all workers are probing: after that they only wait.
    pub(crate) fn read(&mut self, gauges: &[Arc<Gauges>], probes: u64) {
        let ended = || gauges.iter().map(|g| g.ended.load(Ordering::Relaxed)).sum();
        let (before, (waited, threads)) = (ended(), probers());
        let reading = Reading { at: Instant::now(), ended: before, waited, threads };
        // One worker may end before the other.
        let share = probes / gauges.len().max(1) as u64;
        let busy = |g: &Arc<Gauges>| (1..share).contains(&g.ended.load(Ordering::Relaxed));
        if gauges.iter().all(busy) {
            self.first.get_or_insert(reading);
            self.last = Some(reading);
        }
    }

    /// Probes per second, excluding the wait for a CPU; `None` with fewer than two readings.
    pub(crate) fn net_per_second(&self) -> Option<f64> {
        let (first, last) = (self.first?, self.last?);
        let waited = (last.waited - first.waited) / last.threads.max(1);
        let took = (last.at - first.at).saturating_sub(waited);
        (!took.is_zero()).then(|| (last.ended - first.ended) as f64 / took.as_secs_f64())
    }
}

/// How long the agent's probing threads have waited, and how many there are.
fn probers() -> (Duration, u32) {
    let mut all = (Duration::ZERO, 0);
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim() == "probe-worker"
            && let Ok(waited) = waited(&task.path().join("schedstat"))
        {
            all = (all.0 + waited, all.1 + 1);
        }
    }
    all
}
