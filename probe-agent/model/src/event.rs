//! Kernel events, decoded.

use std::{fmt, net::SocketAddr};

use probe_agent_common::{EventRecord, FlowKey, NO_SLOT, RecordKind, UnknownRecordKind};

use crate::{
    packet_drop::{DropPlace, DropReason, InterfaceName, PacketDrop},
    segment::{Segment, TcpFlags},
};

/// A TCP state (`net/tcp_states.h`; RFC 9293, section 3.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpState {
    /// `TCP_ESTABLISHED`
    Established,
    /// `TCP_SYN_SENT`
    SynSent,
    /// `TCP_CLOSE`
    Close,
    /// Any other state, by the kernel's number.
    Other(u8),
}

impl From<u8> for TcpState {
    fn from(value: u8) -> Self {
        match value {
            1 => Self::Established,
            2 => Self::SynSent,
            7 => Self::Close,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Established => "ESTABLISHED",
            Self::SynSent => "SYN_SENT",
            Self::Close => "CLOSE",
            Self::Other(3) => "SYN_RECV",
            Self::Other(4) => "FIN_WAIT1",
            Self::Other(5) => "FIN_WAIT2",
            Self::Other(6) => "TIME_WAIT",
            Self::Other(8) => "CLOSE_WAIT",
            Self::Other(9) => "LAST_ACK",
            Self::Other(10) => "LISTEN",
            Self::Other(11) => "CLOSING",
            Self::Other(12) => "NEW_SYN_RECV",
            Self::Other(n) => return write!(f, "state {n}"),
        })
    }
}

/// The name of a reset reason (`enum sk_rst_reason` without its prefix), e.g. `NO_SOCKET`. The names are
/// stable between kernels, the numbers are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RstReason(pub &'static str);

impl RstReason {
    /// The RST answers a packet that belongs to no socket.
    pub const NO_SOCKET: Self = Self("NO_SOCKET");
    /// A segment reached a socket in `SYN_SENT` but does not acknowledge its SYN.
    pub const INVALID_ACK: Self = Self("TCP_INVALID_ACK_SEQUENCE");
    /// The kernel gives no reasons (before about 6.10), or one that its own table does not name.
    pub const NONE: Self = Self("");
}

impl fmt::Display for RstReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::NONE { "no reason given" } else { self.0 })
    }
}

/// The names of this kernel's numbers.
pub trait ReasonNames {
    /// The name of a value of `enum sk_rst_reason`.
    fn rst(&self, number: i32) -> RstReason;
    /// The name of a value of `enum skb_drop_reason`.
    fn drop(&self, number: i32) -> DropReason;
    /// The name of an interface of the agent's network namespace; empty if there is none with this index.
    fn interface(&self, index: u32) -> InterfaceName;
}

/// What the kernel did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A state change that does not occur in a clean probe.
    StateChange {
        /// The state before.
        from: TcpState,
        /// The state after.
        to: TcpState,
    },
    /// The kernel sent a RST, except for the RST of the probe's own close.
    RstSent {
        /// The state of the socket that sent the RST; `None` if there was no socket.
        socket: Option<TcpState>,
        /// Why the kernel sent it.
        reason: RstReason,
        /// The segment that it answers; `None` if it answers none, or the header cannot be read.
        answers: Option<Segment>,
    },
    /// `tcp_receive_reset`.
    RstReceived,
    /// The socket sent its SYN again (`sock_ops`, or `tcp_retransmit_skb` in `SYN_SENT`).
    SynRetransmit {
        /// The result of the transmission: 0, or a negative errno (-1: this host's firewall dropped
        /// the SYN).
        error: i32,
    },
    /// The same in another state.
    SegmentRetransmit {
        /// The state of the socket.
        state: TcpState,
    },
    /// `tcp_retransmit_synack`, by a server on this host.
    SynAckRetransmit {
        /// The SYN-ACK; `None` if its numbers cannot be read.
        segment: Option<Segment>,
    },
    /// The kernel of this host dropped a packet of the flow.
    PacketDropped(PacketDrop),
    /// A SYN-ACK that acknowledges the probe's SYN came from another address, and the kernel sent a RST. No
    /// hook says so: the sequence number does.
    SynAckFromElsewhere {
        /// Who sent it.
        from: SocketAddr,
    },
    /// The ACK guard held back an ACK that would have completed the handshake.
    AckHeldBack,
}

impl EventKind {
    /// Whether a socket of the agent took part in it.
    #[must_use]
    pub const fn has_socket(self) -> bool {
        match self {
            Self::SynAckRetransmit { .. }
            | Self::PacketDropped(_)
            | Self::SynAckFromElsewhere { .. }
            | Self::RstSent { socket: None, .. } => false,
            Self::RstSent { socket: Some(_), .. }
            | Self::StateChange { .. }
            | Self::RstReceived
            | Self::SynRetransmit { .. }
            | Self::SegmentRetransmit { .. }
            | Self::AckHeldBack => true,
        }
    }

    /// Whether it may come at any time after the SYN. Otherwise, where no socket took part, it comes after
    /// the close: as long as there is a socket, that answers.
    #[must_use]
    pub const fn may_precede_close(self) -> bool {
        match self {
            Self::SynAckRetransmit { .. }
            | Self::PacketDropped(_)
            | Self::SynAckFromElsewhere { .. } => true,
            Self::RstSent { .. }
            | Self::StateChange { .. }
            | Self::RstReceived
            | Self::SynRetransmit { .. }
            | Self::SegmentRetransmit { .. }
            | Self::AckHeldBack => false,
        }
    }

    /// Whether the socket sent a segment again: after a simultaneous open, its SYN-ACK.
    #[must_use]
    pub const fn is_retransmit(&self) -> bool {
        matches!(self, Self::SynRetransmit { .. } | Self::SegmentRetransmit { .. })
    }

    /// Whether the socket sent its SYN again.
    #[must_use]
    pub const fn is_syn_retransmit(&self) -> bool {
        matches!(self, Self::SynRetransmit { .. })
    }

    /// Whether it is the RST with which a socket in `SYN_SENT` answers a challenge ACK or a late SYN-ACK:
    /// a reply that does not acknowledge its SYN (`tcp_rcv_synsent_state_process`; RFC 9293, section
    /// 3.10.7.3).
    #[must_use]
    pub fn answers_stale_reply(self) -> bool {
        matches!(self, Self::RstSent { socket: Some(TcpState::SynSent), reason, .. }
            if reason == RstReason::INVALID_ACK || reason == RstReason::NONE)
    }
}

/// One kernel event of one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub at: u64,
    /// What the kernel did.
    pub kind: EventKind,
}

/// A kernel event and the keys that identify its probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowEvent {
    /// The probe's 4-tuple.
    pub flow: FlowKey,
    /// The slot and generation of the socket involved; `None` if there was no socket.
    pub socket: Option<(u32, u32)>,
    /// The event.
    pub event: Event,
}

impl FlowEvent {
    /// Gives the numbers of a record their meaning.
    ///
    /// # Errors
    /// For a kind that this version does not know.
    pub fn decode(
        record: &EventRecord,
        names: &impl ReasonNames,
    ) -> Result<Self, UnknownRecordKind> {
        let state = TcpState::from(record.state);
        let has_socket = record.slot != NO_SLOT;
        let segment = Segment::from_record(record.flags, record.seq, record.ack);
        let kind = match RecordKind::try_from(record.kind)? {
            RecordKind::StateChange => {
                EventKind::StateChange { from: TcpState::from(record.old_state), to: state }
            }
            RecordKind::RstSent => EventKind::RstSent {
                socket: has_socket.then_some(state),
                reason: names.rst(record.detail),
                answers: segment,
            },
            RecordKind::RstReceived => EventKind::RstReceived,
            RecordKind::SegmentRetransmit if state == TcpState::SynSent => {
                EventKind::SynRetransmit { error: record.detail }
            }
            RecordKind::SegmentRetransmit => EventKind::SegmentRetransmit { state },
            RecordKind::SynAckRetransmit => EventKind::SynAckRetransmit { segment },
            RecordKind::AckHeldBack => EventKind::AckHeldBack,
            RecordKind::PacketDropped => {
                let (outgoing, place) = PacketDrop::place_of(record.state);
                EventKind::PacketDropped(PacketDrop {
                    segment: segment.unwrap_or(Segment { flags: TcpFlags(0), seq: 0, ack: 0 }),
                    outgoing,
                    place,
                    reason: names.drop(record.detail),
                    interface: match place {
                        DropPlace::OurNetns => names.interface(record.place),
                        DropPlace::OtherNetns | DropPlace::Unknown => InterfaceName::new(),
                    },
                })
            }
        };
        Ok(Self {
            flow: record.flow,
            socket: has_socket.then_some((record.slot, record.generation)),
            event: Event { at: record.at, kind },
        })
    }
}
