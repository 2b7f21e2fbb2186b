//! The checker's thread.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use nix::sys::signal::SigSet;

use super::{BuildError, Builder, Checker, Inner, NoGuard, Support, builder::Hook};
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

/// All that a worker works with; let go of in this order.
struct Worker {
    engine: Engine,
    sink: Settled,
    _reader: Option<Reader>,
}

/// Starts the thread and waits until it is ready.
pub(super) fn start(builder: Builder) -> Result<Checker, BuildError> {
    let (requests, queue) = requests::channel(builder.queue).map_err(BuildError::Worker)?;
    let shared = Shared::default();
    let theirs = shared.clone();
    let (tell, told) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name("probe-checker".to_owned()).spawn(move || {
        // A handler of the host's must not run here. All threads that this one starts inherit it.
        let _ = SigSet::all().thread_block();
        match Worker::new(builder, queue, &theirs) {
            Ok((mut worker, found)) => {
                let _ = tell.send(Ok(found));
                // What it fails with, everybody who waits is told as `CheckError::Stopped`.
                let _ = worker.engine.run(&mut worker.sink);
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        }
    });
    let thread = thread.map_err(BuildError::Worker)?;
    let ended = || BuildError::Worker(io::Error::other("the worker's thread has ended"));
    match told.recv().map_err(|_| ended()).flatten() {
        Ok(Found { guard, tracing, progress }) => Ok(Checker(Arc::new(Inner {
            requests,
            guard,
            tracing,
            gauges: shared.gauges,
            progress,
            hook_panics: shared.hook_panics,
            queue_full: AtomicU64::new(0),
            stop: shared.stop,
            thread: Some(thread),
        }))),
        Err(error) => {
            // What had been loaded is gone when this returns.
            let _ = thread.join();
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
        let sink = Settled { hook: builder.on_settled, panics };
        Ok((Self { engine, sink, _reader: reader }, found))
    }
}

/// Loads the eBPF programs, and notes what came of it.
fn trace(builder: &Builder, found: &mut Found) -> Result<Option<(Tracing, Reader)>, BuildError> {
    if !builder.kernel {
        return Ok(None);
    }
    let slots = builder.settings.slots;
    let loaded = Tracer::load(slots, netns::cookie(), builder.ack_guard, Form::Auto);
    let (tracer, rings) = match loaded {
        Ok((tracer, rings)) => (Arc::new(tracer), rings.without_log()),
        Err(error) if builder.require_half_open => {
            return Err(BuildError::NotHalfOpen(NoGuard::NotLoaded(error)));
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
            return Err(BuildError::NotHalfOpen(NoGuard::CannotStand(reason.clone())));
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
struct Settled {
    hook: Option<Hook>,
    panics: Arc<AtomicU64>,
}

impl Sink for Settled {
    fn settled(&mut self, judged: Judged) {
        let Some(hook) = &mut self.hook else { return };
        let probe = explain::explain(judged);
        // The hook is the host's; whether it can go on after a panic is its own matter.
        if catch_unwind(AssertUnwindSafe(|| hook(probe))).is_err() {
            self.panics.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn has_room(&self) -> bool {
        true
    }
}
