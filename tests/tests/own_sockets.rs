//! Programs on a cgroup that this process's sockets do not pass are noticed. A test program of its own,
//! because it is the process that moves.

use std::{fs, path::PathBuf};

use kernel::{loader::Tracer, netns, state_hook::StateHookChoice};
use probe_agent_tests::{cgroup, privileged};

/// The list of processes of the cgroup that this process is in.
fn processes() -> PathBuf {
    cgroup::of("self").join("cgroup.procs")
}

#[test]
fn sockets_of_another_cgroup_are_not_seen_and_that_is_noticed() {
    privileged!();
    let home = processes();
    let (tracer, _rings) = Tracer::load(1, netns::cookie(), true, StateHookChoice::Auto).unwrap();
    let own = processes();
    assert_ne!(home, own);
    assert!(tracer.sees_own_sockets());
    fs::write(&home, "0").unwrap();
    assert!(!tracer.sees_own_sockets());
    fs::write(&own, "0").unwrap();
    assert!(tracer.sees_own_sockets());
    // What is detached sees nothing and leaves no cgroup behind, and may be detached once more.
    tracer.detach().unwrap();
    assert!(!tracer.sees_own_sockets());
    assert_eq!(processes(), home);
    assert!(!own.exists());
    tracer.detach().unwrap();
}
