//! The exporter's thread: takes spans from the queue and hands them to the sinks in batches.

mod batch;

use explain::ExplainedProbe;
use std::{cell::Cell, sync::Arc};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{
    counts::DeliveryCounts,
    sink::{Answer, collector::Collector, file::JsonLines},
    warner::Warner,
};
pub(super) use batch::Origin;
use batch::gather;

/// A sink and what is told of it.
pub(super) struct Told<S> {
    pub(super) sink: S,
    pub(super) warner: Warner,
}

/// Everything that the thread owns.
pub(super) struct Worker {
    pub(super) queue: mpsc::Receiver<ExplainedProbe>,
    pub(super) collector: Option<Told<Collector>>,
    pub(super) file: Option<Told<JsonLines>>,
    pub(super) origin: Origin,
    pub(super) counts: Arc<DeliveryCounts>,
}

impl Worker {
    /// Works until the queue is closed and empty, or until the time that `stop` names.
    pub(super) async fn run(mut self, stop: watch::Receiver<Option<Instant>>) {
        let in_hand = Cell::new(0);
        tokio::select! {
            () = self.pump(&in_hand) => {}
            () = reached(stop) => {}
        }
        // What was being sent may have arrived; without an answer it does not count as accepted.
        self.counts.reject(in_hand.get());
        self.queue.close();
        let mut cut_off = in_hand.get();
        while self.queue.try_recv().is_ok() {
            self.counts.drop_spans(1);
            cut_off += 1;
        }
        if cut_off > 0
            && let Some(Told { sink, warner }) = &mut self.collector
        {
            warner.failed(sink.name(), cut_off, "the run was over before it had taken them");
        }
    }

    async fn pump(&mut self, in_hand: &Cell<u64>) {
        while let Some(request) = gather(&mut self.queue, &self.origin, in_hand).await {
            let spans = in_hand.get();
            let mut rejected = 0;
            if let Some(Told { sink, warner }) = &mut self.file {
                let answer = sink.write(&request);
                tell(warner, &sink.name(), &answer, spans);
                rejected = answer.rejected(spans);
            }
            let mut failing = false;
            if let Some(Told { sink, warner }) = &mut self.collector {
                let answer = sink.deliver(request).await;
                tell(warner, sink.name(), &answer, spans);
                failing = matches!(answer, Answer::Failed { .. });
                // The file takes all of a batch or nothing, so this is how many all sinks took.
                rejected = rejected.max(answer.rejected(spans));
            }
            self.counts.set_failing(failing);
            self.counts.settle(spans, rejected);
            in_hand.set(0);
        }
    }
}

fn tell(warner: &mut Warner, sink: &str, answer: &Answer, spans: u64) {
    match answer {
        Answer::Taken { rejected: 0, message } => {
            warner.worked(sink);
            if !message.is_empty() {
                warner.remark(sink, message);
            }
        }
        Answer::Taken { rejected, message } => {
            let why = if message.is_empty() { "it refused them" } else { message };
            warner.failed(sink, *rejected, why);
        }
        Answer::Failed { why } => warner.failed(sink, spans, why),
    }
}

/// Resolves at the time that `stop` names, the last one if it names several; never where the other end
/// is gone without naming one.
async fn reached(mut stop: watch::Receiver<Option<Instant>>) {
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
