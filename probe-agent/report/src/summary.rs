//! The summary of a run: counts and quantiles, of bounded size however long the run is.

use model::spans::SpanCounts;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use model::{
    outcome::Outcome,
    verdict::{Proof, Verdict},
};

/// Quantiles of the handshake time, in seconds; `None` where no probe was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct HandshakeSeconds {
    /// The fastest.
    pub min: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// 90 % were at most this.
    pub p90: Option<f64>,
    /// 99 % were at most this.
    pub p99: Option<f64>,
    /// The slowest.
    pub max: Option<f64>,
}

/// A few counts by name, in the order of the names, as small as they can be: of 100,000 targets most
/// have one each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(Box<[(&'static str, u64)]>);

impl Counted {
    /// What was counted under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.0.iter().find(|(of, _)| *of == name).map_or(0, |(_, count)| *count)
    }

    /// Under how many names something was counted.
    #[must_use]
    pub fn names(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<(&'static str, u64)> for Counted {
    fn from_iter<T: IntoIterator<Item = (&'static str, u64)>>(counts: T) -> Self {
        let mut counted: Box<[_]> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        counted.sort_unstable_by_key(|(name, _)| *name);
        Self(counted)
    }
}

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// The figures of one target.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TargetSummary {
    /// As the user wrote it.
    pub target: String,
    /// Where the probes went.
    pub address: String,
    /// Probes that ended.
    pub probes: u64,
    /// By outcome; only those that were counted.
    pub outcomes: Counted,
    /// By verdict; every verdict of a probe counts; only those that were counted.
    pub verdicts: Counted,
    /// SYN to SYN-ACK.
    pub handshake_seconds: HandshakeSeconds,
    /// Whether every probe went as expected (`--expect`).
    pub as_expected: bool,
}

/// The figures of a run. All names of a closed list are always there (save target by target), with
/// 0 where none was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Probes that ended.
    pub probes: u64,
    /// By outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// By verdict; every verdict of a probe counts.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// By proof; every verdict of a probe counts.
    pub proofs: BTreeMap<&'static str, u64>,
    /// SYN to SYN-ACK, by the kernel's clock where it was traced.
    pub handshake_seconds: HandshakeSeconds,
    /// Probes ended per second of the time in which probes were started and awaited (the settle
    /// window at the end does not count).
    pub probes_per_second: f64,
    /// Kernel events that are known to be missing: the ring buffer had no room, or the kernel skipped a
    /// hook.
    pub events_lost: u64,
    /// What became of the spans.
    pub spans: SpanCounts,
    /// Second probes that decided on a refusal; not among `probes`.
    pub confirmations: u64,
    /// Probes whose 4-tuple was used again before its settle window had passed.
    pub early_reuses: u64,
    /// Probes whose settle window was cut short by an interruption; they are judged by what was
    /// seen until then.
    pub unsettled: u64,
    /// Times that a worker's loop stood still for longer than a second: probes then started late,
    /// and timeouts came late.
    pub worker_stalls: u64,
    /// Ended by SIGINT, SIGTERM or SIGHUP; or a second one cut the delivery of spans short.
    pub interrupted: bool,
    /// `kernel` or `none`.
    pub tracing: &'static str,
    /// Whether an ACK that would complete a handshake was kept from leaving: `enforced` or
    /// `not_enforced`.
    pub half_open: &'static str,
    /// Probes for which the ACK guard did not stand: all of them, or those whose sockets are not in its
    /// cgroup because the process was moved.
    pub unguarded: u64,
    /// ACKs that the guard held back.
    pub acks_held: u64,
    /// Wall-clock length of the run in seconds.
    pub duration_seconds: f64,
    /// Target by target, in the order of the command line.
    pub targets: Vec<TargetSummary>,
}

impl Summary {
    /// Probes with this outcome.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome.name()).copied().unwrap_or(0)
    }

    /// Probes with this verdict in their list.
    #[must_use]
    pub fn verdict(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(verdict.name()).copied().unwrap_or(0)
    }

    /// Verdicts with this proof.
    #[must_use]
    pub fn proof(&self, proof: Proof) -> u64 {
        self.proofs.get(proof.name()).copied().unwrap_or(0)
    }

    /// Probes that were other than clean.
    #[must_use]
    pub fn unusual(&self) -> u64 {
        self.probes.saturating_sub(self.verdict(Verdict::Clean))
    }

    /// Whether every probe of every target went as expected.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        self.targets.iter().all(|target| target.as_expected)
    }
}

impl TargetSummary {
    /// Probes with this outcome.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome.name())
    }

    /// Probes with this verdict in their list.
    #[must_use]
    pub fn verdict(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(verdict.name())
    }

    /// The most telling verdict that any probe had.
    #[must_use]
    pub fn most_telling(&self) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| self.verdict(*verdict) > 0)
    }
}
