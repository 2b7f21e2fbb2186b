//! Rate-limited warnings about failures of a sink.

use std::time::Duration;

use tokio::time::Instant;

use model::human::counted;

/// After the first line, at most one in this time: with a dead collector, every batch fails.
const INTERVAL: Duration = Duration::from_secs(30);

/// Receives the lines.
pub(super) type WriteLine = Box<dyn FnMut(&str) + Send>;

/// Warnings about one sink.
pub(super) struct Warnings {
    write: WriteLine,
    next: Option<Instant>,
    unreported: u64,
    failing: bool,
}

impl Warnings {
    pub(super) fn new(write: WriteLine) -> Self {
        Self { write, next: None, unreported: 0, failing: false }
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
        let lost = std::mem::take(&mut self.unreported);
        let lost = counted(lost, "span");
        (self.write)(&format!("OTLP: {lost} not delivered to {sink}: {why}"));
    }

    /// `sink` accepted a whole batch.
    pub(super) fn recovered(&mut self, sink: &str) {
        if std::mem::take(&mut self.failing) {
            (self.write)(&format!("OTLP: {sink} accepts spans again"));
        }
    }

    /// `sink` accepted the spans and returned a message.
    pub(super) fn remark(&mut self, sink: &str, message: &str) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now >= next) {
            self.next = Some(now + INTERVAL);
            (self.write)(&format!("OTLP: {sink} accepted the spans with a warning: {message}"));
        }
    }
}
