//! What a worker does with a settled probe.

use std::sync::{Arc, atomic::Ordering};

use explain::Judged;
use model::{event::EventKind, record::HalfOpen};

use crate::{
    counts::{Facts, ProbeCounts, WorkerCounts},
    exemplar::{Exemplar, Trace},
    shared::Shared,
    targets::TargetEntry,
};

/// Counts the probes of one worker. Only its own thread writes its counts, so that a probe costs no lock, no
/// atomic read-modify-write and no look-up of a label.
#[derive(Debug)]
pub struct Recorder {
    number: usize,
    shared: Arc<Shared>,
    counts: Arc<WorkerCounts>,
    /// The counts for each target, fetched when it is first probed.
    targets: Vec<Option<Cached>>,
    /// The version of the list of targets that `targets` is from.
    version: u64,
}

#[derive(Debug)]
struct Cached {
    entry: Arc<TargetEntry>,
    counts: Arc<ProbeCounts>,
}

impl Recorder {
    pub(crate) fn new(number: usize, shared: Arc<Shared>, counts: Arc<WorkerCounts>) -> Self {
        Self { number, shared, counts, targets: Vec::new(), version: 0 }
    }

    /// Counts a settled probe. `trace` is that of its span, if it is exported. A confirmation probe counts as
    /// that and as nothing else: it belongs to the probe whose refusal it checks.
    pub fn record(&mut self, judged: &Judged, trace: Option<Trace>) {
        let probe = &judged.timeline.probe;
        if probe.confirms.is_some() {
            self.counts.confirmations.add(1);
            return;
        }
        let facts = Facts::of(judged);
        self.counts.probes.add(judged, &facts);
        if probe.early_reuse {
            self.counts.early_reuses.add(1);
        }
        if probe.half_open == HalfOpen::NotEnforced {
            self.counts.unguarded.add(1);
        }
        for event in &judged.timeline.events {
            if let EventKind::PacketDropped(packet) = &event.kind {
                self.counts.count_drop(packet);
            }
        }
        if let Some(trace) = trace {
            self.shared.offer(judged, &facts, trace);
        }
        let Some(cached) = self.target(probe.target.0 as usize) else { return };
        cached.counts.add(judged, &facts);
        if let (Some(trace), Some(_)) = (trace, facts.handshake) {
            cached.entry.exemplar.offer(Exemplar { trace, handshake: facts.handshake });
        }
    }

    /// The counts of a target; `None` if it is not in the list any more.
    fn target(&mut self, id: usize) -> Option<&Cached> {
        let version = self.shared.version.load(Ordering::Acquire);
        if version != self.version {
            (self.version, self.targets) = (version, Vec::new());
        }
        if !matches!(self.targets.get(id), Some(Some(_))) {
            let entry = self.shared.target(id)?;
            let counts = entry.cell(self.number);
            if self.targets.len() <= id {
                self.targets.resize_with(id + 1, || None);
            }
            if let Some(place) = self.targets.get_mut(id) {
                *place = Some(Cached { entry, counts });
            }
        }
        self.targets.get(id)?.as_ref()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Another worker may count on where this one ended.
        self.shared.free(self.number);
    }
}
