//! The sink of a worker: counts every judged probe, and sends those that the report filter selects.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc::Sender,
};

use explain::Judged;
use model::verdict::{Judgement, Verdict};

use crate::event_loop::Sink;

/// The most probes that wait for the output before no further probe is started. Probes that are in flight
/// or settling then are still added, so their number bounds the memory.
const MAX_BACKLOG: usize = 4096;

/// Which judged probes reach the [`Output`](super::Output). All are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFilter {
    /// All probes.
    All,
    /// Unusual probes, but per worker and verdict no more than this number.
    Unusual(u32),
}

/// Counts the probes of one worker; the counts of all workers are merged at the end of a run.
pub trait Counts: Send + 'static {
    /// Counts one probe.
    fn add(&mut self, probe: &Judged);
    /// Adds the counts of another worker of the same run.
    fn merge(&mut self, other: Self);
}

/// Counts nothing.
impl Counts for () {
    fn add(&mut self, _: &Judged) {}
    fn merge(&mut self, (): Self) {}
}

/// The sink of one worker.
pub(super) struct WorkerSink<C> {
    counts: C,
    filter: ReportFilter,
    reported: [u32; Verdict::ALL.len()],
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
        Self { counts, filter, reported: [0; Verdict::ALL.len()], channel, backlog }
    }

    fn is_wanted(&mut self, verdicts: &[Judgement]) -> bool {
        let ReportFilter::Unusual(limit) = self.filter else { return true };
        let mut wanted = false;
        for judgement in verdicts.iter().filter(|j| j.verdict != Verdict::Clean) {
            let Some(reported) = self.reported.get_mut(judgement.verdict as usize) else {
                continue;
            };
            wanted |= *reported < limit;
            *reported = reported.saturating_add(1);
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
            // The receiver is dropped only when the run is being stopped.
            let _ = self.channel.send(probe);
        }
    }

    fn has_room(&self) -> bool {
        self.backlog.load(Ordering::Relaxed) < MAX_BACKLOG
    }

    fn finish(self) -> C {
        self.counts
    }
}
