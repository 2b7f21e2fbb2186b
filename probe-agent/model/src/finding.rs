//! A verdict in words, with its evidence.

use super::verdict::{Proof, Verdict};
use crate::record::ProbeId;

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
