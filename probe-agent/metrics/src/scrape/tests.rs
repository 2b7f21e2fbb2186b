use std::time::Duration;

use explain::{Judged, fixtures::timeline};
use model::{
    event::{Event, EventKind},
    expect::Expect,
    fixtures::{answered, probe_record, rst_without_socket},
    outcome::Outcome,
    packet_drop::{DropPlace, DropReason, InterfaceName, PacketDrop},
    record::{ProbeId, ProbeRecord},
    target::TargetId,
    verdict::Verdict,
};

use super::{CHUNK, Scrape, TARGET, families};
use crate::{
    Configuration, Exporter, Format, Health, Metrics, Options, Ports, Sample, TargetLabels, Trace,
    Worker,
};

const AT: u64 = 5_000_000_000;

fn labels(number: u32) -> TargetLabels {
    let name = format!("db{number}:5432");
    TargetLabels::new(&name, "10.0.0.1:5432", [("env", "test")]).unwrap()
}

fn metrics(targets: u32) -> Metrics {
    let metrics = Metrics::new(Options::default());
    metrics.set_targets((0..targets).map(|id| (TargetId(id), labels(id))));
    metrics
}

fn judged(record: ProbeRecord, events: Vec<EventKind>) -> Judged {
    let mut timeline = timeline(record);
    timeline.events = events.into_iter().map(|kind| Event { at: AT + 1, kind }).collect();
    Judged::new(timeline, Expect::Open)
}

fn clean(target: u32) -> Judged {
    let record = ProbeRecord { target: TargetId(target), ..probe_record(Outcome::Alive, AT) };
    judged(record, Vec::new())
}

fn text(metrics: &Metrics, format: Format) -> String {
    metrics.scrape(format, sample()).collect()
}

fn sample() -> Sample {
    Sample {
        version: "1.2.3",
        workers: vec![Worker {
            since_last_turn: Some(Duration::from_millis(12)),
            stalls: 1,
            in_flight: 2,
            settling: 3,
        }],
        events_lost: 4,
        ports: Some(Ports { in_use: 5, free: 6 }),
        exporter: Some(Exporter {
            queued: 7,
            sent: 8,
            failed: 9,
            dropped: vec![("queue_full", 10)],
            last_success_at: Some(Duration::from_secs(1_700_000_000)),
        }),
        configuration: Configuration {
            hash: "a1".to_owned(),
            generation: 2,
            last_reload_successful: false,
            last_success_at: Some(Duration::from_secs(1_700_000_001)),
            reloads: 1,
            reloads_refused: 3,
        },
        capabilities: vec![("ack_guard", true), ("btf", false)],
    }
}

/// The samples whose line begins so.
fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

#[test]
fn every_family_is_written_with_its_help_and_type() {
    let metrics = metrics(1);
    let mut recorder = metrics.recorder();
    let packet = PacketDrop {
        segment: model::fixtures::synack(),
        outgoing: false,
        place: DropPlace::OurNetns,
        reason: DropReason::NETFILTER,
        interface: InterfaceName::new(),
    };
    let record = probe_record(Outcome::TimedOut, AT);
    recorder.record(&judged(record, vec![EventKind::PacketDropped(packet)]), None);
    metrics.set_health(TargetId(0), Health::Down, Duration::from_secs(9), Some(Verdict::LocalDrop));
    for format in [Format::Text, Format::OpenMetrics] {
        let text = text(&metrics, format);
        for (family, _) in families() {
            let header = match format {
                Format::Text => family.name,
                Format::OpenMetrics => family.name.trim_end_matches("_total"),
            };
            let help = format!("# HELP {header} {}", family.help);
            assert_eq!(text.lines().filter(|line| *line == help).count(), 1, "{help}");
            let kind = format!("# TYPE {header} {}", family.kind.name());
            assert_eq!(text.lines().filter(|line| *line == kind).count(), 1, "{kind}");
            assert!(!lines(&text, family.name).is_empty(), "{}", family.name);
        }
        assert_eq!(text.ends_with("# EOF\n"), format == Format::OpenMetrics);
    }
}

#[test]
fn a_clean_probe_adds_to_the_totals_and_to_its_target() {
    let metrics = metrics(2);
    let mut recorder = metrics.recorder();
    recorder.record(&clean(1), None);
    recorder.record(&clean(1), None);
    let text = text(&metrics, Format::Text);
    let of = r#"target="db1:5432",address="10.0.0.1:5432",env="test""#;
    for line in [
        "probe_agent_probes_total{outcome=\"alive\"} 2".to_owned(),
        "probe_agent_handshake_seconds_bucket{le=\"5e-05\"} 0".to_owned(),
        "probe_agent_handshake_seconds_bucket{le=\"0.0001\"} 2".to_owned(),
        "probe_agent_handshake_seconds_bucket{le=\"+Inf\"} 2".to_owned(),
        "probe_agent_handshake_seconds_sum 0.000140000".to_owned(),
        "probe_agent_handshake_seconds_count 2".to_owned(),
        "probe_agent_findings_total{verdict=\"clean\",proof=\"confirmed\"} 2".to_owned(),
        "probe_agent_rsts_total{sender=\"close\"} 2".to_owned(),
        "probe_agent_rsts_total{sender=\"answer\"} 0".to_owned(),
        format!("probe_agent_target_probes_total{{{of},outcome=\"alive\"}} 2"),
        format!("probe_agent_target_handshake_seconds_count{{{of}}} 2"),
        format!(
            "probe_agent_target_findings_total{{{of},verdict=\"clean\",proof=\"confirmed\"}} 2"
        ),
        format!("probe_agent_target_state{{{of},state=\"unknown\"}} 1"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(text.contains("target_probes_total{target=\"db0:5432\",address=\"10.0.0.1:5432\",env=\"test\",outcome=\"alive\"} 0"));
}

#[test]
fn rsts_are_counted_by_who_sent_them() {
    let metrics = metrics(1);
    let mut recorder = metrics.recorder();
    let path_a = judged(
        probe_record(Outcome::Alive, AT),
        vec![rst_without_socket(), rst_without_socket(), EventKind::SynRetransmit { error: 0 }],
    );
    recorder.record(&path_a, None);
    let refused = judged(probe_record(Outcome::Refused, AT), vec![EventKind::RstReceived]);
    recorder.record(&refused, None);
    // Without an event, the outcome shows the RST.
    recorder.record(&judged(probe_record(Outcome::Refused, AT), Vec::new()), None);
    // This host's firewall made it: the target sent nothing.
    let here = ProbeRecord { outcome: Outcome::LocalError, ..probe_record(Outcome::Refused, AT) };
    recorder.record(&judged(here, vec![EventKind::RstReceived]), None);
    let text = text(&metrics, Format::Text);
    assert_eq!(
        lines(&text, "probe_agent_rsts_total"),
        [
            "probe_agent_rsts_total{sender=\"close\"} 1",
            "probe_agent_rsts_total{sender=\"answer\"} 2",
            "probe_agent_rsts_total{sender=\"target\"} 2",
        ]
    );
    assert_eq!(
        lines(&text, "probe_agent_syn_retransmits_total"),
        ["probe_agent_syn_retransmits_total 1"]
    );
}

#[test]
fn a_confirmation_probe_counts_as_that_only() {
    let metrics = metrics(1);
    let confirms = Some(ProbeId { slot: 1, generation: 1 });
    let record = ProbeRecord { confirms, ..probe_record(Outcome::Alive, AT) };
    metrics.recorder().record(&judged(record, Vec::new()), None);
    let text = text(&metrics, Format::Text);
    assert!(text.contains("probe_agent_confirmation_probes_total 1\n"));
    assert!(text.contains("probe_agent_probes_total{outcome=\"alive\"} 0\n"));
}

#[test]
fn an_exemplar_stands_at_the_bucket_and_the_findings_of_its_probe() {
    let metrics = metrics(1);
    let mut recorder = metrics.recorder();
    let trace = Trace { id: [0x1f; 16], at: Duration::from_secs(1_700_000_000) };
    let slow = answered(probe_record(Outcome::Alive, AT), 1_200_000_000);
    recorder.record(&judged(slow, vec![EventKind::SynRetransmit { error: 0 }]), Some(trace));
    recorder.record(&clean(0), None);
    let open = text(&metrics, Format::OpenMetrics);
    let id = "1f".repeat(16);
    let with: Vec<_> = open.lines().filter(|line| line.contains("trace_id")).collect();
    assert_eq!(with.len(), 3, "{with:#?}");
    let time = format!("# {{trace_id=\"{id}\"}} 1.200000000 1700000000.000");
    assert_eq!(with[0], format!("probe_agent_handshake_seconds_bucket{{le=\"2.5\"}} 2 {time}"));
    assert!(with[1].starts_with("probe_agent_findings_total{verdict=\"syn_retransmitted\""));
    assert!(with[2].starts_with("probe_agent_target_handshake_seconds_bucket{target=\"db0:5432\""));
    assert!(!text(&metrics, Format::Text).contains("trace_id"));
}

#[test]
fn targets_that_stay_keep_their_counts_and_totals_never_shrink() {
    let metrics = metrics(3);
    let mut recorder = metrics.recorder();
    (0..3).for_each(|target| recorder.record(&clean(target), None));
    let kept = "probe_agent_target_handshake_seconds_count{target=\"db1:5432\"";
    metrics.set_targets([(TargetId(1), labels(1)), (TargetId(3), labels(3))]);
    // Of a target that has been removed, what settles later counts in total only.
    (0..4).for_each(|target| recorder.record(&clean(target), None));
    let after = text(&metrics, Format::Text);
    assert!(after.contains("probe_agent_probes_total{outcome=\"alive\"} 7\n"));
    assert!(lines(&after, kept)[0].ends_with(" 2"));
    assert!(lines(&after, "probe_agent_target_probes_total{target=\"db0").is_empty());
    assert!(after.contains("probe_agent_targets 2\n"));
    // The same id with other labels is another target.
    metrics.add_target(TargetId(1), labels(7));
    recorder.record(&clean(1), None);
    let after = text(&metrics, Format::Text);
    let new = "probe_agent_target_handshake_seconds_count{target=\"db7:5432\"";
    assert!(lines(&after, new)[0].ends_with(" 1"));
    metrics.remove_target(TargetId(1));
    assert!(lines(&text(&metrics, Format::Text), new).is_empty());
}

#[test]
fn a_worker_lets_go_of_targets_that_have_been_removed() {
    let metrics = metrics(100);
    let mut recorder = metrics.recorder();
    (0..100).for_each(|target| recorder.record(&clean(target), None));
    let list = metrics.scrape(Format::Text, Sample::default()).targets;
    let held: Vec<_> = list.iter().flatten().map(std::sync::Arc::downgrade).collect();
    drop(list);
    metrics.set_targets([(TargetId(7), labels(7))]);
    // It probes what is left.
    (0..100).for_each(|_| recorder.record(&clean(7), None));
    let left = held.iter().filter(|entry| entry.upgrade().is_some()).count();
    assert_eq!(left, 1);
    let count = "probe_agent_target_handshake_seconds_count";
    assert!(lines(&text(&metrics, Format::Text), count)[0].ends_with(" 101"));
}

#[test]
fn the_counts_of_workers_add_up_also_after_one_has_ended() {
    let metrics = metrics(1);
    let (mut one, mut two) = (metrics.recorder(), metrics.recorder());
    one.record(&clean(0), None);
    two.record(&clean(0), None);
    drop(one);
    let mut three = metrics.recorder();
    three.record(&clean(0), None);
    let text = text(&metrics, Format::Text);
    assert!(text.contains("probe_agent_probes_total{outcome=\"alive\"} 3\n"));
    let count = lines(&text, "probe_agent_target_handshake_seconds_count");
    assert!(count[0].ends_with(" 3"), "{count:?}");
    assert_eq!(metrics.scrape(Format::Text, sample()).view.workers.len(), 2);
}

#[test]
fn a_change_of_state_is_counted_by_its_verdict_and_a_repetition_is_none() {
    let metrics = metrics(1);
    let set = |state, at, verdict| {
        metrics.set_health(TargetId(0), state, Duration::from_secs(at), verdict);
    };
    set(Health::Up, 10, None);
    set(Health::Down, 20, Some(Verdict::Refused));
    set(Health::Down, 20, Some(Verdict::Refused));
    let text = text(&metrics, Format::Text);
    let changes = lines(&text, "probe_agent_target_state_changes_total");
    assert_eq!(changes.len(), 1);
    assert!(changes[0].ends_with("state=\"down\",verdict=\"refused\"} 1"));
    assert!(lines(&text, "probe_agent_target_state_since_timestamp_seconds")[0].ends_with(" 20"));
    let states: Vec<char> = lines(&text, "probe_agent_target_state{")
        .iter()
        .filter_map(|line| line.chars().last())
        .collect();
    assert_eq!(states, ['0', '1', '0']);
}

#[test]
fn reasons_of_drops_are_bounded() {
    let metrics = metrics(1);
    let mut recorder = metrics.recorder();
    for number in 0..200 {
        // A reason is one of the kernel's names, which live as long as the program.
        let reason = DropReason(Box::leak(format!("R{number}").into_boxed_str()));
        let segment = model::fixtures::synack();
        let interface = InterfaceName::new();
        let packet =
            PacketDrop { segment, outgoing: true, place: DropPlace::Unknown, reason, interface };
        let record = probe_record(Outcome::TimedOut, AT);
        recorder.record(&judged(record, vec![EventKind::PacketDropped(packet)]), None);
    }
    let text = text(&metrics, Format::Text);
    let drops = lines(&text, "probe_agent_packets_dropped_total");
    assert_eq!(drops.len(), 129);
    assert!(drops.iter().any(|line| line.contains("OTHER") && line.ends_with(" 72")));
}

#[test]
fn a_scrape_reads_each_target_once_per_family_in_bounded_chunks() {
    let counted = |targets: u32| {
        let metrics = metrics(targets);
        let mut recorder = metrics.recorder();
        (0..targets).for_each(|target| recorder.record(&clean(target), None));
        let mut scrape = metrics.scrape(Format::Text, Sample::default());
        let (mut bytes, mut largest) = (0, 0);
        for chunk in scrape.by_ref() {
            (bytes, largest) = (bytes + chunk.len(), largest.max(chunk.len()));
        }
        (scrape.reads, bytes, largest)
    };
    let (few, many) = (counted(500), counted(1_000));
    assert_eq!(few.0, 500 * TARGET.len() as u64);
    assert_eq!(many.0, 2 * few.0);
    assert!(many.1 < 2 * few.1 + CHUNK, "{few:?} {many:?}");
    // One target's series may go beyond the size of a chunk.
    assert!(many.2 < CHUNK + 8192, "{many:?}");
}

#[test]
fn chunks_make_one_text() {
    let metrics = metrics(300);
    let text = text(&metrics, Format::OpenMetrics);
    assert!(text.len() > 3 * CHUNK);
    for (family, _) in families() {
        let name = family.name.trim_end_matches("_total");
        let headers = text.lines().filter(|line| line.starts_with(&format!("# TYPE {name} ")));
        assert!(headers.count() <= 1, "{name}");
    }
    let unique: std::collections::HashSet<_> = text.lines().collect();
    assert_eq!(unique.len(), text.lines().count(), "a line is there twice");
}

#[test]
fn series_of_targets_can_be_left_out() {
    let all = |options| {
        let metrics = Metrics::new(options);
        metrics.set_targets([(TargetId(0), labels(0))]);
        metrics.recorder().record(&clean(0), None);
        text(&metrics, Format::Text)
    };
    let totals = all(Options { targets: false, target_histograms: true });
    assert!(!totals.contains("db0") && totals.contains("probe_agent_targets 1\n"));
    let small = all(Options { targets: true, target_histograms: false });
    assert!(small.contains("db0") && !small.contains("probe_agent_target_handshake_seconds"));
}

#[test]
fn no_target_can_have_a_label_of_the_metrics() {
    for label in families().filter(|(_, is_of_target)| *is_of_target).flat_map(|(f, _)| f.labels) {
        assert!(TargetLabels::new("a:1", "10.0.0.1:1", [(*label, "x")]).is_err(), "{label}");
    }
}

#[test]
fn a_scrape_is_sent_to_another_thread() {
    fn is_send<T: Send + 'static>() {}
    is_send::<Scrape>();
}
