//! Counts by outcome, verdict and proof, of a run and of each of its targets.

use super::latency::TargetLatency;
use crate::summary::TargetSummary;
use model::{
    outcome::Outcome,
    target::Target,
    verdict::{Judgement, Proof, Verdict},
};

/// Counts by outcome, verdict and proof. Each probe has one outcome and one proof, and may have several
/// verdicts.
#[derive(Clone, Debug, Default)]
pub(super) struct VerdictCounts {
    pub(super) probes: u64,
    pub(super) outcomes: [u64; Outcome::ALL.len()],
    pub(super) verdicts: [u64; Verdict::ALL.len()],
    pub(super) proofs: [u64; Proof::ALL.len()],
}

impl VerdictCounts {
    pub(super) fn add(&mut self, outcome: Outcome, judgements: &[Judgement]) {
        self.probes += 1;
        self.outcomes[outcome as usize] += 1;
        for judgement in judgements {
            self.verdicts[judgement.verdict as usize] += 1;
        }
        if let Some(proof) = weakest(judgements) {
            self.proofs[proof as usize] += 1;
        }
    }

    /// Counts `probes` probes that were alive and only `clean`, all with the same proof.
    fn add_clean(&mut self, probes: u64, proof: Proof) {
        self.probes += probes;
        self.outcomes[Outcome::Alive as usize] += probes;
        self.verdicts[Verdict::Clean as usize] += probes;
        self.proofs[proof as usize] += probes;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.probes += other.probes;
        add_each(&mut self.outcomes, &other.outcomes);
        add_each(&mut self.verdicts, &other.verdicts);
        add_each(&mut self.proofs, &other.proofs);
    }
}

/// The proof of a probe: the weakest of its verdicts'. [`Proof`] orders them from strong to weak.
fn weakest(judgements: &[Judgement]) -> Option<Proof> {
    judgements.iter().map(|judgement| judgement.proof).max()
}

fn add_each(to: &mut [u64], from: &[u64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// The counts of one target. Most probes are alive and clean with the same proof, for many targets all of
/// them, so the other counts are allocated only when needed.
#[derive(Clone, Debug, Default)]
pub(super) struct TargetCounts {
    /// Probes that were alive and only `clean`, with the proof `clean_proof`.
    clean: u64,
    /// The proof of the first such probe.
    clean_proof: Option<Proof>,
    unexpected: bool,
    other: Option<Box<VerdictCounts>>,
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
        self.unexpected |= !expected;
        if let Some(ns) = handshake {
            self.latency.record(ns, with_histogram);
        }
        match judgements {
            [one] if outcome == Outcome::Alive && one.verdict == Verdict::Clean => {
                self.add_clean(1, one.proof);
            }
            _ => self.other.get_or_insert_default().add(outcome, judgements),
        }
    }

    fn add_clean(&mut self, probes: u64, proof: Proof) {
        if *self.clean_proof.get_or_insert(proof) == proof {
            self.clean += probes;
        } else {
            self.other.get_or_insert_default().add_clean(probes, proof);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.unexpected |= other.unexpected;
        self.latency.merge(&other.latency);
        if let Some(proof) = other.clean_proof {
            self.add_clean(other.clean, proof);
        }
        if let Some(from) = &other.other {
            self.other.get_or_insert_default().merge(from);
        }
    }

    fn counts(&self) -> VerdictCounts {
        let mut counts = self.other.as_deref().cloned().unwrap_or_default();
        if let Some(proof) = self.clean_proof {
            counts.add_clean(self.clean, proof);
        }
        counts
    }

    /// Includes only names with a count: with all of them, the summary of 100,000 targets would be 70 MB of
    /// zeros.
    pub(super) fn summary(&self, target: &Target) -> TargetSummary {
        let counts = self.counts();
        let outcomes = Outcome::ALL.map(|o| (o.name(), counts.outcomes[o as usize]));
        let verdicts = Verdict::ALL.map(|v| (v.name(), counts.verdicts[v as usize]));
        let proofs = Proof::ALL.map(|p| (p.name(), counts.proofs[p as usize]));
        TargetSummary {
            target: target.name.clone(),
            address: target.address.to_string(),
            probes: counts.probes,
            outcomes: outcomes.into_iter().collect(),
            verdicts: verdicts.into_iter().collect(),
            proofs: proofs.into_iter().collect(),
            handshake_seconds: self.latency.quantiles(),
            as_expected: !self.unexpected,
        }
    }
}
