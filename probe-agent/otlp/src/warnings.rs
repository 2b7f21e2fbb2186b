//! Failures told on stderr: the first at once, then at most one line in a while.

use std::time::Duration;

use tokio::time::Instant;

use model::human::counted;

/// At most one line in this time after the first: a dead collector fails with every batch.
const INTERVAL: Duration = Duration::from_secs(30);

/// Where lines go.
pub(super) type WriteLine = Box<dyn FnMut(&str) + Send>;

/// Tells failures of one sink.
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

    /// `spans` were not taken by `sink`.
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

    /// A batch was taken whole.
    pub(super) fn recovered(&mut self, sink: &str) {
        if std::mem::take(&mut self.failing) {
            (self.write)(&format!("OTLP: {sink} takes spans again"));
        }
    }

    /// The receiver took the spans and had something to say.
    pub(super) fn remark(&mut self, sink: &str, message: &str) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now >= next) {
            self.next = Some(now + INTERVAL);
            (self.write)(&format!("OTLP: {sink} took the spans and says: {message}"));
        }
    }
}
