//! Every scenario of the demo gets the verdicts that were injected.

use std::sync::{Arc, atomic::AtomicBool};

use demo::{Case, RunnerEvent, run_all, scenarios};
use kernel::layout::Form;
use lab::Family;
use probe_agent_tests::privileged;

#[test]
fn every_scenario_is_reported_as_injected_by_the_default_hooks() {
    privileged!();
    tell_as_injected(Form::Auto);
}

#[test]
fn every_scenario_is_reported_as_injected_by_raw_tracepoints() {
    privileged!();
    tell_as_injected(Form::Raw);
}

#[test]
fn every_scenario_is_told_as_injected_by_untyped_raw_tracepoints() {
    privileged!();
    tell_as_injected(Form::Untyped);
}

#[test]
fn every_scenario_is_told_as_injected_by_tracepoint_records() {
    privileged!();
    tell_as_injected(Form::Record);
}

fn tell_as_injected(form: Form) {
    let cases: Vec<Case> = scenarios::ALL
        .iter()
        .flat_map(|scenario| Family::ALL.map(|family| (scenario, family, form)))
        .collect();
    let mut ended = 0;
    let mut wrong = Vec::new();
    run_all(&cases, &Arc::new(AtomicBool::new(false)), |event| {
        if let RunnerEvent::Ended(index, result) = event {
            ended += 1;
            let (scenario, family, form) = cases[index];
            for mismatch in &result.mismatches {
                let events: Vec<_> = result.probes.iter().map(|p| &p.timeline).collect();
                wrong.push(format!(
                    "{} over {family:?} by {form:?}: {mismatch}: {events:#?}",
                    scenario.name
                ));
            }
        }
        true
    })
    .unwrap();
    assert_eq!(ended, cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = scenarios::ALL.iter().map(|scenario| scenario.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), scenarios::ALL.len());
}
