//! The demo's scenarios, one by one.

use std::sync::{Arc, atomic::AtomicBool};

use demo::{
    crew::{self, News, Part},
    scenarios,
};
use kernel::layout::Form;
use lab::Family;
use probe_agent_tests::privileged;

#[test]
fn every_scenario_is_told_as_injected_by_what_is_chosen() {
    privileged!();
    tell_as_injected(Form::Auto);
}

#[test]
fn every_scenario_is_told_as_injected_by_raw_tracepoints() {
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
    let parts: Vec<Part> = scenarios::ALL
        .iter()
        .flat_map(|scenario| Family::ALL.map(|family| (scenario, family, form)))
        .collect();
    let mut played = 0;
    let mut wrong = Vec::new();
    crew::play(&parts, &Arc::new(AtomicBool::new(false)), |news| {
        if let News::Played(index, result) = news {
            played += 1;
            let (scenario, family, form) = parts[index];
            for complaint in result.complaints() {
                let events: Vec<_> = result.probes.iter().map(|p| &p.timeline).collect();
                wrong.push(format!(
                    "{} over {family:?} by {form:?}: {complaint}: {events:#?}",
                    scenario.name
                ));
            }
        }
        true
    })
    .unwrap();
    assert_eq!(played, parts.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = scenarios::ALL.iter().map(|scenario| scenario.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), scenarios::ALL.len());
}
