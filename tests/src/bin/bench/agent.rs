//! The agent's own engine, as `check` runs it.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Result, ensure};
use probe_agent::{
    config::choice::Expect,
    correlate::timeline::Timeline,
    explain::verdict::Verdict,
    probe::{
        engine::Gauges,
        outcome::Outcome,
        settings::{PortPolicy, Settings, SocketSettings},
        target::Target,
    },
    report::stats::RunFacts,
    session::{self, Appetite, Audience, Plan},
    trace::layout::Form,
};

use crate::contest::{Run, cpu_time};

pub(crate) fn run(target: SocketAddr, probes: u64, threads: u32, traced: bool) -> Result<Run> {
    let plan = plan(target, probes, threads);
    let tracing = if traced { Some(session::trace(&plan)?) } else { None };
    let cpu = cpu_time()?;
    let outcome = session::run(&plan, tracing, &Arc::<AtomicBool>::default(), &mut Nobody)?;
    let cpu_ns = cpu_time()? - cpu;
    if traced {
        let summary = outcome.tally.summary(&plan.targets, &RunFacts::default());
        let clean = summary.verdicts[Verdict::Clean.name()];
        ensure!(clean == probes, "only {clean} of {probes} probes were clean");
        ensure!(outcome.ended.events_lost == 0, "{} events lost", outcome.ended.events_lost);
    }
    Ok(Run {
        answered: outcome.tally.outcome(Outcome::Alive),
        took: Duration::from_nanos(outcome.probing_ns),
        cpu_ns,
    })
}

fn plan(target: SocketAddr, probes: u64, threads: u32) -> Plan {
    let name = target.to_string();
    Plan {
        settings: Settings {
            interval: Duration::ZERO,
            concurrency: 256,
            timeout: Duration::from_secs(2),
            settle: Duration::from_millis(1500),
            slots: 1024,
            first_slot: 0,
            port_policy: PortPolicy::Rotate,
            socket: SocketSettings::default(),
        },
        targets: [Target { host: target.ip().to_string(), name, address: target }].into(),
        count: Some(probes),
        workers: threads,
        netns: None,
        ack_guard: true,
        tracepoints: Form::Auto,
        expect: Expect::Open,
        appetite: Appetite::Unusual(20),
    }
}

/// Nobody wants to hear of clean probes.
struct Nobody;

impl Audience for Nobody {
    fn probe(&mut self, _: Timeline) -> io::Result<()> {
        Ok(())
    }

    fn tick(&mut self, _: &[Arc<Gauges>]) -> io::Result<()> {
        Ok(())
    }
}
