//! Two workers at full speed tell as many lost RSTs as were dropped.

use explain::Judged;
use std::{io, sync::Arc, time::Duration};

use engine::{
    gauges::Gauges,
    session::{Output, ReportFilter},
};
use explain::timeline::Coverage;
use lab::{Family, Fault, Lab, Segment};
use model::{outcome::Outcome, verdict::Verdict};
use probe_agent_tests::{plan, privileged, run};

const PROBES: u64 = 40_000;

#[test]
fn two_workers_tell_each_lost_rst() {
    privileged!();
    let _turn = crate::turn();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let lost = lab.inject(&Fault::lost(Segment::FirstRst).percent(1)).unwrap();
    let mut plan = plan::as_check(&lab, listener.address(), PROBES).unwrap();
    plan::share(&mut plan, 2);
    plan.filter = ReportFilter::All;
    // The server's timer is due after 1 s; where it runs late, a lost RST shows late.
    plan.settings.settle = Duration::from_millis(2_900);
    let mut doubts = Doubts(0);
    let summary = run::traced(&plan, &mut doubts).unwrap();
    lab.settle().unwrap();
    let told: u64 =
        [Verdict::RstLostSynackRetransmit, Verdict::RstLostPortReuse, Verdict::RstLostUnrecovered]
            .map(|verdict| summary.verdict(verdict))
            .iter()
            .sum();
    let dropped = lost.clear().unwrap();
    let case = format!("{told} told, {dropped} dropped: {summary:?}");
    assert!(dropped > 0, "{case}");
    // The kernel may skip a hook. That must be noticed, and then it is no more than was noticed.
    assert!(told.abs_diff(dropped) <= summary.events_lost, "{case}");
    assert_eq!(doubts.0 > 0, summary.events_lost > 0, "{case}");
    assert_eq!(summary.outcome(Outcome::Alive), PROBES, "{case}");
    assert_eq!(listener.accepted().unwrap(), 0, "{case}");
}

/// Counts probes in whose time events were lost.
struct Doubts(u64);

impl Output for Doubts {
    fn probe(&mut self, probe: Judged) -> io::Result<()> {
        let timeline = probe.timeline;
        self.0 += u64::from(timeline.coverage == Coverage::EventsLost);
        Ok(())
    }

    fn tick(&mut self, _: &[Arc<Gauges>]) -> io::Result<()> {
        Ok(())
    }
}
