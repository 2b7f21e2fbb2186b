//! One probe as a JSON object.

use nix::errno::Errno;
use serde::Serialize;

use crate::timestamp::rfc3339;
use explain::{ExplainedProbe, timeline::Confirmation};
use kernel::clock::Clock;
use model::{
    errno::NameError,
    event::EventKind,
    finding::Finding,
    flow,
    outcome::{Outcome, error_type},
    step::Step,
    target::Target,
    verdict::{Proof, Verdict},
};

/// One probe. Times named `at_seconds` are relative to its SYN.
#[derive(Clone, Debug, Serialize)]
pub struct ProbeObject<'a> {
    target: &'a str,
    address: String,
    local: String,
    /// Slot and generation.
    probe: String,
    /// When the SYN left, in RFC 3339.
    start_time: String,
    /// The same in nanoseconds. A string, because a double is not precise enough.
    start_unix_nano: String,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'static str>,
    verdicts: Vec<Verdict>,
    /// The proof of the first verdict.
    proof: Option<Proof>,
    handshake_seconds: Option<f64>,
    findings: Vec<FindingObject<'a>>,
    steps: Vec<StepObject<'a>>,
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
    evidence: Vec<EvidenceObject<'a>>,
    advice: Option<&'a str>,
    link: Option<String>,
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

#[derive(Clone, Debug, Serialize)]
struct ConfirmationObject {
    probe: String,
    local_port: u16,
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
            target: &target.name,
            address: target.address_text(),
            local: flow::local(&record.flow).to_string(),
            probe: record.id.to_string(),
            start_time: rfc3339(clock, syn_at),
            start_unix_nano: clock.unix_ns(syn_at).to_string(),
            outcome: timeline.outcome(),
            errno_name: errno_name(record.errno),
            error_type: error_type(timeline.outcome(), record.errno),
            verdicts: explained.findings.iter().map(|finding| finding.verdict).collect(),
            proof: explained.findings.first().map(|finding| finding.proof),
            handshake_seconds: record.handshake_ns().map(|ns| ns as f64 / 1e9),
            findings: explained.findings.iter().map(|f| FindingObject::new(f, syn_at)).collect(),
            steps: explained.steps.iter().map(|step| StepObject::new(step, syn_at)).collect(),
            syn_retransmits: timeline.syn_retransmits(),
            recovery_rsts: timeline
                .events
                .iter()
                .filter(|event| matches!(event.kind, EventKind::RstSent { .. }))
                .count(),
            early_reuse: record.early_reuse,
            half_open: record.half_open.name(),
            confirmation: timeline.confirmation.map(ConfirmationObject::from),
        }
    }
}

impl<'a> FindingObject<'a> {
    fn new(finding: &'a Finding, syn_at: u64) -> Self {
        let evidence = finding.evidence.iter().map(|evidence| EvidenceObject {
            at_seconds: evidence.at.map(|at| seconds_after(syn_at, at)),
            text: &evidence.text,
        });
        Self {
            verdict: finding.verdict,
            proof: finding.proof,
            sentence: &finding.sentence,
            evidence: evidence.collect(),
            advice: finding.advice.as_deref(),
            link: finding.link.map(|probe| probe.to_string()),
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
            probe: confirmation.id.to_string(),
            local_port: confirmation.local_port,
            outcome: confirmation.outcome,
        }
    }
}

/// E.g. `ECONNREFUSED`; the number if the C library has no name for it.
fn errno_name(errno: i32) -> Option<String> {
    if let Some(error) = NameError::from_errno(errno) {
        return Some(error.name().to_owned());
    }
    match (errno, Errno::from_raw(errno)) {
        (0, _) => None,
        (number, Errno::UnknownErrno) => Some(number.to_string()),
        (_, known) => Some(format!("{known:?}")),
    }
}

fn seconds_after(syn_at: u64, at: u64) -> f64 {
    let distance = at.abs_diff(syn_at) as f64 / 1e9;
    if at < syn_at { -distance } else { distance }
}
