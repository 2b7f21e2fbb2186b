//! What the metrics count, compared with the counters of both ends' kernels.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use engine::settings::PortPolicy;
use explain::Judged;
use lab::{Family, Fault, LabBuilder, Segment};
use metrics::{Format, Metrics, Options, Sample};
use model::expect::Expect;
use probe_agent_tests::{
    privileged,
    run::{Found, Probing, run},
};

const PROBES: u64 = 200;

/// Held by the test that runs: the kernel skips the programs of one agent where they would interrupt another's.
static TURN: Mutex<()> = Mutex::new(());

fn probing() -> Probing {
    Probing {
        count: PROBES,
        concurrency: 50,
        ports: 30_000..=30_399,
        policy: PortPolicy::Rotate,
        ack_guard: true,
    }
}

/// What a scraper would get of a run.
fn exposition(found: Found) -> String {
    let metrics = Metrics::new(Options::default());
    let mut recorder = metrics.recorder();
    for timeline in found.timelines {
        recorder.record(&Judged::new(timeline, Expect::Open), None);
    }
    metrics.scrape(Format::Text, Sample::default()).collect()
}

/// The value of a series.
fn value(text: &str, series: &str) -> i64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {series} in {text}"))
}

fn rsts(text: &str, sender: &str) -> i64 {
    value(text, &format!("probe_agent_rsts_total{{sender=\"{sender}\"}}"))
}

#[test]
fn rsts_and_retransmits_are_those_of_the_kernels() {
    privileged!();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for family in Family::ALL {
        let lab = LabBuilder::new(family)
            .fault(Fault::lost(Segment::Syn).first(10))
            .fault(Fault::lost(Segment::FirstRst).first(20))
            .build()
            .unwrap();
        let ends =
            || (lab.lab().client().counters().unwrap(), lab.lab().server().counters().unwrap());
        let before = ends();
        let found = run(lab.lab(), lab.address(), &probing());
        let (lost, acks_held) = (found.summary.events_lost, found.summary.acks_held);
        let (client, server) = ends();
        let (client, server) = (client.since(&before.0), server.since(&before.1));
        let of =
            |counters: &BTreeMap<String, i64>, name: &str| counters.get(name).copied().unwrap_or(0);
        let text = exposition(found);
        let case = format!("{family:?}: client {client:?}, server {server:?}, {text}");
        assert_eq!(lost, 0, "{case}");
        assert_eq!(rsts(&text, "close"), PROBES.cast_signed(), "{case}");
        let sent = rsts(&text, "close") + rsts(&text, "answer");
        assert_eq!(sent, of(&client, "TcpOutRsts"), "{case}");
        assert!(rsts(&text, "answer") >= 20, "{case}");
        assert_eq!(rsts(&text, "target"), of(&server, "TcpOutRsts"), "{case}");
        let syns = value(&text, "probe_agent_syn_retransmits_total");
        assert_eq!(syns, of(&client, "TcpExtTCPSynRetrans"), "{case}");
        assert_eq!(syns, 10, "{case}");
        // The guard counts apart from the probes.
        let held = value(&text, "probe_agent_acks_held_back_total");
        assert_eq!(held, acks_held.cast_signed(), "{case}");
        assert_eq!(value(&text, "probe_agent_handshake_seconds_count"), PROBES.cast_signed());
        assert_eq!(lab.hits().unwrap(), [10, 20], "{case}");
    }
}

#[test]
fn refusals_are_rsts_of_the_target() {
    privileged!();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for family in Family::ALL {
        let lab = LabBuilder::new(family).closed_port().build().unwrap();
        let before = lab.lab().server().counters().unwrap();
        let found = run(lab.lab(), lab.address(), &probing());
        let server = lab.lab().server().counters().unwrap().since(&before);
        let text = exposition(found);
        let case = format!("{family:?}: server {server:?}, {text}");
        assert_eq!(rsts(&text, "target"), PROBES.cast_signed(), "{case}");
        assert_eq!(server.get("TcpOutRsts"), Some(&PROBES.cast_signed()), "{case}");
        assert_eq!((rsts(&text, "close"), rsts(&text, "answer")), (0, 0), "{case}");
        assert_eq!(value(&text, "probe_agent_handshake_seconds_count"), 0, "{case}");
    }
}
