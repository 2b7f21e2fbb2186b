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
