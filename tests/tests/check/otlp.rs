//! Spans end to end: the program, a real fault, a real collector.

use std::fs;

use lab::{ActiveFault, Family, Fault, Lab, Segment};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span,
};
use probe_agent_tests::{
    privileged,
    rotel::{Rotel, Verbosity, printed},
};

use crate::support::{Scratch, check_in, run};

/// The spans in a file of OTLP JSON lines.
pub(crate) fn spans(text: &str) -> Vec<Span> {
    let requests = text.lines().map(|line| {
        serde_json::from_str::<ExportTraceServiceRequest>(line)
            .unwrap_or_else(|e| panic!("{e}: {line}"))
    });
    let scopes = requests.flat_map(|r| r.resource_spans).flat_map(|r| r.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

/// The first RST is lost. No third segment may leave either: on a busy machine the probe is closed late,
/// the handshake would complete, and there would be no stale half-open connection.
fn lose_the_first_rst(lab: &Lab) -> [ActiveFault; 2] {
    let rst = Fault::lost(Segment::FirstRst).first(1);
    [rst, Fault::firewalled(Segment::BareAck)].map(|fault| lab.inject(&fault).unwrap())
}

fn keys(span: &Span) -> Vec<&str> {
    let mut keys: Vec<_> = span.attributes.iter().map(|pair| &*pair.key).collect();
    keys.sort_unstable();
    keys
}

/// What every span has.
const COMMON: [&str; 22] = [
    "network.local.address",
    "network.local.port",
    "network.peer.address",
    "network.peer.port",
    "network.transport",
    "network.type",
    "probe_agent.as_expected",
    "probe_agent.evidence",
    "probe_agent.generation",
    "probe_agent.handshake.duration",
    "probe_agent.outcome",
    "probe_agent.probe",
    "probe_agent.proof",
    "probe_agent.proofs",
    "probe_agent.recovery_rsts",
    "probe_agent.sentence",
    "probe_agent.slot",
    "probe_agent.syn_retransmits",
    "probe_agent.tracing",
    "probe_agent.verdict",
    "probe_agent.verdicts",
    "server.address",
];

#[test]
fn a_lost_rst_that_a_port_reuse_recovers_arrives_as_two_linked_spans() {
    privileged!();
    let Some(rotel) = Rotel::start(Verbosity::Detailed) else { return };
    for (protocol, url) in [("grpc", rotel.grpc()), ("http/protobuf", rotel.http())] {
        for family in Family::ALL {
            let lab = Lab::new().unwrap();
            let listener = lab.listen(family).unwrap();
            let _faults = lose_the_first_rst(&lab);
            let scratch = Scratch::new();
            let file = scratch.join("spans.jsonl");
            let flags = format!(
                "{} --count 2 --interval 0 --source-port 40000 --port-policy pin --output jsonl \
                 --otlp-endpoint {url} --otlp-protocol {protocol}",
                listener.address()
            );
            let done = run(check_in(lab.client(), &flags).arg("--otlp-file").arg(&file));
            assert_eq!(done.code, Some(0), "{done:?}");
            assert_eq!(done.summary()["spans"]["accepted"], 2, "{done:?}");
            assert_eq!(listener.accepted().unwrap(), 0);

            let spans = spans(&fs::read_to_string(&file).unwrap());
            for span in &spans {
                let expected = printed(span);
                let _ = rotel.wait_for(|text| text.contains(&expected));
                for key in COMMON {
                    assert!(keys(span).contains(&key), "{key}: {:?}", keys(span));
                }
            }
            let with = |verdict: &str| {
                let mut found = spans.iter().filter(|span| {
                    printed(span).contains(&format!("probe_agent.verdict: Str({verdict})"))
                });
                found.next().unwrap_or_else(|| panic!("{verdict}: {done:?}"))
            };
            let (lost, later) = (with("rst_lost_port_reuse"), with("stale_syn_recv_challenge_ack"));
            let links = |span: &Span| {
                span.links
                    .iter()
                    .map(|link| (link.trace_id.clone(), link.span_id.clone()))
                    .collect()
            };
            let id = |span: &Span| vec![(span.trace_id.clone(), span.span_id.clone())];
            let (from_lost, from_later): (Vec<_>, Vec<_>) = (links(lost), links(later));
            assert_eq!((from_lost, from_later), (id(later), id(lost)));
        }
    }
}
