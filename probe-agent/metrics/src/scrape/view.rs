//! What the metrics of the whole agent are written from.

use std::sync::Arc;

use crate::{
    counts::WorkerCounts,
    page::{Page, Value},
    sample::Sample,
    shared::Shared,
};

/// The workers' counts, and what the service knows.
pub(crate) struct View {
    pub(crate) sample: Sample,
    pub(crate) workers: Vec<Arc<WorkerCounts>>,
    /// The number of targets.
    pub(crate) targets: usize,
    pub(crate) shared: Arc<Shared>,
}

/// Writes the series of one family.
pub(crate) type Write = fn(&View, &mut Page);

impl View {
    /// The sum over the workers.
    pub(crate) fn sum(&self, read: impl Fn(&WorkerCounts) -> u64) -> u64 {
        self.workers.iter().map(|worker| read(worker)).fold(0, u64::wrapping_add)
    }
}

/// One series without labels.
pub(crate) fn one(page: &mut Page, value: u64) {
    page.sample("", "", &[], Value::Count(value), None);
}

/// One series with a label.
pub(crate) fn labelled(page: &mut Page, label: &str, name: &str, value: u64) {
    page.sample("", "", &[(label, name)], Value::Count(value), None);
}
