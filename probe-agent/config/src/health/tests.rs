//! Results in, states out; compared with a reference that looks at the whole history each time.

use std::time::Duration;

use model::{
    expect::Expect,
    outcome::Outcome,
    verdict::{Proof, Verdict},
};
use proptest::prelude::*;

use super::{Health, ProbeResult, StateChange, Status};
use crate::schema::{NetworkPath, Policy};

fn policy(rise: u32, fall: u32, expect: Expect) -> Policy {
    Policy {
        interval: Duration::from_secs(5),
        fast_interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        settle: Duration::from_secs(2),
        rise,
        fall,
        expect,
        path: NetworkPath::default(),
    }
}

fn result(second: u64, outcome: Outcome) -> ProbeResult {
    let verdict = match outcome {
        Outcome::Alive => Verdict::Clean,
        Outcome::Refused => Verdict::Refused,
        Outcome::TimedOut => Verdict::TimedOut,
        Outcome::Unreachable => Verdict::Unreachable,
        Outcome::LocalError => Verdict::LocalError,
    };
    ProbeResult { at: Duration::from_secs(second), outcome, verdict, proof: Proof::Confirmed }
}

fn outcome(letter: char) -> Outcome {
    match letter {
        'a' => Outcome::Alive,
        'r' => Outcome::Refused,
        't' => Outcome::TimedOut,
        'u' => Outcome::Unreachable,
        'l' => Outcome::LocalError,
        other => panic!("{other}"),
    }
}

/// One letter a second: the changes, and for each second whether the interval is fast.
fn run(outcomes: &str, policy: &Policy) -> (Vec<String>, String) {
    let mut health = Health::default();
    let (mut changes, mut speeds) = (Vec::new(), String::new());
    for (second, letter) in (1..).zip(outcomes.chars()) {
        let change = health.observe(result(second, outcome(letter)), policy);
        changes.extend(change.map(|change| format!("{second}: {change}")));
        speeds.push(if health.interval(policy) == policy.fast_interval { 'f' } else { '.' });
    }
    (changes, speeds)
}

#[test]
fn thresholds_and_fast_intervals() {
    for (outcomes, changes, speeds) in [
        ("aa", vec!["2: unknown -> up after 2 results: clean, confirmed"], "f."),
        ("ttt", vec!["3: unknown -> down after 3 results: timed_out, confirmed"], "ff."),
        // A single failure does not make a target down, and two with a success between them neither.
        ("aattatta", vec!["2: unknown -> up after 2 results: clean, confirmed"], "f.ff.ff."),
        (
            "aatruaraa",
            vec![
                "2: unknown -> up after 2 results: clean, confirmed",
                "5: up -> down after 3 results: unreachable, confirmed",
                "9: down -> up after 2 results: clean, confirmed",
            ],
            "f.ff.f.f.",
        ),
        // What this host lacks is not the target's fault.
        (
            "aalltllll",
            vec![
                "2: unknown -> up after 2 results: clean, confirmed",
                "8: up -> unknown after 3 results: local_error, confirmed",
            ],
            "f.fffff..",
        ),
    ] {
        let expected: Vec<String> = changes.into_iter().map(str::to_owned).collect();
        let seen = run(outcomes, &policy(2, 3, Expect::Open));
        assert_eq!(seen, (expected, speeds.to_owned()), "{outcomes}");
    }
    let (changes, _) = run("rra", &policy(1, 1, Expect::Closed));
    assert_eq!(
        changes,
        [
            "1: unknown -> up after 1 result: refused, confirmed",
            "3: up -> down after 1 result: clean, confirmed"
        ]
    );
}

#[test]
fn a_change_says_since_when_and_from_which_results() {
    let mut health = Health::default();
    let policy = policy(1, 2, Expect::Open);
    health.observe(result(10, Outcome::Alive), &policy);
    assert_eq!((health.status(), health.since()), (Status::Up, Some(Duration::from_secs(10))));
    health.observe(result(20, Outcome::TimedOut), &policy);
    let change = health.observe(result(30, Outcome::Refused), &policy);
    let expected = StateChange {
        from: Status::Up,
        from_since: Some(Duration::from_secs(10)),
        to: Status::Down,
        results: 2,
        first: Duration::from_secs(20),
        last: result(30, Outcome::Refused),
    };
    assert_eq!(change, Some(expected));
}

#[test]
fn a_reload_changes_thresholds_and_keeps_the_state() {
    let mut health = Health::default();
    health.observe(result(1, Outcome::Alive), &policy(1, 9, Expect::Open));
    for second in 2..6 {
        assert_eq!(
            health.observe(result(second, Outcome::TimedOut), &policy(1, 9, Expect::Open)),
            None
        );
    }
    let change = health.observe(result(6, Outcome::TimedOut), &policy(1, 3, Expect::Open));
    assert_eq!(change.map(|change| (change.to, change.results)), Some((Status::Down, 5)));
}

/// The state after a history: that of the last run of equal results that was long enough, where only runs for
/// another state than the one before count.
fn reference(history: &[Status], rise: u32, fall: u32) -> (Status, bool) {
    let mut status = Status::Unknown;
    let mut start = 0;
    let mut is_changing = false;
    for end in 1..=history.len() {
        let last = history[end - 1];
        // The longest run of equal results that ends here, not across a change of state.
        let run = history[start..end].iter().rev().take_while(|result| **result == last).count();
        let needed = if last == Status::Up { rise } else { fall };
        is_changing = last != status;
        if is_changing && run >= needed as usize {
            (status, start, is_changing) = (last, end, false);
        }
    }
    (status, is_changing)
}

proptest! {
    #[test]
    fn it_agrees_with_the_reference(
        letters in proptest::collection::vec(
            proptest::sample::select(vec!['a', 'a', 'a', 'r', 't', 't', 'u', 'l']), 0..60),
        rise in 1_u32..5,
        fall in 1_u32..5,
        is_open in any::<bool>(),
    ) {
        let expect = if is_open { Expect::Open } else { Expect::Closed };
        let policy = policy(rise, fall, expect);
        let mut health = Health::default();
        let mut history = Vec::new();
        for (second, letter) in (1..).zip(letters) {
            let before = health;
            let change = health.observe(result(second, outcome(letter)), &policy);
            history.push(match outcome(letter) {
                Outcome::LocalError => Status::Unknown,
                other if expect.is_met(other) => Status::Up,
                _ => Status::Down,
            });
            let (status, is_changing) = reference(&history, rise, fall);
            prop_assert_eq!((health.status(), health.is_changing()), (status, is_changing));
            // A change is reported exactly when the state changes, with what was before.
            prop_assert_eq!(change.is_some(), before.status() != health.status());
            if let Some(change) = change {
                prop_assert_eq!((change.from, change.to), (before.status(), health.status()));
                prop_assert_eq!(change.last.at, Duration::from_secs(second));
                prop_assert_eq!(health.since(), Some(change.last.at));
                let needed = if change.to == Status::Up { rise } else { fall };
                prop_assert_eq!(change.results, needed);
                prop_assert_eq!(change.first, Duration::from_secs(second + 1 - u64::from(needed)));
            }
        }
    }
}
