//! The demo's scenarios, one by one.

use std::sync::{Arc, atomic::AtomicBool};

use demo::{
    crew::{self, News, Part},
    scenarios,
};
use kernel::state_hook::StateHookChoice;
use lab::Family;
use probe_agent_tests::privileged;

#[test]
fn every_scenario_is_judged_as_injected_with_sock_ops() {
    privileged!();
    judged_as_injected(StateHookChoice::Auto);
}

#[test]
fn every_scenario_is_judged_as_injected_with_the_tracepoint() {
    privileged!();
    judged_as_injected(StateHookChoice::Raw);
}

fn judged_as_injected(choice: StateHookChoice) {
    let parts: Vec<Part> = scenarios::ALL
        .iter()
        .flat_map(|scenario| Family::ALL.map(|family| (scenario, family, choice)))
        .collect();
    let mut played = 0;
    let mut wrong = Vec::new();
    crew::play(&parts, &Arc::new(AtomicBool::new(false)), |news| {
        if let News::Played(index, result) = news {
            played += 1;
            let (scenario, family, choice) = parts[index];
            for complaint in result.complaints() {
                let events: Vec<_> = result.probes.iter().map(|p| &p.timeline).collect();
                wrong.push(format!(
                    "{} over {family:?} with {choice:?}: {complaint}: {events:#?}",
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
