//! The end of an exporter: delivery of the queued spans, up to a deadline.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::counts::DeliveryCounts;
use model::spans::SpanCounts;

/// How long to wait for the thread after its deadline. It ends at once, unless a write to a file hangs.
const GRACE: Duration = Duration::from_millis(500);

/// Bounds the deadline, so that it cannot overflow when added to the current time.
const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The delivery of the last spans of a run.
#[derive(Debug)]
pub struct Delivery {
    counts: Arc<DeliveryCounts>,
    stop: watch::Sender<Option<tokio::time::Instant>>,
    done: Receiver<()>,
    /// Until when to wait for the thread.
    until: Instant,
}

impl Delivery {
    pub(super) fn start(
        counts: Arc<DeliveryCounts>,
        stop: watch::Sender<Option<tokio::time::Instant>>,
        done: Receiver<()>,
        within: Duration,
    ) -> Self {
        let mut delivery = Self { counts, stop, done, until: Instant::now() };
        delivery.set_deadline(within.min(MAX_WAIT));
        delivery
    }

    /// Waits for at most `patience` for the end of the delivery. Returns whether it has ended.
    pub fn ended_within(&mut self, patience: Duration) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        // A thread that has ended delivers nothing more either.
        self.done.recv_timeout(patience.min(left)) != Err(RecvTimeoutError::Timeout)
            || Instant::now() >= self.until
    }

    /// Spans that are queued or in flight.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.counts.pending()
    }

    /// Stops the delivery: spans in flight count as rejected, queued spans as dropped.
    pub fn abandon(&mut self) {
        self.set_deadline(Duration::ZERO);
    }

    /// The counts of all spans.
    #[must_use]
    pub fn counts(self) -> SpanCounts {
        self.counts.final_counts()
    }

    fn set_deadline(&mut self, within: Duration) {
        self.until = Instant::now() + within + GRACE;
        // If the thread has already ended, there is nothing to stop.
        let _ = self.stop.send(Some(tokio::time::Instant::now() + within));
    }
}
