//! The memory of a run does not grow with its length, and only little with its targets.

use std::fs;

use lab::{Family, Fault, Lab, Segment};
use probe_agent_tests::{binary, privileged};

use crate::{
    running::{Running, wait_until},
    support::{Scratch, prepare},
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
    // In the lab's namespace, because it must end with this test.
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

/// The limit for each of 100,000 targets, in bytes: with the base of any run that makes 100 MiB.
const EACH: u64 = 600;

/// Resident memory in KiB with so many targets, each probed twice.
fn resident_at(targets: u64) -> u64 {
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let syns = lab.inject(&Fault::counted(Segment::Syn)).unwrap();
    let scratch = Scratch::new();
    let file = scratch.join("targets");
    fs::write(&file, format!("{}\n", listener.address()).repeat(targets as usize)).unwrap();
    let mut command = lab.client().command(binary::agent()).unwrap();
    prepare(&mut command).args(["check", "--require-kernel", "--targets-file"]).arg(file);
    // A short settle window: memory of unsettled probes is not measured here.
    command.args(["--count", "0", "--interval", "2s", "--settle", "10ms"]);
    let mut running = Running::start(&mut command);
    wait_until("so many probes", || {
        assert!(running.is_running());
        syns.seen().unwrap() >= 2 * targets
    });
    resident(running.id())
}

#[test]
fn a_hundred_thousand_targets_fit() {
    privileged!();
    let (few, more) = (1_000, 21_000);
    let (at_few, at_more) = (resident_at(few), resident_at(more));
    let each = at_more.saturating_sub(at_few) * 1024 / (more - few);
    assert!(each <= EACH, "{each} bytes a target: {at_few} KiB, then {at_more} KiB");
}
