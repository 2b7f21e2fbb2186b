//! RSTs that no hook saw are noticed.

use std::net::TcpStream;

use kernel::{layout::Form, loader::Tracer, netns, rst_accounting::Audit};
use lab::{Family, Lab};
use probe_agent_tests::privileged;

/// RSTs that are sent while a tracer takes `cookie` for the namespace's own, and how many of them the
/// audit misses.
fn unseen(form: Form, cookie: impl FnOnce(u64) -> u64) -> u64 {
    let lab = Lab::new().unwrap();
    let closed = lab.closed_port(Family::V4).unwrap();
    let here = lab.server();
    let cookie = cookie(here.run(netns::cookie).unwrap());
    let (tracer, _rings) = Tracer::load(1, cookie, false, form).unwrap();
    assert!(tracer.sees_every_rst());
    here.run(|| {
        let mut audit = Audit::begin(&tracer).unwrap();
        for _ in 0..3 {
            TcpStream::connect(closed.address()).unwrap_err();
        }
        // What is missing once may be about to be seen.
        audit.unseen(&tracer);
        audit.unseen(&tracer)
    })
    .unwrap()
}

#[test]
fn rsts_that_are_seen_are_not_missing() {
    privileged!();
    for form in [Form::Auto, Form::Raw, Form::Record] {
        assert_eq!(unseen(form, |own| own), 0, "{form:?}");
    }
}

#[test]
fn rsts_that_are_not_seen_are_missing() {
    privileged!();
    for form in [Form::Auto, Form::Raw, Form::Record] {
        assert_eq!(unseen(form, |own| own + 1_000_000), 3, "{form:?}");
    }
}
