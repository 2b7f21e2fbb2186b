//! The memory of a run does not grow with its length.

use std::fs;

use probe_agent::lab::{Family, Fault, Lab, Segment};
use probe_agent_tests::{binary, privileged};

use crate::{
    running::{Running, wait_until},
    support::prepare,
};

/// Resident memory of a process in KiB.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[test]
fn four_times_the_probes_take_no_more_memory() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let syns = lab.inject(&Fault::counted(Segment::Syn)).unwrap();
    // In the lab's namespace itself, because it has to end with this test.
    let mut command = lab.client().command(binary::agent()).unwrap();
    prepare(&mut command).args(["check", &listener.address().to_string(), "--require-kernel"]);
    command.args(["--count", "0", "--interval", "0", "--settle", "50ms"]);
    let mut running = Running::start(&mut command);
    let mut after = |probes: u64| {
        wait_until("so many probes", || {
            assert!(running.is_running());
            syns.seen().unwrap() >= probes
        });
        resident(running.id())
    };
    let (early, late) = (after(100_000), after(400_000));
    assert!(late <= early + 4 * 1024, "{early} KiB, then {late} KiB");
}
