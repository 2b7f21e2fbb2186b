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
    /// The version of the list of targets that was last seen.
    version: u64,
    /// How many of `targets`, from the first on, may be of targets that have been removed since.
    unchecked: usize,
}

#[derive(Debug)]
struct Cached {
    entry: Arc<TargetEntry>,
    counts: Arc<ProbeCounts>,
    /// The version of the list of targets in which it was found.
    version: u64,
}

impl Recorder {
    pub(crate) fn new(number: usize, shared: Arc<Shared>, counts: Arc<WorkerCounts>) -> Self {
        Self { number, shared, counts, targets: Vec::new(), version: 0, unchecked: 0 }
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

    /// The counts of a target; `None` if it is not in the list any more. After a change of the list, each target is
    /// looked up again when it is next probed: a change costs no more than that, however many targets there are.
    fn target(&mut self, id: usize) -> Option<&Cached> {
        let version = self.shared.version.load(Ordering::Acquire);
        if version != self.version {
            (self.version, self.unchecked) = (version, self.targets.len());
        }
        self.release_one();
        let is_current =
            matches!(self.targets.get(id), Some(Some(cached)) if cached.version == version);
        if !is_current {
            let found = self.shared.target(id);
            if self.targets.len() <= id && found.is_some() {
                self.targets.resize_with(id + 1, || None);
            }
            let counts = found.as_ref().map(|entry| entry.cell(self.number));
            let place = self.targets.get_mut(id)?;
            *place = found.zip(counts).map(|(entry, counts)| Cached { entry, counts, version });
        }
        self.targets.get(id)?.as_ref()
    }

    /// Lets go of one target that has been removed: all of them, by and by.
    fn release_one(&mut self) {
        if let Some(at) = self.unchecked.checked_sub(1) {
            self.unchecked = at;
            if let Some(place) = self.targets.get_mut(at)
                && place.as_ref().is_some_and(|cached| cached.entry.is_removed())
            {
                *place = None;
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Another worker may count on where this one ended.
        self.shared.free(self.number);
    }
}
