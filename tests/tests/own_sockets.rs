//! Programs on a cgroup that this process's sockets do not pass are noticed. A test program of its own,
//! because it is the process that moves.

use std::{fs, path::PathBuf};

use probe_agent::{
    probe::namespace,
    trace::{layout::Form, loader::Tracer},
};
use probe_agent_tests::privileged;

/// The list of processes of the cgroup v2 that this process is in.
fn processes() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mount = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2")).unwrap();
    let table = fs::read_to_string("/proc/self/cgroup").unwrap();
    let own = table.lines().find_map(|line| line.strip_prefix("0::/")).unwrap();
    PathBuf::from(mount.split(' ').nth(1).unwrap()).join(own).join("cgroup.procs")
}

#[test]
fn sockets_of_another_cgroup_are_not_seen_and_that_is_noticed() {
    privileged!();
    let home = processes();
    let (tracer, _rings) = Tracer::load(1, namespace::cookie(), true, Form::Auto).unwrap();
    let own = processes();
    assert_ne!(home, own);
    assert!(tracer.sees_own_sockets());
    fs::write(&home, "0").unwrap();
    assert!(!tracer.sees_own_sockets());
    fs::write(&own, "0").unwrap();
    assert!(tracer.sees_own_sockets());
}
