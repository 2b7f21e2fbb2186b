//! A builder for probes.

use explain::Judged;
use probe_agent_common::SlotRecord;

use super::SYN_AT;
use explain::{
    ExplainedProbe,
    timeline::{Coverage, Timeline},
};
use model::{
    event::{Event, EventKind},
    finding::{Evidence, Finding},
    flow::flow,
    outcome::Outcome,
    record::{Closing, HalfOpen, ProbeId, ProbeRecord, StateHook},
    step::{Certainty, Direction, Step, StepKind},
    target::TargetId,
    verdict::{Judgement, Judgements, Proof, Verdict},
};

/// A probe under construction. Times are microseconds after its SYN.
pub(crate) struct Sample(pub(crate) ExplainedProbe);

pub(crate) fn at(us: u64) -> u64 {
    SYN_AT + us * 1_000
}

impl Sample {
    pub(crate) fn new(outcome: Outcome, errno: i32) -> Self {
        let probe = ProbeRecord {
            id: ProbeId { slot: 3, generation: 12 },
            target: TargetId(0),
            flow: flow(
                "10.77.0.1:40001".parse().expect("a socket address"),
                "10.77.0.2:9000".parse().expect("a socket address"),
            ),
            outcome,
            errno,
            closing: Closing::ByKernel,
            started_at: SYN_AT - 2_000,
            ended_at: at(125),
            answered_at: 0,
            kernel: Some(SlotRecord { syn_sent_at: SYN_AT, generation: 12, ..Default::default() }),
            tcp_info: None,
            fresh_socket: false,
            early_reuse: false,
            half_open: HalfOpen::Enforced,
            state_hook: StateHook::Tracepoint,
            confirms: None,
        };
        let timeline = Timeline {
            probe,
            events: Vec::new(),
            coverage: Coverage::Full,
            followed_until: at(1_500_000),
            reused_cleanly: false,
            earlier: None,
            later: None,
            confirmation: None,
        };
        Self(ExplainedProbe { timeline, findings: Vec::new(), steps: Vec::new(), expected: true })
    }

    /// The probe as the engine reports it.
    pub(crate) fn judged(&self, expected: bool) -> Judged {
        Judged { timeline: self.0.timeline.clone(), verdicts: self.judgements(), expected }
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
        let probe = &mut self.0.timeline.probe;
        probe.answered_at = at(us) + 9_000;
        probe.ended_at = at(us + 55);
        probe.closing = Closing::Reset;
        if let Some(kernel) = &mut probe.kernel {
            kernel.established_at = at(us);
            kernel.closed_at = at(us + 53);
            kernel.rst_sent_at = at(us + 54);
        }
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
        evidence: &[(Option<u64>, &str)],
        advice: Option<&str>,
    ) -> Self {
        self.0.findings.push(Finding {
            verdict,
            proof,
            sentence: sentence.to_owned(),
            evidence: evidence
                .iter()
                .map(|(us, text)| Evidence { at: us.map(at), text: (*text).to_owned() })
                .collect(),
            advice: advice.map(str::to_owned),
            link: None,
        });
        self
    }

    /// Links the last finding to another probe.
    pub(crate) fn link(mut self, slot: u32, generation: u32) -> Self {
        if let Some(finding) = self.0.findings.last_mut() {
            finding.link = Some(ProbeId { slot, generation });
        }
        self
    }

    pub(crate) fn judgements(&self) -> Judgements {
        self.0.findings.iter().map(|f| Judgement { verdict: f.verdict, proof: f.proof }).collect()
    }
}
