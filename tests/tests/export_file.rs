//! `--otlp-file`: lines of OTLP JSON.

use explain::ExplainedProbe;
use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use kernel::clock::Clock;
use model::{
    record::ProbeId,
    spans::SpanCounts,
    target::{Target, TargetId},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span,
};
use otlp::{Exporter, Origin, RunIds, span};
use probe_agent_tests::{
    otlp::{config, exporter, exporter_of},
    receiver::{Receiver, Reply, spans},
    rotel::{Rotel, Verbosity, printed},
    sample,
};

const ENOUGH: Duration = Duration::from_secs(60);

/// A temporary file. Dropping it removes it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("probe-agent-{}-{name}", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn read(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const fn id(generation: u32) -> ProbeId {
    ProbeId { slot: 3, generation }
}

/// Offers probes of several kinds, and returns their spans.
fn offer(exporter: &Exporter) -> Vec<Span> {
    let (first, second) = sample::path_b(id(7), id(8));
    let probes = [first, second, sample::path_a(id(9)), sample::refused(id(10))];
    let target = &sample::targets()[0];
    let spans = probes.into_iter().map(|probe| {
        let span = span(
            &ExplainedProbe { expected: false, ..probe.clone() },
            target,
            &sample::CLOCK,
            exporter.ids(),
        );
        exporter.offer(ExplainedProbe { expected: false, ..probe });
        span
    });
    spans.collect()
}

const fn counts(accepted: u64, rejected: u64) -> SpanCounts {
    SpanCounts { accepted, rejected, dropped: 0 }
}

#[test]
fn lines_parse_back_into_the_same_spans() {
    let file = Scratch::new("lines.json");
    let (exporter, _) = exporter_of(&["--otlp-file", file.path()]);
    let mut expected = offer(&exporter);
    for generation in 100..700 {
        let probe = sample::clean(id(generation));
        let target = &sample::targets()[0];
        expected.push(span(
            &ExplainedProbe { expected: true, ..probe.clone() },
            target,
            &sample::CLOCK,
            exporter.ids(),
        ));
        exporter.offer(ExplainedProbe { expected: true, ..probe });
    }
    assert_eq!(exporter.finish(ENOUGH), counts(604, 0));
    let text = file.read();
    assert_eq!(text.lines().count(), 2, "512 spans and the rest");
    let parsed: Vec<Span> = text
        .lines()
        .flat_map(|l| spans(serde_json::from_str::<ExportTraceServiceRequest>(l).unwrap()))
        .collect();
    assert_eq!(parsed, expected);
}

#[test]
fn a_probe_of_a_target_that_no_list_has_is_exported_with_its_own_target_and_ids() {
    let file = Scratch::new("origin.json");
    let (exporter, _) = exporter_of(&["--otlp-file", file.path()]);
    let target = Arc::new(Target::at(([192, 0, 2, 9], 9_009).into()));
    let ids = RunIds::from_seed([5; 24]);
    let mut probe = sample::clean(id(1));
    probe.timeline.probe.target = TargetId(4_000_000);
    // The wall clock has been set since the start.
    let clock = Clock { realtime_minus_monotonic_ns: 77 };
    let expected = span(&probe, &target, &clock, &ids);
    exporter.offer_of(probe, Origin { target, ids, clock });
    assert_eq!(exporter.finish(ENOUGH), counts(1, 0));
    let request = serde_json::from_str::<ExportTraceServiceRequest>(&file.read()).unwrap();
    assert_eq!(spans(request), [expected]);
}

#[test]
fn the_encoding_follows_the_specification() {
    let file = Scratch::new("encoding.json");
    let (exporter, _) = exporter_of(&["--otlp-file", file.path()]);
    let expected = offer(&exporter);
    assert_eq!(exporter.finish(ENOUGH), counts(4, 0));
    let json: serde_json::Value = serde_json::from_str(&file.read()).unwrap();
    let resource = &json["resourceSpans"][0];
    let text =
        |key: &str, value: &str| serde_json::json!({"key": key, "value": {"stringValue": value}});
    let attributes = resource["resource"]["attributes"].as_array().unwrap();
    assert!(attributes.contains(&text("service.name", "probe-agent")));
    let scope = &resource["scopeSpans"][0];
    assert_eq!(scope["scope"]["name"], "probe-agent");
    assert_eq!(scope["schemaUrl"], resource["schemaUrl"]);
    let (json, span) = (&scope["spans"][0], &expected[0]);
    // Ids in hexadecimal, numbers of 64 bits as strings, enumerations as numbers.
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!(json["traceId"], hex(&span.trace_id));
    assert_eq!(json["spanId"], hex(&span.span_id));
    assert_eq!(json["kind"], 3);
    assert_eq!(json["startTimeUnixNano"], sample::unix(0).to_string());
    assert_eq!(json["endTimeUnixNano"], sample::unix(124_003).to_string());
    assert_eq!(json["status"]["code"], 2);
    assert_eq!(json["events"][1]["timeUnixNano"], sample::unix(70_001).to_string());
    assert_eq!(json["links"][0]["traceId"], hex(&expected[1].trace_id));
    let attributes = json["attributes"].as_array().unwrap();
    let port = serde_json::json!({"key": "server.port", "value": {"intValue": "9000"}});
    let verdicts =
        serde_json::json!({"arrayValue": {"values": [{"stringValue": "rst_lost_port_reuse"}]}});
    assert!(attributes.contains(&port));
    let found = attributes.iter().find(|a| a["key"] == "probe_agent.verdicts").unwrap();
    assert_eq!(found["value"], verdicts);
}

#[test]
fn a_real_collector_reads_the_lines() {
    let Some(rotel) = Rotel::start(Verbosity::Detailed) else { return };
    let file = Scratch::new("rotel.json");
    let (exporter, _) = exporter_of(&["--otlp-file", file.path()]);
    let expected = offer(&exporter);
    assert_eq!(exporter.finish(ENOUGH), counts(4, 0));
    for line in file.read().lines() {
        rotel.post_json(line);
    }
    for span in expected {
        let expected = printed(&span);
        let _ = rotel.wait_for(|text| text.contains(&expected));
    }
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_at_the_start() {
    let config = config(&["--otlp-file", "/no/such/directory/spans.json"], &[]).unwrap().unwrap();
    let error = Exporter::start(
        config,
        probe_agent_tests::otlp::resource(),
        sample::targets(),
        sample::CLOCK,
        |_: &otlp::Notice<'_>| {},
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "--otlp-file: cannot write /no/such/directory/spans.json: No such file or directory; name a \
         file in a directory that you may write to"
    );
}

#[test]
fn a_full_disk_is_counted_and_reported() {
    let (exporter, lines) = exporter_of(&["--otlp-file", "/dev/full"]);
    offer(&exporter);
    let counted = exporter.finish(ENOUGH);
    assert_eq!(counted, counts(0, 4));
    assert!(!counted.delivered());
    let line = "OTLP: 4 spans not delivered to /dev/full: No space left on device; \
                is the disk full?";
    assert_eq!(lines.get(), [line]);
}

#[test]
fn a_write_that_hangs_does_not_hold_up_the_end() {
    let fifo = Scratch::new("fifo");
    nix::unistd::mkfifo(&fifo.0, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Opened for reading and writing, it has a reader, which never reads.
    let reader = fs::File::options().read(true).write(true).open(&fifo.0).unwrap();
    let (exporter, _) = exporter_of(&["--otlp-file", fifo.path(), "--otlp-timeout", "50ms"]);
    for generation in 0..1000 {
        exporter.offer(sample::clean(id(generation)));
    }
    exporter.wait_for_room(|| false);
    let counted = exporter.finish(Duration::from_millis(10));
    assert_eq!((counted.accepted, counted.dropped), (0, 1000));
    drop(reader);
}

#[test]
fn with_two_sinks_a_span_counts_as_accepted_where_both_took_it() {
    let receiver = Receiver::start(|_| Reply::Partly { rejected: 1, message: "" });
    let url = format!("http://{}", receiver.address());
    let file = Scratch::new("both.json");
    for (path, expected) in [(file.path(), counts(3, 1)), ("/dev/full", counts(0, 4))] {
        let (exporter, _) = exporter_of(&["--otlp-endpoint", &url, "--otlp-file", path]);
        offer(&exporter);
        assert_eq!(exporter.finish(ENOUGH), expected);
    }
    assert_eq!(file.read().lines().count(), 1, "the file took what the collector did not");
}

#[test]
fn the_file_of_an_earlier_run_is_replaced() {
    let file = Scratch::new("replaced.json");
    fs::write(&file.0, "old\n").unwrap();
    let (exporter, _) = exporter(config(&["--otlp-file", file.path()], &[]).unwrap().unwrap());
    assert_eq!(exporter.finish(ENOUGH), SpanCounts::default());
    assert_eq!(file.read(), "");
}
