//! A private network to probe in: two network namespaces, a veth pair, real servers and real faults.
//!
//! ```text
//!   namespace "client"                                  namespace "server"
//!  +---------------------------+                       +---------------------------+
//!  | lo  127.0.0.1, ::1        |                       | lo  127.0.0.1, ::1        |
//!  |                           |      veth pair        |                           |
//!  | client0  198.18.N.1/25    |=======================| server0  198.18.N.2/25    |
//!  |          fd6c:6162:N::1/64|                       |          fd6c:6162:N::2/64|
//!  |                           |                       |                           |
//!  | nftables: local firewall  |                       | nftables: what the network|
//!  |                           |                       | loses or refuses; Listener|
//!  +---------------------------+                       +---------------------------+
//!             VIP 198.18.N.200/32, fd6c:6162:N:1::1/128, on lo of one end or of neither
//! ```
//!
//! N belongs to one lab alone, because tracepoints are global to the host: two labs never share a
//! 4-tuple, whatever processes they are in, unless one is the other's [`Lab::twin`]. Neighbour entries
//! are permanent and duplicate address detection is off, so the first SYN leaves at once.
//!
//! The namespaces have no name. They live as long as this process holds their descriptors. When it ends,
//! for whatever reason, the kernel removes them with the veth pair, rules and sockets in them. Nothing is
//! configured in the caller's namespace. The module `namespace` gives the reasons.
//!
//! Needs root (`CAP_SYS_ADMIN`, `CAP_NET_ADMIN`) and the programs `ip` and `nft`.
// A library returns errors: it does not panic, print or exit.
#![cfg_attr(
    not(test),
    deny(
        clippy::exit,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod accepted;
mod active_fault;
mod builder;
mod closed_port;
mod connections;
mod counters;
mod error;
mod fault;
mod fork_thread;
mod link_state;
mod listener;
mod namespace;
mod process;
mod ruleset;
mod settle;
mod sockets;
mod subnet;
#[cfg(test)]
mod tests;
mod tool;
mod wiring;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

pub use active_fault::ActiveFault;
pub use builder::{LabBuilder, ReadyLab};
pub use closed_port::ClosedPort;
pub use counters::Counters;
pub use error::LabError;
pub use fault::{Action, Choice, Fault, Hook, Place, Reject, Segment};
pub use listener::{Listener, ListenerOptions};
pub use namespace::Namespace;
pub use process::Process;
pub use sockets::{SocketEntry, TcpState};
pub use subnet::Family;
use subnet::Subnet;

/// Shorthand for results of this module.
type Result<T> = std::result::Result<T, LabError>;

/// One of the two ends of the veth pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Where the probes start.
    Client,
    /// Where the servers are.
    Server,
}

impl End {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// The lab. Dropping it kills the processes started in it and releases both namespaces. The kernel
/// removes them as soon as the last socket made in them is closed.
#[derive(Debug)]
pub struct Lab {
    client: Arc<Namespace>,
    server: Arc<Namespace>,
    subnet: Arc<Subnet>,
    vip_owner: Mutex<Option<End>>,
}

impl Lab {
    /// Makes both namespaces, joins and configures them; on return every address is usable.
    ///
    /// # Errors
    /// [`LabError::Namespace`] without privilege, [`LabError::Missing`] without `ip`,
    /// [`LabError::Tool`] or [`LabError::Link`] if the network cannot be configured.
    pub fn new() -> Result<Self> {
        Self::with(Arc::new(Subnet::claim()?))
    }

    /// Makes a second lab with the same addresses as this one, as two tenants of a host may have. Only
    /// the network namespace distinguishes their segments.
    ///
    /// # Errors
    /// As for [`Lab::new`].
    pub fn twin(&self) -> Result<Self> {
        Self::with(Arc::clone(&self.subnet))
    }

    fn with(subnet: Arc<Subnet>) -> Result<Self> {
        let client = Arc::new(Namespace::new("client")?);
        let server = Arc::new(Namespace::new("server")?);
        wiring::join(&client, &server, &subnet)?;
        Ok(Self { client, server, subnet, vip_owner: Mutex::new(None) })
    }

    /// Finds out whether labs can be made at all, and faults injected, without making one.
    ///
    /// # Errors
    /// [`LabError::Namespace`] without privilege, [`LabError::Missing`] without `ip` or `nft`,
    /// [`LabError::Tool`] if this kernel does not support them.
    pub fn preflight() -> Result<()> {
        let namespace = Namespace::new("client")?;
        tool::ip(&namespace, "")?;
        tool::nft(&namespace, "")
    }

    /// The namespace that probes start from.
    #[must_use]
    pub fn client(&self) -> &Namespace {
        &self.client
    }

    /// The namespace of the servers.
    #[must_use]
    pub fn server(&self) -> &Namespace {
        &self.server
    }

    /// The namespace at one end.
    #[must_use]
    pub fn namespace(&self, end: End) -> &Namespace {
        self.shared(end)
    }

    /// Address of the client's end of the veth pair.
    #[must_use]
    pub fn client_address(&self, family: Family) -> IpAddr {
        self.subnet.address(End::Client, family)
    }

    /// Address of the server's end of the veth pair.
    #[must_use]
    pub fn server_address(&self, family: Family) -> IpAddr {
        self.subnet.address(End::Server, family)
    }

    /// The virtual address of this lab. No interface has it until [`Lab::move_vip`] gives it to an end.
    #[must_use]
    pub fn vip(&self, family: Family) -> IpAddr {
        self.subnet.vip(family)
    }

    /// Gives the virtual addresses of both families to one end (on its `lo`, with a route to them
    /// at the other end), or removes them from both.
    ///
    /// # Errors
    /// [`LabError::Tool`] if `ip` refuses.
    pub fn move_vip(&self, to: Option<End>) -> Result<()> {
        // A poisoned lock only means that a test panicked elsewhere; the value is a plain copy.
        let mut owner = self.vip_owner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = owner.take() {
            wiring::drop_vip(self.shared(old), self.shared(old.other()), &self.subnet)?;
        }
        if let Some(new) = to {
            wiring::add_vip(self.shared(new), self.shared(new.other()), &self.subnet, new)?;
            *owner = Some(new);
        }
        Ok(())
    }

    /// Starts a listener that accepts everything, on a free port of the server's address.
    ///
    /// # Errors
    /// [`LabError::Socket`] if the socket cannot be made.
    pub fn listen(&self, family: Family) -> Result<Listener> {
        let address = SocketAddr::new(self.server_address(family), 0);
        Listener::open(&self.server, &ListenerOptions::at(address))
    }

    /// An address and port of the server where nothing listens, for as long as the value lives.
    ///
    /// # Errors
    /// [`LabError::Socket`] if no port can be reserved.
    pub fn closed_port(&self, family: Family) -> Result<ClosedPort> {
        ClosedPort::reserve(&self.server, self.server_address(family))
    }

    /// Injects a fault, until the returned value is cleared or the lab is gone.
    ///
    /// # Errors
    /// [`LabError::Fault`] if the fault makes no sense, [`LabError::Missing`] without `nft`,
    /// [`LabError::Tool`] if it refuses the rules.
    pub fn inject(&self, fault: &Fault) -> Result<ActiveFault> {
        ActiveFault::new(self.shared(fault.place.end), fault)
    }

    /// Returns once every segment sent in the lab before this call was delivered or dropped, and so were
    /// the answers to it, and the answers to those. It does not wait for what a timer sends later. A test
    /// can then assert that nothing was accepted, without a sleep.
    ///
    /// # Errors
    /// [`LabError::Socket`] if the lab's network does not carry a datagram.
    pub fn settle(&self) -> Result<()> {
        let address = self.server_address(Family::V4);
        settle::settle(&self.client, &self.server, address)
    }

    fn shared(&self, end: End) -> &Arc<Namespace> {
        match end {
            End::Client => &self.client,
            End::Server => &self.server,
        }
    }
}
