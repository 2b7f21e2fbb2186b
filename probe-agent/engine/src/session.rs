//! One run of a plan, from the loaded hooks to the merged counts: workers probe, and the calling thread
//! passes their probes to the output.

mod forward;
mod watchdog;
mod worker_sink;

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Sender},
    },
};

use explain::Judged;
use kernel::{
    error::TraceError,
    loader::{Rings, Tracer},
    monotonic, netns,
    state_hook::StateHookChoice,
};
use model::target::Targets;

pub use self::worker_sink::{Counts, ReportFilter};
use self::{
    forward::forward,
    watchdog::Watchdog,
    worker_sink::{Message, WorkerSink},
};
use crate::{
    early::{EarlyFilter, EarlyReport, EarlyReports},
    event_loop::Ended,
    gauges::Gauges,
    names::Names,
    pacing::{Pacing, RateLimits},
    runtime::{OTHERS, Runtime, RuntimeConfig, RuntimeResult, WorkerSpec, inside},
    schedule::{ScheduledTargets, WorkerConfig, assign},
    settings::Settings,
    shortage,
    source_ports::{ephemeral_ports, split_range},
};

/// What a run does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How to probe.
    pub settings: Settings,
    /// What to probe.
    pub targets: Targets,
    /// The names among the targets, whose addresses may change; `None` if there is none.
    pub names: Option<Arc<Names>>,
    /// Probes for each target; `None`: until stopped.
    pub count: Option<u64>,
    /// When they start.
    pub pacing: Pacing,
    /// The number of threads that probe.
    pub workers: u32,
    /// The network namespace to probe from; `None`: the caller's.
    pub netns: Option<Arc<File>>,
    /// Whether to attach the ACK guard, which drops ACKs that would complete a handshake.
    pub ack_guard: bool,
    /// Which hook reports state changes.
    pub state_hook: StateHookChoice,
    /// Which probes the output receives.
    pub filter: ReportFilter,
    /// Which probes the output receives before that, when they end.
    pub early: EarlyFilter,
}

impl Plan {
    /// One probe of each target, all at once, by one worker in the caller's network namespace, with all
    /// kernel features. The output receives every probe.
    #[must_use]
    pub fn new(settings: Settings, targets: Targets) -> Self {
        Self {
            settings,
            targets,
            names: None,
            count: Some(1),
            pacing: Pacing::default(),
            workers: 1,
            netns: None,
            ack_guard: true,
            state_hook: StateHookChoice::Auto,
            filter: ReportFilter::All,
            early: EarlyFilter::None,
        }
    }
}

/// How a run went.
#[derive(Debug)]
pub struct RunResult<C> {
    /// The merged counts of the workers.
    pub counts: C,
    /// How it ended.
    pub ended: Ended,
    /// How often a worker's event loop was stalled for a second or longer.
    pub worker_stalls: u64,
    /// The time from the first start of a probe to the last end of one, in nanoseconds.
    pub probing_ns: u64,
    /// What ended the run early: an error of a worker or of the output. The counts are what there is.
    pub failure: Option<io::Error>,
}

impl<C> RunResult<C> {
    /// The result of a run that nothing ended early, for callers that have no use for a part.
    ///
    /// # Errors
    /// What ended it early.
    pub fn complete(mut self) -> io::Result<Self> {
        self.failure.take().map_or(Ok(self), Err)
    }
}

/// Receives the probes and the progress of a run, on the thread that called [`run`]. An error stops the
/// run.
pub trait Output {
    /// A probe that the report filter selects is settled.
    ///
    /// # Errors
    /// Any error that makes it pointless to continue.
    fn probe(&mut self, probe: Judged) -> io::Result<()>;

    /// A probe that [`Plan::early`] selects has ended. If the report filter selects it too, it follows when it
    /// is settled.
    ///
    /// # Errors
    /// Any error that makes it pointless to continue.
    fn ended(&mut self, report: EarlyReport) -> io::Result<()> {
        let _ = report;
        Ok(())
    }

    /// A tenth of a second has passed.
    ///
    /// # Errors
    /// Any error that makes it pointless to continue.
    fn tick(&mut self, gauges: &[Arc<Gauges>]) -> io::Result<()>;

    /// A worker's event loop was stalled for a second or longer, so its probes are late. If several were
    /// since the last tick, this is one of them.
    fn stalled(&mut self, worker: usize) {
        let _ = worker;
    }
}

/// Loads the hooks for a run.
///
/// # Errors
/// What is missing, what it costs and the remedy.
pub fn trace(plan: &Plan) -> Result<(Arc<Tracer>, Rings), TraceError> {
    let slots = plan.settings.slots.saturating_mul(plan.workers);
    trace_slots(slots, plan.netns.as_ref(), plan.ack_guard, plan.state_hook)
}

/// Loads the hooks for so many slots in a network namespace; `None`: the caller's.
///
/// # Errors
/// What is missing, what it costs and the remedy.
pub fn trace_slots(
    slots: u32,
    netns: Option<&Arc<File>>,
    ack_guard: bool,
    state_hook: StateHookChoice,
) -> Result<(Arc<Tracer>, Rings), TraceError> {
    let cookie = inside(netns, netns::cookie)
        .map_err(|e| TraceError::Load(format!("entering the network namespace: {e}")))?;
    let (tracer, rings) = Tracer::load(slots, cookie, ack_guard, state_hook)?;
    Ok((Arc::new(tracer), rings))
}

/// Makes sure that there is memory for the threads of a plan: an allocation that fails later ends the process.
/// [`run`] does so too; a caller that allocates before it asks first.
///
/// # Errors
/// If there is not.
pub fn check_memory(plan: &Plan) -> io::Result<()> {
    shortage::memory(plan.workers as usize + OTHERS)
}

/// Runs a plan to its end, or until `stop` is set. The calling thread passes the probes to `output`.
/// `counts` makes the counts of a worker.
///
/// # Errors
/// If the run cannot begin: the kernel refuses a thread, an epoll instance or the namespace. What ends it
/// later is in [`RunResult::failure`], beside the counts.
pub fn run<C: Counts>(
    plan: &Plan,
    tracing: Option<(Arc<Tracer>, Rings)>,
    stop: &Arc<AtomicBool>,
    counts: impl Fn() -> C,
    output: &mut impl Output,
) -> io::Result<RunResult<C>> {
    // Before the counts are made, which may be large.
    check_memory(plan)?;
    let (channel, inbox) = mpsc::channel();
    let backlog = Arc::new(AtomicUsize::new(0));
    let sink = || WorkerSink::new(counts(), plan.filter, channel.clone(), Arc::clone(&backlog));
    let early = || early_reports(plan.early, channel.clone(), Arc::clone(&backlog));
    let workers = workers(plan, early, sink)?;
    let config = RuntimeConfig {
        settings: plan.settings.clone(),
        netns: plan.netns.clone(),
        block_signals: false,
    };
    let runtime = Runtime::start(&config, tracing, stop, workers)?;
    drop(channel);
    let gauges = runtime.gauges().to_vec();
    let watchdog = Watchdog::start(gauges.clone());
    let forwarded = forward(&inbox, &backlog, &gauges, &watchdog, output);
    if forwarded.is_err() {
        stop.store(true, Ordering::Relaxed);
    }
    // Its thread ends while the workers are waited for.
    watchdog.end();
    let RuntimeResult { results, ended, failure } = runtime.join();
    watchdog.join();
    let failure = failure.or(forwarded.err());
    // The others' counts are merged into those of the first worker: one more set would be as large.
    let mut all = results.into_iter();
    let mut total = all.next().unwrap_or_else(counts);
    all.for_each(|counts| total.merge(counts));
    let worker_stalls = gauges.iter().map(|g| g.past_stalls.load(Ordering::Relaxed)).sum();
    let probing_ns = probing_ns(&gauges);
    Ok(RunResult { counts: total, ended, worker_stalls, probing_ns, failure })
}

/// The workers of a plan, with its source ports and targets divided among them.
fn workers<K>(
    plan: &Plan,
    early: impl Fn() -> EarlyReports,
    sink: impl Fn() -> K,
) -> io::Result<Vec<WorkerSpec<ScheduledTargets, K>>> {
    let range = match &plan.settings.socket.ports {
        Some(range) => range.clone(),
        None => inside(plan.netns.as_ref(), ephemeral_ports)?,
    };
    let ports = split_range(&range, plan.workers.max(1));
    let targets = u32::try_from(plan.targets.len()).unwrap_or(u32::MAX);
    let count = u32::try_from(ports.len()).unwrap_or(1);
    let assignments = assign(
        targets,
        plan.names.as_deref(),
        plan.count,
        count,
        plan.settings.interval,
        &plan.pacing,
    );
    let limits = Arc::new(RateLimits::new(&plan.pacing, &plan.targets));
    let now = monotonic::now();
    let worker = |(number, (ports, assignments))| {
        let config = WorkerConfig {
            targets: plan.targets.clone(),
            names: plan.names.clone(),
            assignments,
            jitter: plan.pacing.jitter,
            limits: Arc::clone(&limits),
        };
        // Each worker has a different jitter.
        let seed = now ^ u64::from(number) << 40;
        WorkerSpec {
            ports,
            source: ScheduledTargets::new(config, early(), seed, now),
            sink: sink(),
        }
    };
    Ok((0_u32..).zip(ports.into_iter().zip(assignments)).map(worker).collect())
}

/// Sends a worker's early reports over the channel of its settled probes, so that they arrive before these.
fn early_reports(
    filter: EarlyFilter,
    channel: Sender<Message>,
    backlog: Arc<AtomicUsize>,
) -> EarlyReports {
    EarlyReports::new(filter, move |report| {
        backlog.fetch_add(1, Ordering::Relaxed);
        // The receiver is dropped only when the run is being stopped.
        let _ = channel.send(Message::Ended(report));
    })
}

/// The time from the first start of a probe to the last end of one.
fn probing_ns(gauges: &[Arc<Gauges>]) -> u64 {
    let times = |read: fn(&Gauges) -> u64| gauges.iter().map(move |g| read(g)).filter(|at| *at > 0);
    let first = times(|g| g.first_at.load(Ordering::Relaxed)).min();
    let last = times(|g| g.last_at.load(Ordering::Relaxed)).max();
    first.zip(last).map_or(0, |(first, last)| last.saturating_sub(first))
}

#[cfg(test)]
mod tests;
