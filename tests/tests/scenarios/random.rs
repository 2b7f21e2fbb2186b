//! Scenarios in random order, beside connections of other programs: with the same addresses and ports in another
//! network namespace, with the ports beside those of the probes, and at the same server.

use std::{
    collections::hash_map::RandomState,
    env,
    hash::{BuildHasher as _, Hasher as _},
    io::Write as _,
    sync::{Arc, atomic::AtomicBool},
};

use demo::{Case, Order, Runner, RunnerEvent, scenarios};
use kernel::state_hook::StateHookChoice;
use lab::Family;
use probe_agent_tests::{
    background::{Counts, Habit, Traffic},
    privileged,
};

/// How many scenarios run.
const RUNS: &str = "PROBE_AGENT_RANDOM_RUNS";
const DEFAULT_RUNS: usize = 20;

/// The seed of their order.
const SEED: &str = "PROBE_AGENT_RANDOM_SEED";

/// A port that the probes use, too.
const FIRST_PORT: u16 = 40_001;

static COUNTS: Counts = Counts::new();

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}

/// So many cases: a shuffled deck of all, then another one.
fn cases(count: usize, seed: u64) -> Vec<Case> {
    let mut random = Random(seed);
    let mut cases = Vec::new();
    while cases.len() < count {
        let mut deck: Vec<Case> = scenarios::ALL
            .iter()
            .flat_map(|scenario| Family::ALL.map(|family| (scenario, family)))
            .flat_map(|(scenario, family)| {
                [StateHookChoice::Auto, StateHookChoice::Raw].map(|hook| (scenario, family, hook))
            })
            .collect();
        while !deck.is_empty() {
            cases.push(deck.swap_remove(random.below(deck.len())));
        }
    }
    cases.truncate(count);
    cases
}

fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable}={value} is no number")))
}

#[test]
fn verdicts_are_those_injected_beside_other_connections() {
    privileged!();
    let seed = number(SEED).unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let cases = cases(number(RUNS).unwrap_or(DEFAULT_RUNS), seed);
    let hint = format!("{SEED}={seed} {RUNS}={}", cases.len());
    let mut wrong = Vec::new();
    let (mut ended, mut repeated) = (0, 0);
    let others = Traffic::here(FIRST_PORT, &COUNTS);
    Runner::new(&cases)
        .order(Order::AsListed)
        .beside(&|probed| Box::new(Traffic::beside(&probed, &COUNTS)))
        .run(&Arc::new(AtomicBool::new(false)), |event| {
            let RunnerEvent::Ended(index, result) = event else { return true };
            ended += 1;
            repeated += result.retries;
            // The tests run on a kernel that shows everything.
            for mismatch in result.mismatches.iter().chain(&result.limits) {
                let (scenario, family, hook) = cases[index];
                let name = scenario.name;
                let case = format!("run {index}, {name} over {family:?} with {hook:?}: {mismatch}");
                let _ = writeln!(std::io::stderr(), "{hint}: {case}");
                let events: Vec<_> = result.probes.iter().map(|probe| &probe.timeline).collect();
                wrong.push(format!("{case}: {events:#?}"));
            }
            true
        })
        .unwrap();
    drop(others);
    eprintln!("{hint}: {ended} runs, {repeated} repeated, beside {COUNTS:?}");
    assert_eq!(ended, cases.len(), "{hint}");
    assert!(wrong.is_empty(), "{hint}: {}", wrong.join("\n"));
    for habit in Habit::ALL {
        assert!(COUNTS.of(habit) >= cases.len() as u64, "{hint}: {habit:?} of {COUNTS:?}");
    }
}
