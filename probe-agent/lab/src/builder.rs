//! A lab that is ready for a test: what is at its target address, and which faults are injected.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use super::{ActiveFault, ClosedPort, End, Family, Fault, Lab, Listener, ListenerOptions, Result};

/// Describes a [`ReadyLab`]: by default a server that accepts everything, and no faults.
#[derive(Clone, Debug)]
pub struct LabBuilder {
    family: Family,
    target: TargetKind,
    server_sysctls: Vec<(String, String)>,
    faults: Vec<Fault>,
}

#[derive(Clone, Copy, Debug)]
enum TargetKind {
    Listener { backlog: Option<u16> },
    ClosedPort,
}

impl LabBuilder {
    /// A lab with a target of one address family.
    #[must_use]
    pub const fn new(family: Family) -> Self {
        let target = TargetKind::Listener { backlog: None };
        Self { family, target, server_sysctls: Vec::new(), faults: Vec::new() }
    }

    /// Sets the length of the server's accept queue.
    #[must_use]
    pub fn backlog(self, backlog: u16) -> Self {
        Self { target: TargetKind::Listener { backlog: Some(backlog) }, ..self }
    }

    /// Nothing listens at the target's address.
    #[must_use]
    pub fn closed_port(self) -> Self {
        Self { target: TargetKind::ClosedPort, ..self }
    }

    /// Sets a kernel parameter of the server's namespace.
    #[must_use]
    pub fn server_sysctl(mut self, name: &str, value: &str) -> Self {
        self.server_sysctls.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Injects a fault. If it names no port, it concerns the target's port alone, so other connections of
    /// the lab are none of its hits.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Makes the lab and injects the faults, in the order in which they were named.
    ///
    /// # Errors
    /// As for [`Lab::new`], [`Lab::listen`] and [`Lab::inject`], or a kernel parameter is refused.
    pub fn build(&self) -> Result<ReadyLab> {
        let lab = Lab::new()?;
        for (name, value) in &self.server_sysctls {
            lab.server().sysctl(name, value)?;
        }
        let target = match self.target {
            TargetKind::ClosedPort => Target::ClosedPort(lab.closed_port(self.family)?),
            TargetKind::Listener { backlog: None } => Target::Listener(lab.listen(self.family)?),
            TargetKind::Listener { backlog: Some(backlog) } => {
                let address = SocketAddr::new(lab.server_address(self.family), 0);
                let options = ListenerOptions::at(address).backlog(backlog);
                Target::Listener(Listener::open(lab.namespace(End::Server), &options)?)
            }
        };
        let own = target.address().port();
        let at_target = |fault: &Fault| fault.on_port(fault.port.unwrap_or(own));
        let faults = self.faults.iter().map(|fault| lab.inject(&at_target(fault)));
        let faults = faults.collect::<Result<_>>()?;
        Ok(ReadyLab { lab, target, faults })
    }
}

/// A lab with a target and faults. Dropping it removes all of it.
#[derive(Debug)]
pub struct ReadyLab {
    // Dropped first: once the namespace is gone, no `nft` has to run to remove the rules.
    lab: Lab,
    target: Target,
    faults: Vec<ActiveFault>,
}

#[derive(Debug)]
enum Target {
    Listener(Listener),
    ClosedPort(ClosedPort),
}

impl Target {
    const fn address(&self) -> SocketAddr {
        match self {
            Self::Listener(listener) => listener.address(),
            Self::ClosedPort(port) => port.address(),
        }
    }

    /// The remote addresses of the connections that the application was given.
    fn peers(&self) -> Result<Vec<SocketAddr>> {
        match self {
            Self::Listener(listener) => listener.peers(),
            Self::ClosedPort(_) => Ok(Vec::new()),
        }
    }
}

impl ReadyLab {
    /// The lab itself.
    #[must_use]
    pub const fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The target's address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.target.address()
    }

    /// How many connections the server's application was given; 0 where nothing listens.
    ///
    /// # Errors
    /// As for [`Listener::accepted`].
    pub fn accepted(&self) -> Result<usize> {
        Ok(self.target.peers()?.len())
    }

    /// How many of them came from these ports.
    ///
    /// # Errors
    /// As for [`Listener::accepted`].
    pub fn accepted_from(&self, ports: &RangeInclusive<u16>) -> Result<usize> {
        let peers = self.target.peers()?;
        Ok(peers.iter().filter(|peer| ports.contains(&peer.port())).count())
    }

    /// How many segments each fault has hit, once all that was sent has arrived.
    ///
    /// # Errors
    /// As for [`Lab::settle`] and [`ActiveFault::hits`].
    pub fn hits(&self) -> Result<Vec<u64>> {
        self.lab.settle()?;
        self.faults.iter().map(ActiveFault::hits).collect()
    }
}
