//! What a probe costs its worker, and what a scrape costs: run it on a release build.
//!
//! The figures are for people; no test asserts a time.

use std::{hint::black_box, time::Instant};

use explain::{Judged, fixtures::timeline};
use model::{
    expect::Expect, fixtures::probe_record, outcome::Outcome, record::ProbeRecord, target::TargetId,
};
use probe_agent_metrics::{Format, Metrics, Options, Sample, TargetLabels};

const ROUNDS: u32 = 2_000_000;

fn main() {
    for targets in [1, 10_000, 100_000] {
        let metrics = Metrics::new(Options::default());
        metrics.set_targets((0..targets).map(|id| {
            let labels = [("env", "production"), ("zone", "eu-1")];
            let name = format!("db-{id}.example.org:5432");
            (TargetId(id), TargetLabels::new(&name, "10.0.0.1:5432", labels).expect("labels"))
        }));
        let mut recorder = metrics.recorder();
        let mut judged: Judged =
            Judged::new(timeline(probe_record(Outcome::Alive, 5_000_000_000)), Expect::Open);
        for round in 0..ROUNDS.max(targets) {
            judged.timeline.probe =
                ProbeRecord { target: TargetId(round % targets), ..judged.timeline.probe };
            if round == ROUNDS / 2 {
                black_box(&metrics);
            }
            recorder.record(&judged, None);
        }
        let started = Instant::now();
        for round in 0..ROUNDS {
            judged.timeline.probe.target = TargetId(round % targets);
            recorder.record(black_box(&judged), None);
        }
        let probe = started.elapsed() / ROUNDS;
        let started = Instant::now();
        let bytes: usize =
            metrics.scrape(Format::OpenMetrics, Sample::default()).map(|chunk| chunk.len()).sum();
        let scrape = started.elapsed();
        println!("{targets:>7} targets: {probe:?} a probe, {scrape:?} a scrape of {bytes} bytes");
    }
}
