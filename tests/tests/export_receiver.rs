//! What a receiver may do with spans, and how that is counted, over both gRPC and HTTP.

use explain::ExplainedProbe;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use model::record::ProbeId;
use model::spans::SpanCounts;
use otlp::{Exporter, span};
use probe_agent_tests::{
    otlp::{Lines, config, exporter},
    receiver::{Receiver, Reply, spans},
    sample,
};
use tokio::net::TcpSocket;

/// Far more than anything here takes.
const ENOUGH: Duration = Duration::from_secs(60);
const PROTOCOLS: [&str; 2] = ["grpc", "http/protobuf"];

/// An exporter to `address`, with a short timeout where a test waits for it to pass.
fn to(address: SocketAddr, protocol: &str, timeout: &str) -> (Exporter, Lines) {
    let url = format!("http://{address}");
    let flags = ["--otlp-endpoint", &url, "--otlp-protocol", protocol, "--otlp-timeout", timeout];
    exporter(config(&flags, &[]).unwrap().unwrap())
}

fn offer(exporter: &Exporter, generations: std::ops::RangeInclusive<u32>) {
    for generation in generations {
        exporter.offer(ExplainedProbe {
            expected: true,
            ..sample::clean(ProbeId { slot: 0, generation })
        });
    }
}

/// A reserved port where nothing listens.
fn closed_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

const fn counts(accepted: u64, rejected: u64, dropped: u64) -> SpanCounts {
    SpanCounts { accepted, rejected, dropped }
}

#[test]
fn a_request_follows_the_specification() {
    for protocol in PROTOCOLS {
        for gzip in ["none", "gzip"] {
            let receiver = Receiver::start(|_| Reply::Take);
            let url = format!("http://{}", receiver.address());
            let flags = ["--otlp-endpoint", &url, "--otlp-protocol", protocol];
            let env = [
                ("OTEL_EXPORTER_OTLP_COMPRESSION", gzip),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=on%20call"),
            ];
            let (exporter, _) = exporter(config(&flags, &env).unwrap().unwrap());
            let ids = *exporter.ids();
            let id = ProbeId { slot: 4, generation: 2 };
            exporter.offer(ExplainedProbe { expected: true, ..sample::path_a(id) });
            assert_eq!(exporter.finish(ENOUGH), counts(1, 0, 0));

            let [received] = &receiver.received()[..] else { panic!("one request") };
            let header = |name| received.headers.get(name).map(|v| v.to_str().unwrap());
            assert_eq!(header("x-team"), Some("on call"));
            assert!(header("user-agent").unwrap().starts_with("probe-agent/"));
            let (path, kind, encoding) = if protocol == "grpc" {
                let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
                (path, "application/grpc", "grpc-encoding")
            } else {
                ("/v1/traces", "application/x-protobuf", "content-encoding")
            };
            assert_eq!((&*received.path, header("content-type")), (path, Some(kind)));
            assert_eq!(header(encoding), (gzip == "gzip").then_some("gzip"));

            let [resource] = &received.request.resource_spans[..] else { panic!("one resource") };
            assert_eq!(resource.schema_url, "https://opentelemetry.io/schemas/1.42.0");
            assert_eq!(resource.resource.as_ref().unwrap().attributes.len(), 9);
            let [scope] = &resource.scope_spans[..] else { panic!("one scope") };
            let named = scope.scope.as_ref().unwrap();
            assert_eq!((&*named.name, &*named.version), ("probe-agent", env!("CARGO_PKG_VERSION")));
            let target = &sample::targets()[0];
            let expected = span(&sample::path_a(id), target, &sample::CLOCK, &ids);
            assert_eq!(scope.spans, [expected]);
        }
    }
}

#[test]
fn a_partial_success_is_counted_span_by_span_and_reported() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(|_| Reply::Partly { rejected: 3, message: "too old" });
        let (exporter, lines) = to(receiver.address(), protocol, "10s");
        offer(&exporter, 1..=10);
        let counted = exporter.finish(ENOUGH);
        assert_eq!(counted, counts(7, 3, 0));
        assert!(!counted.delivered());
        let [line] = &lines.get()[..] else { panic!("one line: {lines:?}") };
        assert!(line.starts_with("OTLP: 3 spans not delivered to http://"), "{line}");
        assert!(line.ends_with(": too old"), "{line}");
    }
}

#[test]
fn a_warning_with_a_success_is_reported_and_loses_nothing() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(|_| Reply::Partly { rejected: 0, message: "nearly full" });
        let (exporter, lines) = to(receiver.address(), protocol, "10s");
        offer(&exporter, 1..=10);
        assert_eq!(exporter.finish(ENOUGH), counts(10, 0, 0));
        assert!(
            lines.get()[0].ends_with("accepted the spans and reports: nearly full"),
            "{lines:?}"
        );
    }
}

#[test]
fn a_busy_receiver_is_retried_and_nothing_is_lost_or_sent_twice() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(|n| if n < 2 { Reply::Busy } else { Reply::Take });
        let (exporter, lines) = to(receiver.address(), protocol, "10s");
        offer(&exporter, 1..=10);
        assert_eq!(exporter.finish(ENOUGH), counts(10, 0, 0));
        assert_eq!((receiver.received().len(), receiver.spans().len()), (3, 10));
        assert_eq!(lines.get(), [""; 0]);
    }
}

#[test]
fn a_refusal_is_final_and_only_its_batch_is_lost() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(|n| if n == 0 { Reply::Refuse } else { Reply::Take });
        let (exporter, lines) = to(receiver.address(), protocol, "10s");
        offer(&exporter, 1..=600);
        assert_eq!(exporter.finish(ENOUGH), counts(88, 512, 0));
        assert_eq!(receiver.received().len(), 2, "batches of 512, none of them sent twice");
        let lines = lines.get();
        assert!(lines[0].starts_with("OTLP: 512 spans not delivered"), "{lines:?}");
        assert!(lines[1].ends_with("accepts spans again"), "{lines:?}");
    }
}

#[test]
fn a_receiver_that_dies_in_the_middle_loses_what_it_did_not_answer() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(|n| if n < 2 { Reply::Take } else { Reply::Die });
        let (exporter, lines) = to(receiver.address(), protocol, "1s");
        offer(&exporter, 1..=1600);
        let counted = exporter.finish(ENOUGH);
        assert_eq!(counted, counts(1024, 576, 0));
        assert_eq!(receiver.spans().len(), 1024, "what counts as accepted was taken");
        let lines = lines.get();
        assert_eq!(lines.len(), 1, "the second failure is not reported at once: {lines:?}");
        assert!(lines[0].starts_with("OTLP: 512 spans not delivered"), "{lines:?}");
    }
}

#[test]
fn a_missing_collector_is_reported_and_does_not_delay_the_end() {
    for protocol in PROTOCOLS {
        let (_socket, address) = closed_port();
        let (exporter, lines) = to(address, protocol, "200ms");
        offer(&exporter, 1..=700);
        let begin = Instant::now();
        let counted = exporter.finish(Duration::from_secs(5));
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        assert_eq!(counted, counts(0, 700, 0));
        let [line] = &lines.get()[..] else { panic!("one line: {lines:?}") };
        assert!(line.contains("Connection refused"), "{line}");
        assert!(line.contains(&format!("http://{address}/")), "{line}");
    }
}

#[test]
fn a_name_that_does_not_resolve_loses_the_spans_and_does_not_hold_up_the_end() {
    for protocol in PROTOCOLS {
        let url = "http://collector.invalid";
        let flags =
            ["--otlp-endpoint", url, "--otlp-protocol", protocol, "--otlp-timeout", "200ms"];
        let (exporter, lines) = exporter(config(&flags, &[]).unwrap().unwrap());
        offer(&exporter, 1..=700);
        assert_eq!(exporter.finish(ENOUGH), counts(0, 700, 0));
        assert!(lines.get()[0].contains("512 spans not delivered to http://collector.invalid/"));
    }
}

#[test]
fn a_message_with_a_success_does_not_hold_back_the_report_of_a_failure() {
    let receiver = Receiver::start(|n| match n {
        0 => Reply::Partly { rejected: 0, message: "nearly full" },
        _ => Reply::Refuse,
    });
    let (exporter, lines) = to(receiver.address(), "grpc", "10s");
    offer(&exporter, 1..=600);
    assert_eq!(exporter.finish(ENOUGH), counts(512, 88, 0));
    let lines = lines.get();
    assert!(lines.len() == 2 && lines[1].contains("88 spans not delivered"), "{lines:?}");
}

#[test]
fn the_wait_for_a_receiver_that_never_answers_ends_with_the_timeout() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(|_| Reply::Silence);
        let (exporter, _) = to(receiver.address(), protocol, "60s");
        offer(&exporter, 1..=700);
        let begin = Instant::now();
        while receiver.received().is_empty() {
            assert!(begin.elapsed() < ENOUGH);
            std::thread::yield_now();
        }
        let begin = Instant::now();
        let counted = exporter.finish(Duration::from_millis(50));
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        assert_eq!(counted, counts(0, 512, 188), "on the way, and never sent");
        assert_eq!(receiver.received().len(), 1);
    }
}

#[test]
fn a_full_queue_drops_and_counts_and_asks_the_engine_to_hold_back() {
    let receiver = Receiver::start(|_| Reply::Silence);
    let url = format!("http://{}", receiver.address());
    let mut config = config(&["--otlp-endpoint", &url], &[]).unwrap().unwrap();
    config.queue = 100;
    let (exporter, _) = exporter(config);
    assert!(exporter.has_room());
    // While a batch waits for its answer, nothing leaves the queue.
    let begin = Instant::now();
    while receiver.received().is_empty() || exporter.has_room() {
        if exporter.has_room() {
            offer(&exporter, 1..=1);
        }
        assert!(begin.elapsed() < ENOUGH);
    }
    let dropped = exporter.counts().dropped;
    assert_eq!(dropped, 0, "nothing is lost by an engine that holds back");
    offer(&exporter, 1..=1);
    assert_eq!(exporter.counts().dropped, dropped + 1);
    let counted = exporter.finish(Duration::ZERO);
    assert_eq!(counted.accepted, 0);
    assert!(counted.rejected <= 512, "{counted:?}");
    assert_eq!(counted.dropped, 101, "what waited, and the one too many");
}

#[test]
fn offering_spans_never_waits_for_a_failing_collector() {
    let (_socket, address) = closed_port();
    let url = format!("http://{address}");
    let flags = ["--otlp-endpoint", &url, "--otlp-timeout", "50ms"];
    let mut config = config(&flags, &[]).unwrap().unwrap();
    config.queue = 1;
    let (exporter, _) = exporter(config);
    let end = Instant::now() + ENOUGH;
    while exporter.counts().rejected == 0 {
        offer(&exporter, 1..=1);
        assert!(Instant::now() < end);
    }
    offer(&exporter, 1..=2_000);
    assert!(exporter.has_room(), "it is failing, so a full queue is nothing to wait for");
    let _ = exporter.finish(Duration::ZERO);
}

#[test]
fn the_message_hints_at_the_port_of_the_other_protocol() {
    // Nothing is sent there: the hint comes with any failure.
    let dead = "--otlp-endpoint http://[100::1]:4317 --otlp-timeout 10ms";
    let flags: Vec<&str> = dead.split(' ').collect();
    let (exporter, lines) = exporter(config(&flags, &[]).unwrap().unwrap());
    offer(&exporter, 1..=1);
    assert_eq!(exporter.finish(ENOUGH), counts(0, 1, 0));
    assert!(lines.get()[0].ends_with("try --otlp-protocol grpc)"), "{lines:?}");
}

#[test]
fn large_spans_go_in_smaller_batches_than_a_receiver_takes() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(|_| Reply::Take);
        let (exporter, _) = to(receiver.address(), protocol, "10s");
        for generation in 1..=100 {
            let mut probe = sample::clean(ProbeId { slot: 0, generation });
            probe.findings[0].sentence = "x".repeat(100_000);
            exporter.offer(ExplainedProbe { expected: true, ..probe });
        }
        assert_eq!(exporter.finish(ENOUGH), counts(100, 0, 0));
        let sizes: Vec<usize> =
            receiver.received().into_iter().map(|r| spans(r.request).len()).collect();
        assert!(sizes.iter().all(|n| *n <= 21), "2 MiB and one span at most: {sizes:?}");
    }
}

#[test]
fn a_probe_of_no_known_target_is_dropped_and_counted() {
    let receiver = Receiver::start(|_| Reply::Take);
    let (exporter, _) = to(receiver.address(), "grpc", "10s");
    let mut probe = sample::clean(ProbeId { slot: 0, generation: 1 });
    probe.timeline.probe.target.0 = 1;
    exporter.offer(ExplainedProbe { expected: true, ..probe });
    assert_eq!(exporter.finish(ENOUGH), counts(0, 0, 1));
}
