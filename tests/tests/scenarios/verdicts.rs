//! Every scenario of the demo gets the verdicts that were injected.

use std::sync::{Arc, atomic::AtomicBool};

use demo::{Case, FirstPort, Runner, RunnerEvent, scenarios};
use kernel::state_hook::StateHookChoice;
use lab::Family;
use probe_agent_tests::privileged;

#[test]
fn every_scenario_is_reported_as_injected_with_sock_ops() {
    privileged!();
    reported_as_injected(StateHookChoice::Auto, FirstPort::Own);
}

#[test]
fn every_scenario_is_reported_as_injected_with_the_tracepoint() {
    privileged!();
    reported_as_injected(StateHookChoice::Raw, FirstPort::Own);
}

/// The two ends of a flow are told apart, whatever their ports are.
#[test]
fn every_scenario_is_reported_as_injected_where_a_slot_has_the_port_of_the_target() {
    privileged!();
    reported_as_injected(StateHookChoice::Auto, FirstPort::OfTarget);
}

fn reported_as_injected(choice: StateHookChoice, first_port: FirstPort) {
    let cases: Vec<Case> = scenarios::ALL
        .iter()
        .flat_map(|scenario| Family::ALL.map(|family| (scenario, family, choice)))
        .collect();
    let mut ended = 0;
    let mut wrong = Vec::new();
    Runner::new(&cases)
        .first_port(first_port)
        .run(&Arc::new(AtomicBool::new(false)), |event| {
            if let RunnerEvent::Ended(index, result) = event {
                ended += 1;
                let (scenario, family, choice) = cases[index];
                // The tests run on a kernel that shows everything.
                for mismatch in result.mismatches.iter().chain(&result.limits) {
                    let events: Vec<_> = result.probes.iter().map(|p| &p.timeline).collect();
                    wrong.push(format!(
                        "{} over {family:?} with {choice:?}: {mismatch}: {events:#?}",
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
