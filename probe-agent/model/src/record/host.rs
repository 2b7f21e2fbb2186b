//! What this host has to do with a probe: why it cannot start, and where its SYN goes.

use std::net::SocketAddr;

use super::ProbeId;

/// What on this host keeps a probe from starting, where its errno has several causes. Looked for only if a
/// probe could not be started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StartProblem {
    /// Nothing that was found.
    #[default]
    None,
    /// An IPv6 address is tentative (`IFA_F_TENTATIVE`, RFC 4862): it cannot be used yet.
    Tentative,
    /// An IPv6 address failed duplicate address detection (`IFA_F_DADFAILED`).
    Duplicate,
    /// This host has no IPv6 address that leads anywhere.
    NoIpv6,
    /// The target is a broadcast address.
    Broadcast,
    /// A `prohibit` route leads to the target.
    Prohibited,
    /// A policy of this host forbids the connection: BPF on the cgroup, an LSM, seccomp, IPsec.
    Policy,
    /// The source port is below 1024 (`net.ipv4.ip_unprivileged_port_start`) and needs a privilege.
    PrivilegedPort,
    /// No port of the ephemeral range is free (`net.ipv4.ip_local_port_range`).
    NoFreePort,
    /// None of the source ports that were asked for is free.
    NoFreeSourcePort,
}

/// An address translation of this host (`nf_nat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// Where the SYN went in place of the target.
    pub real: SocketAddr,
    /// The probe that this was seen with. A service address may have several backends.
    pub of: ProbeId,
}
