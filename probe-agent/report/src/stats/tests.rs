use super::{RunCounts, RunFacts};
use crate::{
    sample::{Sample, paths, targets},
    summary::Summary,
};
use engine::session::Counts;

use model::{
    expect::Expect,
    outcome::Outcome,
    record::HalfOpen,
    spans::SpanCounts,
    verdict::{Proof, Verdict},
};

const FACTS: RunFacts = RunFacts {
    probing_seconds: 2.0,
    duration_seconds: 3.5,
    events_lost: 7,
    spans: SpanCounts { accepted: 1, rejected: 2, dropped: 3 },
    unsettled: 4,
    worker_stalls: 5,
    interrupted: true,
    traced: true,
    half_open: HalfOpen::Enforced,
    acks_held: 0,
};

fn add(counts: &mut RunCounts, sample: &Sample, expected: bool) {
    counts.add(&sample.judged(expected));
}

fn summary(counts: &RunCounts) -> Summary {
    counts.summary(&targets(&[("a:1", "10.0.0.1:1"), ("b:2", "[2001:db8::2]:2")]), &FACTS)
}

#[test]
fn the_index_of_an_enum_is_its_place_in_all() {
    assert!(Outcome::ALL.iter().enumerate().all(|(i, o)| *o as usize == i));
    assert!(Verdict::ALL.iter().enumerate().all(|(i, v)| *v as usize == i));
    assert!(Proof::ALL.iter().enumerate().all(|(i, p)| *p as usize == i));
}

#[test]
fn every_name_is_there_and_every_verdict_counts() {
    let mut counts = RunCounts::new(2);
    add(&mut counts, &paths::clean(), true);
    add(&mut counts, &paths::path_b_later(), true);
    add(&mut counts, &paths::path_c().target(1), true);
    add(&mut counts, &paths::refused().target(1), false);
    add(&mut counts, &paths::clean().confirming(9, 1), true);
    let summary = summary(&counts);
    assert_eq!(summary.probes, 4, "a confirmation probe is not one of them");
    assert_eq!(summary.outcomes.len(), Outcome::ALL.len());
    assert_eq!(summary.verdicts.len(), Verdict::ALL.len());
    assert_eq!(summary.proofs.len(), Proof::ALL.len());
    assert_eq!(summary.outcome(Outcome::Alive), 3, "a false refusal counts as alive");
    assert_eq!(summary.outcome(Outcome::Refused), 1);
    assert_eq!(summary.verdict(Verdict::StaleSynRecvChallengeAck), 1);
    assert_eq!(summary.verdict(Verdict::SynRetransmitted), 1);
    assert_eq!(summary.verdict(Verdict::TimedOut), 0);
    assert_eq!(summary.proof(Proof::Confirmed), 4, "one for each probe, not for each verdict");
    assert_eq!((summary.confirmations, summary.early_reuses), (1, 0));
    assert_eq!((summary.unusual(Expect::Open), summary.as_expected()), (3, false));
    assert_eq!(summary.unusual(Expect::Closed), 3, "one was refused");
    assert!((summary.probes_per_second - 2.0).abs() < 1e-9);
    assert_eq!((summary.events_lost, summary.unsettled, summary.interrupted), (7, 4, true));
    assert_eq!((summary.worker_stalls, summary.tracing), (5, "kernel"));
    let [a, b] = summary.targets.as_slice() else { panic!("two targets") };
    assert_eq!((a.target.as_str(), a.address.as_str()), ("a:1", "10.0.0.1:1"));
    assert_eq!((a.probes, a.as_expected, b.as_expected), (2, true, false));
    assert_eq!(b.address, "[2001:db8::2]:2");
    assert_eq!(b.verdicts.names(), 2, "only those that were counted");
    assert_eq!(b.handshake_seconds.max, None);
}

#[test]
fn a_probe_has_one_proof_the_weakest_of_its_verdicts() {
    let mut counts = [RunCounts::new(2), RunCounts::new(2)];
    let with = |sample: Sample, proofs: &[Proof]| {
        let mut sample = sample;
        for (finding, proof) in sample.0.findings.iter_mut().zip(proofs) {
            finding.proof = *proof;
        }
        sample
    };
    use Proof::{Confirmed, Inferred, Unknown};
    for (worker, sample) in [
        (0, with(paths::path_b_later(), &[Confirmed, Inferred])),
        (1, with(paths::path_b_later(), &[Unknown, Confirmed])),
        (0, with(paths::clean(), &[Inferred])),
        (0, with(paths::clean(), &[Confirmed])),
        (1, with(paths::clean(), &[Confirmed])),
        (1, with(paths::clean(), &[Unknown])),
        (1, with(paths::clean().target(1), &[Inferred])),
    ] {
        add(&mut counts[worker], &sample, true);
    }
    let [mut all, second] = counts;
    all.merge(second);
    let summary = summary(&all);
    assert_eq!(Proof::ALL.map(|proof| summary.proof(proof)), [2, 3, 2]);
    let [a, b] = summary.targets.as_slice() else { panic!("two targets") };
    assert_eq!(Proof::ALL.map(|proof| a.proof(proof)), [2, 2, 2]);
    assert_eq!(Proof::ALL.map(|proof| b.proof(proof)), [0, 1, 0]);
    assert_eq!((a.probes, a.verdict(Verdict::Clean), b.verdict(Verdict::Clean)), (6, 4, 1));
}

#[test]
fn without_probes_nothing_is_divided_by_zero() {
    let summary = RunCounts::new(0).summary(&[], &RunFacts::default());
    assert_eq!(summary.probes_per_second, 0.0);
    assert_eq!(summary.handshake_seconds.p50, None);
    assert_eq!(summary.tracing, "none");
    assert!(summary.as_expected());
}

/// `count` probes that took 50, 100, 150 ... us.
fn ramp(counts: &mut RunCounts, numbers: impl Iterator<Item = u64>) {
    for number in numbers {
        let sample = Sample::new(Outcome::Alive, 0).answered(number * 50).finding(
            Verdict::Clean,
            Proof::Confirmed,
            "",
            &[],
            None,
        );
        counts.add(&sample.judged(true));
    }
}

#[track_caller]
fn close(seen: Option<f64>, expected: f64, tolerance: f64) {
    let seen = seen.expect("a quantile");
    assert!((seen / expected - 1.0).abs() <= tolerance, "{seen} is not {expected}");
}

#[test]
fn quantiles_of_the_run_and_of_a_target() {
    let mut counts = RunCounts::new(2);
    ramp(&mut counts, 1..=1_000);
    let summary = summary(&counts);
    let (run, target) = (summary.handshake_seconds, summary.targets[0].handshake_seconds);
    for (times, tolerance) in [(run, 0.001), (target, 0.01)] {
        close(times.min, 50e-6, 1e-12);
        close(times.p50, 25e-3, tolerance);
        close(times.p90, 45e-3, tolerance);
        close(times.p99, 49.5e-3, tolerance);
        close(times.max, 50e-3, 1e-12);
    }
}

#[test]
fn one_and_two_probes_need_no_histogram() {
    let mut counts = RunCounts::new(2);
    ramp(&mut counts, 1..=1);
    close(summary(&counts).targets[0].handshake_seconds.p99, 50e-6, 1e-12);
    ramp(&mut counts, 2..=2);
    let times = summary(&counts).targets[0].handshake_seconds;
    close(times.p50, 50e-6, 1e-12);
    close(times.p99, 100e-6, 1e-12);
}

#[test]
fn merged_workers_count_as_one_would() {
    for cut in [0, 1, 2, 3, 500, 998, 1_000] {
        let mut one = RunCounts::new(2);
        ramp(&mut one, 1..=1_000);
        let (mut first, mut second) = (RunCounts::new(2), RunCounts::new(2));
        ramp(&mut first, 1..=cut);
        ramp(&mut second, cut + 1..=1_000);
        first.merge(second);
        assert_eq!(summary(&first), summary(&one), "cut at {cut}");
    }
}

#[test]
fn many_targets_keep_only_their_ends() {
    let many = super::TARGETS_WITH_HISTOGRAM + 1;
    let mut counts = RunCounts::new(many);
    ramp(&mut counts, 1..=3);
    let list = vec![targets(&[("a:1", "10.0.0.1:1")])[0].clone(); many];
    let times = counts.summary(&list, &FACTS).targets[0].handshake_seconds;
    assert_eq!(times.p50, None);
    close(times.min, 50e-6, 1e-12);
    close(times.max, 150e-6, 1e-12);
    assert!(size_of::<super::TargetCounts>() <= 56, "100,000 targets are 5.6 MB");
}
