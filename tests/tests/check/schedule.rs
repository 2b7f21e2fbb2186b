//! When probes start, by the kernel's timestamps. A busy machine makes probes late, never early, so only
//! lower bounds are asserted.

use std::fs;

use lab::{Family, Fault, Lab, Segment};
use nix::sys::signal::Signal;
use probe_agent_tests::privileged;
use serde_json::Value;

use crate::{
    running::Running,
    support::{Scratch, check_in, run},
};

const SECOND: u64 = 1_000_000_000;

/// A worker that wakes late may catch up with this much of a rate.
const LATE: u64 = SECOND / 50;

/// A start is recorded at the beginning of a turn of the event loop; its SYN leaves within that turn.
const TURN: u64 = SECOND / 100;

fn start(probe: &Value) -> u64 {
    probe["start_unix_nano"].as_str().unwrap().parse().unwrap()
}

fn starts(probes: &[Value]) -> Vec<u64> {
    let mut starts: Vec<u64> = probes.iter().map(start).collect();
    starts.sort_unstable();
    starts
}

#[test]
fn each_target_has_its_own_interval() {
    privileged!();
    let lab = Lab::new().unwrap();
    let [slow, fast] = Family::ALL.map(|family| lab.listen(family).unwrap());
    let scratch = Scratch::new();
    let file = scratch.join("targets");
    let text = format!("{}\n{} interval=10ms # often\n", slow.address(), fast.address());
    fs::write(&file, text).unwrap();
    let flags = "--interval 1h --count 0 --settle 0 --output jsonl";
    let mut command = check_in(lab.client(), flags);
    let mut running = Running::start(command.arg("--targets-file").arg(&file));
    let fast = fast.address().to_string();
    let mut of_slow = 0;
    let mut of_fast = 0;
    while of_fast < 30 {
        let probe = running.line();
        assert_eq!(probe["outcome"], "alive", "{probe}");
        if probe["target"] == *fast { of_fast += 1 } else { of_slow += 1 }
    }
    running.signal(Signal::SIGINT);
    assert_eq!(running.finish().code, Some(130));
    assert_eq!(of_slow, 1, "its first one, and no other within the hour");
}

#[test]
fn first_probes_are_spread_over_the_interval() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let targets = vec![listener.address().to_string(); 20].join(" ");
    let flags = format!("{targets} --interval 1s --count 2 --settle 0 --output jsonl");
    let done = run(&mut check_in(lab.client(), &flags));
    assert_eq!(done.code, Some(0), "{done:?}");
    let starts = starts(&done.probes());
    assert_eq!(starts.len(), 40);
    let gap = starts[19] - starts[0];
    assert!(gap >= SECOND * 8 / 10, "20 first probes within {gap} ns");
}

#[test]
fn single_probes_do_not_wait() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let targets = vec![listener.address().to_string(); 20].join(" ");
    let flags = format!("{targets} --interval 1h --settle 0 --output jsonl");
    let done = run(&mut check_in(lab.client(), &flags));
    assert_eq!((done.code, done.probes().len()), (Some(0), 20), "{done:?}");
}

#[test]
fn rates_hold() {
    privileged!();
    let lab = Lab::new().unwrap();
    // Two targets on one host, the third on another. Each limit results in 20 probes per second.
    let listeners = [Family::V4, Family::V4, Family::V6].map(|family| lab.listen(family).unwrap());
    let targets = listeners.each_ref().map(|listener| listener.address().to_string());
    for (flag, counted) in [("--rate 20", &targets[..]), ("--rate-per-host 20", &targets[..2])] {
        for workers in [1, 2] {
            let flags = format!(
                "{} {flag} --workers {workers} --interval 0 --count 12 --settle 0 --output jsonl",
                targets.join(" ")
            );
            let done = run(&mut check_in(lab.client(), &flags));
            assert_eq!((done.code, done.probes().len()), (Some(0), 36), "{done:?}");
            let mut probes = done.probes();
            probes.retain(|probe| counted.iter().any(|target| probe["target"] == **target));
            let starts = starts(&probes);
            assert!(starts.len() >= 24);
            for more_than_a_second in starts.windows(21) {
                let took = more_than_a_second[20] - more_than_a_second[0];
                assert!(took + LATE + TURN >= SECOND, "{flag}: 21 probes in {took} ns");
            }
        }
    }
}

#[test]
fn jitter_varies_the_interval() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let flags = "--interval 40ms --jitter 50% --count 40 --settle 0 --output jsonl";
    let done = run(&mut check_in(lab.client(), &format!("{} {flags}", listener.address())));
    assert_eq!(done.code, Some(0), "{done:?}");
    let starts = starts(&done.probes());
    let short = starts.windows(2).filter(|pair| pair[1] - pair[0] < SECOND * 36 / 1000).count();
    assert!(short >= 3, "only {short} of 39 waits are shorter than the interval");
}

#[test]
fn timeouts_come_in_order() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let _silence = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let flags =
        "--count 3000 --interval 0 --concurrency 3000 --timeout 1s --settle 0 --output jsonl";
    let done = run(&mut check_in(lab.client(), &format!("{} {flags}", listener.address())));
    assert_eq!(done.code, Some(1), "{done:?}");
    let probes = done.probes();
    assert_eq!(probes.len(), 3000);
    let ended = |probe: &Value| {
        let steps = probe["steps"].as_array().unwrap();
        // A SYN retransmit that the lab drops at the same time may come after it.
        let end = steps.iter().find(|step| step["name"] == "timed_out").unwrap();
        (end["at_seconds"].as_f64().unwrap() * 1e9) as u64
    };
    for probe in &probes {
        assert_eq!(probe["outcome"], "timed_out", "{probe}");
        let took = ended(probe);
        // The deadline counts from just before the SYN. A busy machine may stop the worker between the two
        // and before the end. These bounds only guard against a deadline of another probe, or one that is
        // forgotten until something else happens.
        assert!((SECOND / 2..10 * SECOND).contains(&took), "{took} ns: {probe}");
    }
    let mut by_start: Vec<(u64, u64)> =
        probes.iter().map(|probe| (start(probe), start(probe) + ended(probe))).collect();
    by_start.sort_unstable();
    assert!(by_start.windows(2).all(|pair| pair[0].1 <= pair[1].1), "out of order");
}
