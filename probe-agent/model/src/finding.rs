//! A verdict put into words, with its evidence.

use super::verdict::{Proof, Verdict};
use crate::{claim::Claim, record::ProbeId};

/// One observation, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Nanoseconds of `CLOCK_MONOTONIC`; `None` if the observation has no single
    /// moment.
    pub at: Option<u64>,
    /// What was observed, and by which hook.
    pub text: String,
}

/// One verdict on one probe, explained to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Why the probe went as it did.
    pub verdict: Verdict,
    /// How well the verdict is proved.
    pub proof: Proof,
    /// What it claims. Sentence, evidence and advice are made from these alone.
    pub claims: Vec<Claim>,
    /// What happened, in a sentence or two.
    pub sentence: String,
    /// The observations behind the verdict.
    pub evidence: Vec<Evidence>,
    /// What to do, if there is something to do.
    pub advice: Option<String>,
    /// The other probe involved (paths B and C, late SYN-ACK).
    pub link: Option<ProbeId>,
}
