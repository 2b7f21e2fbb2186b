//! A checker in a lab.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lab::Lab;
use probe_agent_checker::{Builder, Checker, Report, Support};

/// Longer than any answer in a lab takes, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Tests of one process share its cgroup, threads and hooks, so they run one at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other test runs.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds a checker that probes from the client of a lab, with half-open guaranteed.
pub(crate) fn build(lab: &Lab, builder: Builder) -> Checker {
    let checker = lab.client().run(|| builder.require_half_open(true).build()).unwrap().unwrap();
    assert_eq!((checker.guard(), checker.tracing()), (&Support::On, &Support::On));
    checker
}

/// Checks what every report of a guarded checker has.
pub(crate) fn guarded(report: &Report) -> &Report {
    assert!(report.half_open_enforced, "{report:?}");
    assert!(report.local_port.is_some(), "{report:?}");
    report
}
