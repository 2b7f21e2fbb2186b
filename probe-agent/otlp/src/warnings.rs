//! Reports the failures of a sink: the first at once, then at most one in a while.

use std::time::Duration;

use tokio::time::Instant;

use super::notice::Notice;

/// At most one notice in this time after the first: a dead collector fails with every batch.
const INTERVAL: Duration = Duration::from_secs(30);

/// Receives the notices.
pub(super) type Report = Box<dyn FnMut(&Notice<'_>) + Send>;

/// Reports the failures of one sink.
pub(super) struct Warnings {
    report: Report,
    next: Option<Instant>,
    /// Of a message that comes with a success. It must not hold back the report of a failure.
    next_remark: Option<Instant>,
    next_overflow: Option<Instant>,
    unreported: u64,
    failing: bool,
}

impl Warnings {
    pub(super) fn new(report: Report) -> Self {
        Self {
            report,
            next: None,
            next_remark: None,
            next_overflow: None,
            unreported: 0,
            failing: false,
        }
    }

    /// `sink` did not accept this many spans.
    pub(super) fn failed(&mut self, sink: &str, spans: u64, why: &str) {
        self.failing = true;
        self.unreported += spans;
        let now = Instant::now();
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        self.next = Some(now + INTERVAL);
        let spans = std::mem::take(&mut self.unreported);
        (self.report)(&Notice::Failed { sink, spans, reason: why });
    }

    /// Spans found the queue to `sink` full; `take` returns how many since it was last called. At the end of
    /// the run there is no later notice to wait for.
    pub(super) fn overflowed(&mut self, sink: &str, take: impl FnOnce() -> u64, at_end: bool) {
        let now = Instant::now();
        if !at_end && self.next_overflow.is_some_and(|next| now < next) {
            return;
        }
        let spans = take();
        if spans > 0 {
            self.next_overflow = Some(now + INTERVAL);
            (self.report)(&Notice::Overflowed { sink, spans });
        }
    }

    /// The run has ended, and `sink` did not accept this many spans more. There is no later notice to wait
    /// for.
    pub(super) fn last(&mut self, sink: &str, spans: u64, why: &str) {
        self.next = None;
        self.failed(sink, spans, why);
    }

    /// `sink` accepted a whole batch.
    pub(super) fn recovered(&mut self, sink: &str) {
        if std::mem::take(&mut self.failing) {
            (self.report)(&Notice::Recovered { sink });
        }
    }

    /// `sink` accepted the spans and returned a message.
    pub(super) fn remark(&mut self, sink: &str, message: &str) {
        let now = Instant::now();
        if self.next_remark.is_none_or(|next| now >= next) {
            self.next_remark = Some(now + INTERVAL);
            (self.report)(&Notice::Remark { sink, message });
        }
    }
}
