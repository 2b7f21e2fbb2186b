//! The exporter's thread: sends the queued spans to the sinks in batches.
//!
//! One request is in flight at a time while the collector keeps up. When it does not, because each answer
//! takes its time, several are (OTLP specification, "Concurrent Requests"): a receiver then works on one
//! while another travels, and one slow answer does not hold up the rest.

mod batch;

use std::{sync::Arc, time::Duration};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use super::{
    counts::DeliveryCounts,
    queued::Queued,
    sink::{Answer, collector::Collector, file::JsonLines},
    stop::Stop,
    warnings::Warnings,
};
use batch::Batcher;
pub(super) use batch::{Batch, RunContext};

/// The most requests in flight: enough to keep a receiver busy, few enough not to flood one.
const MAX_IN_FLIGHT: usize = 4;

/// From this many waiting spans on, more than one request is in flight. It is eight full batches.
const BEHIND: usize = 4096;

/// How often to look whether the collector has fallen behind while one request is in flight.
const TICK: Duration = Duration::from_millis(20);

/// A sink with its warnings.
pub(super) struct MonitoredSink<S> {
    pub(super) sink: S,
    pub(super) warnings: Warnings,
}

/// Everything that the thread owns.
pub(super) struct Worker {
    pub(super) queue: mpsc::Receiver<Queued>,
    pub(super) collector: Option<MonitoredSink<Arc<Collector>>>,
    pub(super) file: Option<MonitoredSink<JsonLines>>,
    pub(super) run: RunContext,
    pub(super) counts: Arc<DeliveryCounts>,
}

/// A batch on its way to the collector, and back with the answer.
struct Flight {
    spans: u64,
    /// Those that the file rejected.
    rejected: u64,
    answer: Answer,
}

impl Worker {
    /// Runs until the queue is closed and empty and everything is answered, or until the deadline from
    /// `stop`. Must be polled in a `LocalSet`.
    pub(super) async fn run(mut self, mut stop: Stop) {
        let mut flights = JoinSet::new();
        let mut batcher = Batcher::default();
        let (mut open, mut stopped) = (true, false);
        let mut undelivered = 0;
        while open || !flights.is_empty() {
            let may_send = open && self.may_send(flights.len());
            tokio::select! {
                biased;
                Some(landed) = flights.join_next(), if !flights.is_empty() => {
                    // A batch whose task panicked counts as dropped.
                    if let Ok(flight) = landed {
                        undelivered += self.landed(&flight);
                    }
                }
                // The deliveries end at the deadline by themselves.
                () = stop.reached(), if !stopped => {
                    (stopped, open) = (true, false);
                    self.queue.close();
                    let mut dropped = batcher.spans();
                    while self.queue.try_recv().is_ok() {
                        dropped += 1;
                    }
                    self.counts.drop_spans(dropped);
                    undelivered += dropped;
                }
                batch = batcher.next(&mut self.queue, &self.run), if may_send => match batch {
                    Some(batch) => self.depart(batch, &stop, &mut flights),
                    None => open = false,
                },
                () = sleep(TICK), if open && !may_send => {}
            }
        }
        self.report_overflow(true);
        if undelivered > 0
            && let Some(MonitoredSink { sink, warnings }) = &mut self.collector
        {
            warnings.last(sink.name(), undelivered, "the run ended before it accepted them");
        }
    }

    fn may_send(&self, in_flight: usize) -> bool {
        let behind = self.queue.len() >= BEHIND && !self.counts.failing();
        in_flight == 0 || in_flight < MAX_IN_FLIGHT && behind
    }

    /// Reports the spans that found the queue full, once for both sinks.
    fn report_overflow(&mut self, at_end: bool) {
        let take = || self.counts.take_overflow();
        match (&mut self.collector, &mut self.file) {
            (Some(MonitoredSink { sink, warnings }), _) => {
                warnings.overflowed(sink.name(), take, at_end);
            }
            (None, Some(MonitoredSink { sink, warnings })) => {
                warnings.overflowed(&sink.name(), take, at_end);
            }
            (None, None) => {}
        }
    }

    /// Writes a batch to the file, and begins to deliver it to the collector.
    fn depart(&mut self, batch: Batch, stop: &Stop, flights: &mut JoinSet<Flight>) {
        self.report_overflow(false);
        let Batch { request, spans } = batch;
        let mut rejected = 0;
        if let Some(MonitoredSink { sink, warnings }) = &mut self.file {
            let answer = sink.write(&request);
            report(warnings, &sink.name(), &answer, spans);
            rejected = answer.rejected(spans);
        }
        let Some(MonitoredSink { sink, .. }) = &self.collector else {
            self.counts.set_failing(false);
            self.counts.record_batch(spans, rejected);
            return;
        };
        let (collector, stop) = (Arc::clone(sink), stop.clone());
        flights.spawn_local(async move {
            let answer = deliver(&collector, request, stop).await;
            Flight { spans, rejected, answer }
        });
    }

    /// Counts and reports an answered batch. Returns how many of its spans the end of the run cut off.
    fn landed(&mut self, flight: &Flight) -> u64 {
        let Flight { spans, rejected, answer } = flight;
        if let Some(MonitoredSink { sink, warnings }) = &mut self.collector {
            report(warnings, sink.name(), answer, *spans);
        }
        self.counts.set_failing(matches!(answer, Answer::Failed { .. }));
        // The file accepts a batch as a whole or not at all, so the maximum covers both sinks.
        self.counts.record_batch(*spans, answer.rejected(*spans).max(*rejected));
        if *answer == Answer::Unanswered { *spans } else { 0 }
    }
}

async fn deliver(collector: &Collector, request: ExportTraceServiceRequest, stop: Stop) -> Answer {
    match collector.body(&request) {
        Ok(body) => {
            drop(request);
            collector.deliver(body, stop).await
        }
        Err(error) => Answer::Failed { why: format!("cannot compress: {error}") },
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
        // Reported once, together with the spans that were never sent.
        Answer::Unanswered => {}
    }
}
