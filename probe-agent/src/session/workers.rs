//! The threads of a run, and what they have in common.

use std::{
    io,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use nix::sched::{CloneFlags, setns};

use super::{Outcome, Plan, inside, sink::WorkerSink};
use crate::{
    correlate::timeline::Timeline,
    probe::{
        engine::{Ended, Engine, Gauges, Tracing},
        schedule::{self, Share},
        settings::Settings,
        source::{self, split},
    },
    report::stats::Tally,
    trace::{
        audit::Audit,
        loader::{Rings, Tracer},
        reader::{Reader, Route},
    },
};

/// How often the hooks' count of RSTs is compared with the kernel's: soon enough to be known before a
/// probe's settle window ends.
const AUDIT: Duration = Duration::from_millis(50);

/// Events that wait for a worker, at most: a second of trouble at full speed.
const INBOX: usize = 65_536;

/// The threads of a run.
pub(super) struct Workers {
    threads: Vec<thread::JoinHandle<io::Result<(Ended, Tally)>>>,
    pub(super) gauges: Vec<Arc<Gauges>>,
    tracer: Option<Arc<Tracer>>,
    reader: Option<Reader>,
}

impl Workers {
    pub(super) fn start(
        plan: &Plan,
        tracing: Option<(Arc<Tracer>, Rings)>,
        stop: &Arc<AtomicBool>,
        news: &Sender<Timeline>,
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
                let begin = || tracer.sees_every_rst().then(|| Audit::begin(&tracer));
                let audit = inside(plan.netns.as_ref(), begin)?.transpose()?;
                let (sides, reader) = kernel_sides(&tracer, rings, ports.clone(), audit)?;
                (Some(tracer), sides, Some(reader))
            }
            None => (None, Vec::new(), None),
        };
        let mut workers = Self { threads: Vec::new(), gauges: Vec::new(), tracer, reader };
        let hands = schedule::deal(targets, plan.count, u32::try_from(ports.len()).unwrap_or(1));
        for (number, (shares, ports)) in (0_u32..).zip(hands.into_iter().zip(ports)) {
            let mut settings = plan.settings.clone();
            settings.first_slot = number * plan.settings.slots;
            settings.socket.ports = Some(ports);
            let side = if sides.is_empty() { None } else { Some(sides.remove(0)) };
            let sink = WorkerSink::new(plan, news.clone(), Arc::clone(backlog));
            workers.spawn(plan, settings, shares, side, sink, stop)?;
        }
        Ok(workers)
    }

    fn spawn(
        &mut self,
        plan: &Plan,
        settings: Settings,
        shares: Vec<Share>,
        side: Option<Tracing>,
        mut sink: WorkerSink,
        stop: &Arc<AtomicBool>,
    ) -> io::Result<()> {
        let gauges = Arc::new(Gauges::default());
        self.gauges.push(Arc::clone(&gauges));
        let (targets, netns, stop) =
            (Arc::clone(&plan.targets), plan.netns.clone(), Arc::clone(stop));
        let thread = thread::Builder::new().name("prober".to_owned()).spawn(move || {
            if let Some(netns) = netns {
                setns(netns.as_fd(), CloneFlags::CLONE_NEWNET)?;
            }
            let engine = Engine::new(settings, targets, &shares, side, gauges, stop)?;
            let ended = engine.run(&mut sink)?;
            Ok((ended, sink.into_tally()))
        })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Waits for all threads and puts their results together.
    pub(super) fn join(self, plan: &Plan) -> io::Result<Outcome> {
        let mut outcome = Outcome {
            tally: Tally::new(plan.targets.len()),
            ended: Ended::default(),
            probing_ns: 0,
        };
        for thread in self.threads {
            let (ended, tally) =
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            outcome.tally.merge(&tally);
            outcome.ended.interrupted |= ended.interrupted;
            outcome.ended.unsettled += ended.unsettled;
            outcome.ended.events_lost += ended.events_lost;
        }
        // The reader's figure has the kernel's in it, but may be a tick old.
        let in_kernel = self.tracer.as_ref().map_or(0, |t| t.events_lost());
        let in_all = self.reader.as_ref().map_or(0, |r| r.progress().lost());
        outcome.ended.events_lost += in_kernel.max(in_all);
        let times = |read: fn(&Gauges) -> u64| {
            self.gauges.iter().map(move |g| read(g)).filter(|at| *at > 0)
        };
        let first = times(|g| g.first_at.load(Ordering::Relaxed)).min();
        let last = times(|g| g.last_at.load(Ordering::Relaxed)).max();
        if let (Some(first), Some(last)) = (first, last) {
            outcome.probing_ns = last.saturating_sub(first);
        }
        Ok(outcome)
    }
}

/// The kernel's side of each worker, and the reader that feeds them.
fn kernel_sides(
    tracer: &Arc<Tracer>,
    rings: Rings,
    ports: Vec<std::ops::RangeInclusive<u16>>,
    mut audit: Option<Audit>,
) -> io::Result<(Vec<Tracing>, Reader)> {
    let (senders, inboxes): (Vec<_>, Vec<_>) =
        ports.iter().map(|_| mpsc::sync_channel(INBOX)).unzip();
    // Each worker has source ports of its own, so that an event's local port names its worker.
    let route: Route = Arc::new(move |port| {
        ports.iter().position(|range| range.contains(&port)).unwrap_or(usize::MAX)
    });
    let counter = Arc::clone(tracer);
    let mut audited = Instant::now();
    let mut unseen = 0;
    let lost_in_kernel = move || {
        if audited.elapsed() >= AUDIT {
            audited = Instant::now();
            unseen = audit.as_mut().map_or(0, |a| a.unseen(&counter));
        }
        counter.events_lost().max(unseen)
    };
    let reader = Reader::start(rings, &tracer.kernel.rst_reasons, senders, route, lost_in_kernel)?;
    let sides = inboxes
        .into_iter()
        .map(|inbox| Tracing { tracer: Arc::clone(tracer), progress: reader.progress(), inbox })
        .collect();
    Ok((sides, reader))
}
