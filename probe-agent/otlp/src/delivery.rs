//! The end of an exporter: what waits is delivered, for as long as its caller has patience.

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

/// How much longer than its deadline the thread is waited for: it notices the deadline at once,
/// unless a write to a file hangs.
const GRACE: Duration = Duration::from_millis(500);

/// A longer end is as good as none; without a bound its sum with the time could overflow.
const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The last spans of a run on their way.
#[derive(Debug)]
pub struct Delivery {
    counts: Arc<DeliveryCounts>,
    stop: watch::Sender<Option<tokio::time::Instant>>,
    done: Receiver<()>,
    /// How long the thread is waited for.
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

    /// Waits for at most `patience`: whether nothing more will be delivered.
    pub fn ended_within(&mut self, patience: Duration) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        // A thread that is gone delivers nothing either.
        self.done.recv_timeout(patience.min(left)) != Err(RecvTimeoutError::Timeout)
            || Instant::now() >= self.until
    }

    /// Spans that have met no fate yet.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.counts.pending()
    }

    /// Delivers no more: what is on the way counts as rejected, what waits as dropped.
    pub fn abandon(&mut self) {
        self.set_deadline(Duration::ZERO);
    }

    /// What became of all spans.
    #[must_use]
    pub fn counts(self) -> SpanCounts {
        self.counts.final_counts()
    }

    fn set_deadline(&mut self, within: Duration) {
        self.until = Instant::now() + within + GRACE;
        // The thread may have ended already; then there is nothing to stop.
        let _ = self.stop.send(Some(tokio::time::Instant::now() + within));
    }
}
