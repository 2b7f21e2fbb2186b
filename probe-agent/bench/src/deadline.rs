//! How late timeouts are with many probes in flight.
//!
//! Every SYN is dropped, so each probe lasts until its timeout. Each slot is used several times, so probes
//! start while others expire.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, ensure};
use engine::session::ReportFilter;
use lab::{Family, Fault, Lab, Segment};
use model::{outcome::Outcome, target::Target};
use probe_agent_tests::{busy::Busy, plan, run};
use serde::Serialize;

use crate::{arguments::Effort, median::quantile};

/// The timeouts of a run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Deadline {
    pub(crate) settle_seconds: u64,
    pub(crate) busy_loops: usize,
    pub(crate) probes: u64,
    /// The most probes in flight at once.
    pub(crate) in_flight: u64,
    /// From the start of a probe to its end, in seconds.
    pub(crate) p50: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

const TIMEOUT: Duration = Duration::from_secs(1);

/// Targets: enough that no 4-tuple is used twice.
const TARGETS: u16 = 60;

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Deadline>> {
    effort.deadline_cases.iter().map(|(settle, busy)| one(effort, *settle, *busy)).collect()
}

fn one(effort: &Effort, settle_seconds: u64, busy: usize) -> Result<Deadline> {
    let (in_flight, waves) = effort.unanswered;
    let lab = Lab::new()?;
    let _silence = lab.inject(&Fault::lost(Segment::Syn))?;
    let server = lab.server_address(Family::V4);
    let targets = (1..=TARGETS).map(|port| Target::at(SocketAddr::new(server, port)));
    let probes = in_flight as u64 * waves;
    let mut plan = plan::in_lab(&lab, SocketAddr::new(server, 1), probes / u64::from(TARGETS))?;
    plan.targets = targets.collect();
    plan.settings.timeout = TIMEOUT;
    plan.settings.settle = Duration::from_secs(settle_seconds);
    plan.settings.concurrency = in_flight;
    plan.settings.slots = u32::try_from(in_flight)? + 1;
    plan.filter = ReportFilter::All;
    let busy = Busy::on_each_cpu(busy)?;
    // Start and end of each probe.
    let (mut spans, mut timed_out) = (Vec::new(), 0);
    let mut recorder = run::recorder(|probe| {
        let probe = &probe.timeline.probe;
        spans.push((probe.started_at, probe.ended_at));
        timed_out += u64::from(probe.outcome == Outcome::TimedOut);
    });
    run::traced(&plan, &mut recorder)?;
    drop(recorder);
    let lasted = |(from, to): &(u64, u64)| to.saturating_sub(*from) as f64 / 1e9;
    let mut seconds: Vec<f64> = spans.iter().map(lasted).collect();
    let probes = seconds.len() as u64;
    ensure!(timed_out == probes && probes > 0, "{timed_out} of {probes} probes timed out");
    seconds.sort_by(f64::total_cmp);
    let deadline = Deadline {
        settle_seconds,
        busy_loops: busy.loops(),
        probes,
        in_flight: most_at_once(&spans),
        p50: quantile(&seconds, 0.5),
        p999: quantile(&seconds, 0.999),
        max: quantile(&seconds, 1.0),
    };
    eprintln!("{deadline:?}");
    Ok(deadline)
}

/// The most spans that overlap.
fn most_at_once(spans: &[(u64, u64)]) -> u64 {
    let mut edges: Vec<(u64, i64)> =
        spans.iter().flat_map(|&(from, to)| [(from, 1), (to, -1)]).collect();
    edges.sort_unstable();
    let (mut now, mut most) = (0_i64, 0);
    for (_, step) in edges {
        now += step;
        most = most.max(now);
    }
    most.unsigned_abs()
}
