//! A verdict in words, with its evidence.

use super::{
    step::Step,
    verdict::{Proof, Verdict},
};
use crate::{correlate::timeline::Timeline, probe::record::ProbeId};

/// One thing that was observed, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Nanoseconds of `CLOCK_MONOTONIC`; `None` for what has no one moment.
    pub at: Option<u64>,
    /// What was observed, by which hook.
    pub text: String,
}

/// One verdict on one probe, told to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Why.
    pub verdict: Verdict,
    /// How well proved.
    pub proof: Proof,
    /// What happened, for a tired on-call engineer.
    pub sentence: String,
    /// What says so.
    pub evidence: Vec<Evidence>,
    /// What to do, where there is something.
    pub advice: Option<String>,
    /// The other probe that this verdict is about (path B and C, late SYN-ACK).
    pub link: Option<ProbeId>,
}

/// A probe with all that is to be said of it: what reports and spans are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedProbe {
    /// The probe and its events.
    pub timeline: Timeline,
    /// The verdicts, the most telling first; never empty.
    pub findings: Vec<Finding>,
    /// The exchange, in time order.
    pub steps: Vec<Step>,
}
