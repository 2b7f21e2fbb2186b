//! Tests that need root report it when they are skipped, or fail where root is required.

use std::io::Write;
use std::thread;

use nix::sched::{CloneFlags, unshare};

/// Set to 1 where privilege is required: a test that would be skipped fails then.
const REQUIRE: &str = "PROBE_AGENT_REQUIRE_PRIVILEGE";

/// Leaves the test, visibly, if it may not make network namespaces.
///
/// Put it first in each test that makes a lab.
#[macro_export]
macro_rules! privileged {
    () => {
        if !$crate::is_privileged() {
            return;
        }
    };
}

/// Whether this process may make network namespaces. If not, reports on standard error that the test of
/// this thread is skipped.
///
/// # Panics
/// If not, and `PROBE_AGENT_REQUIRE_PRIVILEGE=1`.
#[must_use]
pub fn is_privileged() -> bool {
    // Tried rather than derived from the user id: root in a container may lack the privilege.
    let tried = thread::spawn(|| unshare(CloneFlags::CLONE_NEWNET)).join();
    let Ok(Err(errno)) = tried else { return true };
    let test = thread::current();
    let test = test.name().unwrap_or("?");
    assert!(
        std::env::var_os(REQUIRE).is_none_or(|value| value != "1"),
        "{test} needs root, and {REQUIRE}=1 requires it: cannot make a network namespace: {errno}"
    );
    // Written to the stream itself, because the test harness hides what a passing test prints.
    let _ = writeln!(std::io::stderr(), "SKIPPED (needs root): {test}: {errno}");
    false
}
