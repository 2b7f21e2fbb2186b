//! The summary of a run: counts and quantiles. Its size does not depend on the length of the run.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use model::{
    expect::Expect,
    outcome::Outcome,
    spans::SpanCounts,
    verdict::{Proof, Verdict},
};

/// Quantiles of the handshake time, in seconds; `None` if no probe was answered.
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

/// A few counts by name, sorted by name. As small as possible: most of 100,000 targets have one each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(Box<[(&'static str, u64)]>);

impl Counted {
    /// The count of a name; 0 if it has none.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.0.iter().find(|(of, _)| *of == name).map_or(0, |(_, count)| *count)
    }

    /// How many names have a count.
    #[cfg(test)]
    pub(crate) fn names(&self) -> usize {
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
    /// The target as the user wrote it.
    pub target: String,
    /// The address of the probes.
    pub address: String,
    /// Probes that ended.
    pub probes: u64,
    /// By outcome; only those with a count.
    pub outcomes: Counted,
    /// By verdict; every verdict of a probe counts; only those with a count.
    pub verdicts: Counted,
    /// By proof, one for each probe: the weakest of its verdicts'; only those with a count.
    pub proofs: Counted,
    /// SYN to SYN-ACK.
    pub handshake_seconds: HandshakeSeconds,
    /// Whether every probe had the expected outcome (`--expect`).
    pub as_expected: bool,
}

/// The figures of a run. All names of a closed list are always present, with 0 if none was counted; only
/// the targets leave such names out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Probes that ended.
    pub probes: u64,
    /// By outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// By verdict; every verdict of a probe counts.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// By proof, one for each probe: the weakest of its verdicts'.
    pub proofs: BTreeMap<&'static str, u64>,
    /// SYN to SYN-ACK, from kernel timestamps if traced.
    pub handshake_seconds: HandshakeSeconds,
    /// Probes per second, from the start of the first to the end of the last; the settle window at the end
    /// does not count.
    pub probes_per_second: f64,
    /// The time that this rate is over.
    pub probing_seconds: f64,
    /// Kernel events that are known to be missing: the ring buffer was full, or the kernel skipped a hook.
    pub events_lost: u64,
    /// How many spans were delivered.
    pub spans: SpanCounts,
    /// Confirmation probes; not included in `probes`.
    pub confirmations: u64,
    /// Probes whose 4-tuple was reused before its settle window had passed.
    pub early_reuses: u64,
    /// Probes whose settle window was cut short by an interruption; they are judged by the events until
    /// then.
    pub unsettled: u64,
    /// How often a worker's loop stalled for over a second: probes started late then, and timeouts were
    /// late.
    pub worker_stalls: u64,
    /// SIGINT, SIGTERM or SIGHUP ended the run, or a second signal cut the delivery of spans short.
    pub interrupted: bool,
    /// `kernel` or `none`.
    pub tracing: &'static str,
    /// Whether the ACK guard was in effect for all probes: `enforced` or `not_enforced`.
    pub half_open: &'static str,
    /// Probes without the ACK guard: all of them, or those whose sockets are not in its cgroup because the
    /// process was moved.
    pub unguarded: u64,
    /// ACKs that the guard held back.
    pub acks_held: u64,
    /// Wall-clock length of the run in seconds.
    pub duration_seconds: f64,
    /// The targets, in the order of the command line.
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

    /// Probes with this proof.
    #[must_use]
    pub fn proof(&self, proof: Proof) -> u64 {
        self.proofs.get(proof.name()).copied().unwrap_or(0)
    }

    /// Probes whose verdict is not the one that a healthy target's probe has.
    #[must_use]
    pub fn unusual(&self, expect: Expect) -> u64 {
        self.probes.saturating_sub(self.verdict(expect.verdict()))
    }

    /// Whether every probe of every target had the expected outcome.
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

    /// Probes with this proof.
    #[must_use]
    pub fn proof(&self, proof: Proof) -> u64 {
        self.proofs.get(proof.name())
    }

    /// The most telling verdict of any probe.
    pub(crate) fn most_telling(&self) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| self.verdict(*verdict) > 0)
    }
}
