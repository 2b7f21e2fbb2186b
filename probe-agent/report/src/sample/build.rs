//! A builder for probes.

use super::SYN_AT;
use explain::{ExplainedProbe, Judged, fixtures};
use model::{
    claim::Claim,
    event::{Event, EventKind},
    finding::Finding,
    fixtures::{answered, evidence, finding, named, probe_record},
    flow::flow,
    outcome::Outcome,
    record::{ProbeId, ProbeRecord},
    step::{Certainty, Direction, Step, StepKind},
    target::TargetId,
    verdict::{Proof, Verdict},
};

/// A probe under construction. Times are microseconds after its SYN.
pub(crate) struct Sample(pub(crate) ExplainedProbe);

pub(crate) fn at(us: u64) -> u64 {
    SYN_AT + us * 1_000
}

impl Sample {
    pub(crate) fn new(outcome: Outcome, errno: i32) -> Self {
        let id = ProbeId { slot: 3, generation: 12 };
        let record = ProbeRecord { errno, ..named(probe_record(outcome, SYN_AT), id) };
        let timeline = fixtures::timeline(record);
        Self(fixtures::explained(timeline, Vec::new(), Vec::new()))
    }

    /// The probe as the engine reports it.
    pub(crate) fn judged(&self, expected: bool) -> Judged {
        Judged { expected, ..fixtures::judged(&self.0) }
    }

    pub(crate) fn id(mut self, slot: u32, generation: u32) -> Self {
        self.0.timeline.probe.id = ProbeId { slot, generation };
        self
    }

    /// A confirmation probe for the refusal of another probe.
    pub(crate) fn confirming(mut self, slot: u32, generation: u32) -> Self {
        self.0.timeline.probe.confirms = Some(ProbeId { slot, generation });
        self
    }

    pub(crate) fn target(mut self, target: u32) -> Self {
        self.0.timeline.probe.target = TargetId(target);
        self
    }

    pub(crate) fn flow(mut self, local: &str, remote: &str) -> Self {
        self.0.timeline.probe.flow = flow(
            local.parse().expect("a socket address"),
            remote.parse().expect("a socket address"),
        );
        self
    }

    /// Answered after this many microseconds.
    pub(crate) fn answered(mut self, us: u64) -> Self {
        self.0.timeline.probe = answered(self.0.timeline.probe, us * 1_000);
        self
    }

    pub(crate) fn event(mut self, us: u64, kind: EventKind) -> Self {
        self.0.timeline.events.push(Event { at: at(us), kind });
        self
    }

    pub(crate) fn step(
        mut self,
        us: u64,
        kind: StepKind,
        direction: Direction,
        certainty: Certainty,
        note: &str,
    ) -> Self {
        let hook = match certainty {
            Certainty::Seen | Certainty::Lost => "tcp_send_reset",
            Certainty::Concluded => "",
        };
        let note = note.to_owned();
        self.0.steps.push(Step { at: at(us), kind, direction, certainty, note, hook });
        self
    }

    pub(crate) fn finding(
        mut self,
        verdict: Verdict,
        proof: Proof,
        sentence: &str,
        facts: &[(Option<u64>, &str)],
        advice: Option<&str>,
    ) -> Self {
        self.0.findings.push(Finding {
            evidence: facts.iter().map(|(us, text)| evidence(us.map(at), text)).collect(),
            advice: advice.map(str::to_owned),
            ..finding(verdict, proof, sentence)
        });
        self
    }

    /// Claims of the last finding.
    pub(crate) fn claims(mut self, claims: Vec<Claim>) -> Self {
        if let Some(finding) = self.0.findings.last_mut() {
            finding.claims = claims;
        }
        self
    }

    /// Links the last finding to another probe.
    pub(crate) fn link(mut self, slot: u32, generation: u32) -> Self {
        if let Some(finding) = self.0.findings.last_mut() {
            finding.link = Some(ProbeId { slot, generation });
        }
        self
    }
}
