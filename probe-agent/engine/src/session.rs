//! One run, from the loaded hooks to the tally: workers probe, this thread hears of the probes.

mod watchdog;
mod worker_sink;
mod workers;

use std::{
    fs::File,
    io,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use nix::sched::{CloneFlags, setns};

pub use self::worker_sink::{Counts, ReportFilter};
use self::workers::Workers;
use crate::session::watchdog::Watch;
use crate::{
    event_loop::{Ended, Gauges},
    pace::Pacing,
    settings::Settings,
};
use explain::Judged;
use kernel::{
    error::TraceError,
    layout::Form,
    loader::{Rings, Tracer},
    netns,
};
use model::target::Target;

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
    pub pace: Pacing,
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
            pace: Pacing::default(),
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

/// Runs a plan to its end, or until `stop` is set, and tells `output` of it on the calling
/// thread.
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
    let workers = Workers::start(plan, tracing, stop, &counts, &channel, &backlog)?;
    drop(channel);
    let watch = Watch::start(workers.gauges.clone())
        .inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
    let heard = listen(&inbox, &backlog, &workers.gauges, &watch, output);
    if heard.is_err() {
        stop.store(true, Ordering::Relaxed);
    }
    let result = workers.join(counts())?;
    heard.map(|()| result)
}

/// Passes on what the workers tell until they have all ended.
fn listen(
    inbox: &Receiver<Judged>,
    backlog: &AtomicUsize,
    gauges: &[Arc<Gauges>],
    watch: &Watch,
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
            if watch.stalls() > told {
                told = watch.stalls();
                output.stalled(watch.latest());
            }
            output.tick(gauges)?;
        }
    }
}
