//! Targets that stop answering in the middle: the run continues and reports it.

use lab::{Family, Fault, Lab, Listener, ListenerOptions, Segment};
use nix::sys::signal::Signal;
use probe_agent_tests::privileged;

use crate::{running::Running, support::check_in};

const FOREVER: &str = "--count 0 --interval 5ms --timeout 50ms --settle 0 --output jsonl";

#[test]
fn the_run_continues_through_timeouts_refusals_and_recovery() {
    privileged!();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        let listener = lab.listen(family).unwrap();
        let address = listener.address();
        let mut running =
            Running::start(&mut check_in(lab.client(), &format!("{address} {FOREVER}")));
        running.until(|probe| probe["outcome"] == "alive");
        let fault = lab.inject(&Fault::lost(Segment::Syn).on_port(address.port())).unwrap();
        let silent = running.until(|probe| probe["outcome"] != "alive");
        assert_eq!(silent["outcome"], "timed_out", "{silent}");
        fault.clear().unwrap();
        running.until(|probe| probe["outcome"] == "alive");
        drop(listener);
        // Probes that started during the silence may end as late as now.
        running.until(|probe| probe["outcome"] == "refused");
        let _back = Listener::open(lab.server(), &ListenerOptions::at(address)).unwrap();
        running.until(|probe| probe["outcome"] == "alive");
        running.signal(Signal::SIGINT);
        let done = running.finish();
        assert_eq!(done.code, Some(130), "{done:?}");
        for outcome in ["alive", "timed_out", "refused"] {
            assert!(done.summary()["outcomes"][outcome].as_u64().unwrap() > 0, "{outcome}");
        }
    }
}
