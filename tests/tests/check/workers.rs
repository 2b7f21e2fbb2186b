//! How many threads probe where the command line does not say.

use std::{io, os::unix::process::CommandExt, process::Command, thread};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

use crate::support::{check, open_port, run};

/// Runs a command; how many workers it had.
fn workers(command: &mut Command) -> usize {
    let done = run(command);
    assert_eq!(done.code, Some(0), "{done:?}");
    let line = done.err.lines().find(|line| line.contains("probing starts"));
    let (_, number) = line.unwrap_or_default().split_once("workers=").unwrap_or_default();
    number.trim().parse().unwrap_or_else(|_| panic!("{done:?}"))
}

#[test]
fn a_large_run_uses_all_cores_that_it_may_use_and_a_small_one_a_single_one() {
    let open = open_port("127.0.0.1:0");
    let probing = |flags: &str| {
        check(&format!("{open} --interval 0 --settle 0 --no-kernel --log-level debug {flags}"))
    };
    // With 256 probes in flight, more than 16 workers would have too little to do.
    let cores = thread::available_parallelism().unwrap().get().min(16);
    assert_eq!(workers(&mut probing("--count 20000")), cores);
    assert_eq!(workers(&mut probing("--count 20")), 1);
    assert_eq!(workers(&mut probing("--count 20000 --workers 1")), 1);
    assert_eq!(workers(&mut probing("--count 20000 --workers 3")), 3);

    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let first = (0..CpuSet::count()).find(|cpu| allowed.is_set(*cpu).unwrap()).unwrap();
    let mut one = CpuSet::new();
    one.set(first).unwrap();
    let pin = move || sched_setaffinity(Pid::from_raw(0), &one).map_err(io::Error::from);
    let mut probing = probing("--count 20000");
    // SAFETY: between fork and exec the closure makes one system call and allocates nothing.
    let pinned = unsafe { probing.pre_exec(pin) };
    assert_eq!(workers(pinned), 1);
}
