//! State changes are observed for the agent's own sockets only, where the kernel supports it.

use kernel::{ack_guard::Guard, layout::Form, loader::Tracer, netns};
use probe_agent_tests::privileged;

/// Whether they are, and whether a hook is still attached to the tracepoint of all sockets.
fn heard(ack_guard: bool, form: Form) -> (bool, bool) {
    let cookie = netns::cookie();
    let (tracer, _rings) = Tracer::load(1, cookie, ack_guard, form).unwrap();
    assert_eq!(matches!(tracer.guard, Guard::Enforced(_)), ack_guard, "{:?}", tracer.guard);
    let at_all = tracer.kernel.hooks.iter().any(|hook| hook.tracepoint == "inet_sock_set_state");
    (tracer.hears_own_states, at_all)
}

#[test]
fn with_a_cgroup_no_other_connection_is_observed() {
    privileged!();
    assert_eq!(heard(true, Form::Auto), (true, false));
}

#[test]
fn without_one_or_on_request_the_tracepoint_is_used() {
    privileged!();
    assert_eq!(heard(false, Form::Auto), (false, true));
    assert_eq!(heard(true, Form::Raw), (false, true));
    assert_eq!(heard(true, Form::Record), (false, true));
}
