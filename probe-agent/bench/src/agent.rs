//! The agent's own engine, as `check` runs it.

use explain::Judged;
use model::expect::Expect;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::Result;
use engine::{
    gauges::Gauges,
    session::{self, Output, Plan, ReportFilter},
    settings::{PortPolicy, Settings, SocketSettings},
};
use kernel::state_hook::StateHookChoice;
use model::{outcome::Outcome, target::Target, verdict::Proof};
use report::stats::{RunCounts, RunFacts};

use crate::{
    contest::{Run, SOCKETS, cpu_time},
    queue::Follower,
};

/// What a run of the agent differs in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    pub(crate) tracepoints: Option<StateHookChoice>,
    pub(crate) ack_guard: bool,
    pub(crate) settle: Duration,
    /// Source ports of each worker.
    pub(crate) slots: u32,
}

impl Variant {
    /// Everything on.
    pub(crate) fn whole(settle: Duration) -> Self {
        Self { tracepoints: Some(StateHookChoice::Auto), ack_guard: true, settle, slots: SOCKETS }
    }
}

/// Runs the agent for the contest.
pub(crate) fn run(target: SocketAddr, probes: u64, threads: u32, variant: &Variant) -> Result<Run> {
    let plan = plan(target, probes, threads, variant);
    let tracing = variant.tracepoints.map(|_| session::trace(&plan)).transpose()?;
    let cpu = cpu_time()?;
    let mut follower = Watch { probes, follower: Follower::default() };
    let counts = || RunCounts::new(plan.targets.len());
    let stop = Arc::<AtomicBool>::default();
    let outcome = session::run(&plan, tracing, &stop, counts, &mut follower)?;
    let cpu_ns = cpu_time()? - cpu;
    let summary = outcome.counts.summary(&plan.targets, &RunFacts::default());
    let took = Duration::from_nanos(outcome.probing_ns);
    let per_second = probes as f64 / took.as_secs_f64();
    Ok(Run {
        answered: outcome.counts.outcome(Outcome::Alive),
        per_second,
        net_per_second: follower.follower.net_per_second().unwrap_or(per_second),
        cpu_ns,
        confirmed: Some(summary.proofs[Proof::Confirmed.name()]),
    })
}

/// As fast as possible at one target.
pub(crate) fn plan(target: SocketAddr, probes: u64, workers: u32, variant: &Variant) -> Plan {
    let settings = Settings {
        interval: Duration::ZERO,
        concurrency: SOCKETS as usize,
        timeout: Duration::from_secs(2),
        settle: variant.settle,
        slots: variant.slots,
        first_slot: 0,
        port_policy: PortPolicy::Rotate,
        expect: Expect::Open,
        socket: SocketSettings::default(),
    };
    Plan {
        count: Some(probes),
        workers,
        ack_guard: variant.ack_guard,
        state_hook: variant.tracepoints.unwrap_or_default(),
        filter: ReportFilter::Unusual(20),
        ..Plan::new(settings, [Target::at(target)].into())
    }
}

/// Looks on while the agent probes.
struct Watch {
    probes: u64,
    follower: Follower,
}

impl Output for Watch {
    fn probe(&mut self, _: Judged) -> io::Result<()> {
        Ok(())
    }

    fn tick(&mut self, gauges: &[Arc<Gauges>]) -> io::Result<()> {
        self.follower.look(gauges, self.probes);
        Ok(())
    }
}
