//! The targets that are counted, by id.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    counts::ProbeCounts, exemplar::ExemplarSlot, health::HealthRecord, labels::TargetLabels,
};

/// One target.
#[derive(Debug)]
pub(crate) struct TargetEntry {
    pub(crate) labels: TargetLabels,
    /// The counts of each worker that has probed it, by the worker's number.
    cells: Mutex<Vec<(usize, Arc<ProbeCounts>)>>,
    pub(crate) health: Mutex<HealthRecord>,
    /// The latest exported probe with a handshake.
    pub(crate) exemplar: ExemplarSlot,
    is_removed: AtomicBool,
}

impl TargetEntry {
    pub(crate) fn new(labels: TargetLabels) -> Self {
        let (cells, health) = (Mutex::default(), Mutex::default());
        let is_removed = AtomicBool::new(false);
        Self { labels, cells, health, exemplar: ExemplarSlot::default(), is_removed }
    }

    /// The counts of a worker.
    pub(crate) fn cell(&self, worker: usize) -> Arc<ProbeCounts> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = cells.iter().find(|(number, _)| *number == worker) {
            return Arc::clone(cell);
        }
        let cell = Arc::<ProbeCounts>::default();
        cells.push((worker, Arc::clone(&cell)));
        cell
    }

    /// It is not in the list any more. Workers may still hold it.
    pub(crate) fn remove(&self) {
        self.is_removed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.is_removed.load(Ordering::Relaxed)
    }

    /// Calls `read` with the counts of each worker.
    pub(crate) fn each(&self, mut read: impl FnMut(&ProbeCounts)) {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.iter().for_each(|(_, cell)| read(cell));
    }

    /// The sum over the workers.
    pub(crate) fn sum(&self, read: impl Fn(&ProbeCounts) -> u64) -> u64 {
        let mut sum = 0_u64;
        self.each(|counts| sum = sum.wrapping_add(read(counts)));
        sum
    }
}

/// The targets by id. A scrape holds the list as it was at its start.
pub(crate) type TargetList = Arc<Vec<Option<Arc<TargetEntry>>>>;
