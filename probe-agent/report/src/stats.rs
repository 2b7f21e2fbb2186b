//! Counts every probe on the hot path, in bounded memory; the counts become the summary.

mod counts;
mod latency;

use self::{
    counts::{TargetCounts, VerdictCounts},
    latency::RunLatency,
};
use super::summary::Summary;
use explain::Judged;
use model::{
    outcome::Outcome,
    record::HalfOpen,
    spans::SpanCounts,
    target::Target,
    verdict::{Proof, Verdict},
};

/// Up to this many targets, each has a histogram of its own (2 to 10 KiB). With more targets, each keeps
/// only its fastest and slowest probe (56 bytes if all probes are clean).
const TARGETS_WITH_HISTOGRAM: usize = 4_096;

/// Facts that are known only at the end of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunFacts {
    /// From the start of the first probe to the end of the last, in seconds: the basis of the rate.
    pub probing_seconds: f64,
    /// Wall-clock length of the run in seconds.
    pub duration_seconds: f64,
    /// Kernel events that are known to be missing.
    pub events_lost: u64,
    /// How many spans were delivered.
    pub spans: SpanCounts,
    /// Probes whose settle window was cut short by an interruption.
    pub unsettled: u64,
    /// How often a worker's loop stalled for over a second.
    pub worker_stalls: u64,
    /// Ended by SIGINT or SIGTERM.
    pub interrupted: bool,
    /// Whether kernel events were used.
    pub traced: bool,
    /// Whether the ACK guard was attached at the start.
    pub half_open: HalfOpen,
    /// ACKs that the guard held back.
    pub acks_held: u64,
}

/// The counts of a run, or of one worker of it.
#[derive(Clone, Debug)]
pub struct RunCounts {
    counts: VerdictCounts,
    confirmations: u64,
    early_reuses: u64,
    unguarded: u64,
    unexpected: u64,
    latency: RunLatency,
    targets: Vec<TargetCounts>,
    histograms: bool,
}

impl RunCounts {
    /// Empty counts for this many targets; their ids are below that number.
    #[must_use]
    pub fn new(targets: usize) -> Self {
        Self {
            counts: VerdictCounts::default(),
            confirmations: 0,
            early_reuses: 0,
            unguarded: 0,
            unexpected: 0,
            latency: RunLatency::new(),
            targets: vec![TargetCounts::default(); targets],
            histograms: targets <= TARGETS_WITH_HISTOGRAM,
        }
    }

    /// Probes counted so far.
    #[must_use]
    pub fn probes(&self) -> u64 {
        self.counts.probes
    }

    /// Probes with this outcome so far.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.counts.outcomes[outcome as usize]
    }

    /// Probes so far with an unexpected outcome.
    #[must_use]
    pub fn unexpected(&self) -> u64 {
        self.unexpected
    }

    /// The summary of the run. `targets` are the targets of these counts, in order.
    #[must_use]
    pub fn summary(&self, targets: &[Target], facts: &RunFacts) -> Summary {
        let half_open = if self.unguarded > 0 { HalfOpen::NotEnforced } else { facts.half_open };
        let rate = self.counts.probes as f64 / facts.probing_seconds;
        Summary {
            probes: self.counts.probes,
            outcomes: Outcome::ALL.map(|o| (o.name(), self.outcome(o))).into(),
            verdicts: Verdict::ALL.map(|v| (v.name(), self.counts.verdicts[v as usize])).into(),
            proofs: Proof::ALL.map(|p| (p.name(), self.counts.proofs[p as usize])).into(),
            handshake_seconds: self.latency.quantiles(),
            probes_per_second: if rate.is_finite() { rate } else { 0.0 },
            probing_seconds: facts.probing_seconds,
            events_lost: facts.events_lost,
            spans: facts.spans,
            confirmations: self.confirmations,
            early_reuses: self.early_reuses,
            unsettled: facts.unsettled,
            worker_stalls: facts.worker_stalls,
            interrupted: facts.interrupted,
            tracing: if facts.traced { "kernel" } else { "none" },
            half_open: half_open.name(),
            unguarded: self.unguarded,
            acks_held: facts.acks_held,
            duration_seconds: facts.duration_seconds,
            targets: targets
                .iter()
                .zip(&self.targets)
                .map(|(t, counts)| counts.summary(t))
                .collect(),
        }
    }
}

impl engine::session::Counts for RunCounts {
    /// Counts one probe. A confirmation probe counts as a confirmation and nothing else.
    fn add(&mut self, judged: &Judged) {
        let Judged { timeline, verdicts: judgements, expected } = judged;
        let expected = *expected;
        let probe = &timeline.probe;
        if probe.confirms.is_some() {
            self.confirmations += 1;
            return;
        }
        let outcome = timeline.outcome();
        self.counts.add(outcome, judgements);
        self.early_reuses += u64::from(probe.early_reuse);
        self.unguarded += u64::from(probe.half_open == HalfOpen::NotEnforced);
        self.unexpected += u64::from(!expected);
        let handshake = probe.handshake_ns();
        if let Some(ns) = handshake {
            self.latency.record(ns);
        }
        if let Some(target) = self.targets.get_mut(probe.target.0 as usize) {
            target.add(outcome, judgements, expected, handshake, self.histograms);
        }
    }

    fn merge(&mut self, other: Self) {
        self.counts.merge(&other.counts);
        self.confirmations += other.confirmations;
        self.early_reuses += other.early_reuses;
        self.unguarded += other.unguarded;
        self.unexpected += other.unexpected;
        self.latency.merge(&other.latency);
        for (to, from) in self.targets.iter_mut().zip(&other.targets) {
            to.merge(from);
        }
    }
}

#[cfg(test)]
mod tests;
