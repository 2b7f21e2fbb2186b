//! Ready-made timelines and explained probes, for tests and benchmarks. The plain values in them:
//! [`model::fixtures`].

use model::{finding::Finding, record::ProbeRecord, step::Step, verdict::Judgement};

use crate::{
    ExplainedProbe, Judged,
    timeline::{Coverage, Timeline},
};

/// A probe without unusual events, followed for 1.5 s, with every hook in place.
#[must_use]
pub fn timeline(probe: ProbeRecord) -> Timeline {
    Timeline {
        followed_until: probe.syn_at() + 1_500_000_000,
        probe,
        events: Vec::new(),
        coverage: Coverage::Full,
        reused_cleanly: false,
        copy_met: None,
        reuse_in_doubt: false,
        earlier: None,
        later: None,
        confirmation: None,
    }
}

/// A probe that went as expected, in words that a test chooses.
#[must_use]
pub fn explained(timeline: Timeline, findings: Vec<Finding>, steps: Vec<Step>) -> ExplainedProbe {
    ExplainedProbe { timeline, findings, steps, expected: true }
}

/// The probe as the engine reports it, with the verdicts that its words are about.
#[must_use]
pub fn judged(explained: &ExplainedProbe) -> Judged {
    let verdict = |f: &Finding| Judgement { verdict: f.verdict, proof: f.proof };
    Judged {
        timeline: explained.timeline.clone(),
        verdicts: explained.findings.iter().map(verdict).collect(),
        expected: explained.expected,
    }
}
