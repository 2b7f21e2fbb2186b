use std::time::Duration;

use super::{Jitter, Pacing};
use model::target::TargetId;

fn first_delays(targets: u32, interval: Duration) -> Vec<Duration> {
    let pacing = Pacing { spread: true, ..Pacing::default() };
    let mut firsts: Vec<_> =
        (0..targets).map(|id| pacing.first_delay(TargetId(id), targets, interval)).collect();
    assert_eq!(firsts[0], Duration::ZERO, "the first target never waits");
    firsts.sort_unstable();
    firsts
}

#[test]
fn first_probes_are_spread_over_the_interval() {
    for (targets, interval, window) in [
        (20, 1_000, 1_000),
        (3, 10_000, 10_000),
        // The first results do not take a minute.
        (3, 60_000, 10_000),
        (30_000, 60_000, 30_000),
        (100_000, 10_000, 10_000),
        (100_000, 86_400_000, 100_000),
    ] {
        let firsts = first_delays(targets, Duration::from_millis(interval));
        let window = Duration::from_millis(window);
        let even = window / targets;
        assert!(*firsts.last().unwrap() < window);
        let widest = firsts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(widest <= even * 2, "{targets}: {widest:?} without a start");
        let in_any_tenth = firsts.iter().enumerate().all(|(index, at)| {
            let end = firsts.partition_point(|other| *other < *at + window / 10);
            (end - index) as u32 <= targets / 10 + 3
        });
        assert!(in_any_tenth, "{targets}: a burst");
    }
}

#[test]
fn any_subset_of_the_targets_is_spread() {
    let pacing = Pacing { spread: true, ..Pacing::default() };
    let interval = Duration::from_secs(10);
    // The second half of a file, and the targets of one of three workers.
    for ids in [(500..1_000).collect::<Vec<u32>>(), (0..1_000).step_by(3).collect()] {
        let mut firsts: Vec<_> =
            ids.iter().map(|id| pacing.first_delay(TargetId(*id), 1_000, interval)).collect();
        firsts.sort_unstable();
        let widest = firsts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(widest < interval / ids.len() as u32 * 4, "{widest:?}");
    }
}

#[test]
fn one_target_and_single_probes_start_at_once() {
    assert_eq!(first_delays(1, Duration::from_secs(10)), [Duration::ZERO]);
    let pacing = Pacing::default();
    assert_eq!(pacing.first_delay(TargetId(7), 100, Duration::from_secs(10)), Duration::ZERO);
    let pacing = Pacing { spread: true, ..Pacing::default() };
    assert_eq!(pacing.first_delay(TargetId(7), 100, Duration::ZERO), Duration::ZERO);
}

#[test]
fn a_target_has_its_own_interval_or_that_of_the_settings() {
    let [own, common] = [2, 5].map(Duration::from_secs);
    let pacing = Pacing { intervals: [None, Some(own)].into(), ..Pacing::default() };
    let seen = [0, 1, 2].map(|id| pacing.interval(TargetId(id), common));
    assert_eq!(seen, [common, own, common]);
}

#[test]
fn jitter_is_never_more_than_the_interval() {
    for (jitter, interval, max) in [
        (Jitter::default(), 1_000, 0),
        (Jitter::Fraction(0.1), 1_000, 100),
        (Jitter::Fraction(1.0), 1_000, 1_000),
        (Jitter::Time(Duration::from_nanos(30)), 1_000, 30),
        (Jitter::Time(Duration::from_nanos(30)), 20, 20),
    ] {
        assert_eq!(jitter.max(interval), max, "{jitter:?}");
    }
}
