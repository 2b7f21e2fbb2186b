//! No sentence, piece of evidence, step or advice says more than the events show, or what is not so.
//!
//! Checked over every case and over thousands of random worlds:
//! - each observation that a claim names exists, and shows what the claim states;
//! - each claim agrees with what the world did;
//! - each `confirmed` verdict names an observation that proves it, and no other verdict lacks its reservation;
//! - no words and no step name a party or an act that no claim has.

mod journal;
mod observed;
mod phrases;
mod proof;
mod shown;
mod steps;
mod truth;
mod words;

use std::collections::{BTreeSet, HashSet};

use super::{
    cases,
    scenario::Scenario,
    world::{Faults, World},
};
use crate::{ExplainedProbe, Judged, explain, timeline::Coverage};
use model::{expect::Expect, verdict::Proof};

/// What is wrong with the claims and the words of a probe, whatever really happened.
fn fault(probe: &ExplainedProbe) -> Option<String> {
    let timeline = &probe.timeline;
    for finding in &probe.findings {
        for claim in &finding.claims {
            let mut observations = claim.basis.observations().iter();
            if let Some(missing) = observations.find(|o| !observed::exists(timeline, o)) {
                return Some(format!("{claim:?} rests on {missing:?}, which was not observed"));
            }
            if !shown::agrees(timeline, claim) {
                return Some(format!("the observations of {claim:?} show something else"));
            }
        }
        if let Some(fault) = proof::fault(timeline, finding) {
            return Some(fault);
        }
    }
    steps::unfounded(probe)
}

/// What is wrong with the words of a probe.
fn fault_in_words(probe: &ExplainedProbe) -> Option<String> {
    phrases::unclaimed(probe).or_else(|| words::contradiction(probe))
}

/// The words without their numbers, and the acts behind them: what differs in numbers only is read once.
fn pattern(probe: &ExplainedProbe) -> String {
    let mut pattern = String::new();
    for finding in &probe.findings {
        let acts = finding.claims.iter().flat_map(|claim| [claim.party.name(), claim.act.name()]);
        let evidence = finding.evidence.iter().map(|evidence| evidence.text.as_str());
        let texts = evidence.chain([finding.sentence.as_str()]).chain(finding.advice.as_deref());
        for text in acts.chain(texts) {
            pattern.extend(text.chars().filter(|c| !c.is_ascii_digit()));
        }
    }
    for step in &probe.steps {
        pattern.extend(step.note.chars().filter(|c| !c.is_ascii_digit()));
    }
    pattern
}

#[test]
fn no_case_claims_what_no_event_shows() {
    for (name, text) in cases() {
        for probe in Scenario::run(&text).expect("a case").probes {
            let found = fault(&probe).or_else(|| fault_in_words(&probe));
            assert_eq!(found, None, "{name}: {}", in_short(&probe));
        }
    }
}

/// What a failure needs to be understood: the words, the claims, and the events after the SYN.
fn in_short(probe: &ExplainedProbe) -> String {
    let record = &probe.timeline.probe;
    let syn = record.syn_at();
    let ms = |at: u64| at.saturating_sub(syn) as f64 / 1e6;
    let mut text = format!(
        "probe {}, {:?} after {} ms, followed for {} ms\n",
        record.id,
        record.outcome,
        ms(record.closed_at()),
        ms(probe.timeline.followed_until)
    );
    for event in &probe.timeline.events {
        text += &format!("  {:10.3} ms {:?}\n", ms(event.at), event.kind);
    }
    for finding in &probe.findings {
        text += &format!("{:?}/{:?}: {}\n", finding.verdict, finding.proof, finding.sentence);
        for claim in &finding.claims {
            text += &format!("  {:?} {:?} {}\n", claim.party, claim.act, claim.basis.name());
        }
    }
    text
}

/// A phrase that nothing says any more would check nothing.
#[test]
fn every_phrase_is_used_in_a_case() {
    let mut used = BTreeSet::new();
    for (_, text) in cases() {
        for probe in Scenario::run(&text).expect("a case").probes {
            let texts = probe.findings.iter().flat_map(|finding| {
                let evidence = finding.evidence.iter().map(|evidence| &evidence.text);
                evidence.chain([&finding.sentence]).chain(&finding.advice)
            });
            let notes = probe.steps.iter().map(|step| &step.note);
            used.extend(texts.chain(notes).flat_map(|text| phrases::used(text)));
        }
    }
    let unused: Vec<_> = phrases::all().filter(|words| !used.contains(words)).collect();
    assert_eq!(unused, Vec::<&str>::new());
}

const LOSSES: Faults = Faults {
    syn: 10,
    syn_ack: 15,
    first_rst: 20,
    recovery_rst: 30,
    event: 0,
    drop_here: 0,
    drop_there: 0,
    refusal: 0,
    target_reset: 0,
    no_window: 0,
    foreign: 0,
    other_server: 0,
    noise: 0,
    is_local: false,
};

/// Each kind of fault by itself beside the losses, and then all of them together.
const KINDS: [Faults; 9] = [
    LOSSES,
    Faults { is_local: true, ..LOSSES },
    Faults { drop_here: 40, drop_there: 50, ..LOSSES },
    Faults { refusal: 10, target_reset: 10, ..LOSSES },
    Faults { no_window: 20, ..LOSSES },
    Faults { foreign: 20, ..LOSSES },
    Faults { other_server: 40, ..LOSSES },
    Faults { noise: 40, ..LOSSES },
    Faults {
        drop_here: 30,
        drop_there: 30,
        refusal: 5,
        target_reset: 5,
        no_window: 5,
        foreign: 5,
        other_server: 10,
        noise: 20,
        is_local: true,
        ..LOSSES
    },
];

/// Runs so many worlds with each kind of fault, and returns how many `confirmed` verdicts they had.
fn worlds(seeds: std::ops::Range<u64>, coverage: Coverage) -> usize {
    let (mut confirmed, mut read) = (0, HashSet::new());
    for (kind, faults) in KINDS.iter().enumerate() {
        for seed in seeds.clone() {
            let one_way = [35_000, 5_000_000, 150_000_000, 700_000_000][seed as usize % 4];
            // A server on this host is near.
            let one_way = if faults.is_local { one_way.min(150_000_000) } else { one_way };
            let mut world = World::run_with(seed, one_way, *faults, coverage);
            for timeline in std::mem::take(&mut world.out) {
                let probe = explain(Judged::new(timeline, Expect::Open));
                let name = || format!("kind {kind}, seed {seed}: {}", in_short(&probe));
                let found = fault(&probe);
                assert_eq!(found, None, "{}", name());
                if read.insert(pattern(&probe)) {
                    assert_eq!(fault_in_words(&probe), None, "{}", name());
                }
                for finding in &probe.findings {
                    confirmed += usize::from(finding.proof == Proof::Confirmed);
                    let untrue = finding
                        .claims
                        .iter()
                        .find(|claim| !truth::is_true(&world, &probe.timeline, claim));
                    assert_eq!(untrue, None, "it is not so: {}", name());
                }
            }
        }
    }
    confirmed
}

#[test]
fn no_world_makes_a_claim_untrue() {
    let confirmed = worlds(0..180, Coverage::Full);
    assert!(confirmed > 20_000, "only {confirmed} verdicts were checked");
}

#[test]
fn no_world_makes_a_claim_untrue_where_rsts_without_a_socket_are_not_seen() {
    let confirmed = worlds(0..60, Coverage::SocketsOnly);
    assert!(confirmed > 1_000, "only {confirmed} verdicts were checked");
}
