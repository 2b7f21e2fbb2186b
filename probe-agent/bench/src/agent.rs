//! The agent's own engine, as `check` runs it.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::Result;
use engine::{
    fixtures,
    gauges::Gauges,
    session::{self, Plan, ReportFilter},
};
use kernel::state_hook::StateHookChoice;
use model::{outcome::Outcome, verdict::Proof};
use probe_agent_tests::run::Recorder;
use report::stats::{RunCounts, RunFacts};

use crate::{
    comparison::{Run, SOCKETS, cpu_time},
    cpu_wait::RateMeter,
};

/// How one run of the agent differs from another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    pub(crate) tracepoints: Option<StateHookChoice>,
    pub(crate) ack_guard: bool,
    pub(crate) settle: Duration,
    /// Source ports of each worker.
    pub(crate) slots: u32,
}

impl Variant {
    /// Everything enabled.
    pub(crate) fn whole(settle: Duration) -> Self {
        Self { tracepoints: Some(StateHookChoice::Auto), ack_guard: true, settle, slots: SOCKETS }
    }
}

/// Runs the agent as a candidate.
pub(crate) fn run(target: SocketAddr, probes: u64, threads: u32, variant: &Variant) -> Result<Run> {
    let plan = plan(target, probes, threads, variant);
    let tracing = variant.tracepoints.map(|_| session::trace(&plan)).transpose()?;
    let cpu = cpu_time()?;
    let mut meter = RateMeter::default();
    let read = |gauges: &[Arc<Gauges>]| {
        meter.read(gauges, probes);
        Ok(())
    };
    let counts = || RunCounts::new(plan.targets.len());
    let stop = Arc::<AtomicBool>::default();
    let outcome =
        session::run(&plan, tracing, &stop, counts, &mut Recorder::new(|_| Ok(()), read))?
            .complete()?;
    let cpu_ns = cpu_time()? - cpu;
    let summary = outcome.counts.summary(&plan.targets, &RunFacts::default());
    let took = Duration::from_nanos(outcome.probing_ns);
    let per_second = probes as f64 / took.as_secs_f64();
    Ok(Run {
        answered: outcome.counts.outcome(Outcome::Alive),
        per_second,
        net_per_second: meter.net_per_second().unwrap_or(per_second),
        cpu_ns,
        confirmed: Some(summary.proofs[Proof::Confirmed.name()]),
    })
}

/// As fast as possible at one target.
pub(crate) fn plan(target: SocketAddr, probes: u64, workers: u32, variant: &Variant) -> Plan {
    let mut plan = Plan {
        workers,
        ack_guard: variant.ack_guard,
        state_hook: variant.tracepoints.unwrap_or_default(),
        filter: ReportFilter::Unusual(20),
        ..fixtures::plan(target, probes)
    };
    plan.settings.concurrency = SOCKETS as usize;
    plan.settings.settle = variant.settle;
    plan.settings.slots = variant.slots;
    plan
}
