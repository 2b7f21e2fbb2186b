//! The threads that probe: one event loop each, and one reader that passes kernel events to them.
//!
//! Sessions and the embeddable checker share this.

mod worker;

use std::{
    any::Any,
    fs::File,
    io, mem,
    ops::RangeInclusive,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, SyncSender},
    },
    thread::{self, JoinHandle},
};

use kernel::{
    loader::{Rings, Tracer},
    lost_events::LostEvents,
    reader::{Progress, Reader, Route},
};
use nix::sched::{CloneFlags, setns};

use self::worker::Worker;
use crate::{
    event_loop::{Ended, Sink},
    gauges::Gauges,
    observer::{self, Tracing},
    settings::Settings,
    shortage,
    source::Source,
};

/// Threads beside the workers: the reader of kernel events, and the watchdog of a session.
pub(crate) const OTHERS: usize = 2;

/// The configuration that all threads share.
#[derive(Clone, Debug)]
pub struct RuntimeConfig {
    /// How each worker probes. [`Settings::slots`] and [`Settings::concurrency`] are those of one worker.
    pub settings: Settings,
    /// The network namespace to probe from; `None`: the caller's.
    pub netns: Option<Arc<File>>,
    /// Whether the threads block all signals, to keep the host program's signal handlers off them.
    pub block_signals: bool,
}

/// One worker of a runtime.
pub struct WorkerSpec<S, K> {
    /// Its source ports. No two workers share a port.
    pub ports: RangeInclusive<u16>,
    /// Where its probes come from.
    pub source: S,
    /// Where its settled probes go.
    pub sink: K,
}

/// The running threads. [`Self::join`] waits for them, detaches the programs and leaves the cgroup. If this
/// is dropped instead, the threads end by themselves, and the last of them does so.
pub struct Runtime<R> {
    workers: Vec<JoinHandle<(Ended, Option<io::Error>, R)>>,
    gauges: Vec<Arc<Gauges>>,
    tracer: Option<Arc<Tracer>>,
    reader: Option<Reader>,
}

/// How the threads ended.
#[derive(Debug)]
pub struct RuntimeResult<R> {
    /// What the workers' sinks left, in the order of the workers. A worker that panicked leaves nothing.
    pub results: Vec<R>,
    /// How the workers ended, added up.
    pub ended: Ended,
    /// The first error of a worker; a panic counts as one.
    pub failure: Option<io::Error>,
}

impl<R: Send + 'static> Runtime<R> {
    /// Starts the threads, and waits until each is ready. They end soon after `stop` is set.
    ///
    /// # Errors
    /// If the kernel refuses a thread, an epoll instance or the namespace. The threads that have started
    /// are then ended, and the programs are detached.
    pub fn start<S, K>(
        config: &RuntimeConfig,
        tracing: Option<(Arc<Tracer>, Rings)>,
        stop: &Arc<AtomicBool>,
        workers: Vec<WorkerSpec<S, K>>,
    ) -> io::Result<Self>
    where
        S: Source + Send + 'static,
        K: Sink<Result = R> + Send + 'static,
    {
        let (tracer, rings) = tracing.unzip();
        let mut runtime = Self { workers: Vec::new(), gauges: Vec::new(), tracer, reader: None };
        match runtime.launch(config, rings, stop, workers) {
            Ok(()) => Ok(runtime),
            Err(error) => {
                stop.store(true, Ordering::Relaxed);
                // Whatever error they return, the one that stopped them matters.
                let _ = runtime.join();
                Err(error)
            }
        }
    }

    fn launch<S, K>(
        &mut self,
        config: &RuntimeConfig,
        rings: Option<Rings>,
        stop: &Arc<AtomicBool>,
        workers: Vec<WorkerSpec<S, K>>,
    ) -> io::Result<()>
    where
        S: Source + Send + 'static,
        K: Sink<Result = R> + Send + 'static,
    {
        shortage::memory(workers.len() + OTHERS)?;
        let mut ends = Vec::new();
        if let Some((tracer, rings)) = self.tracer.as_ref().zip(rings) {
            let settle = config.settings.settle;
            let (count, route) = (workers.len(), by_port(&workers));
            // The reader's thread inherits the network namespace, whose interfaces it names.
            let tracing = inside(config.netns.as_ref(), || {
                let losses = LostEvents::begin(tracer).map_err(shortage::of("count of RSTs"))?;
                observer::tracing(tracer, rings, settle, count, route, losses)
                    .map_err(shortage::of("thread for kernel events"))
            });
            let (mut all, reader) = tracing??;
            all.reverse();
            ends = all;
            self.reader = Some(reader);
        }
        let (ready, is_ready) = mpsc::sync_channel(workers.len());
        for (spec, number) in workers.into_iter().zip(0_u32..) {
            self.spawn(config, spec, number, ends.pop(), stop, ready.clone())?;
        }
        drop(ready);
        is_ready.iter().collect()
    }

    fn spawn<S, K>(
        &mut self,
        config: &RuntimeConfig,
        spec: WorkerSpec<S, K>,
        number: u32,
        tracing: Option<Tracing>,
        stop: &Arc<AtomicBool>,
        ready: SyncSender<io::Result<()>>,
    ) -> io::Result<()>
    where
        S: Source + Send + 'static,
        K: Sink<Result = R> + Send + 'static,
    {
        let WorkerSpec { ports, source, sink } = spec;
        let mut settings = config.settings.clone();
        settings.first_slot = number.saturating_mul(config.settings.slots);
        settings.socket.are_ports_chosen = settings.socket.ports.is_some();
        settings.socket.ports = Some(ports);
        let gauges = Arc::new(Gauges::default());
        let worker = Worker {
            settings,
            source,
            sink,
            tracing,
            gauges: Arc::clone(&gauges),
            stop: Arc::clone(stop),
            netns: config.netns.clone(),
            ready,
        };
        let thread = worker::spawn(config.block_signals, || worker.run());
        self.workers.push(thread.map_err(shortage::of("thread for a worker"))?);
        self.gauges.push(gauges);
        Ok(())
    }

    /// The gauges of each worker.
    #[must_use]
    pub fn gauges(&self) -> &[Arc<Gauges>] {
        &self.gauges
    }

    /// Whether all workers have ended, so that [`Self::join`] does not wait.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.workers.iter().all(JoinHandle::is_finished)
    }

    /// The progress of the reader of kernel events.
    #[must_use]
    pub fn progress(&self) -> Option<Arc<Progress>> {
        self.reader.as_ref().map(Reader::progress)
    }

    /// Whether the calling thread is one of the workers.
    #[must_use]
    pub fn is_current_thread(&self) -> bool {
        self.workers.iter().any(|worker| worker.thread().id() == thread::current().id())
    }

    /// Waits for all workers, detaches the programs and leaves the cgroup. What the workers' sinks left is
    /// handed out, whatever happened.
    #[must_use]
    pub fn join(self) -> RuntimeResult<R> {
        let Self { workers, tracer, reader, .. } = self;
        let mut all = RuntimeResult { results: Vec::new(), ended: Ended::default(), failure: None };
        for worker in workers {
            match worker.join() {
                Ok((ended, failure, result)) => {
                    all.results.push(result);
                    all.ended.add(ended);
                    all.failure = all.failure.or(failure);
                }
                // The panic hook has already reported it. The worker's probes are missing.
                Err(payload) => {
                    all.ended.interrupted = true;
                    let failure = panicked(payload, "a worker thread panicked");
                    all.failure.get_or_insert(failure);
                }
            }
        }
        if let Some(tracer) = &tracer {
            // A cgroup that cannot be left now is removed by the next agent.
            let _ = tracer.detach();
        }
        // The reader's count includes the kernel's, but may be one tick old.
        let in_kernel = tracer.as_ref().map_or(0, |t| t.events_lost());
        let in_all = reader.as_ref().map_or(0, |r| r.progress().lost());
        all.ended.events_lost += in_kernel.max(in_all);
        if let Some(reader) = reader {
            reader.stop();
        }
        all
    }
}

/// The error that a panic of a thread counts as.
fn panicked(payload: Box<dyn Any + Send>, what: &str) -> io::Error {
    // The payload's destructor may be foreign code, and could panic here.
    mem::forget(payload);
    io::Error::other(what)
}

/// Routes an event by its local port: each worker has source ports of its own.
fn by_port<S, K>(workers: &[WorkerSpec<S, K>]) -> Route {
    let ports: Vec<RangeInclusive<u16>> = workers.iter().map(|w| w.ports.clone()).collect();
    Arc::new(move |port| ports.iter().position(|range| range.contains(&port)).unwrap_or(usize::MAX))
}

fn enter(netns: Option<&Arc<File>>) -> io::Result<()> {
    netns.map_or(Ok(()), |netns| Ok(setns(netns.as_fd(), CloneFlags::CLONE_NEWNET)?))
}

/// Runs a closure in a network namespace, on a thread of its own.
///
/// # Errors
/// If no thread can be started, the namespace cannot be entered, or the closure panicked.
pub fn inside<T: Send>(
    netns: Option<&Arc<File>>,
    work: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    let Some(netns) = netns else { return Ok(work()) };
    thread::scope(|scope| {
        let inner = thread::Builder::new().spawn_scoped(scope, || {
            enter(Some(netns))?;
            Ok(work())
        });
        let inner = inner.map_err(shortage::of("thread for another network namespace"))?;
        inner.join().unwrap_or_else(|payload| Err(panicked(payload, "a thread panicked")))
    })
}
