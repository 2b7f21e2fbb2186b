//! A source address that is removed during a run, and added again.

use lab::{End, Family, Lab};
use nix::sys::signal::Signal;
use probe_agent_tests::privileged;

use crate::{running::Running, support::check_in};

#[test]
fn without_its_address_a_target_is_a_local_error_until_it_is_back() {
    privileged!();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        lab.move_vip(Some(End::Client)).unwrap();
        let listener = lab.listen(family).unwrap();
        let flags = "--count 0 --interval 5ms --timeout 50ms --settle 0 --output jsonl --source";
        let flags = format!("{} {flags} {}", listener.address(), lab.vip(family));
        let mut running = Running::start(&mut check_in(lab.client(), &flags));
        for _ in 0..2 {
            running.until(|probe| probe["outcome"] == "alive");
            lab.move_vip(None).unwrap();
            let lost = running.until(|probe| probe["outcome"] == "local_error");
            assert_eq!(lost["error_type"], "address_not_available", "{lost}");
            // Probes in flight may end as before; after those there are only local errors.
            let mut in_a_row = 0;
            while in_a_row < 30 {
                let local = running.line()["outcome"] == "local_error";
                in_a_row = if local { in_a_row + 1 } else { 0 };
            }
            lab.move_vip(Some(End::Client)).unwrap();
            running.until(|probe| probe["outcome"] == "alive");
        }
        running.signal(Signal::SIGINT);
        let done = running.finish();
        assert_eq!(done.code, Some(130), "{done:?}");
        lab.move_vip(None).unwrap();
    }
}

#[test]
fn a_missing_source_does_not_hold_up_the_others() {
    privileged!();
    let lab = Lab::new().unwrap();
    lab.move_vip(Some(End::Client)).unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    // A target that does not answer keeps a probe in flight all the time.
    let silent = lab.vip(Family::V4);
    let flags =
        "--count 20 --interval 5ms --timeout 2s --settle 0 --source 192.0.2.1 --output jsonl";
    let flags = format!("{} {silent}:9 {flags}", listener.address());
    let done = Running::start(&mut check_in(lab.client(), &flags)).finish();
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(done.summary()["outcomes"]["local_error"], 40, "{done:?}");
}
