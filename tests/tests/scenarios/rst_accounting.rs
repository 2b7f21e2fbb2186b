//! RSTs that no hook saw are noticed.

use std::net::TcpStream;

use kernel::{loader::Tracer, netns, rst_accounting::RstAccounting, state_hook::StateHookChoice};
use lab::{Family, Lab};
use probe_agent_tests::privileged;

/// How many of the RSTs that are sent while a tracer takes `cookie` for the namespace's own are missed.
fn unseen(choice: StateHookChoice, cookie: impl FnOnce(u64) -> u64) -> u64 {
    let lab = Lab::new().unwrap();
    let closed = lab.closed_port(Family::V4).unwrap();
    let here = lab.server();
    let cookie = cookie(here.run(netns::cookie).unwrap());
    let (tracer, _rings) = Tracer::load(1, cookie, false, choice).unwrap();
    assert!(tracer.sees_every_rst());
    here.run(|| {
        let mut accounting = RstAccounting::begin(&tracer).unwrap();
        for _ in 0..3 {
            TcpStream::connect(closed.address()).unwrap_err();
        }
        // What is missing once may be about to be seen.
        accounting.unseen(&tracer);
        accounting.unseen(&tracer)
    })
    .unwrap()
}

#[test]
fn rsts_that_are_seen_are_not_missing() {
    privileged!();
    for choice in [StateHookChoice::Auto, StateHookChoice::Raw] {
        assert_eq!(unseen(choice, |own| own), 0, "{choice:?}");
    }
}

#[test]
fn rsts_that_are_not_seen_are_missing() {
    privileged!();
    for choice in [StateHookChoice::Auto, StateHookChoice::Raw] {
        assert_eq!(unseen(choice, |own| own + 1_000_000), 3, "{choice:?}");
    }
}
