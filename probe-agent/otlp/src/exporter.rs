//! The exporter: takes probes, and delivers their spans from a thread of its own.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    time::Duration,
};

use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::{
    sync::{mpsc, watch},
    task::LocalSet,
    time::Instant,
};

use super::{
    config::{ConfigError, OtlpConfig},
    counts::DeliveryCounts,
    delivery::Delivery,
    ids::RunIds,
    notice::Notice,
    queued::{Origin, Queued},
    sink::{TlsError, collector::Collector, file::JsonLines},
    stop::Stop,
    warnings::{Report, Warnings},
    worker::{MonitoredSink, RunContext, Worker},
};
use explain::ExplainedProbe;
use kernel::clock::Clock;
use model::{errno::in_words, spans::SpanCounts, target::Targets};

/// The most spans that a run queues if it can wait: what a collector can take in the time that is left for the
/// last ones, and enough to keep it busy.
const MOST_QUEUED: usize = 8192;

/// How often a run that waits for room in the queue looks for it.
const ROOM_CHECK: Duration = Duration::from_millis(1);

/// Why the exporter cannot start. This is known before the first probe (exit code 2).
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A flag or variable is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The file cannot be written.
    #[error("--otlp-file: cannot write {}: {source}; name a file in a directory that you may write to", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No random bytes for trace ids.
    #[error("no random bytes for trace ids: {0}")]
    Random(#[from] getrandom::Error),
    /// The exporter's thread or runtime cannot be started.
    #[error("cannot start the exporter's thread: {0}")]
    Thread(io::Error),
}

/// Sends probes as spans, from a thread of its own.
#[derive(Debug)]
pub struct Exporter {
    queue: mpsc::Sender<Queued>,
    counts: Arc<DeliveryCounts>,
    targets: Targets,
    ids: RunIds,
    timeout: Duration,
    stop: watch::Sender<Option<Instant>>,
    done: Receiver<()>,
}

impl Exporter {
    /// Opens the file, reads the certificates and starts the thread. Does not connect yet.
    ///
    /// `targets` is the list that the probes' target ids index.
    ///
    /// `report` receives the first failure of a sink, then at most one in 30 seconds, and the
    /// recovery.
    ///
    /// # Errors
    /// No span could be delivered, for a reason that is known now.
    pub fn start(
        config: OtlpConfig,
        resource: Resource,
        targets: Targets,
        clock: Clock,
        report: impl FnMut(&Notice<'_>) + Send + Clone + 'static,
    ) -> Result<Self, ExportError> {
        let ids = RunIds::random()?;
        let timeout = config.timeout;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(ExportError::Thread)?;
        let warnings = || Warnings::new(Box::new(report.clone()) as Report);
        let collector = config.endpoint.map(|e| Collector::new(&e, timeout)).transpose()?;
        let file = config.file.map(|path| {
            JsonLines::create(&path)
                .map_err(|source| ExportError::File { path, source: in_words(source) })
        });
        let (queue, receiver) = mpsc::channel(config.queue);
        let counts = Arc::<DeliveryCounts>::default();
        let worker = Worker {
            queue: receiver,
            collector: collector
                .map(|sink| MonitoredSink { sink: Arc::new(sink), warnings: warnings() }),
            file: file.transpose()?.map(|sink| MonitoredSink { sink, warnings: warnings() }),
            run: RunContext { resource, targets: targets.clone(), clock, ids },
            counts: Arc::clone(&counts),
        };
        let (stop, stopped) = watch::channel(None);
        let (finished, done) = sync_channel(1);
        std::thread::Builder::new()
            .name("otlp-export".to_owned())
            .spawn(move || {
                runtime.block_on(LocalSet::new().run_until(worker.run(Stop::new(stopped))));
                // Nothing may hold up the end, not even a connection that is being closed.
                runtime.shutdown_background();
                // The receiver may have stopped waiting.
                let _ = finished.send(());
            })
            .map_err(ExportError::Thread)?;
        Ok(Self { queue, counts, targets, ids, timeout, stop, done })
    }

    /// Queues a probe's span; never blocks. If the queue is full, or the target is not one of this run, the
    /// span is dropped and counted.
    pub fn offer(&self, probe: ExplainedProbe) {
        self.counts.offer();
        let known = (probe.timeline.probe.target.0 as usize) < self.targets.len();
        if known {
            self.enqueue(Queued { probe, origin: None });
        } else {
            self.counts.drop_spans(1);
        }
    }

    /// The same for a probe whose target is in no list, because targets come and go.
    pub fn offer_of(&self, probe: ExplainedProbe, origin: Origin) {
        self.counts.offer();
        self.enqueue(Queued { probe, origin: Some(origin) });
    }

    fn enqueue(&self, queued: Queued) {
        if self.queue.try_send(queued).is_err() {
            self.counts.overflow();
        }
    }

    /// Waits until few enough spans are queued, for a run that goes as fast as it can and has no schedule to
    /// keep. Returns at once if the collector fails, when nothing is answered for as long as the timeout of a
    /// batch, or when `enough` returns true.
    pub fn wait_for_room(&self, enough: impl Fn() -> bool) {
        let most = MOST_QUEUED.min(self.queue.max_capacity());
        let (mut answered, mut since) = (self.counts.answered(), Instant::now());
        while self.queued() >= most && !self.counts.failing() && !enough() {
            std::thread::sleep(ROOM_CHECK);
            let now = self.counts.answered();
            if now != answered {
                (answered, since) = (now, Instant::now());
            } else if since.elapsed() >= self.timeout {
                // Until the next answer, nobody waits again.
                self.counts.set_failing(true);
            }
        }
    }

    /// How many spans are queued.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// False if the queue is full while the collector works, so the engine should wait a moment. True if
    /// there is room, or if the collector fails and waiting would not help.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.capacity() > 0 || self.counts.failing()
    }

    /// The ids of this run's traces and spans.
    #[must_use]
    pub const fn ids(&self) -> &RunIds {
        &self.ids
    }

    /// The counts so far, without the spans that are queued or in flight.
    #[must_use]
    pub fn counts(&self) -> SpanCounts {
        self.counts.current()
    }

    /// The default time for [`finish`](Self::finish): the timeout of a batch.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Takes no further spans, and delivers the queued ones within `within` (plus half a second if a write
    /// to a file hangs).
    #[must_use]
    pub fn close(self, within: Duration) -> Delivery {
        Delivery::start(self.counts, self.stop, self.done, within)
    }

    /// Delivers the queued spans within the time that [`close`](Self::close) allows. After that, spans in
    /// flight count as rejected, queued spans as dropped.
    #[must_use]
    pub fn finish(self, within: Duration) -> SpanCounts {
        let mut delivery = self.close(within);
        while !delivery.ended_within(Duration::MAX) {}
        delivery.counts()
    }
}
