//! Two workers at full speed report as many lost RSTs as were dropped.

use std::time::Duration;

use engine::session::ReportFilter;
use explain::timeline::Coverage;
use lab::{Family, Fault, LabBuilder, Segment};
use model::{outcome::Outcome, verdict::Verdict};
use probe_agent_tests::{plan, privileged, run};

const PROBES: u64 = 40_000;

#[test]
fn two_workers_report_each_lost_rst() {
    privileged!();
    let _turn = crate::turn();
    let lost = Fault::lost(Segment::FirstRst).percent(1);
    let lab = LabBuilder::new(Family::V4).fault(lost).build().unwrap();
    let mut plan = plan::in_lab(lab.lab(), lab.address(), PROBES).unwrap();
    plan::share(&mut plan, 2);
    plan.filter = ReportFilter::All;
    // The server's timer is due after 1 s. When it runs late, a lost RST is found late.
    plan.settings.settle = Duration::from_millis(2_900);
    let mut incomplete = 0;
    let mut recorder = run::recorder(|probe| {
        incomplete += u64::from(probe.timeline.coverage == Coverage::EventsLost);
    });
    let summary = run::traced(&plan, &mut recorder).unwrap();
    drop(recorder);
    let reported: u64 =
        [Verdict::RstLostSynackRetransmit, Verdict::RstLostPortReuse, Verdict::RstLostUnrecovered]
            .map(|verdict| summary.verdict(verdict))
            .iter()
            .sum();
    let dropped = lab.hits().unwrap()[0];
    let case = format!("{reported} reported, {dropped} dropped: {summary:?}");
    assert!(dropped > 0, "{case}");
    // The kernel may skip a hook. The agent must count that, and the difference is at most that count.
    assert!(reported.abs_diff(dropped) <= summary.events_lost, "{case}");
    assert_eq!(incomplete > 0, summary.events_lost > 0, "{case}");
    assert_eq!(summary.outcome(Outcome::Alive), PROBES, "{case}");
    assert_eq!(lab.accepted().unwrap(), 0, "{case}");
}
