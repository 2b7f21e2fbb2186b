//! The handle that recorders and scrapes are made from.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use model::{target::TargetId, verdict::Verdict};

use crate::{
    format::Format,
    health::Health,
    labels::TargetLabels,
    recorder::Recorder,
    sample::Sample,
    scrape::Scrape,
    shared::{Options, Shared, lock},
    targets::{TargetEntry, TargetList},
};

/// The counts of an agent. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Shared>);

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Shared::new(options)))
    }

    /// The recorder of one more worker.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        let (number, counts) = self.0.worker();
        Recorder::new(number, Arc::clone(&self.0), counts)
    }

    /// The targets from now on. One that is there already, with the same labels, keeps its counts and its state;
    /// the others' are forgotten. The totals do not shrink.
    pub fn set_targets(&self, targets: impl IntoIterator<Item = (TargetId, TargetLabels)>) {
        let mut list = lock(&self.0.targets);
        let mut new = Vec::with_capacity(list.len());
        for (TargetId(id), labels) in targets {
            let id = id as usize;
            if new.len() <= id {
                new.resize(id + 1, None);
            }
            let old = list.get(id).and_then(Option::as_ref).filter(|old| old.labels == labels);
            let entry = old.map_or_else(|| Arc::new(TargetEntry::new(labels)), Arc::clone);
            if let Some(place) = new.get_mut(id) {
                *place = Some(entry);
            }
        }
        let is_kept = |(id, old): &(usize, &Arc<TargetEntry>)| {
            new.get(*id).and_then(Option::as_ref).is_some_and(|new| Arc::ptr_eq(new, old))
        };
        let old = list.iter().enumerate().filter_map(|(id, old)| Some((id, old.as_ref()?)));
        old.filter(|old| !is_kept(old)).for_each(|(_, old)| old.remove());
        *list = Arc::new(new);
        self.0.version.fetch_add(1, Ordering::Release);
    }

    /// Adds a target, as when a name gets another address. Adding one that is there already with these labels
    /// changes nothing.
    pub fn add_target(&self, TargetId(id): TargetId, labels: TargetLabels) {
        let mut list = lock(&self.0.targets);
        let id = id as usize;
        if list.get(id).and_then(Option::as_ref).is_some_and(|old| old.labels == labels) {
            return;
        }
        let list = Arc::make_mut(&mut list);
        if list.len() <= id {
            list.resize(id + 1, None);
        }
        if let Some(place) = list.get_mut(id) {
            let old = place.replace(Arc::new(TargetEntry::new(labels)));
            old.iter().for_each(|old| old.remove());
        }
        self.0.version.fetch_add(1, Ordering::Release);
    }

    /// Forgets a target.
    pub fn remove_target(&self, TargetId(id): TargetId) {
        let mut list = lock(&self.0.targets);
        let removed = Arc::make_mut(&mut list).get_mut(id as usize).and_then(Option::take);
        removed.iter().for_each(|removed| removed.remove());
        self.0.version.fetch_add(1, Ordering::Release);
    }

    /// A target is in a state, since a time since 1970. A change is counted by the verdict behind it.
    pub fn set_health(
        &self,
        TargetId(id): TargetId,
        health: Health,
        since: Duration,
        verdict: Option<Verdict>,
    ) {
        if let Some(entry) = self.0.target(id as usize) {
            lock(&entry.health).set(health, since, verdict);
        }
    }

    /// What a scraper gets now.
    #[must_use]
    pub fn scrape(&self, format: Format, sample: Sample) -> Scrape {
        let workers = self.0.workers();
        let targets = if self.0.options.targets { self.0.list() } else { TargetList::default() };
        Scrape::new(format, sample, workers, targets, Arc::clone(&self.0))
    }
}
