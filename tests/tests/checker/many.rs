//! One checker, many tasks.

use lab::{Family, Lab};
use probe_agent_checker::{Checker, Report};
use probe_agent_tests::privileged;
use tokio::task::JoinSet;

use crate::support::{PATIENCE, build, guarded, turn};

const TASKS: usize = 2_000;

#[test]
fn two_thousand_tasks_share_a_checker() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listeners = Family::ALL.map(|family| lab.listen(family).unwrap());
    let checker = build(&lab, Checker::builder().slots(256));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let reports: Vec<Report> = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let (checker, address) = (checker.clone(), listeners[task % 2].address());
            tasks.spawn(async move { checker.check(address, PATIENCE).await.unwrap() });
        }
        tasks.join_all().await
    });
    assert_eq!(reports.len(), TASKS);
    for report in &reports {
        assert!(guarded(report).is_alive(), "{report:?}");
    }
    let mut probes: Vec<_> = reports.iter().map(|r| r.probe).collect();
    probes.sort_unstable();
    probes.dedup();
    assert_eq!(probes.len(), TASKS, "each check is a probe of its own");
    lab.settle().unwrap();
    for listener in &listeners {
        assert_eq!(listener.accepted().unwrap(), 0);
    }
    let stats = checker.stats();
    assert_eq!((stats.ended, stats.queued, stats.cancelled), (TASKS as u64, 0, 0), "{stats:?}");
}

#[test]
fn threads_share_a_checker() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let checker = build(&lab, Checker::builder().slots(8));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let report = checker.check_blocking(listener.address(), PATIENCE).unwrap();
                    assert!(report.is_alive(), "{report:?}");
                }
            });
        }
    });
    lab.settle().unwrap();
    assert_eq!(listener.accepted().unwrap(), 0);
}
