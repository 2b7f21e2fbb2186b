use super::Table;
use crate::{
    sample::{NARROW, Sample, golden, paths, targets},
    stats::{RunCounts, RunFacts},
    style::Look,
};
use engine::session::Counts;

use model::{expect::Expect, record::HalfOpen, spans::SpanCounts, target::Target, verdict::Proof};

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
    targets: &[Target],
    samples: &[Sample],
    count: Option<u64>,
    facts: &RunFacts,
    look: Look,
) -> String {
    draw_for(Expect::Open, targets, samples, count, facts, look)
}

fn draw_for(
    expect: Expect,
    targets: &[Target],
    samples: &[Sample],
    count: Option<u64>,
    facts: &RunFacts,
    look: Look,
) -> String {
    let mut table = Table::new(targets.len(), count, expect);
    let mut counts = RunCounts::new(targets.len());
    for sample in samples {
        let timeline = &sample.0.timeline;
        let expected = expect.is_met(timeline.outcome());
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
    let forty = Look { colour: false, width: 40 };
    golden("table-single-40.txt", &draw(&targets, &one_each(), Some(1), &FACTS, forty));
    for width in 40..=120 {
        draw(&targets, &one_each(), Some(1), &FACTS, Look { colour: false, width });
    }
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
    let forty = Look { colour: false, width: 40 };
    golden("table-many-40.txt", &draw(&targets, &many(), Some(100), &FACTS, forty));
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
    for width in 40..=120 {
        draw(&targets, &many(), None, &facts, Look { colour: false, width });
    }
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
    let list: Vec<Target> = (0..3_000)
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

#[test]
fn no_number_is_shown_for_a_slot_that_there_was_not() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000"), ("b:1", "10.77.0.3:1")]);
    let samples =
        || vec![paths::without_slot(), paths::without_slot(), paths::without_slot().target(1)];
    let page = draw(&targets, &samples(), None, &FACTS, Look::PLAIN);
    assert!(page.contains("  For example    db.example:9000 (confirmed); also b:1\n"), "{page}");
    let mut mixed = samples();
    mixed.insert(0, paths::local_error());
    let page = draw(&targets, &mixed, None, &FACTS, Look::PLAIN);
    assert!(
        page.contains("  For example    probe 3.12 of db.example:9000 (confirmed)\n"),
        "{page}"
    );
}

#[test]
fn the_same_advice_is_given_once_below_a_table() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let mut sample = paths::path_b_later();
    let advice = sample.0.findings[0].advice.clone();
    sample.0.findings[1].advice = advice;
    let page = draw(&targets, &[sample], None, &FACTS, Look::PLAIN);
    assert_eq!(page.matches("Nothing here. Look at the probe").count(), 1, "{page}");
    let other =
        "What to do     As for \"stale SYN_RECV connection, recovered by challenge ACK\" above.";
    assert!(page.contains(other), "{page}");
}

#[test]
fn the_proof_is_beside_what_it_proves() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000"), ("b:1", "10.77.0.3:1")]);
    let with = |proof, target| {
        let mut sample = paths::clean().target(target);
        sample.0.findings[0].proof = proof;
        sample
    };
    let samples = vec![
        with(Proof::Inferred, 0),
        with(Proof::Inferred, 0),
        with(Proof::Confirmed, 1),
        with(Proof::Unknown, 1),
    ];
    let page = draw(&targets, &samples, Some(2), &FACTS, Look::PLAIN);
    assert!(page.contains("  CLEAN  CONFIRMED  "), "{page}");
    assert!(page.contains("  alive 100 %  100 %        0 %  "), "{page}");
    assert!(page.contains("  alive 100 %  100 %     50.0 %  "), "{page}");
    assert!(page.contains("\nProof      1 confirmed, 2 inferred, 1 unknown\n"), "{page}");
    // With one probe each, its proof has a column where there is no sentence that names it.
    let list: Vec<Target> = (0..11).map(|_| targets[0].clone()).collect();
    let samples: Vec<Sample> = (0..11).map(|n| with(Proof::Inferred, n)).collect();
    let page = draw(&list, &samples, Some(1), &FACTS, Look::PLAIN);
    assert!(page.contains("  HANDSHAKE     PROOF  VERDICT\n"), "{page}");
    assert_eq!(page.matches("  inferred  clean\n").count(), 11, "{page}");
}

#[test]
fn a_rate_names_its_time_and_needs_some_probes() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let total = |probes: usize| {
        let samples: Vec<Sample> = (0..probes).map(|_| paths::clean()).collect();
        let page = draw(&targets, &samples, Some(100), &FACTS, Look::PLAIN);
        page.lines().find(|line| line.starts_with("Total")).map(str::to_owned)
    };
    assert_eq!(total(2).as_deref(), Some("Total      2 probes of 1 target in 3.52 s"));
    let text = "Total      100 probes of 1 target in 3.52 s, 50.0/s in the 2.00 s from the first to the last";
    assert_eq!(total(100).as_deref(), Some(text));
}

#[test]
fn a_note_is_there_only_if_it_concerns_a_probe() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let facts = RunFacts { traced: false, half_open: HalfOpen::NotEnforced, ..FACTS };
    let bare = |mut sample: Sample, proof| {
        sample.0.findings[0].proof = proof;
        sample.0.timeline.probe.half_open = HalfOpen::NotEnforced;
        draw(&targets, &[sample], Some(1), &facts, Look::PLAIN)
    };
    let page = bare(paths::clean(), Proof::Unknown);
    assert!(
        page.contains("No kernel events: ") && page.contains("The ACK guard was not"),
        "{page}"
    );
    let page = bare(paths::refused(), Proof::Inferred);
    assert!(page.contains("No kernel events: ") && !page.contains("ACK guard"), "{page}");
    let page = bare(paths::local_error(), Proof::Confirmed);
    assert!(!page.contains("Note"), "{page}");
}

#[test]
fn the_same_advice_is_given_once_in_a_table() {
    let list: Vec<Target> =
        ["a:1", "b:2", "c:3"].map(|n| targets(&[(n, "10.0.0.1:1")])[0].clone()).into();
    let samples = vec![paths::refused(), paths::timed_out().target(1), paths::refused().target(2)];
    let page = draw(&list, &samples, Some(1), &FACTS, Look::PLAIN);
    assert_eq!(page.matches("Start the service").count(), 1, "{page}");
    assert_eq!(page.matches("      -> As for a:1 above.\n").count(), 1, "{page}");
    assert_eq!(page.matches("-> The host is down").count(), 1, "{page}");
}

#[test]
fn an_expected_refusal_is_nothing_unusual() {
    let list: Vec<Target> = ["a:1", "b:2"].map(|n| targets(&[(n, "10.0.0.1:1")])[0].clone()).into();
    let mut samples: Vec<Sample> = (0..20).map(|n| paths::refused().target(n % 2)).collect();
    let page = draw_for(Expect::Closed, &list, &samples, Some(10), &FACTS, Look::PLAIN);
    let rows = "      TARGET  ADDRESS     OUTCOME        CONFIRMED\n\
                ok    a:1     10.0.0.1:1  refused 100 %      100 %\n\
                ok    b:2     10.0.0.1:1  refused 100 %      100 %\n\
                \nTotal ";
    assert!(page.starts_with(rows), "{page}");
    samples.push(paths::clean().target(1));
    let page = draw_for(Expect::Closed, &list, &samples, Some(10), &FACTS, Look::PLAIN);
    assert!(page.contains("\nFAIL  b:2 ") && page.contains("\n      1 clean\n"), "{page}");
    // Of thousands of targets, those that refuse need no attention.
    let list: Vec<Target> = (0..3_000).map(|_| list[0].clone()).collect();
    let samples: Vec<Sample> = (0..3_000).map(|n| paths::refused().target(n)).collect();
    let page = draw_for(Expect::Closed, &list, &samples, Some(1), &FACTS, Look::PLAIN);
    assert!(page.contains("\n3,000 further targets not shown\n"), "{page}");
}
