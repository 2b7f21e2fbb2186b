//! A probe on its way to the exporter's thread.

use std::sync::Arc;

use explain::ExplainedProbe;
use model::target::Target;

use crate::ids::RunIds;

/// A probe whose span is to be made.
pub(crate) struct Queued {
    pub(crate) probe: ExplainedProbe,
    /// `None`: the target is in the list of the run, and the ids are those of the run.
    pub(crate) origin: Option<Origin>,
}

/// What the span of a probe has from elsewhere.
pub(crate) struct Origin {
    pub(crate) target: Arc<Target>,
    pub(crate) ids: RunIds,
}
