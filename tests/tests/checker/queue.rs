//! A full queue.

use std::time::{Duration, Instant};

use lab::{Family, Fault, Lab, Segment};
use probe_agent_checker::{CheckError, Checker, Outcome};
use probe_agent_tests::privileged;
use tokio::task::JoinSet;

use crate::support::{PATIENCE, build, turn};

/// Longer than this test needs to find the queue full, and than the kernel waits before it retransmits
/// a SYN.
const TIMEOUT: Duration = Duration::from_secs(3);

#[test]
fn a_full_queue_fails_try_check_and_delays_check() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    // One probe at a time, two requests in the queue.
    let checker = build(&lab, Checker::builder().slots(2).queue(2));
    let lost = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut waiting = JoinSet::new();
        for _ in 0..6 {
            let (checker, address) = (checker.clone(), listener.address());
            waiting.spawn(async move { checker.check(address, TIMEOUT).await.unwrap() });
        }
        let until = Instant::now() + PATIENCE;
        while checker.stats().queue_full == 0 {
            assert!(Instant::now() < until, "{:?}", checker.stats());
            tokio::task::yield_now().await;
        }
        let refused = checker.try_check(listener.address(), PATIENCE).await;
        assert_eq!(refused, Err(CheckError::QueueFull));
        let stats = checker.stats();
        assert!(stats.queued <= 2 && stats.queue_full >= 2, "{stats:?}");
        lost.clear().unwrap();
        // No check is lost: those that waited for room have their turn.
        let reports = waiting.join_all().await;
        assert_eq!(reports.len(), 6);
        for report in reports {
            assert!(matches!(report.outcome, Outcome::Alive | Outcome::TimedOut), "{report:?}");
        }
        assert!(checker.try_check(listener.address(), PATIENCE).await.unwrap().is_alive());
    });
    lab.settle().unwrap();
    assert_eq!(listener.accepted().unwrap(), 0);
}
