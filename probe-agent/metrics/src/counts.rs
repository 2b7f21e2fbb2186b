//! What one worker has counted: of all its probes, or of those of one target.

mod histogram;
mod worker;

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use explain::Judged;
use model::{
    event::EventKind,
    outcome::Outcome,
    verdict::{Proof, Verdict},
};

pub(crate) use self::histogram::{BUCKETS, Histogram, HistogramTotals, LE, bucket_of};
pub(crate) use self::worker::WorkerCounts;

/// A count that one thread writes and others read. Without an atomic read-modify-write, adding costs no more
/// than it does to a plain number.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, by: u64) {
        self.0.store(self.get().wrapping_add(by), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Who sent a RST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RstSender {
    /// The agent's kernel, at the close of a probe.
    Close,
    /// The agent's kernel, in answer to a segment that fits no connection.
    Answer,
    /// The target, or whoever answers in its name.
    Target,
}

impl RstSender {
    pub(crate) const ALL: [Self; 3] = [Self::Close, Self::Answer, Self::Target];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Answer => "answer",
            Self::Target => "target",
        }
    }
}

/// A count of findings by verdict and proof.
#[derive(Debug, Default)]
pub(crate) struct Findings([[Count; 3]; 17]);

impl Findings {
    fn count(&self, verdict: Verdict, proof: Proof) -> Option<&Count> {
        self.0.get(verdict as usize)?.get(proof as usize)
    }
}

/// The counts of a worker's probes. What a clean probe adds to stands together: with many targets, what counting
/// costs is the time in which their cache lines arrive from memory.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct ProbeCounts {
    rsts: [Count; 3],
    /// Most targets are only ever clean, and need no more than these.
    clean: [Count; 3],
    /// The first one is alive.
    outcomes: [Count; 5],
    /// The sum of the handshakes, in nanoseconds.
    handshakes: Count,
    buckets: Histogram,
    pub(crate) syn_retransmits: Count,
    pub(crate) acks_held_back: Count,
    /// Made at the first finding that is not clean.
    unusual: OnceLock<Box<Findings>>,
}

impl ProbeCounts {
    /// Counts a settled probe.
    pub(crate) fn add(&self, judged: &Judged, facts: &Facts) {
        if let Some(ns) = facts.handshake {
            self.buckets.record(facts.bucket);
            self.handshakes.add(ns);
        }
        if let Some(count) = self.outcomes.get(facts.outcome as usize) {
            count.add(1);
        }
        for judgement in &judged.verdicts {
            let count = match judgement.verdict {
                Verdict::Clean => self.clean.get(judgement.proof as usize),
                verdict => self.unusual.get_or_init(Box::default).count(verdict, judgement.proof),
            };
            if let Some(count) = count {
                count.add(1);
            }
        }
        for (count, rsts) in self.rsts.iter().zip(facts.rsts) {
            if rsts > 0 {
                count.add(rsts);
            }
        }
        if facts.syn_retransmits > 0 {
            self.syn_retransmits.add(facts.syn_retransmits);
        }
        if facts.acks_held_back > 0 {
            self.acks_held_back.add(facts.acks_held_back);
        }
    }

    /// Adds the handshakes to those of others.
    pub(crate) fn add_handshakes(&self, totals: &mut HistogramTotals) {
        totals.add(&self.buckets, self.handshakes.get());
    }

    pub(crate) fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome as usize).map_or(0, Count::get)
    }

    pub(crate) fn rsts(&self, sender: RstSender) -> u64 {
        self.rsts.get(sender as usize).map_or(0, Count::get)
    }

    pub(crate) fn findings(&self, verdict: Verdict, proof: Proof) -> u64 {
        let count = match verdict {
            Verdict::Clean => self.clean.get(proof as usize),
            verdict => self.unusual.get().and_then(|findings| findings.count(verdict, proof)),
        };
        count.map_or(0, Count::get)
    }

    /// Whether there is a finding other than a clean one.
    pub(crate) fn is_unusual(&self) -> bool {
        self.unusual.get().is_some()
    }
}

/// What a probe adds, worked out once for all the counts that it adds to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) handshake: Option<u64>,
    /// The bucket of the handshake.
    pub(crate) bucket: usize,
    outcome: Outcome,
    /// By sender.
    rsts: [u64; 3],
    syn_retransmits: u64,
    acks_held_back: u64,
}

impl Facts {
    pub(crate) fn of(judged: &Judged) -> Self {
        let timeline = &judged.timeline;
        let probe = &timeline.probe;
        let outcome = timeline.outcome();
        let handshake = probe.handshake_ns();
        let (mut answers, mut received, mut held) = (0, 0, 0);
        for event in &timeline.events {
            match event.kind {
                EventKind::RstSent { .. } => answers += 1,
                EventKind::RstReceived => received += 1,
                EventKind::AckHeldBack => held += 1,
                EventKind::StateChange { .. }
                | EventKind::SynRetransmit { .. }
                | EventKind::SegmentRetransmit { .. }
                | EventKind::SynAckRetransmit { .. }
                | EventKind::PacketDropped(_)
                | EventKind::SynAckFromElsewhere { .. } => {}
            }
        }
        // Without a hook that reports it, the outcome shows it.
        let was_reset = probe.outcome == Outcome::Refused
            || judged.verdicts.iter().any(|j| j.verdict == Verdict::TargetReset);
        let target = match outcome {
            // This host's own firewall made it.
            Outcome::LocalError => 0,
            _ => received.max(u64::from(was_reset)),
        };
        Self {
            handshake,
            bucket: handshake.map_or(0, bucket_of),
            outcome,
            rsts: [u64::from(probe.rst_at().is_some()), answers, target],
            syn_retransmits: timeline.syn_retransmits() as u64,
            acks_held_back: probe.kernel.map_or(0, |k| u64::from(k.acks_held)).max(held),
        }
    }
}
