//! Metrics in which every family has a sample.

use std::time::Duration;

use explain::{Judged, fixtures::timeline};
use metrics::{
    Configuration, Exporter, Format, Health, Metrics, Options, Ports, Sample, TargetLabels, Trace,
    Worker,
};
use model::{
    event::{Event, EventKind},
    expect::Expect,
    fixtures::{probe_record, synack},
    outcome::Outcome,
    packet_drop::{DropPlace, DropReason, InterfaceName, PacketDrop},
    target::TargetId,
    verdict::Verdict,
};

const AT: u64 = 5_000_000_000;

/// A moment that is plausible as the time of a sample.
pub(crate) fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time since 1970")
}

/// Two targets, one of which is down.
pub(crate) fn metrics() -> Metrics {
    let metrics = Metrics::new(Options::default());
    let labels = |name| {
        TargetLabels::new(name, "10.0.0.1:5432", [("env", "a \"quoted\"\\\nvalue")])
            .expect("labels")
    };
    metrics.set_targets([(TargetId(0), labels("db:5432")), (TargetId(1), labels("web:80"))]);
    let mut recorder = metrics.recorder();
    let trace = Trace { id: [0x5a; 16], at: now() };
    let alive = timeline(probe_record(Outcome::Alive, AT));
    recorder.record(&Judged::new(alive, Expect::Open), Some(trace));
    let mut dropped = timeline(probe_record(Outcome::TimedOut, AT));
    dropped.probe.target = TargetId(1);
    let packet = PacketDrop {
        segment: synack(),
        outgoing: false,
        place: DropPlace::OurNetns,
        reason: DropReason::NETFILTER,
        interface: InterfaceName::new(),
    };
    dropped.events.push(Event { at: AT + 1, kind: EventKind::PacketDropped(packet) });
    recorder.record(&Judged::new(dropped, Expect::Open), Some(trace));
    metrics.set_health(TargetId(0), Health::Up, now(), Some(Verdict::Clean));
    metrics.set_health(TargetId(1), Health::Down, now(), Some(Verdict::LocalDrop));
    metrics
}

/// What a service would know.
pub(crate) fn sample() -> Sample {
    Sample {
        version: "0.1.0",
        workers: vec![Worker {
            since_last_turn: Some(Duration::from_millis(12)),
            stalls: 0,
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
            last_success_at: Some(now()),
        }),
        configuration: Configuration {
            hash: "a1".to_owned(),
            generation: 2,
            last_reload_successful: false,
            last_success_at: Some(now()),
            reloads: 1,
            reloads_refused: 3,
        },
        capabilities: vec![("ack_guard", true), ("btf", false)],
    }
}

/// What a scraper gets of them.
pub(crate) fn exposition(format: Format) -> String {
    metrics().scrape(format, sample()).collect()
}
