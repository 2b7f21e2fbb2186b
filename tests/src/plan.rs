//! A run as `check` has it, from the client of a lab: two namespaces, a real server, real faults.

use model::expect::Expect;
use std::{fs::File, io, net::SocketAddr, os::fd::AsFd as _, sync::Arc, time::Duration};

use engine::{
    session::{Plan, ReportFilter},
    settings::{PortPolicy, Settings, SocketSettings},
};
use lab::Lab;
use model::target::Target;

/// So many probes as fast as possible by one worker, all else as `check` has it of its own accord.
/// Nobody hears of single probes.
///
/// # Errors
/// If the descriptor of the namespace cannot be duplicated.
pub fn as_check(lab: &Lab, target: SocketAddr, probes: u64) -> io::Result<Plan> {
    let settings = Settings {
        interval: Duration::ZERO,
        concurrency: 256,
        timeout: Duration::from_secs(2),
        settle: Duration::from_secs(2),
        slots: 8_192,
        first_slot: 0,
        port_policy: PortPolicy::Rotate,
        expect: Expect::Open,
        socket: SocketSettings::default(),
    };
    let netns = File::from(lab.client().as_fd().try_clone_to_owned()?);
    Ok(Plan {
        count: Some(probes),
        netns: Some(Arc::new(netns)),
        filter: ReportFilter::Unusual(0),
        ..Plan::new(settings, [Target::at(target)].into())
    })
}

/// Shares what [`as_check`] takes among so many workers, as `check` does.
pub fn share(plan: &mut Plan, workers: u32) {
    plan.workers = workers;
    plan.settings.concurrency /= workers as usize;
    plan.settings.slots /= workers;
}
