//! Spans as a real collector receives them.

use std::time::{Duration, Instant};

use explain::ExplainedProbe;
use model::record::ProbeId;
use model::spans::SpanCounts;
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp::{Exporter, RunIds, span};
use probe_agent_tests::{
    otlp::{config, exporter, exporter_of},
    rotel::{Rotel, Verbosity, printed},
    sample,
};

/// Far more than anything here takes.
const ENOUGH: Duration = Duration::from_secs(60);

const fn id(slot: u32, generation: u32) -> ProbeId {
    ProbeId { slot, generation }
}

/// One probe of each kind, and whether it went as expected.
fn samples() -> [(ExplainedProbe, bool); 5] {
    let (first, second) = sample::path_b(id(3, 7), id(3, 8));
    let (clean, late) = (sample::clean(id(1, 1)), sample::path_a(id(4, 1)));
    [(clean, true), (late, true), (first, true), (second, true), (sample::refused(id(5, 1)), false)]
}

fn made(probe: &ExplainedProbe, expected: bool, ids: &RunIds) -> Span {
    span(&ExplainedProbe { expected, ..probe.clone() }, &sample::targets()[0], &sample::CLOCK, ids)
}

/// Offers the samples to an exporter and compares each with the collector's output.
fn deliver(rotel: &Rotel, exporter: Exporter) {
    let ids = *exporter.ids();
    for (probe, expected) in samples() {
        exporter.offer(ExplainedProbe { expected, ..probe });
    }
    let counts = exporter.finish(ENOUGH);
    assert_eq!(counts, SpanCounts { accepted: 5, ..SpanCounts::default() });
    for (probe, expected) in samples() {
        let expected = printed(&made(&probe, expected, &ids));
        let _ = rotel.wait_for(|text| text.contains(&expected));
    }
}

#[test]
fn every_field_arrives_over_both_protocols_plain_and_compressed() {
    let Some(rotel) = Rotel::start(Verbosity::Detailed) else { return };
    for (protocol, url) in [("grpc", rotel.grpc()), ("http/protobuf", rotel.http())] {
        for compression in ["none", "gzip"] {
            let flags = ["--otlp-endpoint", &url, "--otlp-protocol", protocol];
            let env = [("OTEL_EXPORTER_OTLP_COMPRESSION", compression)];
            let (exporter, _) = exporter(config(&flags, &env).unwrap().unwrap());
            deliver(&rotel, exporter);
        }
    }
    let printed = rotel.output();
    for line in [
        "Resource SchemaURL: https://opentelemetry.io/schemas/1.42.0",
        "     -> service.name: Str(probe-agent)",
        "     -> process.pid: Int(42)",
        "ScopeSpans SchemaURL: https://opentelemetry.io/schemas/1.42.0",
        concat!("InstrumentationScope probe-agent ", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(printed.lines().any(|l| l == line), "{line}");
    }
}

/// How many spans the collector received; it prints one line for each request.
fn received(text: &str) -> u64 {
    let of_requests =
        text.lines().filter_map(|line| line.split_once(" spans=")?.1.parse::<u64>().ok());
    of_requests.sum()
}

#[test]
fn all_spans_of_a_run_at_full_speed_are_accepted() {
    let Some(rotel) = Rotel::start(Verbosity::Basic) else { return };
    let mut expected = 0;
    let sample = sample::clean(id(0, 1));
    for (protocol, url) in [("grpc", rotel.grpc()), ("http/protobuf", rotel.http())] {
        let (exporter, lines) =
            exporter_of(&["--otlp-endpoint", &url, "--otlp-protocol", protocol]);
        // More than the queue takes.
        for _ in 1..=100_000 {
            exporter.wait_for_room(|| false);
            exporter.offer(ExplainedProbe { expected: true, ..sample.clone() });
        }
        let counts = exporter.finish(ENOUGH);
        assert_eq!(counts, SpanCounts { accepted: 100_000, ..SpanCounts::default() });
        assert_eq!(lines.get(), [""; 0]);
        expected += 100_000;
        let _ = rotel.wait_for(|text| received(text) == expected);
    }
}

#[test]
fn a_collector_that_is_killed_in_the_middle_loses_only_what_it_did_not_accept() {
    let Some(mut rotel) = Rotel::start(Verbosity::Basic) else { return };
    let flags = ["--otlp-endpoint", &rotel.grpc(), "--otlp-protocol", "grpc"];
    let env = [("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")];
    let (exporter, lines) = exporter(config(&flags, &env).unwrap().unwrap());
    for generation in 1..=600 {
        exporter.offer(ExplainedProbe { expected: true, ..sample::clean(id(0, generation)) });
    }
    // The second batch leaves a second after the first at the latest.
    let end = Instant::now() + ENOUGH;
    while exporter.counts().accepted < 600 {
        assert!(Instant::now() < end, "{:?} {:?}", exporter.counts(), lines.get());
        std::thread::yield_now();
    }
    rotel.kill();
    for generation in 601..=700 {
        exporter.offer(ExplainedProbe { expected: true, ..sample::clean(id(0, generation)) });
    }
    let begin = Instant::now();
    let counts = exporter.finish(Duration::from_secs(5));
    assert!(begin.elapsed() < Duration::from_secs(6));
    assert_eq!(counts, SpanCounts { accepted: 600, rejected: 100, dropped: 0 });
    assert!(!counts.delivered());
    let lines = lines.get();
    assert!(
        lines.len() == 1 && lines[0].starts_with("OTLP: 100 spans not delivered to"),
        "{lines:?}"
    );
}
