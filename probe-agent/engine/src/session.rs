//! One run of a plan, from the loaded hooks to the merged counts: workers probe, the calling thread
//! reports.

mod watchdog;
mod worker_sink;

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use explain::Judged;
use kernel::{
    error::TraceError,
    layout::Form,
    loader::{Rings, Tracer},
    monotonic, netns,
};
use model::target::Target;

pub use self::worker_sink::{Counts, ReportFilter};
use self::{watchdog::Watchdog, worker_sink::WorkerSink};
use crate::{
    event_loop::Ended,
    gauges::Gauges,
    pacing::{Pacing, RateLimits},
    runtime::{Runtime, RuntimeConfig, RuntimeResult, WorkerSpec, inside},
    schedule::{ScheduledTargets, WorkerConfig, assign},
    settings::Settings,
    source_ports::{ephemeral_ports, split_range},
};

/// How often the caller is told how far the run is.
const TICK: Duration = Duration::from_millis(100);

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How to probe.
    pub settings: Settings,
    /// What to probe.
    pub targets: Arc<[Target]>,
    /// Probes for each target; `None`: until stopped.
    pub count: Option<u64>,
    /// When they start.
    pub pacing: Pacing,
    /// Threads that probe.
    pub workers: u32,
    /// The network namespace to probe from; `None`: the caller's.
    pub netns: Option<Arc<File>>,
    /// Whether to hold back ACKs that would complete a handshake.
    pub ack_guard: bool,
    /// Which form of the tracepoints to use.
    pub tracepoints: Form,
    /// Which probes the caller wants to hear of.
    pub filter: ReportFilter,
}

impl Plan {
    /// One probe of each target at once, by one worker of the caller's network namespace, with all that
    /// the kernel gives; the caller hears of every one.
    #[must_use]
    pub fn new(settings: Settings, targets: Arc<[Target]>) -> Self {
        Self {
            settings,
            targets,
            count: Some(1),
            pacing: Pacing::default(),
            workers: 1,
            netns: None,
            ack_guard: true,
            tracepoints: Form::Auto,
            filter: ReportFilter::All,
        }
    }
}

/// How a run went.
#[derive(Debug)]
pub struct RunResult<C> {
    /// What its workers counted.
    pub counts: C,
    /// How it ended.
    pub ended: Ended,
    /// Times that a worker's loop stood still for longer than a second.
    pub worker_stalls: u64,
    /// From the first start of a probe to the last end of one, in nanoseconds.
    pub probing_ns: u64,
}

/// Whoever hears of a run while it goes on, on the thread that called [`run`]. An error stops it.
pub trait Output {
    /// A probe that was wanted has settled.
    ///
    /// # Errors
    /// Whatever makes it pointless to go on.
    fn probe(&mut self, probe: Judged) -> io::Result<()>;

    /// Some time has passed.
    ///
    /// # Errors
    /// Whatever makes it pointless to go on.
    fn tick(&mut self, gauges: &[Arc<Gauges>]) -> io::Result<()>;

    /// A worker's loop has stood still for longer than a second; its probes are late. Where
    /// several have since the last tick, this is one of them.
    fn stalled(&mut self, worker: usize) {
        let _ = worker;
    }
}

/// Loads the hooks for a run. See [`Tracer::load`] for the thread that may call it.
///
/// # Errors
/// What is missing, what it costs and the remedy.
pub fn trace(plan: &Plan) -> Result<(Arc<Tracer>, Rings), TraceError> {
    let cookie = inside(plan.netns.as_ref(), netns::cookie)
        .map_err(|e| TraceError::Load(format!("entering the network namespace: {e}")))?;
    let slots = plan.settings.slots * plan.workers;
    let (tracer, rings) = Tracer::load(slots, cookie, plan.ack_guard, plan.tracepoints)?;
    Ok((Arc::new(tracer), rings))
}

/// Runs a plan to its end, or until `stop` is set, and reports to `output` on the calling thread.
/// `counts` makes the counts of a worker.
///
/// # Errors
/// If a thread, an epoll instance or the namespace is refused, or what `output` returned.
pub fn run<C: Counts>(
    plan: &Plan,
    tracing: Option<(Arc<Tracer>, Rings)>,
    stop: &Arc<AtomicBool>,
    counts: impl Fn() -> C,
    output: &mut impl Output,
) -> io::Result<RunResult<C>> {
    let (channel, inbox) = mpsc::channel();
    let backlog = Arc::new(AtomicUsize::new(0));
    let sink = || WorkerSink::new(counts(), plan.filter, channel.clone(), Arc::clone(&backlog));
    let workers = workers(plan, sink)?;
    let config = RuntimeConfig {
        settings: plan.settings.clone(),
        netns: plan.netns.clone(),
        block_signals: false,
    };
    let runtime = Runtime::start(&config, tracing, stop, workers)?;
    drop(channel);
    let gauges = runtime.gauges().to_vec();
    let watchdog =
        Watchdog::start(gauges.clone()).inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
    let heard = listen(&inbox, &backlog, &gauges, &watchdog, output);
    if heard.is_err() {
        stop.store(true, Ordering::Relaxed);
    }
    let RuntimeResult { results, ended } = runtime.join()?;
    heard?;
    // The first worker's counts are those that the others' are added to: one more set would be as large.
    let mut all = results.into_iter();
    let mut total = all.next().unwrap_or_else(counts);
    all.for_each(|counts| total.merge(counts));
    let worker_stalls = gauges.iter().map(|g| g.past_stalls.load(Ordering::Relaxed)).sum();
    Ok(RunResult { counts: total, ended, worker_stalls, probing_ns: probing_ns(&gauges) })
}

/// The workers of a plan: its source ports and its targets, divided among them.
fn workers<K>(
    plan: &Plan,
    sink: impl Fn() -> K,
) -> io::Result<Vec<WorkerSpec<ScheduledTargets, K>>> {
    let range = match &plan.settings.socket.ports {
        Some(range) => range.clone(),
        None => inside(plan.netns.as_ref(), ephemeral_ports)?,
    };
    let ports = split_range(&range, plan.workers);
    let targets = u32::try_from(plan.targets.len()).unwrap_or(u32::MAX);
    let count = u32::try_from(ports.len()).unwrap_or(1);
    let assignments = assign(targets, plan.count, count, plan.settings.interval, &plan.pacing);
    let limits = Arc::new(RateLimits::new(&plan.pacing, &plan.targets));
    let now = monotonic::now();
    let worker = |(number, (ports, assignments))| {
        let config = WorkerConfig {
            targets: Arc::clone(&plan.targets),
            assignments,
            jitter: plan.pacing.jitter,
            limits: Arc::clone(&limits),
        };
        // The jitter of two workers differs.
        let seed = now ^ u64::from(number) << 40;
        WorkerSpec { ports, source: ScheduledTargets::new(config, seed, now), sink: sink() }
    };
    Ok((0_u32..).zip(ports.into_iter().zip(assignments)).map(worker).collect())
}

/// From the first start of a probe to the last end of one.
fn probing_ns(gauges: &[Arc<Gauges>]) -> u64 {
    let times = |read: fn(&Gauges) -> u64| gauges.iter().map(move |g| read(g)).filter(|at| *at > 0);
    let first = times(|g| g.first_at.load(Ordering::Relaxed)).min();
    let last = times(|g| g.last_at.load(Ordering::Relaxed)).max();
    first.zip(last).map_or(0, |(first, last)| last.saturating_sub(first))
}

/// Passes on what the workers tell until they have all ended.
fn listen(
    inbox: &Receiver<Judged>,
    backlog: &AtomicUsize,
    gauges: &[Arc<Gauges>],
    watchdog: &Watchdog,
    output: &mut impl Output,
) -> io::Result<()> {
    let mut told = 0;
    let mut next_tick = std::time::Instant::now() + TICK;
    loop {
        match inbox.recv_timeout(TICK) {
            Ok(probe) => {
                backlog.fetch_sub(1, Ordering::Relaxed);
                output.probe(probe)?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        let now = std::time::Instant::now();
        if now >= next_tick {
            next_tick = now + TICK;
            if watchdog.stalls() > told {
                told = watchdog.stalls();
                output.stalled(watchdog.latest());
            }
            output.tick(gauges)?;
        }
    }
}
