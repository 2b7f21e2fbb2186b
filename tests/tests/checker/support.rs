//! A checker in a lab.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lab::Lab;
use probe_agent_checker::{Builder, Checker, Report, Support};

/// Longer than any answer in a lab takes, however busy the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Tests of one process share its cgroup, and each looks at threads and hooks of its own only while
/// no other test has any.
static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other test runs.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds a checker whose probes leave from the client of a lab, half-open guaranteed.
pub(crate) fn build(lab: &Lab, builder: Builder) -> Checker {
    let checker = lab.client().run(|| builder.require_half_open(true).build()).unwrap().unwrap();
    assert_eq!((checker.guard(), checker.tracing()), (&Support::On, &Support::On));
    checker
}

/// A report with what every one of a guarded, traced checker has.
pub(crate) fn guarded(report: &Report) -> &Report {
    assert!(report.half_open_enforced, "{report:?}");
    assert!(report.local_port.is_some(), "{report:?}");
    report
}
