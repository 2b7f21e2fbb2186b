//! A checker leaves nothing behind.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use lab::{Family, Lab};
use probe_agent_checker::{CheckError, Checker};
use probe_agent_tests::{cgroup, privileged};

use crate::support::{PATIENCE, build, turn};

/// Names of the threads of this process.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    // A thread that ends meanwhile has no name any more.
    tasks.filter_map(|t| fs::read_to_string(t.path().join("comm")).ok()).collect()
}

/// How many threads of checkers there are.
fn workers() -> usize {
    let ours = ["probe-worker", "trace-reader"];
    threads().iter().filter(|name| ours.contains(&name.trim())).count()
}

/// The targets of this process's descriptors.
fn descriptors() -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc/self/fd").unwrap().flatten();
    // The descriptor that reads the directory is closed by the time that its link is read.
    let mut all: Vec<_> = entries.filter_map(|e| fs::read_link(e.path()).ok()).collect();
    all.sort();
    all
}

#[test]
fn the_last_clone_ends_the_threads_and_leaves_no_cgroup() {
    privileged!();
    let _turn = turn();
    let before = descriptors();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let home = cgroup::of("self");
    assert_eq!(workers(), 0);
    let checker = build(&lab, Checker::builder().slots(8));
    let own = cgroup::of("self");
    assert_ne!(own, home);
    assert_eq!(workers(), 2);
    let clones: BTreeSet<u16> = (0..4)
        .map(|_| checker.clone())
        .map(|clone| clone.check_blocking(listener.address(), PATIENCE).unwrap())
        .filter_map(|report| report.local_port)
        .collect();
    assert!(!clones.is_empty());
    let last = checker.clone();
    drop(checker);
    assert_eq!(workers(), 2, "a clone is left");
    assert!(last.check_blocking(listener.address(), PATIENCE).unwrap().is_alive());
    drop(last);
    assert_eq!(workers(), 0);
    assert_eq!(cgroup::of("self"), home);
    assert!(!own.exists(), "{}", own.display());
    drop((listener, lab));
    assert_eq!(descriptors(), before);
}

#[test]
fn a_shutdown_does_not_wait_for_the_last_clone() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let home = cgroup::of("self");
    let checker = build(&lab, Checker::builder().slots(8));
    assert!(checker.check_blocking(listener.address(), PATIENCE).unwrap().is_alive());
    checker.clone().shutdown().unwrap();
    assert_eq!((cgroup::of("self"), workers()), (home, 0));
    let later = checker.check_blocking(listener.address(), PATIENCE);
    assert_eq!(later, Err(CheckError::Stopped));
}

/// Nobody can wait for the threads then: the last of them to end detaches the programs.
#[test]
fn the_last_clone_may_be_dropped_on_the_workers_own_thread() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let home = cgroup::of("self");
    let last = Arc::<Mutex<Option<Checker>>>::default();
    let in_hook = Arc::clone(&last);
    let settled = move |_| drop(in_hook.lock().unwrap().take());
    let checker = build(
        &lab,
        Checker::builder().slots(8).settle(Duration::from_millis(300)).on_settled(settled),
    );
    let own = cgroup::of("self");
    assert_ne!(own, home);
    last.lock().unwrap().replace(checker.clone());
    assert!(checker.check_blocking(listener.address(), PATIENCE).unwrap().is_alive());
    assert!(last.lock().unwrap().is_some(), "the probe settles later");
    drop(checker);
    let end = Instant::now() + PATIENCE;
    while workers() > 0 || own.exists() {
        assert!(Instant::now() < end, "{:?}, {}", threads(), own.display());
        thread::yield_now();
    }
    assert_eq!(cgroup::of("self"), home);
}

#[test]
fn two_checkers_share_the_cgroup_and_the_last_leaves_it() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let home = cgroup::of("self");
    let first = build(&lab, Checker::builder().slots(8));
    let second = build(&lab, Checker::builder().slots(8));
    for checker in [&first, &second] {
        assert!(checker.check_blocking(listener.address(), PATIENCE).unwrap().is_alive());
    }
    drop(first);
    assert_ne!(cgroup::of("self"), home);
    assert!(second.check_blocking(listener.address(), PATIENCE).unwrap().is_alive());
    drop(second);
    assert_eq!((cgroup::of("self"), workers()), (home, 0));
}

#[test]
fn without_the_guard_the_process_stays_in_its_cgroup() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let home = cgroup::of("self");
    let builders = [Checker::builder().ack_guard(false), Checker::builder().kernel(false)];
    for builder in builders {
        let checker = lab.client().run(|| builder.build()).unwrap().unwrap();
        let report = checker.check_blocking(listener.address(), PATIENCE).unwrap();
        assert!(report.is_alive() && !report.half_open_enforced, "{report:?}");
        assert_eq!(report.timed_by_kernel, *checker.tracing() == probe_agent_checker::Support::On);
        assert_eq!(cgroup::of("self"), home);
    }
}
