//! Counts by outcome and verdict, of a run and of each of its targets.

use super::latency::TargetLatency;
use crate::summary::TargetSummary;
use model::{
    outcome::Outcome,
    target::Target,
    verdict::{Judgement, Verdict},
};

/// Counts by outcome and verdict.
#[derive(Clone, Debug, Default)]
pub(super) struct VerdictCounts {
    pub(super) probes: u64,
    pub(super) outcomes: [u64; Outcome::ALL.len()],
    pub(super) verdicts: [u64; Verdict::ALL.len()],
}

impl VerdictCounts {
    pub(super) fn add(&mut self, outcome: Outcome, judgements: &[Judgement]) {
        self.probes += 1;
        self.outcomes[outcome as usize] += 1;
        for judgement in judgements {
            self.verdicts[judgement.verdict as usize] += 1;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.probes += other.probes;
        add_each(&mut self.outcomes, &other.outcomes);
        add_each(&mut self.verdicts, &other.verdicts);
    }
}

pub(super) fn add_each(to: &mut [u64], from: &[u64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// The counts of one target. Most probes are alive and clean, for many targets all of them, so the other
/// counts are allocated only when needed.
#[derive(Clone, Debug, Default)]
pub(super) struct TargetCounts {
    /// Probes that were alive and only `clean`.
    clean: u64,
    other: Option<Box<VerdictCounts>>,
    unexpected: u64,
    latency: TargetLatency,
}

impl TargetCounts {
    /// Counts one probe; `handshake` is its time in nanoseconds, if it was answered.
    pub(super) fn add(
        &mut self,
        outcome: Outcome,
        judgements: &[Judgement],
        expected: bool,
        handshake: Option<u64>,
        with_histogram: bool,
    ) {
        self.unexpected += u64::from(!expected);
        if let Some(ns) = handshake {
            self.latency.record(ns, with_histogram);
        }
        let clean = matches!(judgements, [one] if one.verdict == Verdict::Clean);
        if outcome == Outcome::Alive && clean {
            self.clean += 1;
        } else {
            self.other.get_or_insert_default().add(outcome, judgements);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.unexpected += other.unexpected;
        self.latency.merge(&other.latency);
        self.clean += other.clean;
        if let Some(from) = &other.other {
            self.other.get_or_insert_default().merge(from);
        }
    }

    fn counts(&self) -> VerdictCounts {
        let mut counts = self.other.as_deref().cloned().unwrap_or_default();
        counts.probes += self.clean;
        counts.outcomes[Outcome::Alive as usize] += self.clean;
        counts.verdicts[Verdict::Clean as usize] += self.clean;
        counts
    }

    /// Includes only names with a count: with all of them, the summary of 100,000 targets would be 70 MB of
    /// zeros.
    pub(super) fn summary(&self, target: &Target) -> TargetSummary {
        let counts = self.counts();
        let outcomes = Outcome::ALL.map(|o| (o.name(), counts.outcomes[o as usize]));
        let verdicts = Verdict::ALL.map(|v| (v.name(), counts.verdicts[v as usize]));
        TargetSummary {
            target: target.name.clone(),
            address: target.address_text(),
            probes: counts.probes,
            outcomes: outcomes.into_iter().collect(),
            verdicts: verdicts.into_iter().collect(),
            handshake_seconds: self.latency.quantiles(),
            as_expected: self.unexpected == 0,
        }
    }
}
