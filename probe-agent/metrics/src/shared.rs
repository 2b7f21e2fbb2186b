//! What recorders and scrapes share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64};

use explain::Judged;
use model::verdict::{Proof, Verdict};

use crate::{
    counts::{BUCKETS, Facts, WorkerCounts},
    exemplar::{Exemplar, ExemplarSlot, Trace},
    targets::{TargetEntry, TargetList},
};

/// Which series are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The series of single targets. Without them, only totals are written.
    pub targets: bool,
    /// The handshake histogram of each target: 20 series more for each.
    pub target_histograms: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { targets: true, target_histograms: true }
    }
}

/// The counts, and who writes them.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    /// Changes with each change of the list of targets.
    pub(crate) version: AtomicU64,
    pub(crate) targets: Mutex<TargetList>,
    workers: Mutex<Workers>,
    pub(crate) handshake_exemplars: [ExemplarSlot; BUCKETS],
    pub(crate) finding_exemplars: [[ExemplarSlot; 3]; 17],
}

#[derive(Debug, Default)]
struct Workers {
    all: Vec<Arc<WorkerCounts>>,
    /// The numbers of those that have ended.
    free: Vec<usize>,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            version: AtomicU64::new(1),
            targets: Mutex::default(),
            workers: Mutex::default(),
            handshake_exemplars: Default::default(),
            finding_exemplars: Default::default(),
        }
    }

    /// The number and the counts of one more worker.
    pub(crate) fn worker(&self) -> (usize, Arc<WorkerCounts>) {
        let mut workers = lock(&self.workers);
        let number = workers.free.pop().unwrap_or(workers.all.len());
        if let Some(counts) = workers.all.get(number) {
            return (number, Arc::clone(counts));
        }
        let counts = Arc::<WorkerCounts>::default();
        workers.all.push(Arc::clone(&counts));
        (number, counts)
    }

    /// The counts of all workers that there have been.
    pub(crate) fn workers(&self) -> Vec<Arc<WorkerCounts>> {
        lock(&self.workers).all.clone()
    }

    /// A target by id.
    pub(crate) fn target(&self, id: usize) -> Option<Arc<TargetEntry>> {
        lock(&self.targets).get(id)?.clone()
    }

    /// The targets as they are now.
    pub(crate) fn list(&self) -> TargetList {
        Arc::clone(&lock(&self.targets))
    }

    /// A worker has ended.
    pub(crate) fn free(&self, worker: usize) {
        lock(&self.workers).free.push(worker);
    }

    /// An exported probe is an example of its handshake's bucket, and of each finding.
    pub(crate) fn offer(&self, judged: &Judged, facts: &Facts, trace: Trace) {
        if facts.handshake.is_some()
            && let Some(slot) = self.handshake_exemplars.get(facts.bucket)
        {
            slot.offer(Exemplar { trace, handshake: facts.handshake });
        }
        for judgement in &judged.verdicts {
            if let Some(slot) = self.finding_slot(judgement.verdict, judgement.proof) {
                slot.offer(Exemplar { trace, handshake: None });
            }
        }
    }

    pub(crate) fn finding_slot(&self, verdict: Verdict, proof: Proof) -> Option<&ExemplarSlot> {
        self.finding_exemplars.get(verdict as usize)?.get(proof as usize)
    }
}

/// The data behind a lock, also after a thread has panicked with it: counts are never half-written.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
