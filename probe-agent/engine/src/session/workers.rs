//! The threads of a run, and what they have in common.

use std::{
    io,
    ops::RangeInclusive,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::Sender,
    },
    thread,
};

use nix::sched::{CloneFlags, setns};

use super::{Counts, Plan, RunResult, inside, worker_sink::WorkerSink};
use crate::{
    event_loop::{ENDED, Ended, Engine, Gauges, Tracing, WorkerConfig},
    pace::Limits,
    schedule,
    settings::Settings,
    source::{self, split},
};
use explain::Judged;
use kernel::{
    loader::{Rings, Tracer},
    losses::Losses,
    reader::{Reader, Route},
};

/// The threads of a run.
pub(super) struct Workers<C> {
    threads: Vec<thread::JoinHandle<io::Result<(Ended, C)>>>,
    pub(super) gauges: Vec<Arc<Gauges>>,
    tracer: Option<Arc<Tracer>>,
    reader: Option<Reader>,
}

impl<C: Counts> Workers<C> {
    pub(super) fn start(
        plan: &Plan,
        tracing: Option<(Arc<Tracer>, Rings)>,
        stop: &Arc<AtomicBool>,
        counts: &impl Fn() -> C,
        channel: &Sender<Judged>,
        backlog: &Arc<AtomicUsize>,
    ) -> io::Result<Self> {
        let targets = u32::try_from(plan.targets.len()).unwrap_or(u32::MAX);
        let range = match &plan.settings.socket.ports {
            Some(range) => range.clone(),
            None => inside(plan.netns.as_ref(), source::ephemeral_ports)?,
        };
        let ports = split(&range, plan.workers);
        let (tracer, mut sides, reader) = match tracing {
            Some((tracer, rings)) => {
                let losses = inside(plan.netns.as_ref(), || Losses::begin(&tracer))??;
                let (settle, route) = (plan.settings.settle, by_port(&ports));
                let (sides, reader) =
                    Tracing::sides(&tracer, rings, settle, ports.len(), route, losses)?;
                (Some(tracer), sides, Some(reader))
            }
            None => (None, Vec::new(), None),
        };
        let mut workers = Self { threads: Vec::new(), gauges: Vec::new(), tracer, reader };
        let number = u32::try_from(ports.len()).unwrap_or(1);
        let hands = schedule::deal(targets, plan.count, number, plan.settings.interval, &plan.pace);
        let limits = Arc::new(Limits::new(&plan.pace, &plan.targets));
        for (number, (shares, ports)) in (0_u32..).zip(hands.into_iter().zip(ports)) {
            let mut settings = plan.settings.clone();
            settings.first_slot = number * plan.settings.slots;
            settings.socket.ports = Some(ports);
            let side = if sides.is_empty() { None } else { Some(sides.remove(0)) };
            let sink = WorkerSink::new(counts(), plan.filter, channel.clone(), Arc::clone(backlog));
            let orders = WorkerConfig {
                targets: Arc::clone(&plan.targets),
                shares,
                jitter: plan.pace.jitter,
                limits: Arc::clone(&limits),
            };
            workers.spawn(plan, settings, orders, side, sink, stop)?;
        }
        Ok(workers)
    }

    fn spawn(
        &mut self,
        plan: &Plan,
        settings: Settings,
        orders: WorkerConfig,
        side: Option<Tracing>,
        mut sink: WorkerSink<C>,
        stop: &Arc<AtomicBool>,
    ) -> io::Result<()> {
        let gauges = Arc::new(Gauges::default());
        self.gauges.push(Arc::clone(&gauges));
        let (netns, stop) = (plan.netns.clone(), Arc::clone(stop));
        let thread = thread::Builder::new().name("prober".to_owned()).spawn(move || {
            if let Some(netns) = netns {
                setns(netns.as_fd(), CloneFlags::CLONE_NEWNET)?;
            }
            let engine = Engine::new(settings, orders, side, Arc::clone(&gauges), stop)?;
            let ended = engine.run(&mut sink);
            gauges.beat.store(ENDED, Ordering::Relaxed);
            Ok((ended?, sink.into_counts()))
        })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Waits for all threads and puts their results together.
    pub(super) fn join(self, none: C) -> io::Result<RunResult<C>> {
        // The first worker's is what the others' are added to: one more would be as large again.
        let mut counts: Option<C> = None;
        let mut ended = Ended::default();
        for thread in self.threads {
            let (one, counted) =
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            match &mut counts {
                Some(counts) => counts.merge(counted),
                None => counts = Some(counted),
            }
            ended.interrupted |= one.interrupted;
            ended.unsettled += one.unsettled;
            ended.events_lost += one.events_lost;
        }
        // The reader's figure has the kernel's in it, but may be a tick old.
        let in_kernel = self.tracer.as_ref().map_or(0, |t| t.events_lost());
        let in_all = self.reader.as_ref().map_or(0, |r| r.progress().lost());
        ended.events_lost += in_kernel.max(in_all);
        let times = |read: fn(&Gauges) -> u64| {
            self.gauges.iter().map(move |g| read(g)).filter(|at| *at > 0)
        };
        let first = times(|g| g.first_at.load(Ordering::Relaxed)).min();
        let last = times(|g| g.last_at.load(Ordering::Relaxed)).max();
        let worker_stalls = self.gauges.iter().map(|g| g.standstills.load(Ordering::Relaxed)).sum();
        let counts = counts.unwrap_or(none);
        let probing_ns = first.zip(last).map_or(0, |(first, last)| last.saturating_sub(first));
        Ok(RunResult { counts, ended, worker_stalls, probing_ns })
    }
}

/// Each worker has source ports of its own, so that an event's local port names its worker.
fn by_port(ports: &[RangeInclusive<u16>]) -> Route {
    let ports = ports.to_vec();
    Arc::new(move |port| ports.iter().position(|range| range.contains(&port)).unwrap_or(usize::MAX))
}
