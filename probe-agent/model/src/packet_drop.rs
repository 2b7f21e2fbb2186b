//! Packets that the kernel of this host dropped.

use probe_agent_common::{DROP_OTHER_NETNS, DROP_OUR_NETNS, DROP_OUTGOING};

use crate::segment::Segment;

/// The name of a drop reason (`enum skb_drop_reason` without its prefix), e.g. `NETFILTER_DROP`. The names
/// are stable between kernels, the numbers are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DropReason(pub &'static str);

impl DropReason {
    /// A packet filter dropped it.
    pub const NETFILTER: Self = Self("NETFILTER_DROP");
    /// No socket takes it.
    pub const NO_SOCKET: Self = Self("NO_SOCKET");
    /// The kernel gives no reason.
    pub const NOT_SPECIFIED: Self = Self("NOT_SPECIFIED");
    /// A RST was taken, or must be ignored because it acknowledges nothing.
    pub const TCP_RESET: Self = Self("TCP_RESET");
    /// The next hop did not answer (ARP, neighbour discovery).
    pub const NO_NEIGHBOUR: Self = Self("NEIGH_FAILED");

    /// Whether TCP itself freed the packet, so that it has reached its host.
    #[must_use]
    pub fn is_of_tcp(self) -> bool {
        self.0.starts_with("TCP_") || self == Self::NO_SOCKET
    }

    /// Whether the next hop could not be found.
    #[must_use]
    pub fn is_neighbour(self) -> bool {
        self.0.starts_with("NEIGH_")
    }
}

/// Whose network namespace dropped a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropPlace {
    /// The agent's.
    OurNetns,
    /// Another one of this host, e.g. that of a container.
    OtherNetns,
    /// Some namespace of this host.
    Unknown,
}

/// A packet of a probe's flow that the kernel of this host dropped (`kfree_skb`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PacketDrop {
    /// The packet.
    pub segment: Segment,
    /// Whether the agent's end sent it.
    pub outgoing: bool,
    /// Where it was dropped.
    pub place: DropPlace,
    /// Why.
    pub reason: DropReason,
    /// The name of the interface that it was at; empty if it was at none, or at one of another network
    /// namespace.
    pub interface: InterfaceName,
}

/// As long as the kernel allows (`IFNAMSIZ`).
pub type InterfaceName = arrayvec::ArrayString<16>;

impl PacketDrop {
    /// Decodes direction and place.
    #[must_use]
    pub(crate) const fn place_of(state: u8) -> (bool, DropPlace) {
        let place = if state & DROP_OUR_NETNS != 0 {
            DropPlace::OurNetns
        } else if state & DROP_OTHER_NETNS != 0 {
            DropPlace::OtherNetns
        } else {
            DropPlace::Unknown
        };
        (state & DROP_OUTGOING != 0, place)
    }

    /// Whether it has reached TCP at its destination, which was done with it: without a reason, or for one of
    /// TCP's own that is no refusal.
    #[must_use]
    pub fn has_reached_tcp(&self) -> bool {
        const REFUSALS: [&str; 5] =
            ["TCP_MD5", "TCP_AO", "TCP_MINTTL", "TCP_LISTEN_OVERFLOW", "TCP_CSUM"];
        let is_refused = REFUSALS.iter().any(|name| self.reason.0.starts_with(name));
        let is_unexplained = self.reason == DropReason::NOT_SPECIFIED && !self.is_here();
        is_unexplained || (self.reason.is_of_tcp() && (!is_refused || self.segment.flags.is_rst()))
    }

    /// Whether the agent's network namespace dropped it: this host, as its user sees it.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.place == DropPlace::OurNetns
    }
}
