//! Targets of probes.

use std::net::SocketAddr;

/// The index of a target in the run's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetId(pub u32);

/// An address and port to probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As the user wrote it, e.g. `db.example:5432`.
    pub name: String,
    /// The host part of the name, e.g. `db.example` (`server.address`).
    pub host: String,
    /// Where the SYN goes. An IPv4-mapped IPv6 address is kept as such: its socket is `AF_INET6`.
    pub address: SocketAddr,
}

impl Target {
    /// A target without a name.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self { name: address.to_string(), host: address.ip().to_string(), address }
    }

    /// `ipv4` or `ipv6`, as on the wire (`network.type`).
    #[must_use]
    pub fn network_type(&self) -> &'static str {
        if self.address.ip().to_canonical().is_ipv4() { "ipv4" } else { "ipv6" }
    }
}
