//! One kernel event, decoded.

use std::fmt;

use probe_agent_common::{EventRecord, FlowKey, NO_SLOT, RecordKind, UnknownRecordKind};

/// A TCP state (`net/tcp_states.h`; RFC 9293, section 3.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpState {
    /// `TCP_ESTABLISHED`
    Established,
    /// `TCP_SYN_SENT`
    SynSent,
    /// `TCP_CLOSE`
    Close,
    /// Any other, by the kernel's number.
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

/// The name that this kernel gives a reset's reason (`enum sk_rst_reason` without its prefix),
/// e.g. `NO_SOCKET`. Numbers change between kernels, names do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RstReason(pub &'static str);

impl RstReason {
    /// The packet that was answered belongs to no socket.
    pub const NO_SOCKET: Self = Self("NO_SOCKET");
    /// A segment met a socket in `SYN_SENT` with an acknowledgment number that is not of its SYN.
    pub const INVALID_ACK: Self = Self("TCP_INVALID_ACK_SEQUENCE");
    /// The kernel has no reasons (before about 6.10), or one that its own table does not name.
    pub const NONE: Self = Self("");
}

/// What the kernel did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A change of state that a clean probe does not have.
    StateChange {
        /// The state before.
        from: TcpState,
        /// The state after.
        to: TcpState,
    },
    /// The kernel sent a RST, other than that of the probe's own close.
    RstSent {
        /// The state of the socket that answered; `None` where no socket was found.
        socket: Option<TcpState>,
        /// Why.
        reason: RstReason,
    },
    /// `tcp_receive_reset`.
    RstReceived,
    /// `tcp_retransmit_skb` in `SYN_SENT`.
    SynRetransmit {
        /// What the transmission said: 0, or a negative errno (-1: dropped by this host's
        /// firewall).
        error: i32,
    },
    /// `tcp_retransmit_skb` in another state.
    SegmentRetransmit {
        /// That state.
        state: TcpState,
    },
    /// `tcp_retransmit_synack`, by a server on this host.
    SynAckRetransmit,
    /// The ACK guard held back an ACK that would have woken the server's `accept()`.
    AckHeldBack,
}

/// One kernel event of one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub at: u64,
    /// What happened.
    pub what: EventKind,
}

impl Event {
    /// Whether this is the RST that answers a challenge ACK, or a late SYN-ACK, that met a socket
    /// in `SYN_SENT` (`tcp_rcv_synsent_state_process`; RFC 9293, section 3.10.7.3).
    #[must_use]
    pub fn is_challenged(&self) -> bool {
        match self.what {
            EventKind::RstSent { socket: Some(TcpState::SynSent), reason } => {
                reason == RstReason::INVALID_ACK || reason == RstReason::NONE
            }
            EventKind::RstSent { .. }
            | EventKind::StateChange { .. }
            | EventKind::RstReceived
            | EventKind::SynRetransmit { .. }
            | EventKind::SegmentRetransmit { .. }
            | EventKind::SynAckRetransmit
            | EventKind::AckHeldBack => false,
        }
    }
}

/// An event with what is needed to find its probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowEvent {
    /// The probe's 4-tuple.
    pub flow: FlowKey,
    /// The slot whose socket took part, and its generation; `None` where no socket did.
    pub socket: Option<(u32, u32)>,
    /// The event.
    pub event: Event,
}

impl FlowEvent {
    /// Gives the numbers of a record their meaning. `reason` knows the name of a value of this kernel's
    /// `enum sk_rst_reason`.
    ///
    /// # Errors
    /// For a kind that this version does not know.
    pub fn decode(
        record: &EventRecord,
        reason: impl FnOnce(i32) -> RstReason,
    ) -> Result<Self, UnknownRecordKind> {
        let state = TcpState::from(record.state);
        let has_socket = record.slot != NO_SLOT;
        let what = match RecordKind::try_from(record.kind)? {
            RecordKind::StateChange => {
                EventKind::StateChange { from: TcpState::from(record.old_state), to: state }
            }
            RecordKind::RstSent => EventKind::RstSent {
                socket: has_socket.then_some(state),
                reason: reason(record.detail),
            },
            RecordKind::RstReceived => EventKind::RstReceived,
            RecordKind::SegmentRetransmit if state == TcpState::SynSent => {
                EventKind::SynRetransmit { error: record.detail }
            }
            RecordKind::SegmentRetransmit => EventKind::SegmentRetransmit { state },
            RecordKind::SynAckRetransmit => EventKind::SynAckRetransmit,
            RecordKind::AckHeldBack => EventKind::AckHeldBack,
        };
        Ok(Self {
            flow: record.flow,
            socket: has_socket.then_some((record.slot, record.generation)),
            event: Event { at: record.at, what },
        })
    }
}
