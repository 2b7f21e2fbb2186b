use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
};

use super::{Assignment, Rng, Schedule};
use crate::{
    names::{Names, NamesBuilder},
    pacing::{Jitter, Pacing, RateLimits},
};
use model::target::{Target, TargetId, Targets};

const SECOND: u64 = 1_000_000_000;

fn assignment(id: u32, count: Option<u64>, interval: u64, first_delay: u64) -> Assignment {
    Assignment { target: TargetId(id), name: None, count, interval, first_delay }
}

fn unlimited(assignments: &[Assignment], jitter: Jitter, now: u64) -> Schedule {
    Schedule::new(assignments, Arc::default(), jitter, 7, now)
}

/// RateLimits over targets whose addresses end in these numbers.
fn limits(rate: Option<u32>, per_host: Option<u32>, hosts: &[u8]) -> Arc<RateLimits> {
    let target = |host: &u8| Target {
        name: String::new(),
        host: String::new(),
        address: ([10, 0, 0, *host], 80).into(),
    };
    let targets: Targets = hosts.iter().map(target).collect();
    let pacing = Pacing {
        rate: rate.and_then(NonZeroU32::new),
        rate_per_host: per_host.and_then(NonZeroU32::new),
        ..Pacing::default()
    };
    Arc::new(RateLimits::new(&pacing, &targets))
}

/// Starts all that is due until `end`, waking only when the schedule is due. Returns the times by target.
fn play(schedule: &mut Schedule, mut now: u64, end: u64) -> BTreeMap<u32, Vec<u64>> {
    let mut starts: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    while let Some(due) = schedule.next_due().filter(|due| *due < end) {
        assert!(due >= now || starts.is_empty(), "time does not go back");
        now = now.max(due);
        let mut idle_wakeups = 0;
        while let Some(target) = schedule.take(now) {
            starts.entry(target.0).or_default().push(now);
            idle_wakeups = 0;
        }
        idle_wakeups += 1;
        assert!(idle_wakeups < 3, "woken without anything to do");
        assert!(schedule.next_due().is_none_or(|next| next > now), "a busy loop");
    }
    starts
}

#[test]
fn targets_alternate_and_each_has_its_count() {
    let assignments = [
        assignment(0, Some(2), 10, 0),
        assignment(1, Some(2), 10, 0),
        assignment(2, Some(0), 10, 0),
    ];
    let mut schedule = unlimited(&assignments, Jitter::default(), 100);
    let mut taken = Vec::new();
    for now in [100, 100, 100, 110, 110, 200] {
        taken.push(schedule.take(now).map(|t| t.0));
    }
    assert_eq!(taken, [Some(0), Some(1), None, Some(0), Some(1), None]);
    assert_eq!(schedule.next_due(), None);
}

#[test]
fn targets_without_an_interval_alternate_too() {
    let assignments: Vec<Assignment> = (0..3).map(|id| assignment(id, None, 0, 0)).collect();
    let mut schedule = unlimited(&assignments, Jitter::default(), 0);
    let taken: Vec<u32> = (0..7).filter_map(|now| schedule.take(now / 2)).map(|t| t.0).collect();
    assert_eq!(taken, [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn each_target_has_its_own_interval_and_first_delay() {
    let assignments =
        [assignment(0, None, 10, 0), assignment(1, None, 25, 5), assignment(2, Some(1), 1, 12)];
    let mut schedule = unlimited(&assignments, Jitter::default(), 100);
    let starts = play(&mut schedule, 100, 160);
    assert_eq!(starts[&0], [100, 110, 120, 130, 140, 150]);
    assert_eq!(starts[&1], [105, 130, 155]);
    assert_eq!(starts[&2], [112]);
}

#[test]
fn a_backlog_is_not_made_up_for_in_a_burst() {
    let mut schedule = unlimited(&[assignment(0, None, 10, 0)], Jitter::default(), 0);
    assert!(schedule.take(1_000).is_some());
    assert_eq!(schedule.next_due(), Some(1_000));
    assert!(schedule.take(1_000).is_some());
    assert_eq!(schedule.next_due(), Some(1_010));
}

#[test]
fn jitter_keeps_the_mean_and_stays_within_its_bounds() {
    let mut schedule = unlimited(&[assignment(0, None, 1_000, 0)], Jitter::Fraction(0.2), 0);
    let starts = &play(&mut schedule, 0, 1_000_000)[&0];
    let waits: Vec<u64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.iter().all(|wait| (800..=1_200).contains(wait)));
    assert!(waits.iter().any(|wait| *wait < 850) && waits.iter().any(|wait| *wait > 1_150));
    assert!((980..=1_020).contains(&starts.len()), "{}", starts.len());
}

#[test]
fn random_numbers_reach_both_bounds() {
    let mut rng = Rng(1);
    let mut seen = [0; 4];
    (0..400).for_each(|_| seen[usize::try_from(rng.up_to(3)).unwrap()] += 1);
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
    assert_eq!(rng.up_to(0), 0);
}

#[test]
fn the_rate_limit_holds_for_all_targets_together() {
    let assignments: Vec<Assignment> = (0..10).map(|id| assignment(id, None, 0, 0)).collect();
    let mut schedule = Schedule::new(
        &assignments,
        limits(Some(100), None, &[1; 10]),
        Jitter::default(),
        1,
        SECOND,
    );
    let starts = play(&mut schedule, SECOND, 2 * SECOND);
    assert!(starts.values().all(|times| times.len() == 10), "fair: {starts:?}");
}

#[test]
fn a_late_worker_catches_up_but_an_idle_time_gives_no_credit() {
    let assignments = [assignment(0, None, 0, 0)];
    let mut schedule =
        Schedule::new(&assignments, limits(Some(1_000), None, &[1]), Jitter::default(), 1, SECOND);
    let mut at = |now: u64| std::iter::from_fn(|| schedule.take(SECOND + now)).count();
    assert_eq!(at(0), 1);
    assert_eq!(at(10_000_000), 10, "10 ms late");
    assert_eq!(at(500_000_000), 1, "half a second late");
}

#[test]
fn a_rate_limited_host_does_not_delay_other_hosts() {
    // Targets 0 to 7 are one host, 8 another; each is due ten times in a second.
    let hosts = [1, 1, 1, 1, 1, 1, 1, 1, 2];
    let assignments: Vec<Assignment> =
        (0..9).map(|id| assignment(id, None, SECOND / 10, 0)).collect();
    let limits = limits(None, Some(16), &hosts);
    let mut schedule = Schedule::new(&assignments, limits, Jitter::default(), 1, SECOND);
    let starts = play(&mut schedule, SECOND, 2 * SECOND);
    assert!((0..8).all(|id| starts[&id].len() == 2), "fair, 16 in all: {starts:?}");
    assert_eq!(starts[&8].len(), 10);
    let mut times: Vec<u64> = (0..8).flat_map(|id| starts[&id].clone()).collect();
    times.sort_unstable();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= SECOND / 16));
}

#[test]
fn both_rate_limits_hold_and_every_probe_starts() {
    let assignments: Vec<Assignment> = (0..4).map(|id| assignment(id, Some(5), 0, 0)).collect();
    let limits = limits(Some(10), Some(4), &[1, 1, 2, 3]);
    let mut schedule = Schedule::new(&assignments, limits, Jitter::default(), 1, SECOND);
    let starts = play(&mut schedule, SECOND, 10 * SECOND);
    assert!(starts.values().all(|times| times.len() == 5), "{starts:?}");
    let mut all: Vec<u64> = starts.values().flatten().copied().collect();
    all.sort_unstable();
    assert!(all.windows(11).all(|eleven| eleven[10] - eleven[0] >= SECOND - 20_000_000));
    assert_eq!(schedule.next_due(), None);
}

#[test]
fn two_workers_share_the_rate_limits() {
    let limits = limits(Some(100), Some(60), &[1, 1]);
    let mut workers = [0, 1].map(|id| {
        Schedule::new(
            &[assignment(id, None, 0, 0)],
            Arc::clone(&limits),
            Jitter::default(),
            1,
            SECOND,
        )
    });
    let mut starts = 0;
    for now in (0..1_000).map(|ms| SECOND + ms * 1_000_000) {
        for worker in &mut workers {
            starts += std::iter::from_fn(|| worker.take(now)).count();
        }
    }
    assert!((59..=61).contains(&starts), "{starts}");
}

#[test]
fn a_probe_that_was_not_scheduled_counts_towards_the_rate_limits() {
    let limits = limits(Some(10), Some(10), &[1]);
    let assignments = [assignment(0, None, 0, 0)];
    let mut schedule = Schedule::new(&assignments, limits, Jitter::default(), 1, SECOND);
    assert!(schedule.take(SECOND).is_some());
    schedule.charge(TargetId(0), SECOND);
    assert_eq!(schedule.next_due(), Some(SECOND + SECOND / 5));
}

/// A heap of 100,000 targets has 17 levels: the cost of a probe hardly grows with the number of targets.
#[test]
fn each_of_100_000_targets_is_probed_in_its_interval() {
    let assignments: Vec<Assignment> =
        (0..100_000).map(|id| assignment(id, None, 1_000_000, u64::from(id) * 10)).collect();
    let mut schedule = unlimited(&assignments, Jitter::default(), 0);
    let starts = play(&mut schedule, 0, 3_000_000);
    assert_eq!(starts.len(), 100_000);
    assert!(starts.values().all(|times| times.len() == 3));
}

#[test]
fn a_target_needs_48_bytes() {
    assert!(size_of::<super::Entry>() + size_of::<std::cmp::Reverse<super::Due>>() <= 48);
}

/// A name at some addresses, and its schedule with one interval of a second.
fn named(hosts: &[u8], count: Option<u64>, per_host: Option<u32>) -> (Arc<Names>, Schedule) {
    let mut builder = NamesBuilder::default();
    let ips: Vec<IpAddr> = hosts.iter().map(|host| [10, 0, 0, *host].into()).collect();
    let answer = if ips.is_empty() { Err(-2) } else { Ok(&*ips) };
    let (_, added) = builder.name(&Target::at(([0, 0, 0, 0], 80).into()), answer);
    let names = Arc::new(builder.build());
    let assignments: Vec<Assignment> = (0..added as u32)
        .map(|id| Assignment { name: Some(0), ..assignment(id, count, SECOND, 0) })
        .collect();
    let pacing = Pacing { rate_per_host: per_host.and_then(NonZeroU32::new), ..Pacing::default() };
    let limits = Arc::new(RateLimits::new(&pacing, names.targets()));
    let mut schedule = Schedule::new(&assignments, limits, Jitter::default(), 7, 0);
    schedule.follow(&names, &assignments);
    (names, schedule)
}

/// The last bytes of the addresses that are due at a time.
fn due(names: &Names, schedule: &mut Schedule, now: u64) -> Vec<u8> {
    let mut taken: Vec<u8> = std::iter::from_fn(|| schedule.take(now))
        .map(|id| match names.targets()[id.0 as usize].address {
            SocketAddr::V4(v4) => v4.ip().octets()[3],
            SocketAddr::V6(v6) => panic!("{v6}"),
        })
        .collect();
    taken.sort_unstable();
    taken
}

fn answer(names: &Names, hosts: &[u8]) {
    let ips: Vec<IpAddr> = hosts.iter().map(|host| [10, 0, 0, *host].into()).collect();
    assert!(names.set(0, Ok(&ips)), "{hosts:?} are no others");
}

#[test]
fn the_addresses_of_a_name_are_followed() {
    for per_host in [None, Some(1)] {
        let (names, mut schedule) = named(&[1, 2], Some(4), per_host);
        assert_eq!(due(&names, &mut schedule, 0), [1, 2]);
        answer(&names, &[2, 3]);
        assert_eq!(due(&names, &mut schedule, SECOND), [2, 3]);
        answer(&names, &[1]);
        assert_eq!(due(&names, &mut schedule, 2 * SECOND), [1]);
        answer(&names, &[1, 2, 4]);
        assert_eq!(due(&names, &mut schedule, 3 * SECOND), [1, 2, 4]);
        assert_eq!(schedule.next_due(), None, "each round counts, whatever its addresses");
    }
}

#[test]
fn a_name_is_probed_as_soon_as_it_has_an_address() {
    let (names, mut schedule) = named(&[], Some(3), None);
    assert_eq!(due(&names, &mut schedule, 0), [0]);
    answer(&names, &[7]);
    assert_eq!(due(&names, &mut schedule, SECOND), [7]);
    assert!(names.set(0, Err(-3)));
    assert_eq!(due(&names, &mut schedule, 2 * SECOND), [0]);
    assert_eq!(schedule.next_due(), None);
}

#[test]
fn an_address_that_is_gone_does_not_keep_a_run_from_its_end() {
    let (names, mut schedule) = named(&[1, 2, 3], Some(2), None);
    assert_eq!(due(&names, &mut schedule, 0), [1, 2, 3]);
    answer(&names, &[1]);
    let first = schedule.take(SECOND);
    assert_eq!(
        first.map(|id| names.targets()[id.0 as usize].address.to_string()).as_deref(),
        Some("10.0.0.1:80")
    );
    assert_eq!(schedule.next_due(), None, "those for 2 and 3 are still in the heap");
    assert_eq!(schedule.take(SECOND), None);
}

#[test]
fn entries_are_reused() {
    let (names, mut schedule) = named(&[1], None, Some(1_000));
    for round in 0..1_000_u64 {
        let host = 2 + (round % 100) as u8;
        answer(&names, &[host]);
        assert_eq!(due(&names, &mut schedule, round * SECOND), [host]);
    }
    assert!(schedule.entries.len() <= 3, "{} entries", schedule.entries.len());
}

#[test]
fn without_an_interval_a_name_without_an_address_is_no_busy_loop() {
    let (_names, mut schedule) = named(&[], None, None);
    schedule.entries[0].interval = 0;
    assert!(schedule.take(0).is_some());
    assert_eq!(schedule.take(0), None);
    assert_eq!(schedule.next_due(), Some(SECOND));
}
