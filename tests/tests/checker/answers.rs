//! What a check reports.

use std::time::Duration;

use lab::{Family, Fault, Lab, Segment};
use probe_agent_checker::{CheckError, Checker, Outcome, Report};
use probe_agent_tests::privileged;

use crate::support::{PATIENCE, build, guarded, turn};

#[test]
fn alive_refused_timed_out_unreachable() {
    privileged!();
    let _turn = turn();
    for family in Family::ALL {
        let lab = Lab::new().unwrap();
        let listener = lab.listen(family).unwrap();
        let closed = lab.closed_port(family).unwrap();
        let checker = build(&lab, Checker::builder().slots(16));
        let check = |address, timeout| checker.check_blocking(address, timeout).unwrap();

        let alive = check(listener.address(), PATIENCE);
        assert_eq!((alive.outcome, alive.errno), (Outcome::Alive, None), "{alive:?}");
        assert!(guarded(&alive).handshake.is_some_and(|t| !t.is_zero()), "{alive:?}");
        assert!(alive.is_alive() && alive.timed_by_kernel && !alive.falsely_refused, "{alive:?}");
        assert_eq!(alive.address, listener.address());

        let refused = check(closed.address(), PATIENCE);
        let seen = (refused.outcome, refused.errno, refused.handshake);
        assert_eq!(seen, (Outcome::Refused, Some(libc::ECONNREFUSED), None), "{refused:?}");
        guarded(&refused);

        let lost = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
        let silent = check(listener.address(), Duration::from_millis(50));
        let seen = (silent.outcome, silent.errno, silent.handshake);
        assert_eq!(seen, (Outcome::TimedOut, None, None), "{silent:?}");
        guarded(&silent);
        lost.clear().unwrap();

        let nowhere = match family {
            Family::V4 => "192.0.2.9:80".parse().unwrap(),
            Family::V6 => "[2001:db8::9]:80".parse().unwrap(),
        };
        let unreachable = check(nowhere, PATIENCE);
        let seen = (unreachable.outcome, unreachable.errno, unreachable.local_port);
        assert_eq!(seen, (Outcome::Unreachable, Some(libc::ENETUNREACH), None), "{unreachable:?}");

        lab.settle().unwrap();
        assert_eq!(listener.accepted().unwrap(), 0);
        let stats = checker.stats();
        assert_eq!((stats.ended, stats.alive, stats.queued), (4, 1, 0), "{stats:?}");
    }
}

#[test]
fn a_source_address_of_another_host_is_a_local_error() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let checker = build(&lab, Checker::builder().source("192.0.2.1".parse().unwrap()));
    let report = checker.check_blocking(listener.address(), PATIENCE).unwrap();
    let seen = (report.outcome, report.errno, report.local_port);
    assert_eq!(seen, (Outcome::LocalError, Some(libc::EADDRNOTAVAIL), None), "{report:?}");
}

/// Path C: a confirmation probe from another port decides whether a stale connection caused a refusal.
#[test]
fn a_confirmation_probe_decides_about_a_doubtful_refusal() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let checker = build(&lab, Checker::builder().slots(2).source_ports(30_000..=30_001));
    let check = |timeout| checker.check_blocking(listener.address(), timeout).unwrap();
    // Both ports have a SYN without an answer behind them: the next probe from one of them may meet a
    // stale connection.
    let lost = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let outcomes = [check(Duration::from_millis(5)), check(Duration::from_millis(5))];
    assert!(outcomes.iter().all(|r| r.outcome == Outcome::TimedOut), "{outcomes:?}");
    lost.clear().unwrap();
    let refusal = Fault::refused(lab::Reject::TcpReset).first(1);
    let refusal = lab.inject(&refusal).unwrap();
    let report = check(PATIENCE);
    assert_eq!(refusal.hits().unwrap(), 1, "{report:?}");
    assert!(report.is_alive() && report.falsely_refused && report.errno.is_none(), "{report:?}");
    assert_eq!(checker.stats().confirmation_probes, 1);
}

#[test]
fn any_executor_works() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let checker = build(&lab, Checker::builder());
    let both = || async {
        let first = checker.check(listener.address(), PATIENCE).await?;
        Ok::<[Report; 2], CheckError>([
            first,
            checker.try_check(listener.address(), PATIENCE).await?,
        ])
    };
    let current = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let several = tokio::runtime::Runtime::new().unwrap();
    for reports in [current.block_on(both()), several.block_on(both())] {
        assert!(reports.unwrap().iter().all(Report::is_alive));
    }
}
