//! Which hook reports state changes: of the agent's own sockets only, wherever that is possible.

use kernel::{loader::Tracer, netns, state_hook::StateHookChoice};
use model::record::{HalfOpen, StateHook};
use probe_agent_tests::privileged;

/// The hook of state changes, and whether any program is attached to the tracepoint that all sockets
/// pass.
fn attached(ack_guard: bool, choice: StateHookChoice) -> (Option<StateHook>, bool) {
    let cookie = netns::cookie();
    let (tracer, _rings) = Tracer::load(1, cookie, ack_guard, choice).unwrap();
    let capabilities = tracer.capabilities();
    assert_eq!(tracer.half_open() == HalfOpen::Enforced, ack_guard, "{capabilities:?}");
    assert_eq!(capabilities.missing().count(), 0, "{capabilities:?}");
    let at_all = tracer.programs().contains(&"inet_sock_set_state");
    (tracer.state_hook(), at_all)
}

#[test]
fn with_a_cgroup_no_other_connection_passes() {
    privileged!();
    assert_eq!(attached(true, StateHookChoice::Auto), (Some(StateHook::SockOps), false));
}

#[test]
fn without_one_or_when_asked_to_the_tracepoint_reports() {
    privileged!();
    let tracepoint = (Some(StateHook::Tracepoint), true);
    assert_eq!(attached(false, StateHookChoice::Auto), tracepoint);
    assert_eq!(attached(true, StateHookChoice::Raw), tracepoint);
}

/// A child that is still in the cgroup keeps the agent from removing it. The next session of the process uses
/// it again, and nothing is attached to the cgroup above it.
#[test]
fn a_cgroup_that_could_not_be_removed_is_used_again() {
    privileged!();
    let own_path = || {
        let table = std::fs::read_to_string("/proc/self/cgroup").unwrap();
        table.lines().find_map(|line| line.strip_prefix("0::")).unwrap().to_owned()
    };
    let name = format!("probe-agent-{}", std::process::id());
    let load = || Tracer::load(1, netns::cookie(), true, StateHookChoice::Auto).unwrap();
    let (tracer, _rings) = load();
    assert!(own_path().ends_with(&name), "{}", own_path());
    let mut child = std::process::Command::new("sleep").arg("infinity").spawn().unwrap();
    // Other tests of this process may still be in it. Otherwise it cannot be removed now.
    let _ = tracer.detach();
    let (tracer, _rings) = load();
    let (half_open, path) = (tracer.half_open(), own_path());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(half_open, HalfOpen::Enforced, "{:?}", tracer.capabilities());
    assert!(path.ends_with(&name), "{path}");
}
