//! What a worker does with a settled probe: it counts it, and passes it on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use engine::event_loop::Sink;
use explain::Judged;
use kernel::clock::Clock;
use metrics::{Recorder, Trace};
use model::target::TargetId;
use otlp::RunIds;

use crate::sampling::{Sampling, is_unusual};

/// The most probes that wait for the service before no further probe is started.
const MOST_WAITING: usize = 32_768;

/// What a worker passes to the service.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are probes, and a box would cost each of them"
)]
pub(crate) enum Message {
    /// A probe is settled.
    Settled(Settled),
    /// A removed target has no probe left that is not settled.
    Removed(TargetId),
}

/// A settled probe.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) probe: Judged,
    pub(crate) is_unusual: bool,
    /// Its span is to be exported. The exemplars name it.
    pub(crate) is_exported: bool,
    /// The ids of its worker.
    pub(crate) ids: RunIds,
}

/// The clocks, for threads that read them while they are set. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct SharedClock(Arc<AtomicI64>);

impl SharedClock {
    pub(crate) fn new(clock: Clock) -> Self {
        Self(Arc::new(AtomicI64::new(clock.realtime_minus_monotonic_ns)))
    }

    pub(crate) fn set(&self, clock: Clock) {
        self.0.store(clock.realtime_minus_monotonic_ns, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Clock {
        Clock { realtime_minus_monotonic_ns: self.0.load(Ordering::Relaxed) }
    }

    /// The time since 1970 at a time of the kernel's clock.
    pub(crate) fn unix(&self, monotonic: u64) -> Duration {
        Duration::from_nanos(self.get().unix_ns(monotonic))
    }
}

/// What the sinks of all workers share.
#[derive(Clone, Debug)]
pub(crate) struct SinkConfig {
    pub(crate) sampling: Sampling,
    pub(crate) clock: SharedClock,
    pub(crate) channel: Sender<Message>,
    pub(crate) waiting: Arc<AtomicUsize>,
    /// Whether spans are exported at all.
    pub(crate) exports: bool,
}

/// The sink of one worker.
pub(crate) struct WorkerSink {
    config: SinkConfig,
    recorder: Recorder,
    ids: RunIds,
}

impl WorkerSink {
    pub(crate) fn new(config: SinkConfig, recorder: Recorder, ids: RunIds) -> Self {
        Self { config, recorder, ids }
    }

    fn send(&self, message: Message) {
        self.config.waiting.fetch_add(1, Ordering::Relaxed);
        // The receiver is dropped only when the service has ended.
        let _ = self.config.channel.send(message);
    }
}

impl Sink for WorkerSink {
    type Result = ();

    fn settled(&mut self, probe: Judged) {
        let is_unusual = is_unusual(&probe);
        let record = &probe.timeline.probe;
        let id = self.config.exports.then(|| self.ids.context(record.id).trace_id().to_bytes());
        let trace = id.filter(|id| is_unusual || self.config.sampling.takes(*id));
        let trace = trace.map(|id| Trace { id, at: self.config.clock.unix(record.ended_at) });
        self.recorder.record(&probe, trace);
        let (is_exported, ids) = (trace.is_some(), self.ids);
        self.send(Message::Settled(Settled { probe, is_unusual, is_exported, ids }));
    }

    fn removed(&mut self, target: TargetId) {
        self.send(Message::Removed(target));
    }

    fn has_room(&self) -> bool {
        self.config.waiting.load(Ordering::Relaxed) < MOST_WAITING
    }

    fn finish(self) {}
}
