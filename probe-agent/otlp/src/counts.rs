//! Counts the delivery of spans during a run.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use model::spans::SpanCounts;

/// The running counts. Each span counts as `offered` and, in the end, as one of the others.
#[derive(Debug, Default)]
pub(super) struct DeliveryCounts {
    offered: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
    dropped: AtomicU64,
    /// Those of the dropped that found the queue full, until they are reported.
    unreported: AtomicU64,
    /// The last batch failed. Waiting for room in the queue would then mean waiting for a collector that may
    /// be down.
    failing: AtomicBool,
}

impl DeliveryCounts {
    pub(super) fn offer(&self) {
        self.offered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn drop_spans(&self, spans: u64) {
        self.dropped.fetch_add(spans, Ordering::Relaxed);
    }

    /// A span found the queue full.
    pub(super) fn overflow(&self) {
        self.drop_spans(1);
        self.unreported.fetch_add(1, Ordering::Relaxed);
    }

    /// How many spans found the queue full since the last call.
    pub(super) fn take_overflow(&self) -> u64 {
        self.unreported.swap(0, Ordering::Relaxed)
    }

    pub(super) fn reject(&self, spans: u64) {
        self.rejected.fetch_add(spans, Ordering::Relaxed);
    }

    /// Counts a batch: of its `spans`, some were `rejected` and the others accepted.
    pub(super) fn record_batch(&self, spans: u64, rejected: u64) {
        let rejected = rejected.min(spans);
        self.reject(rejected);
        self.accepted.fetch_add(spans - rejected, Ordering::Relaxed);
    }

    pub(super) fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    pub(super) fn failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// The counts so far, without the spans that are queued or in flight.
    pub(super) fn current(&self) -> SpanCounts {
        SpanCounts {
            accepted: self.accepted.load(Ordering::Relaxed),
            rejected: self.rejected.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }

    /// Spans that were answered. While the exporter works, this number grows.
    pub(super) fn answered(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed) + self.rejected.load(Ordering::Relaxed)
    }

    /// Spans that are queued or in flight.
    pub(super) fn pending(&self) -> u64 {
        let SpanCounts { accepted, rejected, dropped } = self.current();
        self.offered.load(Ordering::Relaxed).saturating_sub(accepted + rejected + dropped)
    }

    /// The counts at the end: a span that was neither accepted nor rejected was dropped.
    pub(super) fn final_counts(&self) -> SpanCounts {
        let mut counts = self.current();
        let offered = self.offered.load(Ordering::Relaxed);
        counts.dropped = offered.saturating_sub(counts.accepted + counts.rejected);
        counts
    }
}
