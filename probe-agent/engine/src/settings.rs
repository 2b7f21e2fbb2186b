//! How the engine probes.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use model::expect::Expect;

/// When a source port may probe the same target again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortPolicy {
    /// After the settle window of its last probe. If no port is ready, the one idle for longest is used
    /// and the early reuse is counted.
    #[default]
    Rotate,
    /// At once: reproduces what a stale half-open connection does to the next probe.
    Pin,
}

/// The source address and ports of probes, and how their sockets are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketSettings {
    /// The source address; `None`: the one that the routing table chooses for each target.
    pub source: Option<IpAddr>,
    /// The source ports; `None`: the host's `ip_local_port_range`.
    pub ports: Option<RangeInclusive<u16>>,
    /// Whether the user chose them. Set for each worker by the runtime.
    pub are_ports_chosen: bool,
    /// `SO_BINDTODEVICE`.
    pub interface: Option<String>,
    /// `SO_MARK`.
    pub mark: Option<u32>,
    /// `IP_FREEBIND`: the source address need not be local.
    pub freebind: bool,
    /// A new socket for every probe, as other checkers do: reproduces path C.
    pub fresh_sockets: bool,
}

/// How each worker probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The time between two probes of a target; zero: as fast as possible.
    pub interval: Duration,
    /// The in-flight limit.
    pub concurrency: usize,
    /// A probe without an answer times out after this.
    pub timeout: Duration,
    /// How long a probe waits for late events after its end.
    pub settle: Duration,
    /// The most slots: each takes a source port and a file descriptor.
    pub slots: u32,
    /// The number of the first slot: each worker of a run has slots of its own.
    pub first_slot: u32,
    /// When a 4-tuple may be used again.
    pub port_policy: PortPolicy,
    /// What a healthy target does.
    pub expect: Expect,
    /// How sockets are made.
    pub socket: SocketSettings,
}
