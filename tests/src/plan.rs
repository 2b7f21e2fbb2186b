//! Plans that probe from the client of a lab.

use std::{net::SocketAddr, sync::Arc};

use engine::{
    fixtures,
    session::{Plan, ReportFilter},
};
use lab::{Lab, LabError};

/// So many probes as fast as possible by one worker, with the ports and probes in flight that `check`
/// has by default. No single probe is reported.
///
/// # Errors
/// If the descriptor of the namespace cannot be duplicated.
pub fn in_lab(lab: &Lab, target: SocketAddr, probes: u64) -> Result<Plan, LabError> {
    Ok(Plan {
        netns: Some(Arc::new(lab.client().file()?)),
        filter: ReportFilter::Unusual(0),
        ..fixtures::plan(target, probes)
    })
}

/// Divides the sockets of [`in_lab`] among so many workers, as `check` does.
pub fn share(plan: &mut Plan, workers: u32) {
    plan.workers = workers;
    plan.settings.concurrency /= workers as usize;
    plan.settings.slots /= workers;
}
