//! How long threads stood in the queue for a CPU while somebody else had it.
//!
//! A benchmark that shares its cores gets a share of them that has nothing to do with what it
//! measures. The kernel counts what each thread waited; taken out, the rate of a busy machine comes
//! near that of a quiet one.

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use engine::gauges::Gauges;

/// What the `schedstat` file of a thread says: time on a CPU, time in the queue, number of slices.
pub(crate) fn waited(file: &Path) -> Result<Duration> {
    let text = fs::read_to_string(file)?;
    let nanos = text.split_whitespace().nth(1).and_then(|n| n.parse().ok());
    nanos.map(Duration::from_nanos).context("schedstat has three numbers")
}

/// Follows the probing threads of the agent while they have something to do.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    first: Option<Look>,
    last: Option<Look>,
}

/// Where the probing threads were at some time.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    ended: u64,
    waited: Duration,
    threads: u32,
}

impl Follower {
    /// Takes a look, unless all `probes` have ended: what comes then is waiting.
    pub(crate) fn look(&mut self, gauges: &[Arc<Gauges>], probes: u64) {
        let ended = || gauges.iter().map(|g| g.ended.load(Ordering::Relaxed)).sum();
        let (before, (waited, threads)) = (ended(), probers());
        let look = Look { at: Instant::now(), ended: before, waited, threads };
        // One worker may be done before the other: then not all of them are probing any more.
        let share = probes / gauges.len().max(1) as u64;
        let busy = |g: &Arc<Gauges>| (1..share).contains(&g.ended.load(Ordering::Relaxed));
        if gauges.iter().all(busy) {
            self.first.get_or_insert(look);
            self.last = Some(look);
        }
    }

    /// Probes per second without the time in the queue; `None` if it could not look twice.
    pub(crate) fn net_per_second(&self) -> Option<f64> {
        let (first, last) = (self.first?, self.last?);
        let waited = (last.waited - first.waited) / last.threads.max(1);
        let took = (last.at - first.at).saturating_sub(waited);
        (!took.is_zero()).then(|| (last.ended - first.ended) as f64 / took.as_secs_f64())
    }
}

/// What the agent's probing threads have waited, and how many they are.
fn probers() -> (Duration, u32) {
    let mut all = (Duration::ZERO, 0);
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim() == "prober"
            && let Ok(waited) = waited(&task.path().join("schedstat"))
        {
            all = (all.0 + waited, all.1 + 1);
        }
    }
    all
}
