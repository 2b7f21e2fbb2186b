//! What a worker does with a judged probe: count it, and pass on the ones that are wanted.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc::Sender,
};

use explain::Judged;
use model::verdict::{Judgement, Verdict};

use crate::event_loop::Sink;

/// Probes that wait for the output; beyond, no further probe is started for a while. What is in
/// flight or settling then still comes, so that the memory is bounded by that.
const BACKLOG: usize = 4096;

/// Which judged probes reach the [`Output`](super::Output). All are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFilter {
    /// All.
    All,
    /// Unusual ones, and of each verdict no more than so many per worker.
    Unusual(u32),
}

/// Counts the probes of one worker; the counts of all workers are merged at the end of a run.
pub trait Counts: Send + 'static {
    /// Counts one probe.
    fn add(&mut self, probe: &Judged);
    /// Adds the counts of another worker of the same run.
    fn merge(&mut self, other: Self);
}

/// No counts are wanted.
impl Counts for () {
    fn add(&mut self, _: &Judged) {}
    fn merge(&mut self, (): Self) {}
}

/// The sink of one worker.
pub(super) struct WorkerSink<C> {
    counts: C,
    filter: ReportFilter,
    passed_on: [u32; Verdict::ALL.len()],
    channel: Sender<Judged>,
    backlog: Arc<AtomicUsize>,
}

impl<C: Counts> WorkerSink<C> {
    pub(super) fn new(
        counts: C,
        filter: ReportFilter,
        channel: Sender<Judged>,
        backlog: Arc<AtomicUsize>,
    ) -> Self {
        Self { counts, filter, passed_on: [0; Verdict::ALL.len()], channel, backlog }
    }

    fn is_wanted(&mut self, verdicts: &[Judgement]) -> bool {
        let ReportFilter::Unusual(limit) = self.filter else { return true };
        let mut wanted = false;
        for judgement in verdicts.iter().filter(|j| j.verdict != Verdict::Clean) {
            let passed_on = &mut self.passed_on[judgement.verdict as usize];
            wanted |= *passed_on < limit;
            *passed_on = passed_on.saturating_add(1);
        }
        wanted
    }
}

impl<C: Counts> Sink for WorkerSink<C> {
    type Result = C;

    fn settled(&mut self, probe: Judged) {
        self.counts.add(&probe);
        if self.is_wanted(&probe.verdicts) {
            self.backlog.fetch_add(1, Ordering::Relaxed);
            // The receiver is gone only when the run is being stopped.
            let _ = self.channel.send(probe);
        }
    }

    fn has_room(&self) -> bool {
        self.backlog.load(Ordering::Relaxed) < BACKLOG
    }

    fn finish(self) -> C {
        self.counts
    }
}
