//! Settings at their limits. They need no privileges.

use std::{net::TcpListener, time::Duration};

use probe_agent_checker::{Checker, Outcome};

/// No overflow, no panic and no wait: with the kernel's help where this user may have it, and without.
#[test]
fn the_largest_settings_work() {
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = backend.local_addr().unwrap();
    for kernel in [true, false] {
        let checker = Checker::builder()
            .kernel(kernel)
            .slots(u32::MAX)
            .queue(usize::MAX)
            .settle(Duration::MAX)
            .on_settled(drop)
            .build()
            .unwrap();
        let report = checker.check_blocking(address, Duration::MAX).unwrap();
        assert_eq!(report.outcome, Outcome::Alive, "{report:?} {checker:?}");
        checker.shutdown().unwrap();
    }
}

#[test]
fn the_smallest_settings_work() {
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let checker = Checker::builder().slots(1).queue(0).settle(Duration::ZERO).build().unwrap();
    let address = backend.local_addr().unwrap();
    let check = |timeout| checker.check_blocking(address, timeout).unwrap();
    let report = check(Duration::from_secs(20));
    assert_eq!(report.outcome, Outcome::Alive, "{report:?} {checker:?}");
    // Whether loopback answers within no time at all depends on the kernel's softirqs.
    let report = check(Duration::ZERO);
    assert!(matches!(report.outcome, Outcome::Alive | Outcome::TimedOut), "{report:?} {checker:?}");
}
