//! The checker's thread.

use std::{
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use nix::sys::signal::SigSet;

use crate::{
    BuildError, Builder, Checker, GuardError, SettledProbe, Support, builder::Hook, checker::Inner,
};
use engine::{
    event_loop::{Engine, Gauges, Sink, Tracing},
    requests::{self, RequestQueue},
};
use explain::Judged;
use kernel::{
    ack_guard::Guard,
    layout::Form,
    loader::Tracer,
    losses::Losses,
    netns,
    reader::{Progress, Reader},
};

/// What the worker shares with its checker.
#[derive(Clone, Default)]
struct Shared {
    gauges: Arc<Gauges>,
    stop: Arc<AtomicBool>,
    hook_panics: Arc<AtomicU64>,
}

/// What the worker found when it started.
struct Found {
    guard: Support,
    tracing: Support,
    progress: Option<Arc<Progress>>,
}

/// All that the worker's thread owns. The fields are dropped in this order.
struct Worker {
    engine: Engine,
    sink: SettledSink,
    _reader: Option<Reader>,
}

/// Starts the thread and waits until it is ready.
pub(crate) fn start(builder: Builder) -> Result<Checker, BuildError> {
    let (requests, queue) = requests::channel(builder.queue).map_err(BuildError::Worker)?;
    let shared = Shared::default();
    let for_worker = shared.clone();
    let (ready, started) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name("probe-checker".to_owned()).spawn(move || {
        // The host's signal handlers must not run here. Threads that this one starts inherit the mask.
        let _ = SigSet::all().thread_block();
        match Worker::new(builder, queue, &for_worker) {
            Ok((mut worker, found)) => {
                let _ = ready.send(Ok(found));
                worker.engine.run(&mut worker.sink).map(drop)
            }
            Err(error) => {
                let _ = ready.send(Err(error));
                Ok(())
            }
        }
    });
    let thread = thread.map_err(BuildError::Worker)?;
    let ended = || BuildError::Worker(io::Error::other("the worker's thread has ended"));
    match started.recv().map_err(|_| ended()).flatten() {
        Ok(Found { guard, tracing, progress }) => Ok(Checker(Arc::new(Inner {
            requests,
            guard,
            tracing,
            gauges: shared.gauges,
            progress,
            hook_panics: shared.hook_panics,
            queue_full: AtomicU64::new(0),
            stop: shared.stop,
            thread_id: thread.thread().id(),
            thread: Mutex::new(Some(thread)),
        }))),
        Err(error) => {
            // The programs that were loaded are unloaded when this returns.
            if let Err(payload) = thread.join() {
                mem::forget(payload);
            }
            Err(error)
        }
    }
}

impl Worker {
    fn new(
        builder: Builder,
        queue: RequestQueue,
        shared: &Shared,
    ) -> Result<(Self, Found), BuildError> {
        let mut found = Found { guard: Support::Off, tracing: Support::Off, progress: None };
        let (tracing, reader) = match trace(&builder, &mut found)? {
            Some((tracing, reader)) => (Some(tracing), Some(reader)),
            None => (None, None),
        };
        let (gauges, stop) = (Arc::clone(&shared.gauges), Arc::clone(&shared.stop));
        let engine = Engine::serving(builder.settings, queue, tracing, gauges, stop)
            .map_err(BuildError::Worker)?;
        let panics = Arc::clone(&shared.hook_panics);
        let sink = SettledSink { hook: builder.on_settled, panics };
        Ok((Self { engine, sink, _reader: reader }, found))
    }
}

/// Loads the eBPF programs, and records in `found` what is available.
fn trace(builder: &Builder, found: &mut Found) -> Result<Option<(Tracing, Reader)>, BuildError> {
    if !builder.kernel {
        return Ok(None);
    }
    let slots = builder.settings.slots;
    let loaded = Tracer::load(slots, netns::cookie(), builder.ack_guard, Form::Auto);
    let (tracer, rings) = match loaded {
        Ok((tracer, rings)) => (Arc::new(tracer), rings.without_log()),
        Err(error) if builder.require_half_open => {
            return Err(BuildError::NotHalfOpen(GuardError::NotLoaded(error.to_string())));
        }
        Err(error) => {
            found.tracing = Support::Unavailable(error.to_string());
            if builder.ack_guard {
                found.guard = found.tracing.clone();
            }
            return Ok(None);
        }
    };
    found.tracing = Support::On;
    found.guard = match &tracer.guard {
        Guard::Enforced(_) => Support::On,
        Guard::Off => Support::Off,
        Guard::Unavailable(reason) if builder.require_half_open => {
            return Err(BuildError::NotHalfOpen(GuardError::NotAttached(reason.clone())));
        }
        Guard::Unavailable(reason) => Support::Unavailable(reason.clone()),
    };
    let (settle, route) = (builder.settings.settle, Arc::new(|_| 0));
    let sides = Losses::begin(&tracer)
        .and_then(|losses| Tracing::sides(&tracer, rings, settle, 1, route, losses));
    let (mut sides, reader) = sides.map_err(BuildError::Worker)?;
    found.progress = Some(reader.progress());
    Ok(sides.pop().map(|side| (side, reader)))
}

/// Passes settled probes to the hook, if there is one.
struct SettledSink {
    hook: Option<Hook>,
    panics: Arc<AtomicU64>,
}

impl Sink for SettledSink {
    fn settled(&mut self, judged: Judged) {
        let Some(hook) = &mut self.hook else { return };
        let probe = SettledProbe::new(explain::explain(judged));
        // Whether the hook's own state is usable after a panic is for the hook to decide.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook(probe))) {
            self.panics.fetch_add(1, Ordering::Relaxed);
            // Its destructor is the host's code and could panic once more.
            mem::forget(payload);
        }
    }

    fn has_room(&self) -> bool {
        true
    }
}
