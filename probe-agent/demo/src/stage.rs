//! The lab of one scenario: its server, its faults and the plan to probe it by.

use std::{
    fs::File,
    net::{IpAddr, SocketAddr},
    os::fd::AsFd,
    sync::Arc,
    time::Duration,
};

use super::{
    error::DemoError,
    scenario::{At, Here, Scenario, Witness},
};
use engine::{
    session::Plan,
    settings::{Settings, SocketSettings},
};
use kernel::state_hook::StateHookChoice;
use lab::{ClosedPort, Counters, End, Family, Injected, Lab, LabError, Listener, TcpState};
use model::{expect::Expect, target::Target};

/// The first source port. The lab is private, so that nobody else has it.
const SOURCE_PORT: u16 = 40_001;

/// A counter of the server's kernel, in nstat's spelling.
const RESETS: &str = "TcpExtEmbryonicRsts";

/// Everything that a scenario needs, set up. Dropping it takes it all down.
#[derive(Debug)]
pub(super) struct Stage {
    // Dropped first: rules whose namespace is gone need no program to remove them.
    lab: Lab,
    injected: Vec<Injected>,
    target: Occupant,
    _taken: Option<ClosedPort>,
    before: Counters,
    plan: Plan,
}

/// Who is at the target's address.
#[derive(Debug)]
enum Occupant {
    Server(Listener),
    Nobody(ClosedPort),
}

impl Stage {
    /// Builds the lab of a scenario and makes its faults happen.
    ///
    /// # Errors
    /// Whatever the lab lacks.
    pub(super) fn set(
        scenario: &Scenario,
        family: Family,
        state_hook: StateHookChoice,
    ) -> Result<Self, DemoError> {
        let lab = Lab::new()?;
        for (name, value) in scenario.server_sysctls {
            lab.server().sysctl(name, value)?;
        }
        let target = match scenario.target {
            At::Server => Occupant::Server(lab.listen(family)?),
            At::NoServer => Occupant::Nobody(lab.closed_port(family)?),
        };
        let here = lab.client_address(family);
        let taken = match scenario.here {
            Here::PortTaken => Some(ClosedPort::reserve(lab.client(), here)?),
            Here::AllWell | Here::ForeignSource => None,
        };
        let source = match scenario.here {
            Here::ForeignSource => Some(lab.vip(family)),
            Here::AllWell | Here::PortTaken => None,
        };
        let first = taken.as_ref().map_or(SOURCE_PORT, |port| port.address().port());
        let plan = plan(scenario, &lab, target.address(), source, first, state_hook)?;
        let injected: Result<_, LabError> =
            scenario.injected.iter().map(|injection| lab.inject(&injection.fault)).collect();
        let injected = injected?;
        let before = lab.server().counters()?;
        Ok(Self { lab, injected, target, _taken: taken, before, plan })
    }

    /// How to probe.
    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many segments nftables counted for each fault, once all that is under way has arrived.
    pub(super) fn hits(&self) -> Result<Vec<u64>, DemoError> {
        self.lab.settle()?;
        let hits: Result<_, LabError> = self.injected.iter().map(Injected::dropped).collect();
        Ok(hits?)
    }

    /// How many connections the server's application was given.
    pub(super) fn accepted(&self) -> Result<usize, DemoError> {
        match &self.target {
            Occupant::Server(listener) => Ok(listener.accepted()?),
            Occupant::Nobody(_) => Ok(0),
        }
    }

    /// What the server's kernel says.
    pub(super) fn witness(&self) -> Result<Witness, DemoError> {
        let server = self.lab.namespace(End::Server);
        let moved = server.counters()?.since(&self.before);
        Ok(Witness {
            resets: moved.get(RESETS).copied().unwrap_or(0),
            half_open: server.sockets_in(TcpState::SynRecv)?,
        })
    }
}

impl Occupant {
    const fn address(&self) -> SocketAddr {
        match self {
            Self::Server(listener) => listener.address(),
            Self::Nobody(port) => port.address(),
        }
    }
}

fn plan(
    scenario: &Scenario,
    lab: &Lab,
    address: SocketAddr,
    source: Option<IpAddr>,
    first_port: u16,
    state_hook: StateHookChoice,
) -> Result<Plan, DemoError> {
    let probing = &scenario.probing;
    let netns = lab.client().as_fd().try_clone_to_owned();
    let netns = netns
        .map_err(|source| DemoError::Run { operation: "hold the client's namespace", source })?;
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
            ports: Some(first_port..=first_port + (probing.slots - 1)),
            fresh_sockets: probing.fresh_sockets,
            ..SocketSettings::default()
        },
    };
    Ok(Plan {
        count: Some(probing.count),
        netns: Some(Arc::new(File::from(netns))),
        state_hook,
        ..Plan::new(settings, [Target::at(address)].into())
    })
}
