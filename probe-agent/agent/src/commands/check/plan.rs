//! What the engine is to do, from the configuration.

use std::{num::NonZeroU64, sync::Arc};

use engine::{
    names::Names,
    pacing::Pacing,
    session::{Plan, ReportFilter},
    settings::{Settings, SocketSettings},
};
use model::target::Targets;
use report::reporter::RunShape;
use tracing::debug;

use super::{slots, workers};
use crate::{config::CheckConfig, exit::Failure};

/// The engine's plan. Each worker gets its share of the slots and of the in-flight limit.
///
/// # Errors
/// More slots were asked for than fit.
pub(super) fn plan(
    config: &CheckConfig,
    names: Arc<Names>,
    pacing: Pacing,
    export: bool,
) -> Result<Plan, Failure> {
    let targets = names.targets().clone();
    let limits = slots::limits(config, !names.is_empty()).map_err(Failure::usage)?;
    let workers = workers::workers(config, &pacing, &limits);
    debug!(
        targets = targets.len(),
        workers,
        slots = limits.slots,
        concurrency = limits.concurrency,
        interval = ?config.interval,
        timeout = ?config.timeout,
        settle = ?config.settle,
        export,
        "configuration"
    );
    let shape = shape(config, &targets);
    Ok(Plan {
        settings: Settings {
            interval: config.interval,
            concurrency: (limits.concurrency / workers).max(1) as usize,
            timeout: config.timeout,
            settle: config.settle,
            slots: (limits.slots / workers).max(1),
            first_slot: 0,
            port_policy: config.port_policy,
            expect: config.expect,
            socket: SocketSettings {
                source: config.source.map(|ip| ip.to_canonical()),
                ports: config.source_ports.map(|p| p.ports()),
                are_ports_chosen: config.source_ports.is_some(),
                interface: config.interface.clone(),
                mark: config.mark,
                freebind: config.freebind,
                fresh_sockets: config.fresh_sockets,
            },
        },
        targets,
        names: (!names.is_empty()).then_some(names),
        count: config.count.map(NonZeroU64::get),
        pacing,
        workers,
        netns: config.netns_file(),
        ack_guard: config.ack_guard,
        state_hook: config.state_hook,
        filter: if export { ReportFilter::All } else { shape.filter(config.output) },
        early: shape.early_filter(config.output),
    })
}

/// What the report knows before the run.
pub(super) fn shape(config: &CheckConfig, targets: &Targets) -> RunShape {
    RunShape {
        targets: targets.clone(),
        count: config.count,
        expect: config.expect,
        early: config.early,
    }
}
