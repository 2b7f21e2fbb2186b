//! Timeouts come before new probes: how late they are is the benchmark's to measure, and in what
//! order things happen is the same on any machine.

use explain::Judged;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use engine::{
    gauges::Gauges,
    session::{Output, ReportFilter},
};
use lab::{Family, Fault, Lab, Segment};
use model::{outcome::Outcome, target::Target};
use probe_agent_tests::{plan, privileged, run};

const IN_FLIGHT: usize = 2_000;
const TARGETS: u16 = 20;
const WAVES: u64 = 3;
const TIMEOUT: Duration = Duration::from_millis(300);

/// For so long after a timeout the engine may go on with a batch of starts.
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
    let mut plan = plan::as_check(&lab, SocketAddr::new(server, 1), each).unwrap();
    plan.targets = (1..=TARGETS).map(|port| Target::at(SocketAddr::new(server, port))).collect();
    plan.settings.timeout = TIMEOUT;
    plan.settings.settle = Duration::ZERO;
    plan.settings.concurrency = IN_FLIGHT;
    plan.filter = ReportFilter::All;
    let mut told = Told::default();
    run::traced(&plan, &mut told).unwrap();
    assert_eq!(told.spans.len() as u64, probes);
    let mut starts: Vec<u64> = told.spans.iter().map(|span| span.0).collect();
    starts.sort_unstable();
    for (from, to) in told.spans {
        let overdue = from + u64::try_from((TIMEOUT + GRACE).as_nanos()).unwrap();
        let meanwhile = |at: u64| starts.partition_point(|start| *start <= at);
        let started = meanwhile(to).saturating_sub(meanwhile(overdue));
        // One may have been about to start when the time was looked at.
        assert!(started <= 1, "{started} probes were started while a timeout was overdue");
    }
}

/// Start and end of each probe.
#[derive(Default)]
struct Told {
    spans: Vec<(u64, u64)>,
}

impl Output for Told {
    fn probe(&mut self, probe: Judged) -> io::Result<()> {
        let timeline = probe.timeline;
        let probe = &timeline.probe;
        assert_eq!(probe.outcome, Outcome::TimedOut);
        self.spans.push((probe.started_at, probe.ended_at));
        Ok(())
    }

    fn tick(&mut self, _: &[Arc<Gauges>]) -> io::Result<()> {
        Ok(())
    }
}
