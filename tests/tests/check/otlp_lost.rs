//! Collectors that are down, or fail: the run continues, and the loss is counted and reported.

use std::{fs, net::TcpListener};

use probe_agent_tests::{
    privileged,
    rotel::{Rotel, Verbosity},
};
use serde_json::Value;

use crate::{
    otlp::spans,
    running::Running,
    support::{Scratch, check, closed_port, open_port, run},
};

fn counts(summary: &Value) -> [u64; 3] {
    ["accepted", "rejected", "dropped"].map(|name| summary["spans"][name].as_u64().unwrap())
}

#[test]
fn a_dead_collector_loses_the_spans_and_is_reported() {
    let open = open_port("127.0.0.1:0");
    let (_closed, closed) = closed_port();
    for protocol in ["grpc", "http/protobuf"] {
        let flags = format!(
            "{open} --count 20 --interval 0 --settle 0 --otlp-endpoint http://{closed} \
             --otlp-protocol {protocol} --otlp-timeout 200ms"
        );
        let done = run(check(&flags).args(["--output", "jsonl"]));
        assert_eq!(done.code, Some(4), "{done:?}");
        assert_eq!(done.probes().len(), 20);
        let [accepted, rejected, dropped] = counts(&done.summary());
        assert_eq!((accepted, rejected + dropped), (0, 20), "{done:?}");
        assert!(done.err.contains(&format!(" spans not delivered to http://{closed}")), "{done:?}");
        // The text formats show it too.
        let done = run(&mut check(&flags));
        let shown = ["Spans not delivered: ", "0 accepted"];
        assert!(shown.iter().all(|text| done.out.contains(text)), "{done:?}");
    }
}

#[test]
fn the_exit_code_of_a_failed_target_wins_over_that_of_lost_spans() {
    let (_closed, closed) = closed_port();
    let flags = format!("{closed} --settle 0 --otlp-endpoint http://{closed} --otlp-timeout 50ms");
    assert_eq!(run(&mut check(&flags)).code, Some(1));
}

#[test]
fn a_collector_that_dies_in_the_middle_does_not_end_the_run() {
    let Some(mut rotel) = Rotel::start(Verbosity::Basic) else { return };
    let open = open_port("127.0.0.1:0");
    // More than the pipe and the report queue hold: the run waits for this reader.
    let flags = format!(
        "{open} --count 8000 --interval 0 --settle 0 --no-kernel --output jsonl --otlp-endpoint {} \
         --otlp-protocol grpc --otlp-timeout 500ms",
        rotel.grpc()
    );
    let mut running = Running::start(&mut check(&flags));
    // The second request leaves when the first has been accepted.
    let requests = |text: &str| text.lines().filter(|line| line.contains(" spans=")).count();
    for request in 1..=2 {
        (0..1000).for_each(|_| drop(running.line()));
        let _ = rotel.wait_for(|text| requests(text) >= request);
    }
    assert!(running.is_running());
    rotel.kill();
    let done = running.finish();
    assert_eq!(done.code, Some(4), "{}", done.err);
    let summary = done.summary();
    assert_eq!((&summary["probes"], &summary["outcomes"]["alive"]), (&8000.into(), &8000.into()));
    let [accepted, rejected, dropped] = counts(&summary);
    assert!(accepted > 0 && rejected + dropped > 0, "{summary}");
    assert_eq!(accepted + rejected + dropped, 8000, "{summary}");
    assert!(done.err.contains("spans not delivered"), "{}", done.err);
}

#[test]
fn a_receiver_that_never_answers_delays_the_end_by_its_timeout_only() {
    let open = open_port("127.0.0.1:0");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let flags = format!(
        "{open} --settle 0 --output jsonl --otlp-endpoint http://{} --otlp-timeout 100ms",
        silent.local_addr().unwrap()
    );
    let done = run(&mut check(&flags));
    assert_eq!((done.code, counts(&done.summary())), (Some(4), [0, 1, 0]), "{done:?}");
    assert!(done.err.contains("OTLP: 1 span not delivered to"), "{done:?}");
}

#[test]
fn a_file_gets_every_span_as_otlp_json() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let scratch = Scratch::new();
    let file = scratch.join("spans.jsonl");
    fs::write(&file, "of another run").unwrap();
    let flags = format!("{open} --count 700 --interval 0 --settle 0 --output jsonl --otlp-file");
    let done = run(check(&flags).arg(&file));
    assert_eq!((done.code, counts(&done.summary())), (Some(0), [700, 0, 0]), "{done:?}");
    let spans = spans(&fs::read_to_string(&file).unwrap());
    assert_eq!(spans.len(), 700);
    assert!(
        spans
            .iter()
            .all(|s| s.name == "tcp.probe" && s.end_time_unix_nano > s.start_time_unix_nano)
    );
}
