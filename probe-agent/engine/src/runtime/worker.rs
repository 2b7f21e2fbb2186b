//! What runs on a worker's thread.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::SyncSender,
    },
    thread::{self, JoinHandle},
};

use kernel::loader::Tracer;
use nix::sys::signal::SigSet;

use super::enter;
use crate::{
    event_loop::{Ended, EventLoop, Sink},
    gauges::{ENDED, Gauges},
    observer::Tracing,
    settings::Settings,
    source::Source,
};

/// Everything that is moved to a worker's thread.
pub(super) struct Worker<S, K> {
    pub(super) settings: Settings,
    pub(super) source: S,
    pub(super) sink: K,
    pub(super) tracing: Option<Tracing>,
    pub(super) gauges: Arc<Gauges>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) netns: Option<Arc<File>>,
    pub(super) ready: SyncSender<io::Result<()>>,
}

impl<S: Source, K: Sink> Worker<S, K> {
    pub(super) fn run(self) -> (Ended, Option<io::Error>, K::Result) {
        let Self { settings, source, mut sink, tracing, gauges, stop, netns, ready } = self;
        let tracer = tracing.as_ref().map(Tracing::tracer);
        let prepared = enter(netns.as_ref())
            .and_then(|()| EventLoop::new(settings, source, tracing, Arc::clone(&gauges), stop));
        let event_loop = match prepared {
            Ok(event_loop) => event_loop,
            Err(error) => {
                // `Runtime::start` returns the error; this thread has nothing more to report.
                let _ = ready.send(Err(error));
                return (Ended::default(), None, sink.finish());
            }
        };
        let _ = ready.send(Ok(()));
        drop(ready);
        let (ended, failure) = event_loop.run(&mut sink);
        gauges.heartbeat.store(ENDED, Ordering::Relaxed);
        let result = sink.finish();
        if let Some(tracer) = tracer {
            Tracer::release(tracer);
        }
        (ended, failure, result)
    }
}

/// Starts a worker's thread.
pub(super) fn spawn<T: Send + 'static>(
    block_signals: bool,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let run = move || {
        if block_signals {
            // Cannot fail with these arguments (pthread_sigmask(3)).
            let _ = SigSet::all().thread_block();
        }
        run()
    };
    thread::Builder::new().name("probe-worker".to_owned()).spawn(run)
}
