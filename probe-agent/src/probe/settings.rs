//! What the engine is told to do.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

/// When a 4-tuple may be used again for the same target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortPolicy {
    /// After its settle window; where there are more probes than 4-tuples, the longest-rested one
    /// goes first and the early reuse is counted.
    #[default]
    Rotate,
    /// At once: reproduces path B.
    Pin,
}

/// Where probes come from, and how their sockets are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketSettings {
    /// Source address; `None`: the one that the routing table chooses for each target.
    pub source: Option<IpAddr>,
    /// Source ports; `None`: the host's `ip_local_port_range`.
    pub ports: Option<RangeInclusive<u16>>,
    /// `SO_BINDTODEVICE`.
    pub interface: Option<String>,
    /// `SO_MARK`.
    pub mark: Option<u32>,
    /// `IP_FREEBIND`: the source address need not be local.
    pub freebind: bool,
    /// A new socket for every probe, as other checkers do: reproduces path C.
    pub fresh_sockets: bool,
}

/// What a run of the engine is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Probes for each target; `None`: until stopped.
    pub count: Option<u64>,
    /// From one probe of a target to its next; zero: as fast as possible.
    pub interval: Duration,
    /// At most so many probes are in flight.
    pub concurrency: usize,
    /// A probe without an answer ends after this.
    pub timeout: Duration,
    /// How long late events are waited for after a probe.
    pub settle: Duration,
    /// At most so many slots: each takes a source port and a file descriptor.
    pub slots: u32,
    /// When a 4-tuple may be used again.
    pub port_policy: PortPolicy,
    /// How sockets are made.
    pub socket: SocketSettings,
}
