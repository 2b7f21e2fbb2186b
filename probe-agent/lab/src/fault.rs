//! Faults as data: which segments, where, which of them, and what happens to them.

use super::End;

/// A segment of a probe, recognised by its flags alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// SYN of the client.
    Syn,
    /// SYN-ACK of the server.
    SynAck,
    /// ACK without data of the client: in a half-open probe, the one that must never leave.
    BareAck,
    /// RST with ACK of the client: what close or disconnect of a probe sends.
    FirstRst,
    /// RST without ACK of the client: its answer to a SYN-ACK or challenge ACK of a server that
    /// missed the first RST.
    RecoveryRst,
    /// Any RST of the client.
    Rst,
}

impl Segment {
    /// The end that sends it.
    #[must_use]
    pub const fn sender(self) -> End {
        match self {
            Self::Syn | Self::BareAck | Self::FirstRst | Self::RecoveryRst | Self::Rst => {
                End::Client
            }
            Self::SynAck => End::Server,
        }
    }
}

/// Hook of the packet filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hook {
    /// After routing, before the local TCP sees the segment.
    Input,
    /// After the local TCP made the segment, before it leaves.
    Output,
}

/// Where a fault takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The namespace.
    pub end: End,
    /// The hook in it.
    pub hook: Hook,
}

/// Which of the matching segments are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// All of them.
    All,
    /// Exactly the first so many since the injection.
    First(u32),
    /// Each with this probability, in percent, at most 100.
    Percent(u8),
}

/// What a segment is rejected with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reject {
    /// A RST, as from a closed port.
    TcpReset,
    /// ICMP host unreachable (3/1), ICMPv6 address unreachable (1/3).
    HostUnreachable,
    /// ICMP port unreachable (3/3), ICMPv6 port unreachable (1/4).
    PortUnreachable,
    /// ICMP communication administratively prohibited (3/13), ICMPv6 (1/1).
    AdminProhibited,
}

/// What happens to the segments that are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// They are dropped.
    Drop,
    /// They are dropped, and their sender gets an answer.
    Reject(Reject),
    /// They pass and are counted.
    Count,
}

/// A fault, ready for [`super::Lab::inject`].
///
/// Start with [`Fault::lost`], [`Fault::firewalled`], [`Fault::refused`] or [`Fault::counted`] and
/// restrict it. A SYN-ACK that comes too late is a loss that ends: inject
/// `Fault::lost(Segment::SynAck)`, let the probe time out, clear it, and the server sends its
/// SYN-ACK again 1 s after the first one (then after 2, 4, 8 s; `net.ipv4.tcp_synack_retries`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The segments concerned.
    pub segment: Segment,
    /// Where they are hit.
    pub place: Place,
    /// Which of them are hit.
    pub choice: Choice,
    /// What happens to those.
    pub action: Action,
    /// Port of the server they belong to; all ports if absent.
    pub port: Option<u16>,
}

impl Fault {
    /// The network loses all segments of a kind: they are dropped in the server's namespace, on their way
    /// in or out, where the client's host cannot see it.
    #[must_use]
    pub const fn lost(segment: Segment) -> Self {
        let hook = match segment.sender() {
            End::Client => Hook::Input,
            End::Server => Hook::Output,
        };
        let place = Place { end: End::Server, hook };
        Self { segment, place, choice: Choice::All, action: Action::Drop, port: None }
    }

    /// The client's own firewall drops all segments of a kind, on their way out or in.
    #[must_use]
    pub const fn firewalled(segment: Segment) -> Self {
        let hook = match segment.sender() {
            End::Client => Hook::Output,
            End::Server => Hook::Input,
        };
        let place = Place { end: End::Client, hook };
        Self { place, ..Self::lost(segment) }
    }

    /// The server's host rejects all SYNs.
    ///
    /// A blocking `connect` in this lab ignores the ICMP answer to its first SYN: the answer comes while
    /// the call still holds the socket, and the kernel then only records the error. The answer to the
    /// first retransmit, 1 s later, ends the attempt. RSTs take effect at once.
    #[must_use]
    pub const fn refused(with: Reject) -> Self {
        Self { action: Action::Reject(with), ..Self::lost(Segment::Syn) }
    }

    /// Segments of a kind are only counted, as the server's host sees them.
    #[must_use]
    pub const fn counted(segment: Segment) -> Self {
        Self { action: Action::Count, ..Self::lost(segment) }
    }

    /// Hits exactly the first `n`.
    #[must_use]
    pub const fn first(self, n: u32) -> Self {
        Self { choice: Choice::First(n), ..self }
    }

    /// Hits each with a probability of `p` percent.
    #[must_use]
    pub const fn percent(self, p: u8) -> Self {
        Self { choice: Choice::Percent(p), ..self }
    }

    /// Restricts it to one port of the server.
    #[must_use]
    pub const fn on_port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }
}
