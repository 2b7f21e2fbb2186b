//! A running agent that is moved to another cgroup, where its guard is not attached.

use std::{fs, net::SocketAddr};

use lab::{Family, Lab};
use nix::sys::signal::Signal;
use probe_agent_tests::{cgroup, privileged};
use serde_json::Value;

use crate::{running::Running, support::check_in};

#[test]
fn sockets_outside_the_guards_cgroup_are_not_reported_as_guarded() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    // The socket of a slot stays in the cgroup that it was made in.
    let flags = format!(
        "{} {} --count 0 --interval 5ms --settle 0 --fresh-sockets --output jsonl",
        listener.address(),
        // Nothing listens there.
        SocketAddr::new(listener.address().ip(), 1)
    );
    let mut running = Running::start(&mut check_in(lab.client(), &flags));
    assert_eq!(running.line()["half_open"], "enforced");
    let here = cgroup::of("self").join("cgroup.procs");
    fs::write(here, running.id().to_string()).unwrap();
    for (outcome, proof) in [("alive", "unknown"), ("refused", "inferred")] {
        let probe = running.until(|probe: &Value| {
            probe["outcome"] == outcome && probe["half_open"] == "not_enforced"
        });
        assert_eq!(probe["proof"], proof, "{probe}");
    }
    running.signal(Signal::SIGINT);
    let summary = running.finish().summary();
    assert_eq!(summary["half_open"], "not_enforced", "{summary}");
    let unguarded = summary["unguarded"].as_u64().unwrap();
    assert!((1..summary["probes"].as_u64().unwrap()).contains(&unguarded), "{summary}");
}
