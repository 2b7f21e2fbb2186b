//! The exporter as the rest of the agent sees it: offer probes, ask for room, finish.

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
    time::Instant,
};

pub use super::sink::collector::TlsError;
use super::{
    config::{ConfigError, OtlpConfig},
    counts::DeliveryCounts,
    delivery::Delivery,
    ids::RunIds,
    notice::Notice,
    sink::{collector::Collector, file::JsonLines},
    warnings::{Report, Warnings},
    worker::{MonitoredSink, RunContext, Worker},
};
use explain::ExplainedProbe;
use kernel::clock::Clock;
use model::spans::SpanCounts;
use model::{errno::in_words, target::Target};

/// Why there can be no export; all of it is known before the first probe (exit code 2).
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A flag or variable makes no sense.
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
        /// What went wrong.
        source: io::Error,
    },
    /// No random bytes for the ids.
    #[error("no random bytes for trace ids: {0}")]
    Random(#[from] getrandom::Error),
    /// No thread or runtime to export from.
    #[error("cannot start the exporter's thread: {0}")]
    Thread(io::Error),
}

/// Sends probes as spans, from a thread of its own.
#[derive(Debug)]
pub struct Exporter {
    queue: mpsc::Sender<ExplainedProbe>,
    counts: Arc<DeliveryCounts>,
    targets: Arc<[Target]>,
    ids: RunIds,
    timeout: Duration,
    stop: watch::Sender<Option<Instant>>,
    done: Receiver<()>,
}

impl Exporter {
    /// Opens the file, reads the certificates and starts the thread; connects to nothing yet.
    ///
    /// `targets` is the run's list, which the probes' target ids are indices of.
    ///
    /// `report` receives the first failure of a sink, then at most one in 30 seconds, and the
    /// recovery.
    ///
    /// # Errors
    /// Anything that would keep all spans from being delivered and can be known now.
    pub fn start(
        config: OtlpConfig,
        resource: Resource,
        targets: Arc<[Target]>,
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
        let collector = config.endpoint.map(|e| Collector::new(e, timeout)).transpose()?;
        let file = config.file.map(|path| {
            JsonLines::create(&path)
                .map_err(|source| ExportError::File { path, source: in_words(source) })
        });
        let (queue, receiver) = mpsc::channel(config.queue);
        let counts = Arc::<DeliveryCounts>::default();
        let worker = Worker {
            queue: receiver,
            collector: collector.map(|sink| MonitoredSink { sink, warnings: warnings() }),
            file: file.transpose()?.map(|sink| MonitoredSink { sink, warnings: warnings() }),
            run: RunContext { resource, targets: Arc::clone(&targets), clock, ids },
            counts: Arc::clone(&counts),
        };
        let (stop, stopped) = watch::channel(None);
        let (finished, done) = sync_channel(1);
        std::thread::Builder::new()
            .name("otlp-export".to_owned())
            .spawn(move || {
                runtime.block_on(worker.run(stopped));
                // The other end may have given up waiting.
                let _ = finished.send(());
            })
            .map_err(ExportError::Thread)?;
        Ok(Self { queue, counts, targets, ids, timeout, stop, done })
    }

    /// Queues a probe's span; never blocks. Where there is no room, or where the probe's target is
    /// none of this run, it is dropped and counted.
    pub fn offer(&self, probe: ExplainedProbe) {
        self.counts.offer();
        let known = (probe.timeline.probe.target.0 as usize) < self.targets.len();
        if !known || self.queue.try_send(probe).is_err() {
            self.counts.drop_spans(1);
        }
    }

    /// Whether a span offered now is kept, or would be dropped for a reason that waiting does not
    /// mend: false means that the queue is full while the collector works, so that the engine may
    /// hold back for a moment. A failing collector is nothing to hold back for.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.capacity() > 0 || self.counts.failing()
    }

    /// The ids of this run's traces and spans.
    #[must_use]
    pub const fn ids(&self) -> &RunIds {
        &self.ids
    }

    /// The counts so far; what waits in the queue is not in them yet.
    #[must_use]
    pub fn counts(&self) -> SpanCounts {
        self.counts.current()
    }

    /// How long [`finish`](Self::finish) should be given by default: the timeout of a batch.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Takes no further spans, and delivers what waits for at most `within` (and half a second if a
    /// write to a file hangs).
    #[must_use]
    pub fn close(self, within: Duration) -> Delivery {
        Delivery::start(self.counts, self.stop, self.done, within)
    }

    /// Delivers what waits, for at most as long as [`close`](Self::close) says. What is on the way
    /// then counts as rejected, what still waits as dropped.
    #[must_use]
    pub fn finish(self, within: Duration) -> SpanCounts {
        let mut delivery = self.close(within);
        while !delivery.ended_within(Duration::MAX) {}
        delivery.counts()
    }
}
