//! The report comes at the end of the probe, the verdict once it has settled.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use lab::{Family, Fault, Lab, Segment};
use probe_agent_checker::{Checker, Proof, SettledProbe, Verdict};
use probe_agent_tests::privileged;

use crate::support::{PATIENCE, build, turn};

#[test]
fn reports_do_not_wait_and_verdicts_come_later() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let (sender, settled) = mpsc::channel::<SettledProbe>();
    let settle = Duration::from_millis(2_900);
    let checker = build(
        &lab,
        Checker::builder().slots(8).settle(settle).on_settled(move |probe| {
            let _ = sender.send(probe);
        }),
    );
    let _lost = lab.inject(&Fault::lost(Segment::FirstRst).first(1)).unwrap();
    let started = Instant::now();
    let lost = checker.check_blocking(listener.address(), PATIENCE).unwrap();
    let clean = checker.check_blocking(listener.address(), PATIENCE).unwrap();
    assert!(started.elapsed() < settle, "{:?}", started.elapsed());
    assert!(lost.is_alive() && clean.is_alive());
    assert!(settled.try_recv().is_err(), "nothing has settled yet");
    for _ in 0..2 {
        let probe = settled.recv_timeout(PATIENCE).unwrap();
        let verdict = if probe.probe == lost.probe {
            Verdict::RstLostSynackRetransmit
        } else {
            assert_eq!(probe.probe, clean.probe);
            Verdict::Clean
        };
        let finding = &probe.findings[0];
        // The kernel may have lost an event, and counts it.
        let proof = if checker.stats().events_lost == 0 { Proof::Confirmed } else { finding.proof };
        assert_eq!((finding.verdict, finding.proof), (verdict, proof), "{probe:#?}");
    }
    assert!(started.elapsed() >= settle);
    assert_eq!(listener.accepted().unwrap(), 0);
}

#[test]
fn what_has_not_settled_is_passed_on_at_the_end() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let (sender, settled) = mpsc::channel();
    let checker = build(
        &lab,
        Checker::builder().settle(Duration::from_secs(3_600)).on_settled(move |probe| {
            let _ = sender.send(probe.probe);
        }),
    );
    let report = checker.check_blocking(listener.address(), PATIENCE).unwrap();
    drop(checker);
    assert_eq!(settled.iter().collect::<Vec<_>>(), [report.probe]);
}

#[test]
fn a_hook_that_panics_stops_nothing() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let builder = Checker::builder().settle(Duration::ZERO);
    let checker = build(&lab, builder.on_settled(|_| std::panic::resume_unwind(Box::new(()))));
    let until = Instant::now() + PATIENCE;
    while checker.stats().hook_panics < 2 {
        assert!(checker.check_blocking(listener.address(), PATIENCE).unwrap().is_alive());
        assert!(Instant::now() < until, "{:?}", checker.stats());
    }
}
