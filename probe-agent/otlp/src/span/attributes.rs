//! The attributes of a span: OpenTelemetry's names where they exist, else `probe_agent.*`.
//!
//! Durations are in seconds, without a unit in the name, as in OpenTelemetry's conventions
//! (`probe_agent.handshake.duration`).

use std::net::SocketAddr;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_semantic_conventions::attribute as semconv;

use super::value::{double, flag, int, text, texts};
use explain::{
    ExplainedProbe,
    timeline::{Coverage, Timeline},
};
use model::{finding::Finding, flow, outcome::error_type, target::Target};

/// The `error.type` of an unexpected answer; for the others see [`error_type`].
const UNEXPECTED_ANSWER: &str = "unexpected_answer";

/// All attributes of a probe's span.
pub(super) fn attributes(probe: &ExplainedProbe, target: &Target) -> Vec<KeyValue> {
    let mut all = network(&probe.timeline, target);
    if !probe.expected {
        let timeline = &probe.timeline;
        let kind = error_type(timeline.outcome(), timeline.probe.errno);
        let kind = kind.unwrap_or(UNEXPECTED_ANSWER);
        all.push(text(semconv::ERROR_TYPE, kind));
    }
    result(&mut all, &probe.timeline, probe.expected);
    findings(&mut all, &probe.findings);
    confirmation(&mut all, &probe.timeline);
    all
}

fn network(timeline: &Timeline, target: &Target) -> Vec<KeyValue> {
    // Where the SYN really went, which a program on the cgroup may have changed.
    let peer = flow::remote(&timeline.probe.flow);
    let mut all = vec![
        text(semconv::SERVER_ADDRESS, &target.host),
        int(semconv::SERVER_PORT, target.address.port()),
        text(semconv::NETWORK_TRANSPORT, "tcp"),
        text(semconv::NETWORK_TYPE, target.network_type()),
        text(semconv::NETWORK_PEER_ADDRESS, peer.ip().to_string()),
        int(semconv::NETWORK_PEER_PORT, peer.port()),
    ];
    // A probe may have ended before it had a local address or port.
    let local: SocketAddr = flow::local(&timeline.probe.flow);
    if !local.ip().is_unspecified() {
        all.push(text(semconv::NETWORK_LOCAL_ADDRESS, local.ip().to_string()));
    }
    if local.port() != 0 {
        all.push(int(semconv::NETWORK_LOCAL_PORT, local.port()));
    }
    all
}

fn result(all: &mut Vec<KeyValue>, timeline: &Timeline, expected: bool) {
    let record = &timeline.probe;
    if record.id.has_slot() {
        all.extend([
            text("probe_agent.probe", record.id.to_string()),
            int("probe_agent.slot", record.id.slot),
            int("probe_agent.generation", record.id.generation),
        ]);
    }
    all.extend([
        text("probe_agent.outcome", timeline.outcome().name()),
        flag("probe_agent.as_expected", expected),
        text("probe_agent.tracing", tracing(timeline.coverage)),
        text("probe_agent.half_open", record.half_open.name()),
        int("probe_agent.syn_retransmits", count(timeline.syn_retransmits())),
        int("probe_agent.recovery_rsts", count(timeline.recovery_rsts())),
    ]);
    if let Some(ns) = record.handshake_ns() {
        all.push(double("probe_agent.handshake.duration", ns as f64 / 1e9));
    }
    if record.errno != 0 {
        all.push(int("probe_agent.errno", record.errno));
    }
    if let Some(icmp) = record.icmp {
        all.push(int("probe_agent.icmp.type", icmp.kind));
        all.push(int("probe_agent.icmp.code", icmp.code));
        if let Some(from) = icmp.from {
            all.push(text("probe_agent.icmp.from", from.to_string()));
        }
    }
    if let Some(asked) = record.redirected_from {
        all.push(text("probe_agent.redirected_from", asked.to_string()));
    }
    if record.early_reuse {
        all.push(flag("probe_agent.early_reuse", true));
    }
}

fn findings(all: &mut Vec<KeyValue>, findings: &[Finding]) {
    let Some(first) = findings.first() else { return };
    all.extend([
        text("probe_agent.verdict", first.verdict.name()),
        text("probe_agent.proof", first.proof.name()),
        texts("probe_agent.verdicts", findings.iter().map(|f| f.verdict.name())),
        texts("probe_agent.proofs", findings.iter().map(|f| f.proof.name())),
        text("probe_agent.sentence", &first.sentence),
    ]);
    let evidence: Vec<&str> =
        findings.iter().flat_map(|f| &f.evidence).map(|e| e.text.as_str()).collect();
    if !evidence.is_empty() {
        all.push(texts("probe_agent.evidence", evidence));
    }
    if let Some(advice) = findings.iter().find_map(|f| f.advice.as_ref()) {
        all.push(text("probe_agent.advice", advice));
    }
}

/// The confirmation probe of path C.
fn confirmation(all: &mut Vec<KeyValue>, timeline: &Timeline) {
    if let Some(probe) = timeline.confirmation {
        if probe.id.has_slot() {
            all.push(text("probe_agent.confirmation.probe", probe.id.to_string()));
            all.push(int("probe_agent.confirmation.local_port", probe.local_port));
        }
        all.push(text("probe_agent.confirmation.outcome", probe.outcome.name()));
    }
}

const fn tracing(coverage: Coverage) -> &'static str {
    match coverage {
        Coverage::Full => "full",
        Coverage::SocketsOnly => "sockets_only",
        Coverage::Incomplete => "incomplete",
        Coverage::EventsLost => "events_lost",
        Coverage::None => "none",
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
