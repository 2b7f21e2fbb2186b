//! The last spans, and whoever does not want to wait for them.

use model::spans::SpanCounts;
use std::time::Duration;

use crate::{signals::Interrupts, words::say};
use model::human::counted;
use model::time_span::TimeSpan;
use otlp::Exporter;

/// How soon an interrupt is heard; what takes less is not worth a word.
const TICK: Duration = Duration::from_millis(50);

/// How the delivery ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delivered {
    pub(super) spans: SpanCounts,
    /// A second signal cut it short.
    pub(super) abandoned: bool,
}

/// Delivers what waits, within the timeout of the export. Who has asked for the end and still has to
/// wait is told why; a second signal ends the wait.
pub(super) fn deliver(exporter: Exporter, interrupts: &Interrupts) -> Delivered {
    let within = exporter.timeout();
    let mut delivery = exporter.close(within);
    let (mut told, mut abandoned) = (false, 0);
    while !delivery.ended_within(TICK) {
        let pending = delivery.pending();
        if interrupts.seen() > 1 && abandoned == 0 && pending > 0 {
            abandoned = pending;
            delivery.abandon();
        } else if interrupts.seen() == 1 && !told {
            told = true;
            say(format_args!(
                "interrupted: delivering {}, for {} at most; a second signal abandons them",
                counted(pending, "span"),
                TimeSpan(within)
            ));
        }
    }
    let spans = delivery.counts();
    if abandoned > 0 {
        say(format_args!(
            "the delivery was abandoned: {} rejected, {} dropped",
            counted(spans.rejected, "span"),
            spans.dropped
        ));
    }
    Delivered { spans, abandoned: abandoned > 0 }
}
