//! Runs the engine, with kernel events, in a lab.

use std::{
    io,
    net::SocketAddr,
    ops::RangeInclusive,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use engine::{
    gauges::Gauges,
    session::{self, Output, Plan, ReportFilter},
    settings::PortPolicy,
};
use explain::{Judged, timeline::Timeline};
use lab::Lab;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use probe_agent_common::Counter;
use report::{
    stats::{RunCounts, RunFacts},
    summary::Summary,
};

use crate::plan;

/// How one run differs from another.
pub struct Probing {
    /// Number of probes.
    pub count: u64,
    /// Probes in flight at once.
    pub concurrency: usize,
    /// Source ports, and as many slots.
    pub ports: RangeInclusive<u16>,
    /// When a port is used again.
    pub policy: PortPolicy,
    /// Whether ACKs that would complete a handshake are held back.
    pub ack_guard: bool,
}

/// What a run found.
pub struct Found {
    /// The counts.
    pub summary: Summary,
    /// All probes, in the order in which they were reported.
    pub timelines: Vec<Timeline>,
}

/// Probes `address` from the client of a lab.
///
/// # Panics
/// If anything but a probe fails.
#[must_use]
pub fn run(lab: &Lab, address: SocketAddr, probing: &Probing) -> Found {
    let mut timelines = Vec::new();
    let mut recorder = recorder(|probe| timelines.push(probe.timeline));
    let summary = traced(&plan(lab, address, probing), &mut recorder).unwrap();
    drop(recorder);
    Found { summary, timelines }
}

/// Runs a plan with kernel events and reports it to `output`.
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
    let outcome = session::run(plan, Some(tracing), &stop, counts, output)?.complete()?;
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

/// An output made of two functions: one for each reported probe, one for each tick.
#[derive(Debug)]
pub struct Recorder<P, T> {
    on_probe: P,
    on_tick: T,
}

impl<P, T> Recorder<P, T>
where
    P: FnMut(Judged) -> io::Result<()>,
    T: FnMut(&[Arc<Gauges>]) -> io::Result<()>,
{
    /// An error of either function ends the run.
    pub const fn new(on_probe: P, on_tick: T) -> Self {
        Self { on_probe, on_tick }
    }
}

impl<P, T> Output for Recorder<P, T>
where
    P: FnMut(Judged) -> io::Result<()>,
    T: FnMut(&[Arc<Gauges>]) -> io::Result<()>,
{
    fn probe(&mut self, probe: Judged) -> io::Result<()> {
        (self.on_probe)(probe)
    }

    fn tick(&mut self, gauges: &[Arc<Gauges>]) -> io::Result<()> {
        (self.on_tick)(gauges)
    }
}

/// Records each reported probe.
pub fn recorder(mut record: impl FnMut(Judged)) -> impl Output {
    let on_probe = move |probe| {
        record(probe);
        Ok(())
    };
    Recorder::new(on_probe, |_: &[Arc<Gauges>]| Ok(()))
}

/// Records nothing.
#[must_use]
pub fn discard() -> impl Output {
    recorder(drop)
}

fn plan(lab: &Lab, address: SocketAddr, probing: &Probing) -> Plan {
    let mut plan = plan::in_lab(lab, address, probing.count).unwrap();
    plan.ack_guard = probing.ack_guard;
    plan.filter = ReportFilter::All;
    plan.settings.concurrency = probing.concurrency;
    plan.settings.timeout = Duration::from_secs(5);
    // The server's timer is due after 1 s; on a busy machine it runs late, and a lost RST that shows
    // after the window would be missed.
    plan.settings.settle = Duration::from_millis(2_900);
    plan.settings.slots = u32::try_from(probing.ports.len()).unwrap();
    plan.settings.port_policy = probing.policy;
    plan.settings.socket.ports = Some(probing.ports.clone());
    plan
}

/// Thousands of slots need as many descriptors.
fn allow_many_sockets() -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}
