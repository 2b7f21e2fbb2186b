//! What the engine is told to do.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use model::expect::Expect;

/// When a source port may probe the same target again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortPolicy {
    /// Not before the settle window of its last probe has passed; where there are more probes than
    /// ports, the longest-rested one goes first and the early reuse is counted
    #[default]
    Rotate,
    /// At once: for reproducing what a leftover does to the next probe
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
    /// Number of the first slot: workers of one run have slots of their own.
    pub first_slot: u32,
    /// When a 4-tuple may be used again.
    pub port_policy: PortPolicy,
    /// What a healthy target does.
    pub expect: Expect,
    /// How sockets are made.
    pub socket: SocketSettings,
}
