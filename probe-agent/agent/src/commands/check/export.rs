//! The export of spans: its start, and the delivery of the last ones.

use std::time::Duration;

use anyhow::Context;
use engine::session::Plan;
use kernel::clock::Clock;
use model::{human::counted, spans::SpanCounts, time_span::TimeSpan};
use otlp::{Exporter, HostFacts, OtlpConfig};
use tracing::{info, warn};

use crate::{
    commands::exporter::{failure, ignored, report, variable},
    exit::Failure,
    signals::Interrupts,
};

/// How often the delivery looks for signals. A shorter delivery needs no message.
const TICK: Duration = Duration::from_millis(50);

/// Starts the exporter.
///
/// # Errors
/// The destination is invalid, or this host refuses random bytes or a thread.
pub(super) fn start(otlp: OtlpConfig, plan: &Plan, clock: Clock) -> Result<Exporter, Failure> {
    let host = HostFacts::detect().context("cannot get random bytes").map_err(Failure::other)?;
    let resource = otlp::resource(variable, &host, ignored);
    Exporter::start(otlp, resource, plan.targets.clone(), clock, report).map_err(failure)
}

/// How the delivery ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delivered {
    pub(super) spans: SpanCounts,
    /// A second signal cut it short.
    pub(super) abandoned: bool,
}

/// Delivers the queued spans within the timeout of the export. A first signal is answered by a message
/// about the wait; a second one ends it.
pub(super) fn deliver(exporter: Exporter, interrupts: &Interrupts) -> Delivered {
    let within = exporter.timeout();
    let mut delivery = exporter.close(within);
    let (mut reported, mut abandoned) = (false, false);
    while !delivery.ended_within(TICK) {
        let pending = delivery.pending();
        if interrupts.received() > 1 && !abandoned && pending > 0 {
            abandoned = true;
            delivery.abandon();
        } else if interrupts.received() == 1 && !reported {
            reported = true;
            info!(
                pending,
                "interrupted: delivering {}, for {} at most; a second signal abandons them",
                counted(pending, "span"),
                TimeSpan(within)
            );
        }
    }
    let spans = delivery.counts();
    if abandoned {
        warn!(
            rejected = spans.rejected,
            dropped = spans.dropped,
            "delivery abandoned: {} rejected, {} dropped",
            counted(spans.rejected, "span"),
            spans.dropped
        );
    }
    Delivered { spans, abandoned }
}
