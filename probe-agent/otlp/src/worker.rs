//! The exporter's thread: sends the queued spans to the sinks in batches.

mod batch;

use std::{cell::Cell, sync::Arc};

use explain::ExplainedProbe;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{
    counts::DeliveryCounts,
    sink::{Answer, collector::Collector, file::JsonLines},
    warnings::Warnings,
};
pub(super) use batch::RunContext;
use batch::next_batch;

/// A sink with its warnings.
pub(super) struct MonitoredSink<S> {
    pub(super) sink: S,
    pub(super) warnings: Warnings,
}

/// Everything that the thread owns.
pub(super) struct Worker {
    pub(super) queue: mpsc::Receiver<ExplainedProbe>,
    pub(super) collector: Option<MonitoredSink<Collector>>,
    pub(super) file: Option<MonitoredSink<JsonLines>>,
    pub(super) run: RunContext,
    pub(super) counts: Arc<DeliveryCounts>,
}

impl Worker {
    /// Runs until the queue is closed and empty, or until the deadline from `stop`.
    pub(super) async fn run(mut self, stop: watch::Receiver<Option<Instant>>) {
        let in_flight = Cell::new(0);
        tokio::select! {
            () = self.pump(&in_flight) => {}
            () = deadline_reached(stop) => {}
        }
        // The batch in flight may have arrived, but without an answer it does not count as accepted.
        self.counts.reject(in_flight.get());
        self.queue.close();
        let mut undelivered = in_flight.get();
        while self.queue.try_recv().is_ok() {
            self.counts.drop_spans(1);
            undelivered += 1;
        }
        if undelivered > 0
            && let Some(MonitoredSink { sink, warnings }) = &mut self.collector
        {
            warnings.failed(sink.name(), undelivered, "the run ended before it accepted them");
        }
    }

    async fn pump(&mut self, in_flight: &Cell<u64>) {
        while let Some(request) = next_batch(&mut self.queue, &self.run, in_flight).await {
            let spans = in_flight.get();
            let mut rejected = 0;
            if let Some(MonitoredSink { sink, warnings }) = &mut self.file {
                let answer = sink.write(&request);
                report(warnings, &sink.name(), &answer, spans);
                rejected = answer.rejected(spans);
            }
            let mut failing = false;
            if let Some(MonitoredSink { sink, warnings }) = &mut self.collector {
                let answer = sink.deliver(request).await;
                report(warnings, sink.name(), &answer, spans);
                failing = matches!(answer, Answer::Failed { .. });
                // The file accepts a batch as a whole or not at all, so the maximum covers both sinks.
                rejected = rejected.max(answer.rejected(spans));
            }
            self.counts.set_failing(failing);
            self.counts.record_batch(spans, rejected);
            in_flight.set(0);
        }
    }
}

fn report(warnings: &mut Warnings, sink: &str, answer: &Answer, spans: u64) {
    match answer {
        Answer::Accepted { rejected: 0, message } => {
            warnings.recovered(sink);
            if !message.is_empty() {
                warnings.remark(sink, message);
            }
        }
        Answer::Accepted { rejected, message } => {
            let why = if message.is_empty() { "it rejected them" } else { message };
            warnings.failed(sink, *rejected, why);
        }
        Answer::Failed { why } => warnings.failed(sink, spans, why),
    }
}

/// Resolves at the deadline from `stop`, the latest one if it sends several. Never resolves if the sender
/// has gone without sending one.
async fn deadline_reached(mut stop: watch::Receiver<Option<Instant>>) {
    loop {
        let named = *stop.borrow_and_update();
        let at_that_time = async {
            match named {
                Some(time) => sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = at_that_time => return,
            Ok(()) = stop.changed() => {}
        }
    }
}
