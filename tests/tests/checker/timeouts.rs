//! Each check has a timeout of its own.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use lab::{Family, Fault, Lab, Segment};
use probe_agent_checker::{Checker, Outcome};
use probe_agent_tests::privileged;
use tokio::task::JoinSet;

use crate::support::{build, turn};

/// Shorter than the difference of two timeouts, longer than from the worker's clock to the SYN.
const SLACK: Duration = Duration::from_millis(25);

#[test]
fn timeouts_differ_and_expire_in_order() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let checker = build(&lab, Checker::builder().slots(64));
    let _lost = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    // Requested in another order.
    let timeouts: Vec<u64> = (0..20).map(|n| 100 + (n * 7 % 20) * 50).collect();
    let ended = Arc::new(Mutex::new(Vec::new()));
    // One thread: tasks that are woken first run first.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for &millis in &timeouts {
            let (checker, ended) = (checker.clone(), Arc::clone(&ended));
            let address = listener.address();
            tasks.spawn(async move {
                let requested = Instant::now();
                let timeout = Duration::from_millis(millis);
                let report = checker.check(address, timeout).await.unwrap();
                assert_eq!(report.outcome, Outcome::TimedOut, "{report:?}");
                let took = requested.elapsed();
                assert!(took >= timeout, "{took:?} of {timeout:?}");
                ended.lock().unwrap().push(requested + report.waited + timeout);
            });
        }
        tasks.join_all().await
    });
    // Counted from the SYN, which a busy machine sends late.
    let ended = ended.lock().unwrap();
    assert_eq!(ended.len(), timeouts.len());
    assert!(ended.windows(2).all(|pair| pair[0] <= pair[1] + SLACK), "{ended:?}");
}

#[test]
fn a_short_timeout_does_not_wait_for_a_long_one() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let checker = build(&lab, Checker::builder());
    let _lost = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let long = {
        let (checker, address) = (checker.clone(), listener.address());
        std::thread::spawn(move || checker.check_blocking(address, Duration::from_secs(5)).unwrap())
    };
    while checker.stats().in_flight == 0 {
        std::thread::yield_now();
    }
    let requested = Instant::now();
    let report = checker.check_blocking(listener.address(), Duration::ZERO).unwrap();
    assert_eq!(report.outcome, Outcome::TimedOut, "{report:?}");
    assert!(requested.elapsed() < Duration::from_secs(4), "{:?}", requested.elapsed());
    assert_eq!(long.join().unwrap().outcome, Outcome::TimedOut);
}
