//! Timeouts come before new probes. The benchmark measures how late they are; their order is the same
//! on any machine.

use std::{net::SocketAddr, time::Duration};

use engine::session::ReportFilter;
use lab::{Family, Fault, Lab, Segment};
use model::{outcome::Outcome, target::Target};
use probe_agent_tests::{plan, privileged, run};

const IN_FLIGHT: usize = 2_000;
const TARGETS: u16 = 20;
const WAVES: u64 = 3;
const TIMEOUT: Duration = Duration::from_millis(300);

/// The engine may finish a batch of starts for so long after a timeout is due.
const GRACE: Duration = Duration::from_millis(1);

#[test]
fn nothing_starts_while_timeouts_are_overdue() {
    privileged!();
    let _turn = crate::turn();
    let lab = Lab::new().unwrap();
    let _silence = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let server = lab.server_address(Family::V4);
    let probes = IN_FLIGHT as u64 * WAVES;
    let each = probes / u64::from(TARGETS);
    let mut plan = plan::in_lab(&lab, SocketAddr::new(server, 1), each).unwrap();
    plan.targets = (1..=TARGETS).map(|port| Target::at(SocketAddr::new(server, port))).collect();
    plan.settings.timeout = TIMEOUT;
    plan.settings.settle = Duration::ZERO;
    plan.settings.concurrency = IN_FLIGHT;
    plan.filter = ReportFilter::All;
    // Start and end of each probe.
    let mut spans: Vec<(u64, u64)> = Vec::new();
    let mut recorder = run::recorder(|probe| {
        let probe = &probe.timeline.probe;
        assert_eq!(probe.outcome, Outcome::TimedOut);
        spans.push((probe.started_at, probe.ended_at));
    });
    run::traced(&plan, &mut recorder).unwrap();
    drop(recorder);
    assert_eq!(spans.len() as u64, probes);
    let mut starts: Vec<u64> = spans.iter().map(|span| span.0).collect();
    starts.sort_unstable();
    for (from, to) in spans {
        let overdue = from + u64::try_from((TIMEOUT + GRACE).as_nanos()).unwrap();
        let meanwhile = |at: u64| starts.partition_point(|start| *start <= at);
        let started = meanwhile(to).saturating_sub(meanwhile(overdue));
        // One may have been about to start when the engine read the clock.
        assert!(started <= 1, "{started} probes were started while a timeout was overdue");
    }
}
