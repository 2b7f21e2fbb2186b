//! A probe on its way to the exporter's thread.

use std::sync::Arc;

use explain::ExplainedProbe;
use kernel::clock::Clock;
use model::target::Target;

use crate::ids::RunIds;

/// A probe whose span is to be made.
pub(crate) struct Queued {
    pub(crate) probe: ExplainedProbe,
    /// `None`: the target is in the list of the run, and the ids are those of the run.
    pub(crate) origin: Option<Origin>,
}

/// What the span of a probe has from elsewhere, where targets come and go and a run has no end.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The target.
    pub target: Arc<Target>,
    /// The ids of the workers that gave the probe its id.
    pub ids: RunIds,
    /// The clocks when the probe was settled: the wall clock may have been set since the start.
    pub clock: Clock,
}
