//! A group of targets with one profile, and the event loop that probes them.

use std::{
    collections::VecDeque,
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use engine::{
    gauges::Gauges,
    live::{self, Command, CommandError, CommandSender, SharedLimits},
    pacing::Jitter,
    runtime::{Runtime, RuntimeConfig, RuntimeResult, WorkerSpec, inside},
    session::trace_slots,
    source_ports::ephemeral_ports,
};
use kernel::{error::TraceError, loader::Tracer, monotonic, state_hook::StateHookChoice};
use model::errno::in_words;

use crate::{
    profile::{LoopLimits, Profile},
    sink::WorkerSink,
};

/// The most commands that wait in the queue of a worker. The others wait here.
const QUEUE: usize = 1_024;

/// How long after a failure it is tried again: a network namespace or an address may come back.
const RETRY: Duration = Duration::from_secs(5);

/// By how much the waits between two probes differ from the interval: targets with the same interval do not stay in
/// step.
const JITTER: Jitter = Jitter::Fraction(0.02);

/// A group of targets with one profile.
pub(crate) struct Group {
    profile: Profile,
    state: State,
    /// Commands that the worker has not got yet.
    pending: VecDeque<Command>,
    /// How many targets it is to probe.
    pub(crate) members: usize,
}

enum State {
    Running(Running),
    /// Its worker ends when all its probes are settled.
    Ending(Running),
    /// To be started, or started again, not before this.
    Idle {
        not_before: Instant,
    },
}

/// A running event loop.
struct Running {
    runtime: Runtime<()>,
    commands: CommandSender,
    stop: Arc<AtomicBool>,
    tracer: Option<Arc<Tracer>>,
    /// Why kernel events are not received.
    untraced: Option<TraceError>,
    /// The network namespace that its probes leave from, by device and inode; `None`: the agent's.
    netns: Option<(u64, u64)>,
}

/// What the service gives to a group that starts.
pub(crate) struct Means<'a> {
    pub(crate) limits: LoopLimits,
    pub(crate) rates: &'a SharedLimits,
    /// The sink of the worker.
    pub(crate) sink: &'a dyn Fn() -> WorkerSink,
}

impl Group {
    pub(crate) fn new(profile: Profile, now: Instant) -> Self {
        Self {
            profile,
            state: State::Idle { not_before: now },
            pending: VecDeque::new(),
            members: 0,
        }
    }

    /// Queues a command, if the event loop runs. A group that does not run gets all its targets when it starts.
    pub(crate) fn send(&mut self, command: Command) {
        if self.is_running() {
            self.pending.push_back(command);
        }
    }

    /// Starts the event loop if it does not run and it is time. `None` if nothing was to do.
    ///
    /// # Errors
    /// This host refuses something; it is tried again later.
    pub(crate) fn start(&mut self, means: &Means<'_>, now: Instant) -> Option<io::Result<()>> {
        let State::Idle { not_before } = self.state else { return None };
        if now < not_before {
            return None;
        }
        Some(match launch(&self.profile, means) {
            Ok(running) => {
                self.state = State::Running(running);
                Ok(())
            }
            Err(error) => {
                self.state = State::Idle { not_before: now + RETRY };
                Err(in_words(error))
            }
        })
    }

    /// Whether the path of its network namespace names another one by now: a container was started again.
    pub(crate) fn is_elsewhere(&self) -> bool {
        let State::Running(Running { netns: Some(own), .. }) = &self.state else { return false };
        let path = self.profile.path.netns.as_deref();
        // One that is gone may come back.
        path.and_then(|path| Some(identity(&fs::metadata(path).ok()?)))
            .is_some_and(|now| now != *own)
    }

    /// Passes queued commands to the worker, as many as it has room for.
    pub(crate) fn flush(&mut self) {
        let (State::Running(running) | State::Ending(running)) = &self.state else { return };
        while let Some(command) = self.pending.pop_front() {
            match running.commands.try_send(command) {
                Ok(()) => {}
                Err((command, CommandError::Full)) => {
                    self.pending.push_front(command);
                    return;
                }
                // It has ended, which the service finds out.
                Err((_, CommandError::Closed)) => self.pending.clear(),
            }
        }
    }

    /// The worker ends when all its probes are settled.
    pub(crate) fn stop(&mut self) {
        let idle = State::Idle { not_before: Instant::now() };
        self.state = match std::mem::replace(&mut self.state, idle) {
            State::Running(running) => {
                self.pending.push_back(Command::Stop);
                State::Ending(running)
            }
            other => other,
        };
        self.flush();
    }

    /// The worker ends now.
    pub(crate) fn stop_now(&self) {
        if let State::Running(running) | State::Ending(running) = &self.state {
            running.stop.store(true, Ordering::SeqCst);
        }
    }

    /// Whether the event loop has ended, and is to be joined.
    pub(crate) fn has_ended(&self) -> bool {
        match &self.state {
            State::Running(running) | State::Ending(running) => running.runtime.has_ended(),
            State::Idle { .. } => false,
        }
    }

    /// Whether the event loop takes commands.
    pub(crate) const fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// Whether there is no event loop.
    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle { .. })
    }

    /// Waits for the worker. The group may be started again: at once if it was to end, else after a while.
    pub(crate) fn join(&mut self, now: Instant) -> Option<RuntimeResult<()>> {
        self.pending.clear();
        match std::mem::replace(&mut self.state, State::Idle { not_before: now }) {
            State::Running(running) => {
                self.state = State::Idle { not_before: now + RETRY };
                Some(running.runtime.join())
            }
            State::Ending(running) => Some(running.runtime.join()),
            State::Idle { .. } => None,
        }
    }

    pub(crate) fn gauges(&self) -> &[Arc<Gauges>] {
        match &self.state {
            State::Running(running) | State::Ending(running) => running.runtime.gauges(),
            State::Idle { .. } => &[],
        }
    }

    /// Kernel events that it has lost since it started.
    pub(crate) fn events_lost(&self) -> u64 {
        match &self.state {
            State::Running(running) | State::Ending(running) => {
                running.runtime.progress().map_or(0, |progress| progress.lost())
            }
            State::Idle { .. } => 0,
        }
    }

    /// What is missing on this host, its cost and the remedy; one line each.
    pub(crate) fn missing(&self) -> Vec<String> {
        let (State::Running(running) | State::Ending(running)) = &self.state else {
            return Vec::new();
        };
        let untraced = running.untraced.iter().map(|error| {
            format!("kernel events are not received, so verdicts are inferred: {error}")
        });
        let capabilities = running.tracer.iter().flat_map(|tracer| tracer.capabilities().missing());
        untraced.chain(capabilities.map(ToString::to_string)).collect()
    }

    pub(crate) fn tracer(&self) -> Option<&Arc<Tracer>> {
        match &self.state {
            State::Running(running) | State::Ending(running) => running.tracer.as_ref(),
            State::Idle { .. } => None,
        }
    }
}

/// Starts the event loop of a profile, with the hooks for its network namespace.
fn launch(profile: &Profile, means: &Means<'_>) -> io::Result<Running> {
    let netns = profile.path.netns.as_deref().map(File::open).transpose()?.map(Arc::new);
    let own = netns.as_ref().map(|netns| netns.metadata()).transpose()?;
    let settings = profile.settings(means.limits);
    let ports = match &settings.socket.ports {
        Some(ports) => ports.clone(),
        None => inside(netns.as_ref(), ephemeral_ports)?,
    };
    let trace = || trace_slots(settings.slots, netns.as_ref(), true, StateHookChoice::Auto);
    let (tracing, untraced) = match means.limits.traces.then(trace) {
        Some(Ok(tracing)) => (Some(tracing), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let tracer = tracing.as_ref().map(|(tracer, _)| Arc::clone(tracer));
    let (commands, source) = live::channel(QUEUE, means.rates.clone(), JITTER, monotonic::now())?;
    let config = RuntimeConfig { settings, netns, block_signals: true };
    let stop = Arc::new(AtomicBool::new(false));
    let worker = WorkerSpec { ports, source, sink: (means.sink)() };
    let runtime = Runtime::start(&config, tracing, &stop, vec![worker])?;
    let netns = own.as_ref().map(identity);
    Ok(Running { runtime, commands, stop, tracer, untraced, netns })
}

/// What tells two network namespaces apart.
fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
