//! The lab of one scenario: its target, its faults, and the plan to probe it.

use std::{net::IpAddr, ops::RangeInclusive, sync::Arc, time::Duration};

use super::{
    background::ProbedLab,
    error::DemoError,
    scenario::{HostFault, Scenario, ServerCounts, TargetKind},
};
use engine::{
    session::Plan,
    settings::{Settings, SocketSettings},
};
use kernel::state_hook::StateHookChoice;
use lab::{ClosedPort, Counters, Family, LabBuilder, ReadyLab, TcpState};
use model::{expect::Expect, target::Target};

/// The first source port. The lab is private, so no other program holds it.
const SOURCE_PORT: u16 = 40_001;

/// Which ports the probes leave from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstPort {
    /// Those of nobody else.
    Own,
    /// From the one that has the number of the target's port.
    OfTarget,
}

/// Half-open connections that a RST ended, as nstat spells the kernel's counter.
const RESETS: &str = "TcpExtEmbryonicRsts";

/// RSTs that a host sent.
const SENT_RSTS: &str = "TcpOutRsts";

/// Everything that a scenario needs. Dropping it takes all of it down.
#[derive(Debug)]
pub(super) struct LabSetup {
    lab: ReadyLab,
    /// Holds the source port where the scenario says that it is taken.
    _taken: Option<ClosedPort>,
    before: Counters,
    /// The probes' source ports.
    ports: RangeInclusive<u16>,
    plan: Plan,
}

impl LabSetup {
    /// Builds the lab of a scenario and injects its faults.
    ///
    /// # Errors
    /// Whatever the lab lacks.
    pub(super) fn new(
        scenario: &Scenario,
        family: Family,
        state_hook: StateHookChoice,
        first_port: FirstPort,
    ) -> Result<Self, DemoError> {
        let lab = builder(scenario, family).build()?;
        let client = lab.lab().client();
        let taken = match scenario.host_fault {
            HostFault::PortTaken => {
                Some(ClosedPort::reserve(client, lab.lab().client_address(family))?)
            }
            HostFault::None | HostFault::ForeignSource => None,
        };
        let source = match scenario.host_fault {
            HostFault::ForeignSource => Some(lab.lab().vip(family)),
            HostFault::None | HostFault::PortTaken => None,
        };
        let free = match first_port {
            FirstPort::Own => SOURCE_PORT,
            FirstPort::OfTarget => lab.address().port(),
        };
        let first = taken.as_ref().map_or(free, |port| port.address().port());
        let ports = first..=first + (scenario.probing.slots - 1);
        let plan = plan(scenario, &lab, source, ports.clone(), state_hook)?;
        let before = lab.lab().server().counters()?;
        Ok(Self { lab, _taken: taken, before, ports, plan })
    }

    /// How to probe.
    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many segments nftables counted for each fault, once all that was sent has arrived.
    pub(super) fn hits(&self) -> Result<Vec<u64>, DemoError> {
        Ok(self.lab.hits()?)
    }

    /// The lab, for those who connect beside the probes.
    pub(super) fn probed(&self, scenario: &Scenario) -> ProbedLab<'_> {
        ProbedLab {
            lab: &self.lab,
            ports: self.ports.clone(),
            target_is_shared: scenario.injected.is_empty() && scenario.target == TargetKind::Server,
            server_may_reset: !scenario.probing.fresh_sockets,
        }
    }

    /// How many connections from the probes' ports the server's application was given.
    pub(super) fn accepted(&self) -> Result<usize, DemoError> {
        Ok(self.lab.accepted_from(&self.ports)?)
    }

    /// What the server's kernel counted since the lab was set up.
    pub(super) fn server_counts(&self) -> Result<ServerCounts, DemoError> {
        let server = self.lab.lab().server();
        let moved = server.counters()?.since(&self.before);
        Ok(ServerCounts {
            resets: moved.get(RESETS).copied().unwrap_or(0),
            half_open: server.sockets_in(TcpState::SynRecv)?,
        })
    }

    /// How many RSTs the server's host sent since the lab was set up.
    pub(super) fn server_rsts(&self) -> Result<i64, DemoError> {
        let moved = self.lab.lab().server().counters()?.since(&self.before);
        Ok(moved.get(SENT_RSTS).copied().unwrap_or(0))
    }
}

fn builder(scenario: &Scenario, family: Family) -> LabBuilder {
    let mut builder = LabBuilder::new(family);
    for (name, value) in scenario.server_sysctls {
        builder = builder.server_sysctl(name, value);
    }
    for injection in scenario.injected {
        builder = builder.fault(injection.fault);
    }
    match scenario.target {
        TargetKind::Server => builder,
        TargetKind::ClosedPort => builder.closed_port(),
    }
}

fn plan(
    scenario: &Scenario,
    lab: &ReadyLab,
    source: Option<IpAddr>,
    ports: RangeInclusive<u16>,
    state_hook: StateHookChoice,
) -> Result<Plan, DemoError> {
    let probing = &scenario.probing;
    let settings = Settings {
        interval: Duration::ZERO,
        concurrency: probing.concurrency,
        timeout: probing.timeout,
        settle: probing.settle,
        slots: u32::from(probing.slots),
        first_slot: 0,
        port_policy: probing.ports,
        expect: Expect::Open,
        socket: SocketSettings {
            source,
            ports: Some(ports),
            fresh_sockets: probing.fresh_sockets,
            ..SocketSettings::default()
        },
    };
    Ok(Plan {
        count: Some(probing.count),
        netns: Some(Arc::new(lab.lab().client().file()?)),
        state_hook,
        ..Plan::new(settings, [Target::at(lab.address())].into())
    })
}
