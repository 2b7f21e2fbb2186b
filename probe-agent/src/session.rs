//! One run, from the loaded hooks to the tally: workers probe, this thread hears of the probes.

mod sink;

use std::{
    fs::File,
    io,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use nix::sched::{CloneFlags, setns};

pub use self::sink::Appetite;
use self::sink::WorkerSink;
use crate::{
    config::choice::Expect,
    correlate::timeline::Timeline,
    probe::{
        engine::{Ended, Engine, Gauges, Tracing},
        namespace,
        schedule::{self, Share},
        settings::Settings,
        source::{self, split},
        target::Target,
    },
    report::stats::Tally,
    trace::{
        error::TraceError,
        layout::Form,
        loader::{Rings, Tracer},
        reader::{Reader, Route},
    },
};

/// Events that wait for a worker, at most: a second of trouble at full speed.
const INBOX: usize = 65_536;

/// How often the caller is told how far the run is.
const TICK: Duration = Duration::from_millis(50);

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How to probe.
    pub settings: Settings,
    /// What to probe.
    pub targets: Arc<[Target]>,
    /// Probes for each target; `None`: until stopped.
    pub count: Option<u64>,
    /// Threads that probe.
    pub workers: u32,
    /// The network namespace to probe from; `None`: the caller's.
    pub netns: Option<Arc<File>>,
    /// Whether to hold back ACKs that would complete a handshake.
    pub ack_guard: bool,
    /// Which form of the tracepoints to use.
    pub tracepoints: Form,
    /// What a healthy target does.
    pub expect: Expect,
    /// Which probes the caller wants to hear of.
    pub appetite: Appetite,
}

/// How a run went.
#[derive(Debug)]
pub struct Outcome {
    /// Its counts.
    pub tally: Tally,
    /// How it ended.
    pub ended: Ended,
    /// From the first start of a probe to the last end of one, in nanoseconds.
    pub probing_ns: u64,
}

/// Whoever hears of a run while it goes on, on the thread that called [`run`]. An error stops it.
pub trait Audience {
    /// A probe that was wanted has settled.
    ///
    /// # Errors
    /// Whatever makes it pointless to go on.
    fn probe(&mut self, timeline: Timeline) -> io::Result<()>;

    /// Some time has passed.
    ///
    /// # Errors
    /// Whatever makes it pointless to go on.
    fn tick(&mut self, gauges: &[Arc<Gauges>]) -> io::Result<()>;
}

/// Loads the hooks for a run. See [`Tracer::load`] for the thread that may call it.
///
/// # Errors
/// What is missing, what it costs and the remedy.
pub fn trace(plan: &Plan) -> Result<(Arc<Tracer>, Rings), TraceError> {
    let cookie = inside(plan.netns.as_ref(), namespace::cookie)
        .map_err(|e| TraceError::Load(format!("entering the network namespace: {e}")))?;
    let slots = plan.settings.slots * plan.workers;
    let (tracer, rings) = Tracer::load(slots, cookie, plan.ack_guard, plan.tracepoints)?;
    Ok((Arc::new(tracer), rings))
}

/// Runs a closure in a network namespace, on a thread of its own.
///
/// # Errors
/// If no thread can be started or the namespace cannot be entered.
pub fn inside<T: Send>(
    netns: Option<&Arc<File>>,
    work: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    let Some(netns) = netns else { return Ok(work()) };
    thread::scope(|scope| {
        let inner = scope.spawn(|| {
            setns(netns.as_fd(), CloneFlags::CLONE_NEWNET)?;
            Ok(work())
        });
        inner.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Runs a plan to its end, or until `stop` is set, and tells `audience` of it on the calling
/// thread.
///
/// # Errors
/// If a thread, an epoll instance or the namespace is refused, or what `audience` returned.
pub fn run(
    plan: &Plan,
    tracing: Option<(Arc<Tracer>, Rings)>,
    stop: &Arc<AtomicBool>,
    audience: &mut impl Audience,
) -> io::Result<Outcome> {
    let (news, inbox) = mpsc::channel();
    let backlog = Arc::new(AtomicUsize::new(0));
    let workers = Workers::start(plan, tracing, stop, &news, &backlog)?;
    drop(news);
    let heard = listen(&inbox, &backlog, &workers.gauges, audience);
    if heard.is_err() {
        stop.store(true, Ordering::Relaxed);
    }
    let outcome = workers.join(plan)?;
    heard.map(|()| outcome)
}

/// Passes on what the workers tell until they have all ended.
fn listen(
    inbox: &Receiver<Timeline>,
    backlog: &AtomicUsize,
    gauges: &[Arc<Gauges>],
    audience: &mut impl Audience,
) -> io::Result<()> {
    let mut next_tick = std::time::Instant::now() + TICK;
    loop {
        match inbox.recv_timeout(TICK) {
            Ok(timeline) => {
                backlog.fetch_sub(1, Ordering::Relaxed);
                audience.probe(timeline)?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        let now = std::time::Instant::now();
        if now >= next_tick {
            next_tick = now + TICK;
            audience.tick(gauges)?;
        }
    }
}

/// The threads of a run.
struct Workers {
    threads: Vec<thread::JoinHandle<io::Result<(Ended, Tally)>>>,
    gauges: Vec<Arc<Gauges>>,
    tracer: Option<Arc<Tracer>>,
    reader: Option<Reader>,
}

impl Workers {
    fn start(
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
                let (sides, reader) = kernel_sides(&tracer, rings, ports.clone())?;
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
    fn join(self, plan: &Plan) -> io::Result<Outcome> {
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
        outcome.ended.events_lost += self.tracer.as_ref().map_or(0, |t| t.transitions_lost());
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
) -> io::Result<(Vec<Tracing>, Reader)> {
    let (senders, inboxes): (Vec<_>, Vec<_>) =
        ports.iter().map(|_| mpsc::sync_channel(INBOX)).unzip();
    // Each worker has source ports of its own, so that an event's local port names its worker.
    let route: Route = Arc::new(move |port| {
        ports.iter().position(|range| range.contains(&port)).unwrap_or(usize::MAX)
    });
    let counter = Arc::clone(tracer);
    let lost_in_kernel = move || counter.events_lost();
    let reader = Reader::start(rings, &tracer.kernel.rst_reasons, senders, route, lost_in_kernel)?;
    let sides = inboxes
        .into_iter()
        .map(|inbox| Tracing { tracer: Arc::clone(tracer), progress: reader.progress(), inbox })
        .collect();
    Ok((sides, reader))
}
