//! Probes for the tests of the export, one of each kind that matters to it.

use std::net::SocketAddr;

use explain::{
    ExplainedProbe, fixtures,
    timeline::{Confirmation, Coverage, Timeline},
};
use kernel::clock::Clock;
use model::{
    event::{Event, EventKind},
    finding::Finding,
    fixtures::{evidence, finding, named, probe_record, rst_without_socket},
    outcome::Outcome,
    record::{Closing, ProbeId, ProbeRecord},
    step::{Certainty, Direction, Step, StepKind},
    target::{Target, Targets},
    verdict::{Proof, Verdict},
};
use probe_agent_common::SlotRecord;

/// The SYN of every sample leaves here, in nanoseconds of `CLOCK_MONOTONIC`.
pub const SYN_AT: u64 = 5_000_000_007;

/// Makes Unix times whose last digits reveal a lost nanosecond.
pub const CLOCK: Clock = Clock { realtime_minus_monotonic_ns: 1_767_323_045_123_456_789 };

/// The Unix time in nanoseconds, `after` nanoseconds after the SYN.
#[must_use]
pub fn unix(after: u64) -> u64 {
    CLOCK.unix_ns(SYN_AT + after)
}

/// The target of all samples, the only one of the run.
#[must_use]
pub fn targets() -> Targets {
    let address: SocketAddr = ([10, 77, 0, 2], 9000).into();
    let name = "db.example:9000".to_owned();
    [Target { name, host: "db.example".to_owned(), address }].into()
}

/// SYN, SYN-ACK, RST.
#[must_use]
pub fn clean(id: ProbeId) -> ExplainedProbe {
    let steps = vec![
        step(0, StepKind::Syn, Direction::Out, Certainty::Seen, "", "inet_sock_set_state"),
        step(
            70_001,
            StepKind::SynAck,
            Direction::In,
            Certainty::Seen,
            "handshake answered in 70 us",
            "inet_sock_set_state",
        ),
        step(124_003, StepKind::Rst, Direction::Out, Certainty::Seen, "", "tcp_send_reset"),
    ];
    let sentence = "The server answered in 70 us.";
    let findings = vec![finding(Verdict::Clean, Proof::Confirmed, sentence)];
    fixtures::explained(timeline(id), findings, steps)
}

/// Path A: the RST was lost, a late SYN-ACK was answered with a RST 1 s after the span's end.
#[must_use]
pub fn path_a(id: ProbeId) -> ExplainedProbe {
    let mut probe = clean(id);
    let event = Event { at: SYN_AT + 1_003_166_000, kind: rst_without_socket() };
    probe.timeline.events.push(event);
    probe.steps[2].certainty = Certainty::Lost;
    probe.steps.push(step(
        1_003_106_000,
        StepKind::SynAckRetransmit,
        Direction::In,
        Certainty::Concluded,
        "its retransmit timer (1 s)",
        "",
    ));
    probe.steps.push(step(
        1_003_166_000,
        StepKind::RecoveryRst,
        Direction::Out,
        Certainty::Seen,
        "sent by the kernel: no socket (NO_SOCKET)",
        "tcp_send_reset",
    ));
    probe.findings = vec![found(
        Verdict::RstLostSynackRetransmit,
        Proof::Confirmed,
        "The server did not receive our RST: it stayed in SYN_RECV for 1.003 s.",
        &["tcp_send_reset reason=NO_SOCKET on this flow, 1003.042 ms after our RST"],
        Some("Once in a while, this is ordinary packet loss."),
        None,
    )];
    probe
}

/// Path B: the probe whose RST was lost, and the later one that met its stale connection; each is
/// linked to the other.
#[must_use]
pub fn path_b(earlier: ProbeId, later: ProbeId) -> (ExplainedProbe, ExplainedProbe) {
    let (mut first, mut second) = (clean(earlier), clean(later));
    first.findings = vec![found(
        Verdict::RstLostPortReuse,
        Proof::Confirmed,
        "The server did not receive our RST; the next probe met the stale connection.",
        &["challenge ACK answered the next SYN"],
        None,
        Some(later),
    )];
    second.findings = vec![
        found(
            Verdict::StaleSynRecvChallengeAck,
            Proof::Inferred,
            "The SYN met a stale connection in SYN_RECV.",
            &["tcp_send_reset reason=TCP_INVALID_ACK_SEQUENCE in SYN_SENT"],
            Some("Look for a firewall that drops RSTs."),
            Some(earlier),
        ),
        found(
            Verdict::SynRetransmitted,
            Proof::Confirmed,
            "The SYN was sent twice.",
            &["tcp_retransmit_skb"],
            None,
            None,
        ),
    ];
    second.timeline.probe.early_reuse = true;
    second
        .timeline
        .events
        .push(Event { at: SYN_AT + 1_000_000_000, kind: EventKind::SynRetransmit { error: 0 } });
    (first, second)
}

/// Refused with a RST, and confirmed from another port.
#[must_use]
pub fn refused(id: ProbeId) -> ExplainedProbe {
    let mut probe = clean(id);
    let record = &mut probe.timeline.probe;
    record.outcome = Outcome::Refused;
    record.errno = 111;
    record.closing = Closing::ByKernel;
    record.answered_at = 0;
    record.ended_at = SYN_AT + 90_000;
    record.kernel = None;
    record.started_at = SYN_AT;
    probe.timeline.coverage = Coverage::None;
    probe.timeline.confirmation = Some(Confirmation {
        id: ProbeId { slot: 99, generation: 1 },
        local_port: 40_099,
        outcome: Outcome::Refused,
    });
    probe.steps.truncate(1);
    let what = "The target answered with a RST: nothing listens there.";
    probe.findings = vec![finding(Verdict::Refused, Proof::Inferred, what)];
    probe
}

/// Alive, with times whose last digits reveal a lost nanosecond.
fn timeline(id: ProbeId) -> Timeline {
    let record = named(probe_record(Outcome::Alive, SYN_AT), id);
    let kernel = SlotRecord {
        established_at: SYN_AT + 70_001,
        rst_sent_at: SYN_AT + 124_003,
        closed_at: SYN_AT + 125_000,
        ..record.kernel.unwrap_or_default()
    };
    fixtures::timeline(ProbeRecord {
        started_at: SYN_AT - 9_000,
        answered_at: SYN_AT + 100_000,
        ended_at: SYN_AT + 130_000,
        kernel: Some(kernel),
        ..record
    })
}

fn step(
    after: u64,
    kind: StepKind,
    direction: Direction,
    certainty: Certainty,
    note: &str,
    hook: &'static str,
) -> Step {
    Step { at: SYN_AT + after, kind, direction, certainty, note: note.to_owned(), hook }
}

fn found(
    verdict: Verdict,
    proof: Proof,
    sentence: &str,
    facts: &[&str],
    advice: Option<&str>,
    link: Option<ProbeId>,
) -> Finding {
    Finding {
        evidence: facts.iter().map(|text| evidence(None, text)).collect(),
        advice: advice.map(str::to_owned),
        link,
        ..finding(verdict, proof, sentence)
    }
}
