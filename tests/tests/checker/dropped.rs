//! Futures that are dropped.

use std::{
    pin::pin,
    task::{Context, Waker},
    time::{Duration, Instant},
};

use lab::{Family, Fault, Lab, Segment};
use probe_agent_checker::Checker;
use probe_agent_tests::privileged;

use crate::support::{PATIENCE, build, turn};

/// Polls a future once and drops it.
fn abandon(future: impl Future) {
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    drop(polled);
}

#[test]
fn dropping_futures_is_harmless() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let checker = build(&lab, Checker::builder().slots(4).queue(8));
    // In flight: their SYNs get no answer. Waiting in the queue: three are in flight at a time.
    // Waiting for room: the queue holds eight. Never polled.
    let lost = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    for _ in 0..100 {
        abandon(checker.check(listener.address(), Duration::from_millis(200)));
        drop(checker.check(listener.address(), PATIENCE));
    }
    lost.clear().unwrap();
    let report = checker.check_blocking(listener.address(), PATIENCE).unwrap();
    assert!(report.is_alive(), "{report:?}");
    let stats = checker.stats();
    assert!(stats.cancelled > 0 && stats.queued == 0, "{stats:?}");
    // Those that were in flight end by themselves.
    let until = Instant::now() + PATIENCE;
    while checker.stats().in_flight > 0 {
        assert!(Instant::now() < until, "{:?}", checker.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
    lab.settle().unwrap();
    assert_eq!(listener.accepted().unwrap(), 0);
}

#[test]
fn a_check_that_is_not_polled_starts_no_probe() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let checker = build(&lab, Checker::builder());
    drop(checker.check(listener.address(), PATIENCE));
    // The worker takes requests in order, so the first one would have ended by now.
    checker.check_blocking(listener.address(), PATIENCE).unwrap();
    assert_eq!(checker.stats().ended, 1);
}
