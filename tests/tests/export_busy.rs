//! Runs that produce spans faster than a collector takes them, and the end of such a run.

use std::{
    cell::Cell,
    net::SocketAddr,
    time::{Duration, Instant},
};

use explain::ExplainedProbe;
use model::{record::ProbeId, spans::SpanCounts};
use otlp::Exporter;
use probe_agent_tests::{
    otlp::{Lines, config, exporter},
    receiver::{Receiver, Reply},
    sample,
};

/// Far more than anything here takes.
const ENOUGH: Duration = Duration::from_secs(60);
const PROTOCOLS: [&str; 2] = ["grpc", "http/protobuf"];

/// The most requests in flight.
const MAX_IN_FLIGHT: usize = 4;

fn to(address: SocketAddr, protocol: &str, queue: &str, timeout: &str) -> (Exporter, Lines) {
    let url = format!("http://{address}");
    let flags = ["--otlp-endpoint", &url, "--otlp-protocol", protocol, "--otlp-timeout", timeout];
    exporter(config(&flags, &[("OTEL_BSP_MAX_QUEUE_SIZE", queue)]).unwrap().unwrap())
}

fn offer(exporter: &Exporter) {
    let probe = sample::clean(ProbeId { slot: 0, generation: 1 });
    exporter.offer(ExplainedProbe { expected: true, ..probe });
}

const fn counts(accepted: u64, rejected: u64, dropped: u64) -> SpanCounts {
    SpanCounts { accepted, rejected, dropped }
}

/// Waits until the receiver has this many requests.
fn wait_for(receiver: &Receiver, requests: usize) {
    let begin = Instant::now();
    while receiver.received().len() < requests {
        assert!(begin.elapsed() < ENOUGH, "{} requests", receiver.received().len());
        std::thread::yield_now();
    }
}

#[test]
fn a_run_that_waits_for_room_loses_nothing() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(|_| Reply::Take);
        let (exporter, lines) = to(receiver.address(), protocol, "100", "30s");
        for _ in 0..5_000 {
            exporter.wait_for_room(|| false);
            offer(&exporter);
        }
        assert_eq!(exporter.finish(ENOUGH), counts(5_000, 0, 0), "{lines:?}");
        assert_eq!(receiver.spans().len(), 5_000);
    }
}

#[test]
fn a_collector_that_falls_behind_gets_several_requests_at_once() {
    for protocol in PROTOCOLS {
        // It answers the first ones only when all of them are there.
        let receiver = Receiver::start(|_| Reply::TakeTogether(MAX_IN_FLIGHT));
        let (exporter, lines) = to(receiver.address(), protocol, "20000", "30s");
        (0..10_000).for_each(|_| offer(&exporter));
        assert_eq!(exporter.finish(ENOUGH), counts(10_000, 0, 0), "{lines:?}");
        assert_eq!(receiver.spans().len(), 10_000);
    }
}

#[test]
fn requests_in_flight_are_bounded_and_the_end_accounts_for_each_span() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(|_| Reply::Silence);
        let (exporter, lines) = to(receiver.address(), protocol, "8000", "1h");
        let offered = 20_000;
        (0..offered).for_each(|_| offer(&exporter));
        wait_for(&receiver, MAX_IN_FLIGHT);
        let counted = exporter.finish(Duration::from_millis(50));
        let rejected = 512 * MAX_IN_FLIGHT as u64;
        assert_eq!(counted, counts(0, rejected, offered - rejected));
        assert_eq!(receiver.received().len(), MAX_IN_FLIGHT);
        let lines = lines.get();
        assert!(lines.last().unwrap().ends_with("the run ended before it accepted them"));
        // Each span is reported once: `OTLP: 1,234 spans ...`.
        let of_line = |line: &String| line.split(' ').nth(1)?.replace(',', "").parse::<u64>().ok();
        assert_eq!(lines.iter().filter_map(of_line).sum::<u64>(), offered, "{lines:?}");
    }
}

#[test]
fn spans_that_find_the_queue_full_are_reported_while_the_run_goes_on() {
    let receiver = Receiver::start(|n| if n == 0 { Reply::TakeTogether(2) } else { Reply::Take });
    let (exporter, lines) = to(receiver.address(), "grpc", "10", "1s");
    // Offered without waiting. The batch that comes after a full queue reports it.
    let begin = Instant::now();
    while lines.get().is_empty() {
        offer(&exporter);
        assert!(begin.elapsed() < ENOUGH);
    }
    let line = &lines.get()[0];
    assert!(line.contains(" dropped because the queue is full: http://"), "{line}");
    let _ = exporter.finish(Duration::ZERO);
}

#[test]
fn a_run_that_waits_queues_no_more_than_can_be_delivered_at_its_end() {
    let receiver = Receiver::start(|_| Reply::Silence);
    let (exporter, _) = to(receiver.address(), "grpc", "60000", "1h");
    let waits = Cell::new(false);
    let mut offered = 0;
    while !waits.get() {
        exporter.wait_for_room(|| {
            waits.set(true);
            true
        });
        offer(&exporter);
        offered += 1;
        assert!(offered < 60_000, "it never waits");
    }
    let in_batches = 512 * (MAX_IN_FLIGHT + 1);
    assert!((8192..=8193 + in_batches).contains(&offered), "{offered}");
    let _ = exporter.finish(Duration::ZERO);
}

#[test]
fn a_silent_collector_is_waited_for_no_longer_than_the_timeout() {
    let receiver = Receiver::start(|_| Reply::Silence);
    let (exporter, _) = to(receiver.address(), "grpc", "10", "100ms");
    let end = Instant::now() + ENOUGH;
    while exporter.counts().dropped == 0 {
        exporter.wait_for_room(|| false);
        offer(&exporter);
        assert!(Instant::now() < end);
    }
    let _ = exporter.finish(Duration::ZERO);
}

#[test]
fn a_wait_for_room_can_be_ended() {
    let receiver = Receiver::start(|_| Reply::Silence);
    let (exporter, _) = to(receiver.address(), "grpc", "1", "1h");
    while exporter.has_room() || receiver.received().is_empty() {
        offer(&exporter);
    }
    exporter.wait_for_room(|| true);
    let _ = exporter.finish(Duration::ZERO);
}

#[test]
fn what_was_accepted_when_the_run_ends_counts_although_the_answer_is_not_complete() {
    // An answer that begins at once and never ends is read for a second at most.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1 << 16];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").unwrap();
        // Until the client closes the connection.
        while stream.read(&mut request).is_ok_and(|read| read > 0) {}
    });
    let (exporter, lines) = to(address, "http/protobuf", "10", "1h");
    offer(&exporter);
    assert_eq!(exporter.finish(ENOUGH), counts(1, 0, 0), "{lines:?}");
}
