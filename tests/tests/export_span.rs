//! The span of a probe, field by field.

use std::collections::BTreeMap;

use explain::ExplainedProbe;
use model::{outcome::Outcome, record::ProbeId};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use otlp::{RunIds, span};
use probe_agent_tests::sample::{self, unix};

const ID: ProbeId = ProbeId { slot: 3, generation: 7 };
const LATER: ProbeId = ProbeId { slot: 3, generation: 8 };

fn ids() -> RunIds {
    RunIds::from_seed(*b"twenty-four random bytes")
}

fn made(probe: &ExplainedProbe, expected: bool) -> Span {
    span(
        &ExplainedProbe { expected, ..probe.clone() },
        &sample::targets()[0],
        &sample::CLOCK,
        &ids(),
    )
}

fn text(value: &AnyValue) -> String {
    match value.value.as_ref().unwrap() {
        Value::StringValue(s) => s.clone(),
        Value::BoolValue(b) => b.to_string(),
        Value::IntValue(i) => i.to_string(),
        Value::DoubleValue(d) => format!("{d:?}"),
        Value::ArrayValue(a) => a.values.iter().map(text).collect::<Vec<_>>().join(" | "),
        other => panic!("no such attribute is made: {other:?}"),
    }
}

/// Attributes as text. A duplicate key fails the test.
fn attributes(pairs: &[KeyValue]) -> BTreeMap<&str, String> {
    let map: BTreeMap<_, _> =
        pairs.iter().map(|p| (&*p.key, text(p.value.as_ref().unwrap()))).collect();
    assert_eq!(map.len(), pairs.len(), "{pairs:?}");
    map
}

fn check(pairs: &[KeyValue], expected: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> = expected.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    assert_eq!(attributes(pairs), expected);
}

#[test]
fn a_clean_probe() {
    let span = made(&sample::clean(ID), true);
    let context = ids().context(ID);
    assert_eq!(
        (&span.trace_id[..], &span.span_id[..]),
        (&context.trace_id().to_bytes()[..], &context.span_id().to_bytes()[..])
    );
    assert!(span.parent_span_id.is_empty() && span.trace_state.is_empty());
    assert_eq!((&*span.name, span.kind()), ("tcp.probe", SpanKind::Client));
    assert_eq!(span.flags, 0x101, "sampled, and known not to be remote");
    assert_eq!(span.start_time_unix_nano, unix(0));
    assert_eq!(span.end_time_unix_nano, unix(124_003), "the RST left");
    let status = span.status.as_ref().unwrap();
    assert_eq!((status.code(), &*status.message), (StatusCode::Unset, ""));
    check(
        &span.attributes,
        &[
            ("server.address", "db.example"),
            ("server.port", "9000"),
            ("network.transport", "tcp"),
            ("network.type", "ipv4"),
            ("network.peer.address", "10.77.0.2"),
            ("network.peer.port", "9000"),
            ("network.local.address", "10.77.0.1"),
            ("network.local.port", "40001"),
            ("probe_agent.probe", "3.7"),
            ("probe_agent.slot", "3"),
            ("probe_agent.generation", "7"),
            ("probe_agent.outcome", "alive"),
            ("probe_agent.as_expected", "true"),
            ("probe_agent.tracing", "full"),
            ("probe_agent.half_open", "enforced"),
            ("probe_agent.syn_retransmits", "0"),
            ("probe_agent.recovery_rsts", "0"),
            ("probe_agent.handshake.duration", "7.0001e-5"),
            ("probe_agent.verdict", "clean"),
            ("probe_agent.proof", "confirmed"),
            ("probe_agent.verdicts", "clean"),
            ("probe_agent.proofs", "confirmed"),
            ("probe_agent.sentence", "The server answered in 70 us."),
        ],
    );
    let times: Vec<_> = span.events.iter().map(|e| (&*e.name, e.time_unix_nano)).collect();
    let expected = [
        ("probe_agent.syn_sent", unix(0)),
        ("probe_agent.synack_received", unix(70_001)),
        ("probe_agent.rst_sent", unix(124_003)),
    ];
    assert_eq!(times, expected);
    check(
        &span.events[1].attributes,
        &[
            ("probe_agent.direction", "in"),
            ("probe_agent.certainty", "seen"),
            ("probe_agent.hook", "inet_sock_set_state"),
            ("probe_agent.note", "handshake answered in 70 us"),
        ],
    );
    assert!(span.links.is_empty());
}

#[test]
fn path_a_has_its_late_events_after_its_end() {
    let span = made(&sample::path_a(ID), true);
    assert_eq!(span.end_time_unix_nano, unix(124_003));
    assert_eq!(span.events[4].time_unix_nano, unix(1_003_166_000));
    assert_eq!(span.status.unwrap().code(), StatusCode::Unset, "the target is alive");
    check(
        &span.events[3].attributes,
        &[
            ("probe_agent.direction", "in"),
            ("probe_agent.certainty", "concluded"),
            ("probe_agent.note", "its retransmit timer (1 s)"),
        ],
    );
    let all = attributes(&span.attributes);
    assert_eq!(all["probe_agent.recovery_rsts"], "1");
    assert_eq!(all["probe_agent.advice"], "Once in a while, this is ordinary packet loss.");
    assert!(all["probe_agent.evidence"].contains("NO_SOCKET"));
}

#[test]
fn path_b_links_the_two_probes_to_each_other() {
    let (first, second) = sample::path_b(ID, LATER);
    let (first, second) = (made(&first, true), made(&second, true));
    let link = &first.links[0];
    assert_eq!((&link.trace_id, &link.span_id), (&second.trace_id, &second.span_id));
    assert_eq!(link.flags, 0x101);
    check(
        &link.attributes,
        &[("probe_agent.link.verdict", "rst_lost_port_reuse"), ("probe_agent.link.probe", "3.8")],
    );
    assert_eq!(second.links.len(), 1, "a finding without another probe links to none");
    let link = &second.links[0];
    assert_eq!((&link.trace_id, &link.span_id), (&first.trace_id, &first.span_id));
    let all = attributes(&second.attributes);
    assert_eq!(all["probe_agent.verdict"], "stale_syn_recv_challenge_ack");
    assert_eq!(all["probe_agent.verdicts"], "stale_syn_recv_challenge_ack | syn_retransmitted");
    assert_eq!(all["probe_agent.proofs"], "inferred | confirmed");
    assert_eq!(all["probe_agent.syn_retransmits"], "1");
    assert_eq!(all["probe_agent.early_reuse"], "true");
    assert_eq!(
        all["probe_agent.evidence"],
        "tcp_send_reset reason=TCP_INVALID_ACK_SEQUENCE in SYN_SENT | tcp_retransmit_skb"
    );
}

#[test]
fn a_refusal_is_an_error_unless_it_was_expected() {
    let probe = sample::refused(ID);
    let span = made(&probe, false);
    let status = span.status.as_ref().unwrap();
    assert_eq!(status.code(), StatusCode::Error);
    assert_eq!(status.message, "The target answered with a RST: nothing listens there.");
    assert_eq!(span.end_time_unix_nano, unix(90_000), "it ended without a RST of its own");
    let all = attributes(&span.attributes);
    assert_eq!(all["error.type"], "connection_refused");
    assert_eq!(all["probe_agent.errno"], "111");
    assert_eq!(all["probe_agent.tracing"], "none");
    assert_eq!(all["probe_agent.confirmation.probe"], "99.1");
    assert_eq!(all["probe_agent.confirmation.local_port"], "40099");
    assert_eq!(all["probe_agent.confirmation.outcome"], "refused");
    assert!(!all.contains_key("probe_agent.handshake.duration"));

    let span = made(&probe, true);
    assert_eq!(span.status.as_ref().unwrap().code(), StatusCode::Unset);
    let all = attributes(&span.attributes);
    assert!(!all.contains_key("error.type"));
    assert_eq!(
        (&*all["probe_agent.outcome"], &*all["probe_agent.as_expected"]),
        ("refused", "true")
    );
}

#[test]
fn an_answer_that_was_not_expected_is_an_error() {
    let span = made(&sample::clean(ID), false);
    assert_eq!(span.status.as_ref().unwrap().code(), StatusCode::Error);
    assert_eq!(attributes(&span.attributes)["error.type"], "unexpected_answer");
}

#[test]
fn a_probe_without_a_local_address_has_no_such_attribute() {
    let mut probe = sample::refused(ID);
    let record = &mut probe.timeline.probe;
    record.outcome = Outcome::LocalError;
    record.errno = 99;
    record.flow.local_port = 0;
    record.flow.local = probe_agent_common::v4_mapped([0; 4]);
    record.id.slot = ProbeId::NO_SLOT;
    record.ended_at = 0;
    let span = made(&probe, false);
    let all = attributes(&span.attributes);
    assert_eq!(all["error.type"], "address_not_available");
    assert!(!all.contains_key("network.local.address") && !all.contains_key("network.local.port"));
    assert!(!all.contains_key("probe_agent.probe") && !all.contains_key("probe_agent.slot"));
    assert_eq!(span.end_time_unix_nano, span.start_time_unix_nano, "never before its start");
}

#[test]
fn own_names_have_the_prefix_and_all_others_are_opentelemetry_names() {
    let known = ["server.", "network.", "error.type", "probe_agent."];
    let (first, second) = sample::path_b(ID, LATER);
    for probe in [first, second, sample::path_a(ID), sample::refused(ID)] {
        let span = made(&probe, false);
        let of_events = span.events.iter().flat_map(|e| &e.attributes);
        let of_links = span.links.iter().flat_map(|l| &l.attributes);
        for pair in span.attributes.iter().chain(of_events).chain(of_links) {
            assert!(known.iter().any(|k| pair.key.starts_with(k)), "{}", pair.key);
        }
        assert!(span.events.iter().all(|e| e.name.starts_with("probe_agent.")));
    }
}
