//! A settled probe: its verdicts, with proof, evidence and advice.

use std::{fmt, net::SocketAddr, time::Duration};

use explain::ExplainedProbe;
use model::{
    finding, flow,
    outcome::Outcome,
    record::ProbeId,
    verdict::{Proof, Verdict},
};

use crate::report::local_port;

/// A probe that no further kernel event can belong to, with its verdicts. The hook of
/// [`Builder::on_settled`](crate::Builder::on_settled) receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettledProbe {
    /// The probe. A check's [`Report::probe`](crate::Report::probe) names the probe that decided it.
    pub probe: ProbeId,
    /// Where the SYN went: the peer address of the socket. It differs from the address that was
    /// checked where a cgroup program of this host redirected the connection.
    pub address: SocketAddr,
    /// The source port; `None` if the probe never had a socket.
    pub local_port: Option<u16>,
    /// How the probe ended. A refusal that a confirmation probe found false is [`Outcome::Alive`].
    pub outcome: Outcome,
    /// The time from SYN to SYN-ACK; `None` if no SYN-ACK was received.
    pub handshake: Option<Duration>,
    /// If this is a confirmation probe: the probe whose refusal it was to confirm.
    pub confirms: Option<ProbeId>,
    /// The verdicts, the most important one first. There is always at least one.
    pub findings: Vec<Finding>,
}

/// One verdict on one probe, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// How well it is proved.
    pub proof: Proof,
    /// What happened, in a sentence for the person on call.
    pub sentence: String,
    /// The observations that the verdict rests on.
    pub evidence: Vec<Evidence>,
    /// What to do about it, where there is something to do.
    pub advice: Option<String>,
    /// The other probe that this verdict is about: the earlier or later one on the same source port, or
    /// the confirmation probe.
    pub related: Option<ProbeId>,
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// When it was made, as the time of `CLOCK_MONOTONIC`; `None` if it has no single moment.
    pub at: Option<Duration>,
    /// What was observed, and by which kernel hook.
    pub text: String,
}

impl SettledProbe {
    pub(crate) fn new(explained: ExplainedProbe) -> Self {
        let ExplainedProbe { timeline, findings, .. } = explained;
        let probe = &timeline.probe;
        Self {
            probe: probe.id,
            address: flow::remote(&probe.flow),
            local_port: local_port(probe),
            outcome: timeline.outcome(),
            handshake: probe.handshake_ns().map(Duration::from_nanos),
            confirms: probe.confirms,
            findings: findings.into_iter().map(Finding::new).collect(),
        }
    }
}

impl Finding {
    fn new(finding: finding::Finding) -> Self {
        let finding::Finding { verdict, proof, sentence, evidence, advice, link, .. } = finding;
        let evidence = evidence.into_iter().map(Evidence::new).collect();
        Self { verdict, proof, sentence, evidence, advice, related: link }
    }
}

impl Evidence {
    fn new(evidence: finding::Evidence) -> Self {
        let finding::Evidence { at, text } = evidence;
        Self { at: at.map(Duration::from_nanos), text }
    }
}

/// One line: the verdict, its proof and the sentence.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.verdict.name(), self.proof.name(), self.sentence)
    }
}
