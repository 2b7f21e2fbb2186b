//! Failures told on stderr: the first at once, then at most one line in a while.

use std::time::Duration;

use tokio::time::Instant;

use model::human::counted;

/// At most one line in this time after the first: a dead collector fails with every batch.
const INTERVAL: Duration = Duration::from_secs(30);

/// Where lines go.
pub(super) type Tell = Box<dyn FnMut(&str) + Send>;

/// Tells failures of one sink.
pub(super) struct Warner {
    tell: Tell,
    next: Option<Instant>,
    untold: u64,
    failing: bool,
}

impl Warner {
    pub(super) fn new(tell: Tell) -> Self {
        Self { tell, next: None, untold: 0, failing: false }
    }

    /// `spans` were not taken by `sink`.
    pub(super) fn failed(&mut self, sink: &str, spans: u64, why: &str) {
        self.failing = true;
        self.untold += spans;
        let now = Instant::now();
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        self.next = Some(now + INTERVAL);
        let lost = std::mem::take(&mut self.untold);
        let lost = counted(lost, "span");
        (self.tell)(&format!("OTLP: {lost} not delivered to {sink}: {why}"));
    }

    /// A batch was taken whole.
    pub(super) fn worked(&mut self, sink: &str) {
        if std::mem::take(&mut self.failing) {
            (self.tell)(&format!("OTLP: {sink} takes spans again"));
        }
    }

    /// The receiver took the spans and had something to say.
    pub(super) fn remark(&mut self, sink: &str, message: &str) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now >= next) {
            self.next = Some(now + INTERVAL);
            (self.tell)(&format!("OTLP: {sink} took the spans and says: {message}"));
        }
    }
}
