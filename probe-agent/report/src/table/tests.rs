use super::Table;
use crate::{
    sample::{NARROW, Sample, golden, paths, targets},
    stats::{RunCounts, RunFacts},
    style::Look,
};
use engine::session::Counts;

use model::{
    expect::Expect, outcome::Outcome, record::HalfOpen, spans::SpanCounts, target::Targets,
};

const FACTS: RunFacts = RunFacts {
    probing_seconds: 2.0,
    duration_seconds: 3.52,
    events_lost: 0,
    spans: SpanCounts { accepted: 0, rejected: 0, dropped: 0 },
    unsettled: 0,
    worker_stalls: 0,
    interrupted: false,
    traced: true,
    half_open: HalfOpen::Enforced,
    acks_held: 0,
};

fn draw(
    targets: &Targets,
    samples: &[Sample],
    count: Option<u64>,
    facts: &RunFacts,
    look: Look,
) -> String {
    let mut table = Table::new(targets.len(), count, Expect::Open);
    let mut counts = RunCounts::new(targets.len());
    for sample in samples {
        let timeline = &sample.0.timeline;
        let expected = timeline.outcome() == Outcome::Alive;
        counts.add(&sample.judged(expected));
        table.probe(&sample.0, &targets[timeline.probe.target.0 as usize].name);
    }
    let page = table.draw(&counts.summary(targets, facts), look);
    for line in page.lines() {
        assert!(!line.ends_with(' '), "{line:?}");
        assert!(look.colour || line.len() <= look.width, "too long: {line:?}");
    }
    page
}

fn one_each() -> Vec<Sample> {
    vec![
        paths::clean(),
        paths::path_a().target(1),
        paths::refused().target(2),
        paths::timed_out().target(3),
    ]
}

#[test]
fn one_probe_per_target() {
    let targets = targets(&[
        ("db.example:9000", "10.77.0.2:9000"),
        ("cache.example:6379", "10.77.0.3:6379"),
        ("[fd00:77::4]:443", "[fd00:77::4]:443"),
        ("10.77.0.5:80", "10.77.0.5:80"),
    ]);
    golden("table-single.txt", &draw(&targets, &one_each(), Some(1), &FACTS, Look::PLAIN));
    golden("table-single-narrow.txt", &draw(&targets, &one_each(), Some(1), &FACTS, NARROW));
    let colour = Look { colour: true, width: 100 };
    golden("table-single-colour.txt", &draw(&targets, &one_each(), Some(1), &FACTS, colour));
}

fn many() -> Vec<Sample> {
    let mut samples: Vec<Sample> = (0..200u32)
        .map(|n| Sample::answered(paths::clean().target(n % 2), 60 + u64::from(n)))
        .collect();
    samples.push(paths::path_a());
    samples.push(paths::path_a().id(5, 2));
    samples.push(paths::path_a().id(6, 9).target(1));
    samples.push(paths::path_a().id(7, 9).target(1));
    samples.push(paths::path_b_later().target(1));
    samples.push(paths::timed_out().target(1));
    samples.push(paths::refused().target(2));
    samples.push(paths::refused().target(2));
    samples
}

#[test]
fn many_probes() {
    let targets = targets(&[
        ("db.example:9000", "10.77.0.2:9000"),
        ("cache.example:6379", "10.77.0.3:6379"),
        ("10.77.0.5:80", "10.77.0.5:80"),
    ]);
    golden("table-many.txt", &draw(&targets, &many(), Some(100), &FACTS, Look::PLAIN));
    let facts = RunFacts {
        events_lost: 12,
        unsettled: 3,
        worker_stalls: 1,
        interrupted: true,
        traced: false,
        spans: SpanCounts { accepted: 10, rejected: 2, dropped: 1 },
        ..FACTS
    };
    golden("table-limits.txt", &draw(&targets, &many(), None, &facts, NARROW));
}

#[test]
fn the_number_of_unguarded_probes_is_shown() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let mut samples = vec![paths::clean(), paths::clean()];
    samples[1].0.timeline.probe.half_open = HalfOpen::NotEnforced;
    let page = draw(&targets, &samples, None, &FACTS, Look::PLAIN);
    assert!(
        page.contains("was not in effect for 1 probe, whose sockets are not in its cgroup"),
        "{page}"
    );
    samples[0].0.timeline.probe.half_open = HalfOpen::NotEnforced;
    let page = draw(&targets, &samples, None, &FACTS, Look::PLAIN);
    assert!(page.contains("The ACK guard was not in effect: only"), "{page}");
}

#[test]
fn of_thousands_of_targets_those_that_need_attention_are_shown() {
    let list: Targets = (0..3_000)
        .map(|n: u32| targets(&[(&format!("t{n}.example:80"), "10.0.0.1:80")])[0].clone())
        .collect();
    let mut samples: Vec<Sample> = (0..2_998).map(|n| paths::clean().target(n)).collect();
    samples.push(paths::refused().target(2_998));
    samples.push(paths::path_a().target(2_999));
    let page = draw(&list, &samples, Some(1), &FACTS, Look::PLAIN);
    assert_eq!(page.matches(".example:80  10.0.0.1:80  ").count(), 2, "{page}");
    assert!(page.contains("2,998 further targets not shown"), "{page}");
    assert!(page.contains("refused: 1 probe "), "{page}");
}

#[test]
fn samples_are_bounded() {
    let targets = targets(&[("x:1", "10.77.0.2:9000")]);
    let (mut table, mut counts) = (Table::new(1, None, Expect::Open), RunCounts::new(1));
    for (sample, kept) in [
        (paths::clean(), 0),
        (paths::refused(), 1),
        (paths::refused(), 2),
        (paths::refused(), 3),
        (paths::refused(), 3),
        (paths::refused(), 3),
        (paths::path_a(), 4),
    ] {
        counts.add(&sample.judged(true));
        table.probe(&sample.0, "x:1");
        let page = table.draw(&counts.summary(&targets, &FACTS), Look::PLAIN);
        assert_eq!(page.matches("3.12").count(), kept, "{page}");
    }
}
