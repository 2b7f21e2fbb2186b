//! How far the agent's handshake times are from those in a packet capture.
//!
//! The capture sees the SYN when it is handed to the interface and the SYN-ACK when the interface
//! hands it back, both with the kernel's own timestamp. The same probes are timed twice: by the
//! hooks, and, without tracing, by the clock of the program.

mod capture;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Result, ensure};
use engine::session::{self, ReportFilter};
use kernel::state_hook::StateHookChoice;
use probe_agent_tests::run;
use serde::Serialize;

use self::capture::Capture;
use crate::{
    agent::{self, Variant},
    arguments::Effort,
    median::quantile,
    target::Target,
};

/// Handshake time by the agent minus that in the capture, in nanoseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Difference {
    /// What timed them.
    pub(crate) timed_by: &'static str,
    /// How the probes were paced.
    pub(crate) pace: &'static str,
    /// Handshakes that both timed.
    pub(crate) handshakes: usize,
    /// The median handshake time in the capture.
    pub(crate) captured_p50_ns: f64,
    pub(crate) p1_ns: f64,
    pub(crate) p50_ns: f64,
    pub(crate) p99_ns: f64,
    /// Points of the distribution: share, nanoseconds.
    pub(crate) curve: Vec<(f64, f64)>,
}

/// The shares that the plot draws.
const SHARES: [f64; 12] = [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0];

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Difference>> {
    let mut all = Vec::new();
    for (pace, interval) in
        [("one at a time", Duration::from_micros(200)), ("at full speed", Duration::ZERO)]
    {
        for (timed_by, tracepoints) in
            [("kernel events", Some(StateHookChoice::Auto)), ("program", None)]
        {
            let pairs = pairs(effort, tracepoints, interval)?;
            let difference = difference(timed_by, pace, &pairs);
            let Difference { p50_ns, p99_ns, .. } = difference;
            eprintln!("{timed_by}, {pace}: p50 {p50_ns:.0} ns, p99 {p99_ns:.0} ns");
            all.push(difference);
        }
    }
    Ok(all)
}

/// The time of each handshake by the agent and by the capture, in nanoseconds.
fn pairs(
    effort: &Effort,
    tracepoints: Option<StateHookChoice>,
    interval: Duration,
) -> Result<Vec<(u64, u64)>> {
    let target = Target::listen()?;
    let variant = Variant { tracepoints, ..Variant::whole(Duration::from_millis(50)) };
    let mut plan = agent::plan(target.address(), effort.captured_probes, 1, &variant);
    plan.settings.interval = interval;
    plan.filter = ReportFilter::All;
    let capture = Capture::start(target.address().port())?;
    let tracing = tracepoints.map(|_| session::trace(&plan)).transpose()?;
    // When each probe began and how long its handshake took, by source port.
    let mut timed: HashMap<u16, Vec<(u64, u64)>> = HashMap::new();
    let mut recorder = run::recorder(|probe| {
        let probe = &probe.timeline.probe;
        // One that was not established counts as a handshake too, to keep the order.
        let took = probe.handshake_ns().unwrap_or(0);
        timed.entry(probe.flow.local_port).or_default().push((probe.started_at, took));
    });
    session::run(&plan, tracing, &Arc::<AtomicBool>::default(), || (), &mut recorder)?
        .complete()?;
    drop(recorder);
    let captured = capture.finish()?;
    // Probes of one source port in their order: the nth handshake is the nth probe.
    let mut pairs = Vec::new();
    for (port, mut probes) in timed {
        probes.sort_unstable();
        let handshakes = captured.get(&port).map(Vec::as_slice).unwrap_or_default();
        if handshakes.len() == probes.len() {
            pairs.extend(probes.iter().zip(handshakes).map(|(probe, ns)| (probe.1, *ns)));
        }
    }
    let share = pairs.len() as f64 / effort.captured_probes as f64;
    ensure!(share > 0.9, "only {} of {} probes were captured", pairs.len(), effort.captured_probes);
    Ok(pairs)
}

fn difference(timed_by: &'static str, pace: &'static str, pairs: &[(u64, u64)]) -> Difference {
    let sorted = |of: fn(&(u64, u64)) -> f64| {
        let mut values: Vec<f64> = pairs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let differences = sorted(|(agent, capture)| *agent as f64 - *capture as f64);
    let at = |share| quantile(&differences, share);
    Difference {
        timed_by,
        pace,
        handshakes: pairs.len(),
        captured_p50_ns: quantile(&sorted(|(_, capture)| *capture as f64), 0.5),
        p1_ns: at(0.01),
        p50_ns: at(0.5),
        p99_ns: at(0.99),
        curve: SHARES.iter().map(|share| (*share, at(*share))).collect(),
    }
}
