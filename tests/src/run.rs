//! Runs the engine with the kernel's events in a lab.

use model::expect::Expect;
use std::{
    fs::File,
    io,
    net::SocketAddr,
    ops::RangeInclusive,
    os::fd::AsFd,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use engine::{
    gauges::Gauges,
    session::{self, Output, Plan},
    settings::{PortPolicy, Settings, SocketSettings},
};
use explain::{Judged, timeline::Timeline};
use lab::Lab;
use model::target::Target;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use probe_agent_common::Counter;
use report::{
    stats::{RunCounts, RunFacts},
    summary::Summary,
};

/// What a run differs in.
pub struct Probing {
    /// Number of probes.
    pub count: u64,
    /// Probes in flight at a time.
    pub concurrency: usize,
    /// Source ports; as many slots.
    pub ports: RangeInclusive<u16>,
    /// When a port is used again.
    pub policy: PortPolicy,
    /// Whether ACKs that would complete a handshake are held back.
    pub ack_guard: bool,
}

/// All that a run told.
pub struct Told {
    /// The counts.
    pub summary: Summary,
    /// All probes.
    pub timelines: Vec<Timeline>,
}

/// Probes `address` from the client of a lab.
///
/// # Panics
/// If anything but a probe fails.
#[must_use]
pub fn run(lab: &Lab, address: SocketAddr, probing: &Probing) -> Told {
    let mut kept = Kept(Vec::new());
    let summary = traced(&plan(lab, address, probing), &mut kept).unwrap();
    Told { summary, timelines: kept.0 }
}

/// Runs a plan with the kernel's events, and tells `output` of it.
///
/// # Errors
/// If the hooks cannot be loaded, or anything but a probe fails.
pub fn traced(plan: &Plan, output: &mut impl Output) -> anyhow::Result<Summary> {
    allow_many_sockets()?;
    let tracing = session::trace(plan)?;
    let (half_open, tracer) = (tracing.0.half_open(), Arc::clone(&tracing.0));
    let began = Instant::now();
    let counts = || RunCounts::new(plan.targets.len());
    let stop = Arc::<AtomicBool>::default();
    let outcome = session::run(plan, Some(tracing), &stop, counts, output)?;
    let facts = RunFacts {
        probing_seconds: Duration::from_nanos(outcome.probing_ns).as_secs_f64(),
        duration_seconds: began.elapsed().as_secs_f64(),
        events_lost: outcome.ended.events_lost,
        unsettled: outcome.ended.unsettled,
        worker_stalls: outcome.worker_stalls,
        interrupted: outcome.ended.interrupted,
        traced: true,
        half_open,
        acks_held: tracer.counter(Counter::AcksHeld),
        ..RunFacts::default()
    };
    Ok(outcome.counts.summary(&plan.targets, &facts))
}

/// Takes no single probe.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Output for Nobody {
    fn probe(&mut self, _: Judged) -> io::Result<()> {
        Ok(())
    }

    fn tick(&mut self, _: &[Arc<Gauges>]) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps all probes.
struct Kept(Vec<Timeline>);

impl Output for Kept {
    fn probe(&mut self, probe: Judged) -> io::Result<()> {
        self.0.push(probe.timeline);
        Ok(())
    }

    fn tick(&mut self, _: &[Arc<Gauges>]) -> io::Result<()> {
        Ok(())
    }
}

fn plan(lab: &Lab, address: SocketAddr, probing: &Probing) -> Plan {
    let netns = File::from(lab.client().as_fd().try_clone_to_owned().unwrap());
    let settings = Settings {
        interval: Duration::ZERO,
        concurrency: probing.concurrency,
        timeout: Duration::from_secs(5),
        // The server's timer is due after 1 s; on a busy machine it runs late, and a lost RST
        // that shows after the window would be missed.
        settle: Duration::from_millis(2_900),
        slots: u32::try_from(probing.ports.len()).unwrap(),
        first_slot: 0,
        port_policy: probing.policy,
        expect: Expect::Open,
        socket: SocketSettings { ports: Some(probing.ports.clone()), ..SocketSettings::default() },
    };
    Plan {
        count: Some(probing.count),
        netns: Some(Arc::new(netns)),
        ack_guard: probing.ack_guard,
        ..Plan::new(settings, [Target::at(address)].into())
    }
}

/// Thousands of slots need as many descriptors.
fn allow_many_sockets() -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}
