//! One probe as a JSON object.

use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::{
    claims::claims,
    head::{Head, probe_id},
    text::Text,
};
use explain::{ExplainedProbe, timeline::Confirmation};
use kernel::clock::Clock;
use model::{
    claim::Claim,
    finding::{Evidence, Finding},
    flow,
    icmp::IcmpError,
    outcome::Outcome,
    step::Step,
    target::Target,
    verdict::{Proof, Verdict},
};

/// One probe. Times named `at_seconds` are relative to its SYN.
///
/// Making it and writing it allocates no memory: at full speed a line must not cost more than its probe.
#[derive(Clone, Debug, Serialize)]
pub struct ProbeObject<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(serialize_with = "verdicts")]
    verdicts: &'a [Finding],
    /// The proof of the first verdict. The summary counts the weakest one.
    proof: Option<Proof>,
    handshake_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp: Option<IcmpObject>,
    /// Where the SYN really went, if not to `address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirected_to: Option<Text>,
    #[serde(serialize_with = "findings")]
    findings: (&'a [Finding], u64),
    #[serde(serialize_with = "steps")]
    steps: (&'a [Step], u64),
    syn_retransmits: usize,
    recovery_rsts: usize,
    early_reuse: bool,
    half_open: &'static str,
    confirmation: Option<ConfirmationObject>,
}

#[derive(Clone, Debug, Serialize)]
struct FindingObject<'a> {
    verdict: Verdict,
    proof: Proof,
    sentence: &'a str,
    #[serde(serialize_with = "evidence")]
    evidence: (&'a [Evidence], u64),
    advice: Option<&'a str>,
    link: Option<Text>,
    #[serde(serialize_with = "claims")]
    claims: &'a [Claim],
}

#[derive(Clone, Debug, Serialize)]
struct EvidenceObject<'a> {
    at_seconds: Option<f64>,
    text: &'a str,
}

#[derive(Clone, Debug, Serialize)]
struct StepObject<'a> {
    at_seconds: f64,
    name: &'static str,
    direction: &'static str,
    certainty: &'static str,
    /// The kernel hook that saw it.
    hook: Option<&'static str>,
    note: &'a str,
}

/// The ICMP error that ended the probe.
#[derive(Clone, Debug, Serialize)]
struct IcmpObject {
    r#type: u8,
    code: u8,
    meaning: &'static str,
    from: Option<IpAddr>,
}

impl From<IcmpError> for IcmpObject {
    fn from(icmp: IcmpError) -> Self {
        let IcmpError { from, kind, code, .. } = icmp;
        Self { r#type: kind, code, meaning: icmp.meaning(), from }
    }
}

#[derive(Clone, Debug, Serialize)]
struct ConfirmationObject {
    probe: Option<Text>,
    local_port: Option<u16>,
    outcome: Outcome,
}

impl<'a> ProbeObject<'a> {
    /// The object for a probe of `target`.
    #[must_use]
    pub fn new(explained: &'a ExplainedProbe, target: &'a Target, clock: Clock) -> Self {
        let timeline = &explained.timeline;
        let record = &timeline.probe;
        let syn_at = record.syn_at();
        Self {
            head: Head::new(record, timeline.outcome(), target, clock),
            verdicts: &explained.findings,
            proof: explained.findings.first().map(|finding| finding.proof),
            handshake_seconds: record.handshake_ns().map(|ns| ns as f64 / 1e9),
            icmp: record.icmp.map(IcmpObject::from),
            redirected_to: record
                .translation
                .as_ref()
                .map(|translation| translation.real)
                .or_else(|| record.redirected_from.map(|_| flow::remote(&record.flow)))
                .map(Text::socket),
            findings: (&explained.findings, syn_at),
            steps: (&explained.steps, syn_at),
            syn_retransmits: timeline.syn_retransmits(),
            recovery_rsts: timeline.recovery_rsts(),
            early_reuse: record.early_reuse,
            half_open: record.half_open.name(),
            confirmation: timeline.confirmation.map(ConfirmationObject::from),
        }
    }
}

impl<'a> FindingObject<'a> {
    fn new(finding: &'a Finding, syn_at: u64) -> Self {
        Self {
            verdict: finding.verdict,
            proof: finding.proof,
            sentence: &finding.sentence,
            evidence: (&finding.evidence, syn_at),
            advice: finding.advice.as_deref(),
            link: finding.link.and_then(probe_id),
            claims: &finding.claims,
        }
    }
}

impl<'a> StepObject<'a> {
    fn new(step: &'a Step, syn_at: u64) -> Self {
        Self {
            at_seconds: seconds_after(syn_at, step.at),
            name: step.kind.name(),
            direction: step.direction.name(),
            certainty: step.certainty.name(),
            hook: Some(step.hook).filter(|hook| !hook.is_empty()),
            note: &step.note,
        }
    }
}

impl From<Confirmation> for ConfirmationObject {
    fn from(confirmation: Confirmation) -> Self {
        Self {
            probe: probe_id(confirmation.id),
            local_port: Some(confirmation.local_port).filter(|port| *port != 0),
            outcome: confirmation.outcome,
        }
    }
}

fn verdicts<S: Serializer>(findings: &&[Finding], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(findings.iter().map(|finding| finding.verdict))
}

fn findings<S: Serializer>(
    &(findings, syn_at): &(&[Finding], u64),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(findings.iter().map(|finding| FindingObject::new(finding, syn_at)))
}

fn evidence<S: Serializer>(
    &(evidence, syn_at): &(&[Evidence], u64),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(evidence.iter().map(|evidence| EvidenceObject {
        at_seconds: evidence.at.map(|at| seconds_after(syn_at, at)),
        text: &evidence.text,
    }))
}

fn steps<S: Serializer>(
    &(steps, syn_at): &(&[Step], u64),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(steps.iter().map(|step| StepObject::new(step, syn_at)))
}

fn seconds_after(syn_at: u64, at: u64) -> f64 {
    let distance = at.abs_diff(syn_at) as f64 / 1e9;
    if at < syn_at { -distance } else { distance }
}
